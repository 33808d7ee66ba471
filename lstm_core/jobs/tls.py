"""TLS connections that don't break each other.

With OpenSSL 3.4 and later, Python leaves the system error of one connection where the next one of the same thread finds
it (python/cpython#148594): a worker that goes away would take the scheduler's other connections along.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_UNUSED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Socket(ssl.SSLSocket):
    """A connection that clears OpenSSL's queue of errors after one of its own."""

    def read(self, *arguments: Any) -> Any:
        """As that of `ssl.SSLSocket`."""
        with _cleared():
            return super().read(*arguments)

    def write(self, data: Any) -> int:
        """As that of `ssl.SSLSocket`."""
        with _cleared():
            return super().write(data)

    def do_handshake(self, block: bool = False) -> None:
        """As that of `ssl.SSLSocket`."""
        with _cleared():
            super().do_handshake(block)


def install() -> None:
    """Use `Socket` for all TLS connections of this process."""
    ssl.SSLContext.sslsocket_class = Socket


def dask_setup(server: object) -> None:
    """Call `install` in a process of Dask: `dask scheduler --preload lstm_core.jobs.tls`."""
    install()


@contextmanager
def _cleared() -> Iterator[None]:
    try:
        yield
    except ssl.SSLError:  # Python has cleared the queue
        raise
    except OSError:
        with suppress(ssl.SSLError):
            _UNUSED.set_ciphers("no such cipher")  # fails, and clears the queue
        raise
