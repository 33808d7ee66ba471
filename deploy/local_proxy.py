"""The real nginx with the configuration that is deployed, on loopback and without rights: for tests and benchmarks."""

from __future__ import annotations

import shutil
import socket
import string
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).parent / "nginx" / "lstm-lab.conf.template"
TIMEOUT = 20.0  # seconds for it to listen
SHELL = """
daemon off;
pid {folder}/pid;
error_log {folder}/errors;
worker_processes {workers};
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/lstm-lab.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running nginx: its address with the prefix, its process, and the file of its access log."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


def program() -> str | None:
    """Where nginx is; None if it isn't installed. Debian keeps it off the path of users."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def write(folder: Path, port: int, replicas: Sequence[str], prefix: str = "", workers: int = 1) -> Path:
    """Write its configuration into a folder; returns the file that `nginx -c` takes.

    Args:
        folder: of its files.
        port: where it listens.
        replicas: as "127.0.0.1:8501".
        prefix: empty, or a path such as "/lab".
        workers: processes.
    """
    servers = " ".join(f"server {each} max_fails=2 fail_timeout=2s;" for each in replicas)
    names = {"LISTEN": f"127.0.0.1:{port}", "PREFIX": prefix, "SERVERS": servers}
    filled = string.Template(TEMPLATE.read_text("utf-8")).safe_substitute(
        {f"LSTM_LAB_{name}": value for name, value in names.items()}
    )
    (folder / "lstm-lab.conf").write_text(filled, encoding="utf-8")
    (folder / "nginx.conf").write_text(SHELL.format(folder=folder, workers=workers), encoding="utf-8")
    return folder / "nginx.conf"


@contextmanager
def nginx(replicas: Sequence[str], prefix: str = "", workers: int = 1) -> Iterator[Proxy]:
    """Run it until the block ends; the arguments are those of `write`.

    Raises:
        RuntimeError: if it doesn't start.
    """
    folder = Path(tempfile.mkdtemp(prefix="lstm-lab-nginx-"))
    folder.chmod(0o755)  # its processes have another user where it is started by root
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "access"
    with log.open("wb") as out:
        file = write(folder, port, replicas, prefix, workers)
        process = subprocess.Popen([program() or "nginx", "-c", str(file)], stdout=out, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + TIMEOUT
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        else:
            raise RuntimeError(f"nginx doesn't start: {log.read_text('utf-8', 'replace')[-1000:]}")
        yield Proxy(f"http://127.0.0.1:{port}{prefix}", process, log)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
