"""The page “Training studio”: train a network, watch it learn, and keep it."""
