"""TLS connections: an error of one of them is not another one's."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from distributed.security import Security

from lstm_core.jobs import tls


@contextmanager
def connection(security: Security) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Both ends of one, the server's first; neither of them waits."""
    server = security.get_listen_args("scheduler")["ssl_context"]
    client = security.get_connection_args("client")["ssl_context"]
    ends = socket.socketpair()
    with ThreadPoolExecutor(1) as thread:
        greeted = thread.submit(client.wrap_socket, ends[1])
        with server.wrap_socket(ends[0], server_side=True) as here, greeted.result() as there:
            here.setblocking(False)
            there.setblocking(False)
            yield here, there


def test_a_connection_goes_on_after_another_one_has_failed() -> None:
    security = Security.temporary()
    with connection(security) as (here, there), connection(security) as (failing, leaving):
        leaving.close()
        with pytest.raises((BrokenPipeError, ssl.SSLEOFError)):
            failing.write(b"nobody reads this")
        with pytest.raises(ssl.SSLWantReadError):
            here.read(1)
        there.write(b"still there")
        assert here.read(20) == b"still there"
        assert isinstance(here, tls.Socket)  # without it, only OpenSSL 3.4 and later fail above
