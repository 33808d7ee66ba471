"""What visitors may ask of the workers, by the settings of this server."""

import os


def shared_server() -> bool:
    """Whether many people use this server (LSTM_LAB_SHARED=1): no downloads by visitors, no recipes of hours."""
    return os.environ.get("LSTM_LAB_SHARED") == "1"
