"""What a run sends goes to the browser in pieces, not message by message.

For each message Streamlit wakes the event loop up, which then waits for the interpreter's lock and looks through all
sessions: sixty of a page cost more than all that they say. What of Streamlit's inside this needs is named in
`tests/ui/replay/test_streamlit.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit import runtime
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

PIECE = 0.05  # seconds that a message waits for the next ones
SESSION = ("_call_soon_on_event_loop", "_event_loop", "_scriptrunner", "_browser_queue", "_enqueue_forward_msg")


class _Pieces:
    """Stands in a run for what sends its messages, and keeps them for a moment."""

    def __init__(self, ctx: ScriptRunContext, session: Any) -> None:
        self.ctx, self.session, self.send = ctx, session, ctx._enqueue
        self.runner: Any = self.send.__self__  # type: ignore[attr-defined]  # a method of the run
        self.messages: list[ForwardMsg] = []
        self.lock = threading.Lock()
        vars(ctx)["_enqueue"] = self

    def __call__(self, message: ForwardMsg) -> None:
        self.runner._maybe_handle_execution_control_request()  # as Streamlit does: here a run ends that is out of date
        with self.lock:
            self.messages.append(message)
            first = len(self.messages) == 1
        if first:
            self.session._call_soon_on_event_loop(lambda: self.session._event_loop.call_later(PIECE, self.deliver))

    def end(self) -> None:
        """Send what is left, and from now on each message by itself."""
        self.ctx._enqueue = self.send
        if self.messages:
            self.session._call_soon_on_event_loop(self.deliver)

    def deliver(self) -> None:
        """As Streamlit does with each message, in the event loop's thread; what an ended run has sent is dropped."""
        with self.lock:
            messages, self.messages = self.messages, []
        if messages and self.session._scriptrunner is self.runner:
            for message in messages[:-1]:
                self.session._browser_queue.enqueue(message)
            self.session._enqueue_forward_msg(messages[-1])


@contextmanager
def in_pieces() -> Iterator[None]:
    """Send what the block draws every `PIECE` seconds, and at its end; a block within another one adds to that."""
    ctx = get_script_run_ctx(suppress_warning=True)
    session = runtime.get_instance().get_app_session(ctx.session_id) if ctx is not None and runtime.exists() else None
    known = isinstance(session, AppSession) and all(hasattr(session, name) for name in SESSION)
    if ctx is None or not known or not hasattr(ctx._enqueue, "__self__"):  # a test without a server; another Streamlit
        yield
        return
    pieces = _Pieces(ctx, session)
    try:
        yield
    finally:
        pieces.end()
