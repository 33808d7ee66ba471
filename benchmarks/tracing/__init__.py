"""Tracing whole networks, beside Keras and other packages."""
