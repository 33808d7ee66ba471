"""The recordings of the last views: the first who opens one is recorded, the others get what was recorded."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import streamlit as st

from ui.replay import session
from ui.replay.session import Recording

log = logging.getLogger("lstm_lab.replay")

MOST = 8  # views
VARIANTS = 4  # recordings of one: of both themes, with and without an own model …
OLDEST = 60.0  # seconds that a recording is used: what a page shows of files and the database may change
PATIENCE = 3.0  # seconds to wait for the first recording
LARGEST = 4 << 20  # bytes of a recording's messages


@dataclass(eq=False)
class View:
    """One page at one address."""

    recordings: list[Recording] = field(default_factory=list)
    refused: int = 0  # how often there was none
    since: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)  # held while the first one is made

    def repeat(self) -> bool:
        """Show a recording that fits; False if none does."""
        for recording in list(self.recordings):
            if recording.fits():
                recording.repeat()
                return True
        return False

    def record(self, draw: Callable[[], object]) -> None:
        """Run and record; a page that fails or ends early counts as refused."""
        try:
            found = session.record(draw)
        except BaseException:  # also what ends a run early
            self.refused += 1
            raise
        if isinstance(found, Recording) and found.size <= LARGEST:
            self.recordings.append(found)
        else:
            self.refused += 1
            log.info("a view isn't shared: %s", found if isinstance(found, str) else f"{found.size:,} bytes")


class Views:
    """The views that were opened last."""

    def __init__(self) -> None:
        """None so far."""
        self._views: OrderedDict[Hashable, View] = OrderedDict()
        self._lock = threading.Lock()

    def view(self, key: Hashable) -> View:
        """The view of that key, or a new one."""
        with self._lock:
            for old in [each for each, view in self._views.items() if time.monotonic() - view.since > OLDEST]:
                del self._views[old]
            found = self._views.pop(key, None) or View()
            self._views[key] = found
            while len(self._views) > MOST:
                self._views.popitem(last=False)
            return found

    def forget(self) -> None:
        """Drop all."""
        with self._lock:
            self._views.clear()

    def run(self, key: Hashable, draw: Callable[[], object]) -> None:
        """Draw a part of a page, or show what it was for somebody else whose run was the same.

        Args:
            key: the page, and whatever else tells that a recording can't fit.
            draw: draws it.
        """
        view = self.view(key)
        if self._repeats(view):
            return
        if view.refused > 1 or len(view.recordings) >= VARIANTS:
            draw()
            return
        first = not view.recordings and view.lock.acquire(timeout=PATIENCE)
        try:
            if not (first and self._repeats(view)):
                view.record(draw)
        finally:
            if first:
                view.lock.release()

    def _repeats(self, view: View) -> bool:
        try:
            return view.repeat()
        except Exception:
            log.exception("a recorded page couldn't be shown; it is run instead")
            view.recordings.clear()
            view.refused = 2
            return False


VIEWS = Views()


def run(page: str, draw: Callable[[], object]) -> None:
    """`Views.run` of a page at this visitor's address, in this visitor's theme, language and time zone."""
    context = st.context
    about = context.theme.type, context.is_embedded, context.url, context.locale, context.timezone
    VIEWS.run((page, about, context.timezone_offset, tuple(sorted(st.query_params.to_dict().items()))), draw)
