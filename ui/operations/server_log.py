"""Lets Streamlit and its web server write the lines of `lstm_core.logs` as they are."""

import logging

from streamlit import config, logger

from lstm_core import logs

SERVER = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access")


def setup() -> None:
    """Do as LSTM_LAB_LOG says; called again once the server has set its own formats."""
    logs.setup()
    if logging.getLogRecordFactory() is logs.record:
        config.set_option("logger.messageFormat", "%(message)s")
        logger.update_formatter()
        for handler in (each for name in SERVER for each in logging.getLogger(name).handlers):
            handler.setFormatter(None)
        logging.getLogger("uvicorn.access").handlers.clear()  # Streamlit asked for no lines of requests
