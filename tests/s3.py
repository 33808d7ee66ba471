"""An S3 server of the tests' own (moto's), in a process that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import s3fs

from tests.ports import free_port

BUCKET = "lstm-lab"  # as in deploy/compose.yaml


@dataclass
class Store:
    """A server that keeps what it was told in a file, and knows it again when it is started anew."""

    endpoint: str
    record: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """The environment of those who use it."""
        keys = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests", "AWS_DEFAULT_REGION": "us-east-1"}
        return keys | {"AWS_ENDPOINT_URL": self.endpoint, "LSTM_LAB_STORE": f"s3://{BUCKET}/files"}

    def start(self) -> None:
        """Start it, and wait until it answers."""
        again = self.record.exists()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", self.endpoint.rpartition(":")[2]],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"MOTO_ENABLE_RECORDING": "1", "MOTO_RECORDER_FILEPATH": str(self.record)},
        )
        if again:
            self._ask("POST", "/moto-api/recorder/replay-recording")
        else:
            self._ask("PUT", f"/{BUCKET}")

    def _ask(self, method: str, path: str) -> None:
        deadline = time.monotonic() + 60
        request = urllib.request.Request(f"{self.endpoint}{path}", method=method)
        while time.monotonic() < deadline and self.process and self.process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(request, timeout=10):
                return
            time.sleep(0.05)
        raise TimeoutError("the S3 server doesn't answer")

    def kill(self) -> None:
        """End it at once."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)


@contextmanager
def server() -> Iterator[Store]:
    """A running server with an empty bucket."""
    s3fs.S3FileSystem.clear_instance_cache()  # else this process goes on with the address of an earlier server
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"http://127.0.0.1:{free_port()}", Path(folder) / "record")
        try:
            store.start()
            yield store
        finally:
            store.kill()
