"""The websocket on which browsers hear of their class. What it needs is imported with the first class."""

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

PATH = "live"  # of the route, below the app's own address


async def live(socket: WebSocket) -> None:
    """Serve one browser until it leaves."""
    from ui.classroom import connection  # it brings in SQLAlchemy

    await connection.serve(socket)


def routes(base: str = "") -> list[WebSocketRoute]:
    """The routes of the app; `base` is Streamlit's `server.baseUrlPath`."""
    return [WebSocketRoute(f"{'/' * bool(base.strip('/'))}{base.strip('/')}/{PATH}/{{code}}", live)]
