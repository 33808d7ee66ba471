"""What a part of a page's run reads of its session, does to it and sends: recorded in one session, repeated in others.

All that the project uses of Streamlit's inside for this is in this module; `tests/ui/replay/test_streamlit.py` names
each of it. It was written for Streamlit 1.67.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st
from streamlit.delta_generator_singletons import context_dg_stack
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX, Serialized, SessionState

from ui.replay.values import ABSENT, PersonalError, changeable, copied, holds, same

# Elements that hold nothing but what they show: no file of a session, no uploaded one, no data that come later.
ELEMENTS = frozenset({
    "alert", "bidi_component", "button", "button_group", "checkbox", "code", "empty", "heading", "html", "link_button",
    "markdown", "metric", "multiselect", "number_input", "page_link", "plotly_chart", "progress", "radio", "selectbox",
    "slider", "space", "text", "text_area", "text_input",
})  # fmt: skip
SETS = ("widget_ids_this_run", "widget_user_keys_this_run", "form_ids_this_run", "new_fragment_ids")


@dataclass(frozen=True)
class Recording:
    """A part of a run.

    Attributes:
        needs: what a session must answer as the recorded one did: a question to it, and the answer.
        steps: what is done to the session, in order; a step that returns something, and what it returned.
        fragments: what reruns on its own.
        messages: what the browser gets.
        address: what the address says at the end.
        start: where on the page the part begins.
        end: the places after it.
        names: of the run's sets, what was added to them.
        script: the page's number in messages.
        size: of the messages, in bytes.
    """

    needs: tuple[tuple[Callable[[SafeSessionState], Any], Any], ...]
    steps: tuple[tuple[Callable[[SafeSessionState], Any], Any], ...]
    fragments: tuple[tuple[str, Callable[[], Any], dict[str, Any]], ...]
    messages: tuple[ForwardMsg, ...]
    address: dict[str, str]
    start: dict[int, tuple[Any, ...]]
    end: dict[int, Any]
    names: dict[str, frozenset[str]]
    script: str
    size: int

    def fits(self) -> bool:
        """Whether the run of this session would do what the recorded one did."""
        ctx = _context()
        if len(context_dg_stack.get()) > 1 or _places(ctx) != self.start:
            return False
        return all(same(question(ctx.session_state), answer) for question, answer in self.needs)

    def repeat(self) -> None:
        """Do and send in this session what the recorded one did; RuntimeError if that isn't possible after all."""
        ctx = _context()
        with ctx.run_with_active_hash(self.script):
            for step, outcome in self.steps:
                if step(ctx.session_state) != outcome:
                    raise RuntimeError("a widget has another value than in the recorded run")
            for key, fragment, options in self.fragments:
                ctx.fragment_storage.register(key, fragment, **options)
            for message in self.messages:
                ctx.enqueue(message)
        for name, added in self.names.items():
            for each in added:
                getattr(ctx.shared, name).check_and_add(each)
        ctx.cursors = copy.deepcopy(self.end)
        if self.address != st.query_params.to_dict():
            st.query_params.from_dict(self.address)


