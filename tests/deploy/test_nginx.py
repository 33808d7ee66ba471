"""The configuration of nginx by the real nginx, in front of small servers that say who they are."""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy import local_proxy

pytestmark = pytest.mark.skipif(not local_proxy.program(), reason="nginx isn't installed")
COOKIES = [f"{number:032x}" for number in range(60)]
SECRET = "what-a-visitor-has-typed"


@contextmanager
def replica(name: str, missing: tuple[str, ...] = ()) -> Iterator[str]:
    """A server that answers with its name and what it was asked, and with 404 or 403 for the paths it doesn't know."""

    class Handler(BaseHTTPRequestHandler):
        wbufsize = 2**16  # head and body in one packet

        def answer(self) -> None:
            length = len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            path = urllib.parse.urlsplit(self.path).path
            body = json.dumps(
                {"name": name, "path": self.path, "length": length, "headers": dict(self.headers.items())}
            ).encode()
            self.send_response((403 if "stream" in path else 404) if path in missing else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = answer  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()
            thread.join()


def ask(url: str, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, dict]:
    """The status and the answer of a replica; {} if nginx has answered itself."""
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    try:
        connection.request(method, path, body or None, {name.replace("_", "-"): each for name, each in headers.items()})
        found = connection.getresponse()
        text = found.read()
        return found.status, json.loads(text) if text.startswith(b"{") else {}
    finally:
        connection.close()


def of(cookie: str) -> dict[str, str]:
    return {"Cookie": f"lstm_lab_visitor={cookie}"}


@pytest.mark.parametrize("prefix", ["", "/lab"])
def test_nginx_accepts_the_configuration(prefix: str, tmp_path: Path) -> None:
    file = local_proxy.write(tmp_path, 18080, ["127.0.0.1:8501", "127.0.0.1:8502"], prefix)
    found = subprocess.run(
        [str(local_proxy.program()), "-t", "-c", str(file)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "warn" not in found.stderr


def test_visitors_of_one_address_are_spread_and_each_stays_with_one_replica() -> None:
    with replica("a") as a, replica("b") as b, local_proxy.nginx([a, b]) as proxy:
        homes = {cookie: ask(proxy.url, "/", **of(cookie))[1]["name"] for cookie in COOKIES}
        assert min(Counter(homes.values()).values()) > len(COOKIES) // 5
        assert len(set(homes.values())) == 2
        assert all(ask(proxy.url, "/media/x", **of(cookie))[1]["name"] == home for cookie, home in homes.items())
        for browser in ("Firefox", "Safari"):  # without a cookie: the first visit
            assert len({ask(proxy.url, path, User_Agent=browser)[1]["name"] for path in ("/", "/a", "/b")}) == 1


def access_log(proxy: local_proxy.Proxy) -> str:
    """What a proxy has logged after one request; it sends the answer first."""
    deadline = time.monotonic() + 20
    while not (written := proxy.log.read_text("utf-8")).endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return written


def test_a_replica_hears_the_prefix_and_who_asks_and_the_log_holds_no_text() -> None:
    with replica("a") as a, local_proxy.nginx([a], "/lab") as proxy:
        link = f"/lab/question_tags?text={SECRET}"
        status, heard = ask(proxy.url, link, X_Forwarded_For="8.8.8.8", Referer=f"http://x/?text={SECRET}")
        assert (status, heard["path"]) == (200, link)
        assert heard["headers"]["X-Forwarded-For"] == "127.0.0.1"  # not what the client claims
        assert heard["headers"]["X-Forwarded-Proto"] == "http"
        assert heard["headers"]["Host"] == urllib.parse.urlsplit(proxy.url).netloc
        assert ask(proxy.url, "/lab/", X_Forwarded_Proto="https")[1]["headers"]["X-Forwarded-Proto"] == "https"
        assert ask(proxy.url, "/lab")[0] == 301
        assert ask(proxy.url, "/elsewhere")[0] == 404
    # The folder is gone with the proxy, so a second one is asked for its log while it runs.
    with local_proxy.nginx(["127.0.0.1:1"]) as proxy:
        assert ask(proxy.url, f"/question_tags?text={SECRET}")[0] == 503
        written = access_log(proxy)
    assert '"path":"/question_tags"' in written
    assert SECRET not in written
    assert all(json.loads(line) for line in written.splitlines())


def test_visitors_of_a_lost_replica_are_served_by_the_other_one() -> None:
    with replica("a") as a, ExitStack() as second:
        b = second.enter_context(replica("b"))
        with local_proxy.nginx([a, b]) as proxy:
            assert {ask(proxy.url, "/", **of(cookie))[1]["name"] for cookie in COOKIES} == {"a", "b"}
            second.close()
            answers = [ask(proxy.url, "/", **of(cookie)) for cookie in COOKIES]
            assert all(status == 200 and heard["name"] == "a" for status, heard in answers)


@pytest.mark.parametrize("path", ["/media/picture.png", "/_stcore/stream"])
def test_what_a_replica_does_not_have_or_refuses_is_asked_of_the_other_one(path: str) -> None:
    with replica("a", missing=(path,)) as a, replica("b") as b, local_proxy.nginx([a, b]) as proxy:
        homes = {cookie: ask(proxy.url, "/", **of(cookie))[1]["name"] for cookie in COOKIES}
        assert {ask(proxy.url, path, **of(cookie))[1]["name"] for cookie in COOKIES} == {"b"}
        # It has not failed by that: its visitors stay.
        assert homes == {cookie: ask(proxy.url, "/", **of(cookie))[1]["name"] for cookie in COOKIES}


def test_uploads_have_a_size() -> None:
    with replica("a") as a, local_proxy.nginx([a]) as proxy:
        path, headers = "/_stcore/upload_file/session/file", of(COOKIES[0])
        status, heard = ask(proxy.url, path, "PUT", bytes(20 * 2**20), **headers)
        assert (status, heard["length"]) == (200, 20 * 2**20)
        assert ask(proxy.url, path, "PUT", b"", Content_Length=str(22 * 2**20), **headers)[0] == 413
