"""Structured logs: one line of JSON an event, and no text of a visitor in any of them, whoever logs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECRET = "what a visitor has typed"
SCRIPT = """
import logging, sys, threading, warnings
from lstm_core import logs
from ui.operations import server_log
server_log.setup(); server_log.setup()
import distributed
from streamlit.logger import get_logger
secret = sys.argv[1]
log = logging.getLogger("lstm_lab")
log.info("takes visitors")
log.error("the run '%s' has a result that can't be written after %d s", secret, 3)
try:
    float(secret)
except ValueError as error:
    log.error("a page failed", exc_info=error)
    logging.getLogger("asyncio").exception(f"Task failed: {secret}")
    logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
logging.getLogger("uvicorn.error").warning('%s - "WebSocket %s" [accepted]', "10.0.0.1", f"/?text={secret}")
logging.getLogger("distributed.worker").warning("Compute Failed\\nargs: (%s)", secret)
logging.getLogger("lstm_lab.database").error("the database can't be used: %s", f"refused '{secret}' at ({secret})")
get_logger("streamlit.anything").warning("A widget has %s", secret)
warnings.warn(secret)
def fail():
    raise ValueError(secret)
thread = threading.Thread(target=fail); thread.start(); thread.join()
"""


def lines(**settings: str) -> list[str]:
    """What a process that handles the secret logs."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, SECRET],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return (done.stdout + done.stderr).splitlines()


def test_each_event_is_a_line_of_json_without_the_text() -> None:
    written = lines(LSTM_LAB_LOG="json")
    assert SECRET not in "\n".join(written)
    found = [json.loads(line) for line in written]
    assert {"time", "level", "logger", "event"} <= set.intersection(*(set(each) for each in found))
    by_event = {each["event"]: each for each in found}
    assert by_event["takes visitors"]["level"] == "info"
    assert by_event["the run '%s' has a result that can't be written after %d s"]["values"] == [3]
    assert by_event["a page failed"]["error"] == "ValueError"
    assert by_event["a page failed"]["at"] == ["<string>:13 <module>"]
    assert by_event["the database can't be used: refused … at …"]
    assert {each["logger"] for each in found} >= {
        "asyncio", "distributed.worker", "streamlit.anything", "py.warnings", "uvicorn.error"
    }  # fmt: skip
    assert len(found) == 11


def test_without_the_setting_logs_are_as_ever() -> None:
    written = "\n".join(lines())
    assert f"ValueError: could not convert string to float: '{SECRET}'" in written
    assert "{" not in written