@dataclass
class Tape:
    """What is being recorded."""

    needs: list[tuple[Callable[[SafeSessionState], Any], Any]] = field(default_factory=list)
    steps: list[tuple[Callable[[SafeSessionState], Any], Any]] = field(default_factory=list)
    fragments: list[tuple[str, Callable[[], Any], dict[str, Any]]] = field(default_factory=list)
    messages: list[ForwardMsg] = field(default_factory=list)
    known: dict[str, Any] = field(default_factory=dict)  # of each key that was used, its value then
    written: set[str] = field(default_factory=set)
    widgets: list[WidgetMetadata[Any]] = field(default_factory=list)
    own: set[str] = field(default_factory=set)  # the keys of these widgets
    asked: list[tuple[Callable[[], Any], Any]] = field(default_factory=list)  # of the visitor, and the answers
    personal: str = ""  # why nobody else can have this
    paused: int = 0

    @contextmanager
    def noting(self) -> Iterator[bool]:
        """Note something: whatever goes wrong spoils the recording, and not the page."""
        try:
            yield not self.paused and not self.personal
        except Exception as error:
            self.personal = self.personal or f"{type(error).__name__}: {error}"

    def need(self, question: Callable[[SafeSessionState], Any], state: SafeSessionState) -> None:
        """Ask the session, and remember the answer."""
        self.needs.append((question, _answer(question, state)))

    def uses(self, state: SafeSessionState, key: str) -> None:
        """A key is read, or looked for."""
        if key not in self.known and not key.startswith(STREAMLIT_INTERNAL_KEY_PREFIX):
            question = _value_of(key)
            self.need(question, state)
            self.known[key] = self.needs[-1][1]

    def sets(self, key: str, value: Any) -> None:
        """A key has got a value."""
        self.known[key] = kept = copied(value)
        self.written.add(key)
        self.steps.append((lambda state: state.__setitem__(key, copied(kept)), None))

    def deletes(self, key: str) -> None:
        """A key was deleted."""
        self.known[key] = ABSENT
        self.written.add(key)
        self.steps.append((lambda state: state.__delitem__(key), None))

    def registers(self, state: SafeSessionState, metadata: WidgetMetadata[Any], key: str | None) -> None:
        """A widget is about to be registered."""
        if key is not None and self.known.get(key) is ABSENT and key in self.written:
            raise PersonalError("a widget whose value was deleted")
        written = key in self.written
        self.need(lambda asked: _inputs(asked._state, metadata.id, key, written), state)
        self.widgets.append(metadata)
        for name in (metadata.id, key):
            if name is not None:
                self.own.add(name)
                self.known.setdefault(name, ABSENT)

    def sends(self, message: ForwardMsg) -> None:
        """A message goes to the browser."""
        kind = message.WhichOneof("type")
        if kind == "page_info_changed":  # what the address says at the end is repeated instead
            return
        shown = message.delta.WhichOneof("type") if kind == "delta" else None
        if shown == "new_element" and (element := message.delta.new_element.WhichOneof("type")) not in ELEMENTS:
            raise PersonalError(f"an element of the type {element}")
        if shown not in ("new_element", "add_block"):
            raise PersonalError(f"a message of the type {shown or kind}")
        self.messages.append(message)

    def ends(self, state: SafeSessionState) -> None:
        """Note what was changed in place, and look for objects of this session in what others would get."""
        for key, before in list(self.known.items()):
            if key not in self.own and not same(now := _answer(_value_of(key), state), before):
                if now is ABSENT:
                    self.deletes(key)
                else:
                    self.sets(key, now)
        inner = state._state
        owned = changeable((*inner._new_session_state.values(), *inner._old_state.values()))
        calls: list[Any] = [
            (each.callback, each.callbacks, each.callback_args, each.callback_kwargs) for each in self.widgets
        ]
        calls += [(each.serializer, each.deserializer, each.presenter, None) for each in self.widgets]
        if holds([*calls, [fragment for _, fragment, _ in self.fragments], self.known], owned):
            raise PersonalError("a function that holds an object of this session")


def _value_of(key: str) -> Callable[[SafeSessionState], Any]:
    def ask(state: SafeSessionState) -> Any:
        return state[key] if key in state else ABSENT  # noqa: SIM401  # a session has no `get`

    return ask


def _answer(question: Callable[[SafeSessionState], Any], state: SafeSessionState) -> Any:
    return copied(question(_plain(state)))


def _plain(state: SafeSessionState) -> SafeSessionState:
    """The session itself, whether it is being recorded or not."""
    return state._session if isinstance(state, RecordedState) else state


def _inputs(state: SessionState, widget: str, key: str | None, written: bool) -> tuple[Any, ...]:
    """All that a widget's value depends on when it is registered; `written` if this run has set its key before."""
    sent = state._new_widget_state.states.get(widget)
    return (
        ABSENT if sent is None else sent.value.SerializeToString() if isinstance(sent, Serialized) else sent.value,
        state._old_state.get(widget, ABSENT),
        ABSENT if key is None else state._old_state.get(key, ABSENT),
        ABSENT if key is None or written else state._new_session_state.get(key, ABSENT),
    )


