"""A class on one server: how soon a lecturer's step is on every page, and how soon votes are counted and shown."""
