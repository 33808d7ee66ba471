"""Logs for a server: with LSTM_LAB_LOG=json each record is one line of JSON that holds nothing a visitor has typed.

What is logged here and by the libraries may quote a text: an exception's message, the arguments of a job, a request. So
a record is replaced where it is made, before any handler sees it: what happened, where, and numbers.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
import traceback
from typing import Any

OURS = ("lstm_lab", "lstm_core", "uvicorn")  # loggers whose messages are constants with arguments
REASONS = (
    "lstm_lab.database",
    "lstm_lab.worker",
    "lstm_lab.operations",
)  # whose arguments are no visitor's
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\([^()]*\)")
# Dask writes its records as they are, and its worker processes call `dask_setup`.
DASK = {"DASK_DISTRIBUTED__ADMIN__LOG_FORMAT": "%(message)s", "DASK_DISTRIBUTED__WORKER__PRELOAD": "lstm_core.logs"}
FRAMES = 12  # of a traceback, the innermost


def setup() -> None:
    """Do as LSTM_LAB_LOG says, for the whole process; nothing without it."""
    if os.environ.get("LSTM_LAB_LOG") != "json" or logging.getLogRecordFactory() is record:
        return
    logging.setLogRecordFactory(record)
    os.environ.update(DASK)
    log, handler = logging.getLogger("lstm_lab"), logging.StreamHandler()
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    logging.getLogger().handlers = [handler]
    for each in (handler, *logging.getLogger("distributed").handlers):
        each.setFormatter(None)
    logging.captureWarnings(True)
    threading.excepthook = lambda ended: log.error("a thread failed", exc_info=ended[:3])  # type: ignore[arg-type]


def dask_setup(server: object) -> None:
    """Do so in a process of Dask: `dask scheduler --preload lstm_core.logs`."""
    setup()


def record(
    name: str, level: int, path: str, line: int, message: object, arguments: Any, error: Any, *rest: Any, **more: Any
) -> logging.LogRecord:
    """A log record whose message is a line of JSON; a factory for `logging.setLogRecordFactory`.

    Args:
        name: of the logger; those of `OURS` say what happened, of others the place in the code is known alone.
        level: of the record.
        path: of the code.
        line: in it.
        message: a constant; numbers among its arguments are kept.
        arguments: of the message.
        error: as `sys.exc_info` gives it; its type and its place are kept, its words are not.
        rest: unused.
        more: unused.
    """
    made: dict[str, Any] = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "level": logging.getLevelName(level).lower(),
        "logger": name,
        "event": str(message) if name.startswith(OURS) else f"{os.path.basename(path)}:{line}",
    }
    given = arguments if isinstance(arguments, tuple) else (arguments,)
    if name in REASONS and arguments:
        made["event"] = str(message) % tuple(each if isinstance(each, int | float) else _reason(each) for each in given)
    elif values := [each for each in given if isinstance(each, int | float)]:
        made["values"] = values
    if error and error[0] is not None:
        frames = traceback.extract_tb(error[2])[-FRAMES:]
        made["error"] = error[0].__name__
        made["at"] = [f"{os.path.basename(each.filename)}:{each.lineno} {each.name}" for each in frames]
    return logging.LogRecord(name, level, path, line, json.dumps(made, ensure_ascii=False), (), None)


def _reason(argument: object) -> str:
    return _QUOTED.sub("…", str(argument))
