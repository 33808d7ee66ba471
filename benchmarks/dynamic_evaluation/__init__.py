"""Dynamic evaluation of the generators: `__main__` is the command, `reader` the network that learns."""
