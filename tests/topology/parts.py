"""What deploy/ runs in containers, as processes of this machine on free ports, each of which can be killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from deploy import certificates, local_proxy
from tests import postgresql, s3
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
REQUIRED = os.environ.get("LSTM_LAB_TOPOLOGY_TESTS") == "required"  # it takes minutes where cores are shared
PATIENCE = 60.0  # seconds


def wait_for(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait until the condition holds, and return what it returned; AssertionError after so many seconds."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


@dataclass
class Part:
    """A process that can be started again with the same command."""

    command: list[str]
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its output is added to its log."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    def kill(self) -> None:
        """Kill it and what it has started, as a machine that loses its power."""
        if self.process is None:
            return
        with suppress(psutil.NoSuchProcess):
            for each in [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(self.process.pid)]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        self.process.wait(30)


@dataclass
class Topology:
    """The parts by their names, and where they are."""

    url: str  # of the proxy
    replicas: list[str]  # the addresses of the web processes
    env: dict[str, str]  # of whoever uses database and store
    parts: dict[str, Any] = field(default_factory=dict)  # name → what has `start` and `kill`

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Kill a part, and start it again after the block."""
        self.parts[name].kill()
        try:
            yield
        finally:
            self.parts[name].start()


def settings(scheduler: str, folder: Path) -> dict[str, str]:
    """What web processes and workers are told in compose.yaml, with the addresses of this machine."""
    given = COMPOSE["services"]["worker"]["environment"]
    kept = {name: value for name, value in given.items() if name.startswith("LSTM_LAB_")}
    here = {"LSTM_LAB_SCHEDULER": scheduler, "LSTM_LAB_DASK_CERTS": str(folder / "certificates")}
    assert here.keys() <= kept.keys()
    return kept | here


@contextmanager
def running() -> Iterator[Topology]:
    """All parts, until the block ends."""
    if not REQUIRED:
        pytest.skip("it runs with LSTM_LAB_TOPOLOGY_TESTS=required")
    if not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()):
        pytest.fail("nginx isn't installed")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lstm-lab-topology-")))
        folder.chmod(0o755)  # the processes of nginx and PostgreSQL have other users where root starts them
        certificates.main(folder / "certificates")
        database = stack.enter_context(postgresql.restartable())
        store = stack.enter_context(s3.server())
        port, proxy, web = free_port(), free_port(), [f"127.0.0.1:{free_port()}" for _ in range(2)]
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("LSTM_LAB_", "COVERAGE"))}
        shared = settings(f"tls://127.0.0.1:{port}", folder) | store.settings
        env = plain | shared | {"LSTM_LAB_DATABASE": database.address}
        found = Topology(f"http://127.0.0.1:{proxy}", web, env, {"database": database, "store": store})

        def add(name: str, *command: str, **more: str) -> None:
            found.parts[name] = part = Part(list(command), env | more, folder / f"{name}.log")
            stack.callback(part.kill)
            part.start()

        service = COMPOSE["services"]["scheduler"]
        words = [
            each.replace("8786", str(port)).replace("/certificates", str(folder / "certificates"))
            for each in service["command"]
        ]
        add("scheduler", sys.executable, "-m", *words, "--host=127.0.0.1", **service["environment"])
        words = [
            each.replace("tls://scheduler:8786", f"tls://127.0.0.1:{port}")
            for each in COMPOSE["services"]["worker"]["command"]
        ]
        for number in (1, 2):
            add(f"worker {number}", sys.executable, *words[1:], LSTM_LAB_MODELS=str(folder / f"worker-{number}"))
        for number, address in enumerate(web, 1):
            options = (
                "--server.headless=true",
                "--server.address=127.0.0.1",
                f"--server.port={address.partition(':')[2]}",
            )
            own = {"LSTM_LAB_MODELS": str(folder / f"web-{number}"), "LSTM_LAB_SHARED": "1"}
            add(f"web {number}", sys.executable, "-m", "streamlit", "run", "app.py", *options, **own)
        configuration = local_proxy.write(folder, proxy, web)
        add("proxy", shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(configuration))
        for address in (*web, f"127.0.0.1:{proxy}"):
            wait_for(lambda: answers(f"http://{address}"), address)  # noqa: B023
        yield found


def answers(url: str) -> bool:
    """Whether a web process answers there."""
    with suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
        return True
    return False
