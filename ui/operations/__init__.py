"""What an operator sees of a web process: its numbers, its health, and how it ends. Imports nothing else of `ui`."""
