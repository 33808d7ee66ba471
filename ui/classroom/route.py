"""What the app serves to a class besides its pages: the websocket on which browsers hear of it, and the bar's script.

What the websocket needs is imported with the first class.
"""

from functools import cache
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit import config

from ui.common import assets

PATH = "live"  # of the routes, below the app's own address
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}  # another script has another address


async def live(socket: WebSocket) -> None:
    """Serve one browser until it leaves."""
    from ui.classroom import connection  # it brings in SQLAlchemy

    await connection.serve(socket)


@cache
def _bar() -> str:
    return assets.read("classroom/class.js") + assets.read("classroom/bar.js")


async def bar(request: Request) -> Response:
    """The script of the bar above each page."""
    return Response(_bar(), media_type="text/javascript", headers=FOREVER)


def _below(base: str) -> str:
    return f"{'/' * bool(base.strip('/'))}{base.strip('/')}/{PATH}"


def script() -> str:
    """The path of the bar's script, another one for each content."""
    return f"{_below(config.get_option('server.baseUrlPath'))}/bar-{crc32(_bar().encode()):08x}.js"


def routes(base: str = "") -> list[BaseRoute]:
    """The routes of the app; `base` is Streamlit's `server.baseUrlPath`."""
    return [WebSocketRoute(f"{_below(base)}/{{code}}", live), Route(f"{_below(base)}/bar-{{content}}.js", bar)]
