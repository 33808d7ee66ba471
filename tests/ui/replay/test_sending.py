"""What a run sends in pieces: in order, with one wake-up of the event loop each, and never after its end."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import StopException

from ui.replay import sending


class Run:
    """A run with a session and an event loop whose calls wait until `turn`."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.timers: list[Callable[[], None]] = []
        self.asked = 0  # how often the run has looked whether it is to end
        self.sent: list[str] = []
        self.woken = 0
        self.session = AppSession.__new__(AppSession)
        vars(self.session).update(
            _state=AppSessionState.SHUTDOWN_REQUESTED,  # nothing is to be closed at its end
            _event_loop=SimpleNamespace(call_soon_threadsafe=self.calls.append, call_later=self.call_later),
            _browser_queue=ForwardMsgQueue(), _scriptrunner=self, _message_enqueued_callback=self.wake,
        )  # fmt: skip
        self.ctx = SimpleNamespace(session_id="a session", _enqueue=self.send)

    def send(self, message: ForwardMsg) -> None:
        self.session._call_soon_on_event_loop(lambda: self.session._enqueue_forward_msg(message))

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        assert 0 < seconds <= 0.1
        self.timers.append(call)

    def _maybe_handle_execution_control_request(self) -> None:
        self.asked += 1

    def wake(self) -> None:
        self.woken += 1

    def say(self, *texts: str) -> None:
        for text in texts:
            message = ForwardMsg()
            message.metadata.delta_path[:] = [0, ord(text)]
            message.delta.new_element.text.body = text
            self.ctx._enqueue(message)

    def turn(self) -> str:
        """What the browser gets once the event loop has done its calls."""
        self._do(self.calls)
        return self._sent()

    def later(self) -> str:
        """What it gets when the time of a piece is over."""
        self._do(self.calls)
        self._do(self.timers)
        return self._sent()

    def _do(self, calls: list[Callable[[], None]]) -> None:
        for call in calls:
            call()
        calls.clear()

    def _sent(self) -> str:
        return "".join(message.delta.new_element.text.body for message in self.session._browser_queue.flush())


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    run = Run()
    instance = SimpleNamespace(get_app_session={"a session": run.session}.get)
    monkeypatch.setattr(sending, "get_script_run_ctx", lambda **_: run.ctx)
    monkeypatch.setattr(sending, "runtime", SimpleNamespace(exists=lambda: True, get_instance=lambda: instance))
    return run


def test_a_block_is_sent_in_order_and_wakes_the_event_loop_up_once(run: Run) -> None:
    run.say("a")
    with sending.in_pieces():
        run.say("b", "c")
        with sending.in_pieces():
            run.say("d")
        assert len(run.timers) == 0
        assert len(run.calls) == 2  # the first one, and that a piece has begun
    run.say("e")
    assert run.turn() == "abcde"
    assert run.woken == 3
    assert run.ctx._enqueue == run.send
    assert run.later() == ""


def test_what_takes_time_is_sent_on_the_way(run: Run) -> None:
    with sending.in_pieces():
        run.say("a", "b")
        assert run.turn() == ""
        assert run.later() == "ab"
        run.say("c")
        assert run.later() == "c"
        with sending.in_pieces():
            run.say("d", "e")
        assert run.later() == "de"
        assert run.later() == ""
    assert run.turn() == ""
    assert run.woken == 3


def test_a_run_that_is_out_of_date_ends_where_it_draws(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        raise StopException

    def draw() -> None:
        with sending.in_pieces():
            run.say("a", "b")
            monkeypatch.setattr(run, "_maybe_handle_execution_control_request", stop)
            run.say("c")

    with pytest.raises(StopException):
        draw()
    assert run.asked == 2
    assert run.turn() == "ab"


def test_a_block_that_fails_has_sent_what_it_drew(run: Run) -> None:
    def fail() -> None:
        with sending.in_pieces():
            run.say("a", "b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert run.turn() == "ab"


def test_an_ended_run_sends_nothing_more(run: Run) -> None:
    with sending.in_pieces():
        run.say("a", "b")
    run.session._scriptrunner = None
    assert run.turn() == ""
    assert not run.woken


def test_an_empty_block_wakes_nobody_up(run: Run) -> None:
    with sending.in_pieces():
        pass
    assert not run.calls


def test_without_a_server_or_in_another_streamlit_nothing_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def directly() -> Any:
        with sending.in_pieces():
            run.say("a")
            return len(run.calls)

    monkeypatch.setattr(sending, "SESSION", ("no_such_part",))
    assert directly() == 1
    monkeypatch.undo()
    monkeypatch.setattr(sending, "get_script_run_ctx", lambda **_: None)
    assert directly() == 2
