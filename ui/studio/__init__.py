"""The training studio: choosing what to train, watching it, and what can be done with it afterwards."""
