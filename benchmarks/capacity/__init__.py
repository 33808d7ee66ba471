"""How many visitors one and two replicas serve, and what more of them need."""
