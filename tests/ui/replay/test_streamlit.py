"""Streamlit's inside, as far as recordings of pages use it. A failure here names what an update has changed.

Nothing else of the project depends on it: with `ui.classroom.bar.run` calling `page.run()` all goes on, more slowly.
"""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest
from streamlit.cursor import RunningCursor
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.runtime.scriptrunner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext, enqueue_message
from streamlit.runtime.scriptrunner_utils.shared_run_state import SharedRunState
from streamlit.runtime.scriptrunner_utils.thread_safe_set import ThreadSafeSet
from streamlit.runtime.state import session_state_proxy
from streamlit.runtime.state.common import RegisterWidgetResult, WidgetMetadata
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState, WStates

from ui.replay import session


def test_a_run_has_the_parts_that_are_recorded() -> None:
    names = {field.name for field in fields(ScriptRunContext)}
    assert names >= {"session_state", "fragment_storage", "cursors", "shared", "has_dialog_opened"}
    assert "ctx.enqueue(msg)" in inspect.getsource(enqueue_message), "messages must pass the run's `enqueue`"
    assert "ctx.session_state" in inspect.getsource(session_state_proxy.get_session_state)
    assert hasattr(ScriptRunContext, "run_with_active_hash")
    shared = SharedRunState()
    others = {name for name, value in vars(shared).items() if isinstance(value, ThreadSafeSet)} - set(session.SETS)
    assert not others, "another set of a run, which a repeated run must fill, too"
    assert {"parent_path", "index"} <= set(dir(RunningCursor))


def test_all_that_reads_or_writes_a_session_is_noted() -> None:
    noted = set(vars(session.RecordedState))
    used = {name for name in vars(SafeSessionState) if not name.startswith("_") or name.endswith("item__")}
    # Streamlit calls these around a run, or they say nothing of values; the address is compared as a whole.
    around = {"on_script_will_rerun", "on_script_finished", "maybe_check_serializable", "get_widget_states"}
    assert used - noted - around == {"query_params"}, "another way into a session"
    assert "__contains__" in noted


def test_a_widget_depends_on_what_is_compared() -> None:
    own = {name.lstrip("_") for name in SessionState.__slots__}
    assert own == {
        "old_state", "new_session_state", "new_widget_state", "key_id_mapper", "query_params",
        "query_param_bound_widget_ids", "persist_tracker", "current_interaction_widget_states",
    }, "another place for a widget's value"  # fmt: skip
    assert {field.name for field in fields(WStates)} == {"states", "widget_metadata"}
    assert {field.name for field in fields(RegisterWidgetResult)} >= {"value", "value_changed"}
    names = {field.name for field in fields(WidgetMetadata)}
    calls = {name for name in names if "call" in name or "serial" in name or "present" in name}
    known = {"callback", "callbacks", "callback_args", "callback_kwargs", "serializer", "deserializer", "presenter"}
    assert calls == known, "another function of a widget"


def test_fragments_are_registered_as_they_are_repeated() -> None:
    parameters = inspect.signature(MemoryFragmentStorage.register).parameters
    assert list(parameters) == ["self", "key", "fragment", "parent_fragment_id", "target_key", "lifetime"]
    assert hasattr(MemoryFragmentStorage, "register_outside_wrapper")


def test_elements_that_may_be_shared_exist() -> None:
    kinds = {each.name for each in Element.DESCRIPTOR.oneofs_by_name["type"].fields}
    assert kinds >= session.ELEMENTS
    personal = {
        "download_button",
        "file_uploader",
        "imgs",
        "audio",
        "video",
        "dataframe",
        "camera_input",
        "audio_input",
    }
    assert not personal & session.ELEMENTS
    assert kinds >= personal
    assert "page_info_changed" in ForwardMsg.DESCRIPTOR.fields_by_name


def test_messages_that_were_drawn_over_are_dropped() -> None:
    queue = ForwardMsgQueue()
    for text in ("one", "two"):
        message = ForwardMsg()
        message.metadata.delta_path[:] = [0, 1]
        message.delta.new_element.text.body = text
        queue.enqueue(message)
    assert [message.delta.new_element.text.body for message in queue.flush()] == ["two"]


def test_messages_take_the_way_that_is_shortened() -> None:
    runner = inspect.getsource(ScriptRunner._run_script_thread)
    assert "_enqueue=self._enqueue_forward_msg," in runner, "what the run's context sends with is a method of the run"
    first = inspect.getsource(ScriptRunner._enqueue_forward_msg).index("self._maybe_handle_execution_control_request()")
    assert first < inspect.getsource(ScriptRunner._enqueue_forward_msg).index("self.on_event.send(")
    way = inspect.getsource(AppSession._handle_scriptrunner_event_on_event_loop)
    assert "if sender is not self._scriptrunner:" in way, "an ended run sends nothing"
    assert "            self._enqueue_forward_msg(forward_msg)\n\n        # Send a message if our run state" in way
    body = inspect.getsource(AppSession._enqueue_forward_msg).rpartition('"""')[2].split("\n")
    assert [line.strip() for line in body if line] == [
        "self._browser_queue.enqueue(msg)",
        "if self._message_enqueued_callback:",
        "self._message_enqueued_callback()",
    ]
    assert "call_soon_threadsafe(callback)" in inspect.getsource(AppSession._call_soon_on_event_loop)
    assert "_enqueue" in {field.name for field in fields(ScriptRunContext)}
    assert inspect.getsource(ScriptRunContext.enqueue).rstrip().endswith("self._enqueue(msg_to_send)")


@pytest.mark.parametrize("name", ["_state", "_lock", "_yield_callback"])
def test_a_session_is_wrapped(name: str) -> None:
    assert name in vars(SafeSessionState(SessionState(), lambda: None))
