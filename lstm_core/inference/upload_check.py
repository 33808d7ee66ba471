"""Checks an uploaded model in a worker process with limits on time and memory, so that a bad one costs nobody else.

The worker is a fresh Python process without the environment of this one; `upload_worker.py` says what it does.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from lstm_core.errors import ModelError
from lstm_core.library.bundle import LARGEST_BUNDLE
from lstm_core.nn.keras_file import check_size
from lstm_core.tracing.open_file import shown_name

COMMAND = [sys.executable, "-m", "lstm_core.inference.upload_worker"]
ROOT = Path(__file__).parents[2]  # from which `lstm_core` is imported
LONGEST = 30.0  # seconds after which a worker is ended that doesn't end itself
# What a process needs to start; nothing else of the environment, which may hold passwords, is handed on.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
TOO_SLOW = "Opening the model takes too long; use a smaller network, or save the model again."
BROKEN = "The file is damaged in a way that ends the program that opens it; get it again, or save the model again."
_PLACES = threading.BoundedSemaphore(2)  # workers at once

_log = logging.getLogger(__name__)


def check_upload(data: bytes) -> None:
    """Open an uploaded bundle in a worker process: unpack it, load its model, and ask it once.

    Raises:
        ModelError: in one sentence, if it can't be used.
    """
    _check(data)


def check_network_upload(data: bytes, filename: str) -> None:
    """Open an uploaded file of a network of Keras or PyTorch in a worker process, as `tracing` does.

    What is in it can be inspected then, and read unless the report of `tracing.inspect_bytes` has a problem.

    Args:
        data: the bytes of the file.
        filename: its name.

    Raises:
        ModelError: in one sentence, if it can't be opened, or takes too much time or memory.
    """
    _check(data, shown_name(filename))


def _check(data: bytes, *arguments: str) -> None:
    """Give a file to a worker process; ModelError with the sentence by which it refuses the file, or for its limits."""
    check_size(data, "The file", LARGEST_BUNDLE)
    with _PLACES, tempfile.TemporaryDirectory() as folder:
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        # One thread needs less address space; what the worker writes lies in `folder`, also when it is ended.
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TMPDIR": folder, "TEMP": folder}
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [*COMMAND, *arguments], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
        ) as process:
            try:
                answer, messages = process.communicate(data, timeout=LONGEST)
            except subprocess.TimeoutExpired:
                raise ModelError(TOO_SLOW) from None
            finally:
                process.kill()
    if process.returncode in _TIME_LIMITS:
        raise ModelError(TOO_SLOW)
    if process.returncode:
        last = messages[-2000:].decode("utf-8", "replace")
        _log.warning("An uploaded model ended its worker (%d): %s", process.returncode, last)
        raise ModelError(BROKEN)
    if refusal := json.loads(answer)["refusal"]:
        raise ModelError(refusal)


_TIME_LIMITS = {-getattr(signal, name, 0) for name in ("SIGPROF", "SIGALRM", "SIGXCPU")}
