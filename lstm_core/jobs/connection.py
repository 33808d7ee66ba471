"""The connection of a queue to its workers: to a scheduler elsewhere, or to local workers, which it starts."""

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lstm_core.errors import LabError
from lstm_core.jobs.local_cluster import LocalWorkers
from lstm_core.jobs.worker import certificate_files

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

log = logging.getLogger("lstm_lab.jobs")

TIMEOUT = 30.0  # seconds to wait for the local workers to start
CONNECT = 4.0  # seconds to wait for a scheduler elsewhere
REFUSED = 10.0  # seconds after a failed attempt in which nobody waits for another one


class JobError(LabError):
    """A job that can't be accepted, or doesn't exist."""


class Connection:
    """Makes the connection when it is needed, and anew when it was lost; thread-safe."""

    def __init__(self, scheduler: str | None, memory: str) -> None:
        """`scheduler` is the address of one, or None for local workers with a limit of `memory` each."""
        self.scheduler, self.memory = scheduler, memory
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._cluster: LocalWorkers | None = None
        self._refusal: tuple[float, str] = (0.0, "")  # until when no attempt is made to connect, and why

    @property
    def address(self) -> str:
        """Where the scheduler of the local workers listens; empty before they were started."""
        return self._cluster.address if self._cluster is not None else ""

    @property
    def current(self) -> "Client | None":
        """The connection that there is now."""
        client = self._client
        return client if client is not None and client.status == "running" else None

    def workers(self) -> int:
        """The number of workers, as the scheduler said in the last two seconds; 0 without a connection. Never waits."""
        # `scheduler_info` would ask, and wait for it
        return int(client._scheduler_identity.get("n_workers", 0)) if (client := self.current) is not None else 0

    def close(self) -> None:
        """End the connection and the local workers."""
        with self._lock:
            client, cluster, self._client, self._cluster = self._client, self._cluster, None, None
        if client is not None:
            with suppress(Exception):  # the connection may be lost already
                client.close(timeout=5)
        if cluster is not None:
            cluster.close()

    def client(self) -> "Client":
        """The connection to the workers, made anew if it was lost; whoever comes just after a failure is told at once.

        Raises:
            JobError: if there is none, and none can be made.
        """
        with self._lock:
            if self._client is not None and self._client.status == "running":
                return self._client
            until, why = self._refusal
            if time.monotonic() < until:
                raise JobError(why)
            try:
                self._client = self._connect()
            except Exception as error:  # timeouts, refused connections, bad addresses, no memory for a process
                where = f"at {self.scheduler} " if self.scheduler else ""
                log.warning("no workers: %s", first_line(error))
                why = f"No training worker can be reached {where}({first_line(error)})."
                self._refusal = time.monotonic() + REFUSED, why
                raise JobError(why) from error
            return self._client

    def _connect(self) -> "Client":
        from distributed import Client

        address, certificates = self.scheduler, certificate_files()
        if self._client is not None:  # it may be trying to connect again, too
            with suppress(Exception):
                self._client.close(timeout=1)
        if not address:
            if self._cluster is not None:  # it can't be reached any more
                self._cluster.close()
            self._cluster = LocalWorkers(_own_workers(), self.memory, TIMEOUT)
            address, certificates = self._cluster.address, self._cluster.certificates
        timeout = CONNECT if self.scheduler else TIMEOUT
        greet(address, timeout, certificates)  # `Client` would wait without end for one that never greets
        security = _security(certificates)
        return Client(address, timeout=timeout, set_as_default=False, name="lstm-lab", security=security)


def greet(address: str, timeout: float, certificates: dict[str, str]) -> None:
    """Connect to a scheduler as a client does, wait until it greets, and leave.

    Args:
        address: of the scheduler.
        timeout: seconds for connecting, and for the greeting.
        certificates: arguments of `distributed.Security`; none for a connection without encryption.

    Raises:
        OSError: if there is none, or it doesn't greet in time.
    """
    greeting = _greeted(address, timeout, _security(certificates).get_connection_args("client"))
    with ThreadPoolExecutor(1) as thread:  # the caller's may have an event loop of its own
        thread.submit(asyncio.run, greeting).result()


def _security(certificates: dict[str, str]) -> "Security":
    from distributed.security import Security

    return Security(require_encryption=True, **certificates) if certificates else Security()


async def _greeted(address: str, timeout: float, arguments: dict[str, Any]) -> None:
    from distributed.comm import connect

    try:
        comm = await asyncio.wait_for(connect(address, timeout=timeout, **arguments), timeout)
    except TimeoutError as error:
        raise TimeoutError(f"no answer within {timeout:.0f} seconds") from error
    except MemoryError as error:  # the first bytes of another protocol, read as a number of bytes to come
        raise OSError("another program listens there, no Dask scheduler") from error
    await comm.close()


def _own_workers() -> int:
    """LSTM_LAB_WORKERS; 1 by default, so that another core is left for the web process."""
    wanted = os.environ.get("LSTM_LAB_WORKERS", "1")
    if not (wanted.isdecimal() and 1 <= int(wanted) <= 64):
        raise JobError(f"LSTM_LAB_WORKERS is '{wanted}'; it can be a whole number from 1 to 64.")
    return int(wanted)


def first_line(error: BaseException | None) -> str:
    """What an error says, in one short line."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
