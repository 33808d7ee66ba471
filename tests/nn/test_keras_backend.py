"""What a process does before it trains: the backend, the memory that it keeps, and its threads."""

import os
import platform
import subprocess
import sys

import pytest

from lstm_core.errors import LabError
from lstm_core.jobs.worker import ONE_THREAD
from lstm_core.nn import keras_backend

# Frees 100 MB and takes them again in another thread: the pages that the system had to give for that.
TAKE_AGAIN = """
import resource, threading
from lstm_core.nn import keras_backend
keras_backend.keep_memory()
faults = []
def take():
    bytearray(100 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(100 << 20)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
thread = threading.Thread(target=take)
thread.start()
thread.join()
print(*faults)
"""


def test_the_backend_is_the_fastest_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.delenv("LSTM_LAB_TRAINING_BACKEND", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "jax" else object())
    assert keras_backend.choose() == os.environ["KERAS_BACKEND"] == "tensorflow"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert keras_backend.choose() == os.environ["KERAS_BACKEND"] == "jax"
    monkeypatch.setenv("LSTM_LAB_TRAINING_BACKEND", "numpy")
    with pytest.raises(LabError, match="can be jax, tensorflow or torch"):
        keras_backend.choose()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
def test_memory_is_kept_for_the_next_step() -> None:
    answer = subprocess.run([sys.executable, "-c", TAKE_AGAIN], capture_output=True, text=True, check=True)
    assert int(answer.stdout) < 1000  # of 25,600


# The names of the threads among which XLA divides its work.
XLA_THREADS = """
import os
import jax.numpy
jax.numpy.ones(3).block_until_ready()
names = [open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")]
print(sum(name.startswith("tf_XLAEigen") for name in names))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems don't name them")
def test_xla_has_one_thread_in_a_worker() -> None:
    pytest.importorskip("jax")
    command, environment = [sys.executable, "-c", XLA_THREADS], os.environ | ONE_THREAD
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert int(answer.stdout) == 1
