"""The page “Cell microscope”: one cell at one timestep, with all its numbers."""
