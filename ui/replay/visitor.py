"""What a page asks of its visitor, as far as recordings of pages are concerned."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.replay.session import RecordedState
from ui.replay.values import copied, same

Result = TypeVar("Result")


def observed(function: Callable[[], Result]) -> Callable[[], Result]:
    """A function of the visitor: within a recording, what it returns is compared in the sessions of others.

    Their own answer is asked for there, so that what it reads and does is theirs.
    """

    @wraps(function)
    def ask() -> Result:
        ctx = get_script_run_ctx(suppress_warning=True)
        state = ctx.session_state if ctx is not None else None
        if not isinstance(state, RecordedState):
            return function()
        tape = state.tape
        tape.paused += 1
        try:
            answer = function()
        finally:
            tape.paused -= 1
        with tape.noting() as on:
            if on and not any(each is function and same(kept, answer) for each, kept in tape.asked):
                tape.asked.append((function, copied(answer)))
                tape.needs.append((lambda session: function(), copied(answer)))
        return answer

    return ask