class RecordedState(SafeSessionState):
    """A session whose uses are noted."""

    _session: SafeSessionState
    tape: Tape

    def __init__(self, session: SafeSessionState, tape: Tape) -> None:
        super().__init__(session._state, session._yield_callback)
        for name, value in (("_lock", session._lock), ("_session", session), ("tape", tape)):
            object.__setattr__(self, name, value)

    def __getitem__(self, key: str) -> Any:
        with self.tape.noting() as on:
            if on:
                self.tape.uses(self, key)
        return super().__getitem__(key)

    def __contains__(self, key: str) -> bool:
        with self.tape.noting() as on:
            if on:
                self.tape.uses(self, key)
        return super().__contains__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        with self.tape.noting() as on:
            if on:
                self.tape.sets(key, value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        with self.tape.noting() as on:
            if on:
                self.tape.deletes(key)

    def reset_state_value(self, key: str, value: Any) -> None:
        super().reset_state_value(key, value)
        with self.tape.noting() as on:
            if on:
                kept = copied(value)
                self.tape.steps.append((lambda state: state.reset_state_value(key, copied(kept)), None))

    def is_new_state_value(self, key: str) -> bool:
        with self.tape.noting() as on:
            if on and key not in self.tape.written:
                self.tape.need(lambda state: state.is_new_state_value(key), self)
        return super().is_new_state_value(key)

    def register_widget(self, metadata: WidgetMetadata[Any], key: str | None) -> Any:
        with self.tape.noting() as on:
            if on:
                self.tape.registers(self, metadata, key)
        outcome = super().register_widget(metadata, key)
        with self.tape.noting() as on:
            if on:
                kept = replace(outcome, value=copied(outcome.value))
                self.tape.steps.append((lambda state: state.register_widget(metadata, key), kept))
        return outcome

    @property
    def filtered_state(self) -> Any:
        return _RecordedMapping(self)


class _RecordedMapping(Mapping[str, Any]):
    """A session as some widgets ask for it: they look for their own key."""

    def __init__(self, state: RecordedState) -> None:
        self._state = state

    def __getitem__(self, key: str) -> Any:
        return self._state[key]

    def __contains__(self, key: object) -> bool:
        return self._state.__contains__(str(key))

    def __iter__(self) -> Iterator[str]:
        self._state.tape.personal = self._state.tape.personal or "the whole session was read"
        return iter(self._state._session.filtered_state)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _RecordedFragments:
    """The fragments of a session, of which new ones are noted."""

    def __init__(self, storage: Any, tape: Tape) -> None:
        self._storage, self.tape = storage, tape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def register(self, key: str, fragment: Callable[[], Any], **options: Any) -> None:
        self._storage.register(key, fragment, **options)
        with self.tape.noting() as on:
            if on and options.get("target_key") is not None:
                raise PersonalError("a fragment with a name")
            self.tape.fragments.append((key, fragment, options))

    def register_outside_wrapper(self, *arguments: Any) -> None:
        self.tape.personal = self.tape.personal or "a fragment that draws outside of itself"
        self._storage.register_outside_wrapper(*arguments)


def _context() -> ScriptRunContext:
    ctx = get_script_run_ctx()
    if ctx is None:
        raise RuntimeError("no page is run in this thread")
    return ctx


def _places(ctx: ScriptRunContext) -> dict[int, tuple[Any, ...]]:
    """Where on the page the next element comes, in each of its parts."""
    return {root: (cursor.parent_path, cursor.index) for root, cursor in ctx.cursors.items()}


def record(draw: Callable[[], object]) -> Recording | str:
    """Run a part of a page; its recording, or why there is none. What it raises, it raises."""
    tape = Tape()
    with tape.noting():
        taping = _Taping(_context(), tape)
    if tape.personal:
        draw()
        return tape.personal
    try:
        draw()
    finally:
        taping.end()
    with tape.noting() as on:
        if on:
            return taping.recording()
    return tape.personal


class _Taping:
    """The run of a page while it is recorded."""

    def __init__(self, ctx: ScriptRunContext, tape: Tape) -> None:
        if len(context_dg_stack.get()) > 1:
            raise PersonalError("a part within another element")
        self.ctx, self.tape = ctx, tape
        self.session, self.storage, self.enqueue = ctx.session_state, ctx.fragment_storage, ctx.enqueue
        self.start, self.before = _places(ctx), {name: getattr(ctx.shared, name).snapshot() for name in SETS}
        recorded: Any = _RecordedFragments(self.storage, tape)
        ctx.session_state, ctx.fragment_storage = RecordedState(self.session, tape), recorded
        vars(ctx)["enqueue"] = self.noted

    def noted(self, message: ForwardMsg) -> None:
        """Send a message, and note it: as Streamlit has completed it, and not a mere reference to it."""
        self.enqueue(message)
        with self.tape.noting() as on:
            if on:
                self.tape.sends(message)

    def end(self) -> None:
        """Let the run go on as ever."""
        self.ctx.session_state, self.ctx.fragment_storage = self.session, self.storage
        del vars(self.ctx)["enqueue"]

    def recording(self) -> Recording:
        """What was recorded; PersonalError if others must not have it."""
        tape, ctx = self.tape, self.ctx
        if ctx.has_dialog_opened:
            raise PersonalError("a dialog")
        tape.ends(self.session)
        queue = ForwardMsgQueue()  # it drops what was drawn over, as on the way to a browser
        for message in tape.messages:
            queue.enqueue(message)
        messages = tuple(queue.flush())
        names = {name: getattr(ctx.shared, name).snapshot() - self.before[name] for name in SETS}
        script = messages[0].metadata.active_script_hash if messages else ""
        return Recording(
            tuple(tape.needs), tuple(tape.steps), tuple(tape.fragments), messages, st.query_params.to_dict(),
            self.start, copy.deepcopy(ctx.cursors), names, script, sum(message.ByteSize() for message in messages),
        )  # fmt: skip
