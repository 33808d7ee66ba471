"""One gate for all visitors: a few runs of pages compute at a time, the others wait for their turn.

Fifty threads that each make thousands of small calls hand the interpreter's lock round until nobody gets an answer. So
a run takes a place first, in the order of arrival, and frees it at its end. A run that waits for long says so on the
page; drawing that sentence is also where Streamlit ends a run whose visitor has changed the text again or has left.
Where others are here, a visitor rests between two runs, so that whoever never pauses gets a fifth of a core at most.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import streamlit as st

from lstm_core.paths import number_setting
from ui.common.server import visitor_of
from ui.operations import metrics
from ui.replay import in_pieces

PATIENCE = 2.0  # seconds after which a waiting run says so
UPDATE, AHEAD = 0.5, 0.02  # seconds between two such sentences, at least and for each run ahead: they cost time as well
REST, MOST_REST = 4.0, 2.0  # of a visitor after a run: times its processor time, and seconds
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Gate:
    """A number of places, given away in the order of arrival, one at a time to each visitor."""

    def __init__(self, places: int) -> None:
        """`places` is the number of runs that may compute at once."""
        self._free = places
        self._waiting: list[tuple[threading.Event, str | None]] = []  # its turn, and whose it is
        self._computing: set[str] = set()  # the visitors who hold a place
        self._resting: dict[str, float] = {}  # until when each of the others rests
        self._lock = threading.Lock()
        self._inside = threading.local()

    @contextmanager
    def place(self, visitor: str | None = None, tell: Callable[[int], object] = lambda ahead: None) -> Iterator[None]:
        """Hold a place within the block; a thread that already holds one goes on with it.

        Args:
            visitor: whose run it is: twenty tabs of one visitor wait for each other, and not the others for them. None
                if it isn't known.
            tell: called again and again with the number of runs ahead, once the wait is longer than `PATIENCE`. What it
                raises ends the wait.
        """
        if getattr(self._inside, "held", False):
            yield
            return
        ticket = threading.Event(), visitor
        with self._lock:
            self._waiting.append(ticket)
            self._admit()
        began = time.thread_time()
        try:
            said = time.monotonic() + PATIENCE
            with metrics.WAIT.time():
                while not ticket[0].wait(min(said - time.monotonic(), self._rest(visitor))):
                    ahead = self._ahead(ticket)
                    if time.monotonic() >= said:
                        tell(ahead)
                        said = time.monotonic() + max(UPDATE, AHEAD * ahead)
            self._inside.held = True
            with metrics.RUN.time():
                yield
        finally:
            self._inside.held = False
            self._leave(ticket, time.thread_time() - began)

    def waiting(self) -> int:
        """How many runs wait for a place."""
        return len(self._waiting)

    def _ahead(self, ticket: tuple[threading.Event, str | None]) -> int:
        """How many runs are ahead of one that may have rested by now."""
        with self._lock:
            if ticket[1] in self._resting:
                self._admit()
            return self._waiting.index(ticket) if ticket in self._waiting else 0

    def _rest(self, visitor: str | None) -> float:
        """Seconds after which to look again whether a visitor may compute, who rests or has another run that does."""
        if visitor in self._computing:
            return UPDATE / 5
        until = self._resting.get(visitor or "")
        return threading.TIMEOUT_MAX if until is None else max(until - time.monotonic(), 0.01)

    def _admit(self) -> None:
        """Give the free places away; the caller holds the lock."""
        now = time.monotonic()
        self._resting = {each: until for each, until in self._resting.items() if until > now}
        others = len(self._computing.union(self._resting)) > 1
        for turn, visitor in self._waiting if self._free else ():
            resting = others and visitor in self._resting
            if self._free and visitor not in self._computing and not resting:
                self._free -= 1
                turn.set()
                if visitor is not None:
                    self._computing.add(visitor)
        self._waiting = [ticket for ticket in self._waiting if not ticket[0].is_set()]

    def _leave(self, ticket: tuple[threading.Event, str | None], took: float) -> None:
        """Give the place back after so many seconds of processor time, or leave the queue."""
        with self._lock:
            if ticket[0].is_set():
                self._free += 1
                if ticket[1] is not None:
                    self._computing.discard(ticket[1])
                    self._resting[ticket[1]] = time.monotonic() + min(REST * took, MOST_REST)
            else:
                self._waiting.remove(ticket)
            self._admit()


# One place a core, unless the server's setting says otherwise.
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
GATE = Gate(int(number_setting("LSTM_LAB_PLACES", _CORES, 64)))
metrics.WAITING.set_function(GATE.waiting)


@contextmanager
def turn() -> Iterator[None]:
    """A place for the run of a page or of a fragment; while it waits for long, the page says so."""
    notice, told = st.empty(), []

    def tell(ahead: int) -> None:
        told.append(ahead)
        people = "you are next" if not ahead else f"{ahead} before you"
        notice.info(f"Many people are here. Your turn comes soon: {people}.", icon=":material/hourglass:")

    with in_pieces(), GATE.place(visitor_of(st.context.cookies), tell):
        if told:
            notice.empty()
        yield


def fragment(function: Callable[Parameters, Result], *, run_every: float | None = None) -> Callable[Parameters, Result]:
    """`st.fragment` whose reruns wait for their turn, too."""

    @wraps(function)
    def in_turn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with turn():
            return function(*args, **kwargs)

    return st.fragment(in_turn, run_every=run_every)
