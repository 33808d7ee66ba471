"""What a part of a run sends goes to the browser in one piece, not message by message.

For each message Streamlit wakes the event loop up, which then waits for the interpreter's lock: sixty of a page cost
more than all that they say. What of Streamlit's inside this needs is named in `tests/ui/replay/test_streamlit.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit import runtime
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

SESSION = ("_call_soon_on_event_loop", "_scriptrunner", "_browser_queue", "_enqueue_forward_msg")


class _Held:
    """Stands in a run for what sends its messages, and keeps them."""

    def __init__(self, ctx: ScriptRunContext, session: Any) -> None:
        self.ctx, self.session, self.send = ctx, session, ctx._enqueue
        self.runner = self.send.__self__  # type: ignore[attr-defined]  # a method of the run
        self.messages: list[ForwardMsg] = []
        ctx._enqueue = self

    def __call__(self, message: ForwardMsg) -> None:
        self.messages.append(message)

    def release(self) -> None:
        """Send them, and from now on each by itself."""
        if self.ctx._enqueue is self:
            self.ctx._enqueue = self.send
            if self.messages:
                self.session._call_soon_on_event_loop(self.deliver)

    def deliver(self) -> None:
        """As Streamlit does with each message, in the event loop's thread; what an ended run has sent is dropped."""
        if self.session._scriptrunner is self.runner:
            for message in self.messages[:-1]:
                self.session._browser_queue.enqueue(message)
            self.session._enqueue_forward_msg(self.messages[-1])


@contextmanager
def together() -> Iterator[None]:
    """Keep what the block sends until its end, or until `release`; a block within another one adds to that."""
    ctx = get_script_run_ctx(suppress_warning=True)
    session = runtime.get_instance().get_app_session(ctx.session_id) if ctx is not None and runtime.exists() else None
    known = isinstance(session, AppSession) and all(hasattr(session, name) for name in SESSION)
    if ctx is None or not known or not hasattr(ctx._enqueue, "__self__"):  # a test without a server; another Streamlit
        yield
        return
    held = _Held(ctx, session)
    try:
        yield
    finally:
        held.release()


def release() -> None:
    """Send what is kept: something comes that takes time."""
    ctx = get_script_run_ctx(suppress_warning=True)
    if ctx is not None and isinstance(ctx._enqueue, _Held):
        ctx._enqueue.release()
