"""A soak: mixed visitors for half an hour, and what the server keeps and loses."""
