"""All goals of a class of fifty in one run."""
