"""The page “Cell microscope”: one cell at one timestep, with every number of it."""
