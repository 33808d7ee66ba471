"""Cookie and headers of every response, hosts and metrics, on a small app of Starlette's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from lstm_core.errors import LabError
from ui.common import server


@dataclass
class Answer:
    """One response: `headers` in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def visitor(self) -> str | None:
        """The visitor's number in the cookie that is set."""
        cookies = SimpleCookie(self.headers.get("set-cookie", ""))
        return server.visitor_of({name: cookie.value for name, cookie in cookies.items()})


def get(path: str = "/", *, host: str = "localhost", scheme: str = "http", visitor: str = "") -> Answer:
    """Ask a small app with the middleware for a page."""
    routes = [
        Route("/", lambda request: HTMLResponse("page")),
        Route("/data", lambda request: JSONResponse({})),
        Route(server.METRICS, lambda request: HTMLResponse("numbers")),
    ]
    answer = Answer()
    headers = [(b"host", host.encode()), (b"cookie", f"{server.COOKIE}={visitor}".encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "scheme": scheme, "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message["body"]

    asyncio.run(Starlette(routes=routes, middleware=server.middleware())(scope, receive, send))
    return answer


def test_a_new_visitor_gets_a_number_that_no_script_can_read() -> None:
    answer = get()
    assert answer.visitor is not None
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
    assert "Secure" not in answer.headers["set-cookie"]
    assert "Secure" in get(scheme="https").headers["set-cookie"]


def test_a_visitor_keeps_the_number_and_others_get_another() -> None:
    first, second = get().visitor, get().visitor
    assert first != second
    assert "set-cookie" not in get(visitor=first or "").headers
    assert get(visitor="made-up").visitor not in (None, "made-up")


@pytest.mark.parametrize("value", ["", "x", "A" * 32, "0" * 31, "0" * 33, "../" + "0" * 29, "0" * 32 + "\n"])
def test_a_number_that_the_app_has_not_made_is_none(value: str) -> None:
    assert server.visitor_of({server.COOKIE: value}) is None


def test_only_pages_set_the_cookie_and_everything_has_the_headers() -> None:
    found = get("/data").headers
    assert "set-cookie" not in found
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "same-origin"
    assert "img-src 'self' data:" in found["content-security-policy"]
    assert "frame-ancestors 'self'" in found["content-security-policy"]


def test_metrics_are_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get(server.METRICS).status == 404
    monkeypatch.setenv("LSTM_LAB_METRICS", "1")
    assert get(server.METRICS).body == b"numbers"


def test_only_the_hosts_that_are_set_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_LAB_HOSTS", "lab.example.com, localhost")
    assert get(host="lab.example.com").status == 200
    assert get(host="evil.example").status == 400


def test_frames_are_for_this_site_unless_the_server_names_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get().headers["x-frame-options"] == "SAMEORIGIN"
    monkeypatch.setenv(server.FRAMES, "https://course.example.com/, https://*.example.org:8443")
    found = get().headers
    policy = found["content-security-policy"].split("; ")
    assert policy[-1] == "frame-ancestors 'self' https://course.example.com https://*.example.org:8443"
    assert "x-frame-options" not in found  # it can't name an origin


@pytest.mark.parametrize("wrong", ["*", "course.example.com", "https://a.example; script-src *", "https://a.example/x"])
def test_what_is_no_origin_is_said_when_the_server_starts(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(server.FRAMES, wrong)
    with pytest.raises(LabError, match="names origins, such as"):
        server.headers()
