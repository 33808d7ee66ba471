"""The settings of every model that ships, one file a task, and the registry that finds a recipe by its name."""
