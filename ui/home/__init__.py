"""The home page: the tour of the lab and its small figures."""
