"""What every HTTP response gets: the cookie that says which visitor this is, and headers that restrict the browser.

The cookie is a random number and nothing else; no script can read it, and it is never part of an address.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime

from lstm_core.errors import LabError
from ui.operations import drain, metrics

COOKIE = "lstm_lab_visitor"
YEAR = 365 * 24 * 3600  # seconds
METRICS = "/_stcore/metrics"
STREAM = "/_stcore/stream"  # the websocket of a page
UPLOAD = "/_stcore/upload_file/"  # followed by the session
# Streamlit's own page has inline styles and evaluates Vega's and the components' scripts; all else comes from the app.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline' blob:",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss: data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
HEADERS = {"Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
FRAMES = "LSTM_LAB_FRAMES"  # the setting that names the sites which may show the app in a frame
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.IGNORECASE)


def headers() -> dict[str, str]:
    """The headers of every response; LSTM_LAB_FRAMES opens frames for origins, separated by commas.

    Raises:
        LabError: if one of them is no origin.
    """
    origins = [origin.strip().rstrip("/") for origin in os.environ.get(FRAMES, "").split(",") if origin.strip()]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise LabError(f"{FRAMES} has '{origin[:60]}'; it names origins, such as https://course.example.com.")
    policy = "; ".join((POLICY, " ".join(("frame-ancestors 'self'", *origins))))
    # X-Frame-Options can't name an origin.
    return HEADERS | {"Content-Security-Policy": policy} | ({} if origins else {"X-Frame-Options": "SAMEORIGIN"})


def visitor_of(cookies: Mapping[str, str]) -> str | None:
    """The visitor's number in the cookies of a request; None without one that this app has made."""
    found = str(cookies.get(COOKIE, ""))
    return found if re.fullmatch(r"[0-9a-f]{32}", found) else None


def owner_of(cookies: Mapping[str, str]) -> str | None:
    """Who the visitor is to the store: a hash of the cookie's number; None without a cookie that this app has made."""
    number = visitor_of(cookies)
    return None if number is None else hashed(number)


def hashed(number: str) -> str:
    """A visitor's number as it is stored: whoever reads the database can't pass for a visitor."""
    return hashlib.sha256(number.encode()).hexdigest()[:32]


class Visitors:
    """ASGI middleware that sets cookie and headers."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` answers the requests."""
        self.app = app
        self.headers = headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or serve one websocket."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        hidden = scope["path"].endswith(METRICS) and os.environ.get("LSTM_LAB_METRICS") != "1"
        if hidden or _elsewhere(scope):
            if not hidden:
                metrics.refused("file of a session elsewhere")
            await PlainTextResponse("Not found", 404)(scope, receive, send)
            return
        known = visitor_of(HTTPConnection(scope).cookies)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                found.update(self.headers)
                if known is None and found.get("content-type", "").startswith("text/html"):
                    found.append("Set-Cookie", _cookie(scope))
            await send(message)

        await self.app(scope, receive, with_headers)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the page that it belongs to; refuse it if this process is about to end."""
        if drain.ending():
            metrics.refused("websocket")
            await receive()
            await send({"type": "websocket.close", "code": 1012})  # before it is accepted: the answer is 403
            return
        page = visitor_of(HTTPConnection(scope).cookies) or f"without a cookie {id(scope)}"
        with metrics.page(page) if scope["path"].endswith(STREAM) else nullcontext():
            await self.app(scope, receive, send)


def _elsewhere(scope: Scope) -> bool:
    """Whether a file belongs to a session that isn't here; a proxy that gets 404 asks the next replica."""
    session = scope["path"].partition(UPLOAD)[2].partition("/")[0]
    return bool(session) and runtime.exists() and not runtime.get_instance().is_active_session(session)


def _cookie(scope: Mapping[str, Any]) -> str:
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{COOKIE}={secrets.token_hex(16)}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}"


def middleware() -> list[Middleware]:
    """The middleware of the app; LSTM_LAB_HOSTS names the hosts that it answers to, separated by commas."""
    hosts = [host.strip() for host in os.environ.get("LSTM_LAB_HOSTS", "").split(",") if host.strip()]
    trusted = [Middleware(TrustedHostMiddleware, allowed_hosts=hosts)] if hosts else []
    return [*trusted, Middleware(Visitors)]
