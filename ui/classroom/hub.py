"""One watcher a process: it asks the database for news of the classes that have browsers here, and tells those.

However many follow, that is one query every quarter of a second. What this process changes itself it tells at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from lstm_core import classroom
from lstm_core.classroom import ClassState
from lstm_core.errors import LabError
from ui import replay
from ui.classroom.turns import Turns

log = logging.getLogger("lstm_lab.classroom")

PAUSE = 0.25  # seconds between two questions to the database
LEAST = 0.1  # seconds between two of them, however much happens: sixty votes are told in a few messages
COUNT_EVERY = 1.5  # seconds between two counts of who is here
RECOUNT = 5.0  # seconds after which a count is written again, though it is the same
TIDY_EVERY = 60.0  # seconds between two searches for classes that have ended
PROCESS = f"{socket.gethostname()}:{os.getpid()}"
Result = TypeVar("Result")


@dataclass(eq=False)
class Listener:
    """A browser in a class."""

    visitor: str  # see `ui.common.server.owner_of`
    lecturer: bool
    following: bool = True
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    give_back: Callable[[], None] | None = None  # the turn in which its page opens the lecturer's view
    prompt: bool = True  # it opened the last one in its turn; a locked phone doesn't, and holds nobody up twice


@dataclass(eq=False)
class Room:
    """A class with browsers here."""

    state: ClassState | None
    listeners: set[Listener] = field(default_factory=set)
    trouble: str = ""  # why nothing is known of it now
    counted: tuple[int, int] = (-1, -1)  # who was here and who followed, as written last
    written: float = 0.0  # when

    def tell(self) -> None:
        """Wake everybody up."""
        for listener in self.listeners:
            listener.changed.set()

    def count(self) -> tuple[int, int]:
        """How many visitors are here without lecturers, and how many of them follow; two tabs are one visitor."""
        students = [each for each in self.listeners if not each.lecturer]
        here = {each.visitor for each in students}
        return len(here), len({each.visitor for each in students if each.following})


class Hub:
    """The classes that have browsers in this process; but for `nudge` it belongs to the thread of the event loop."""

    def __init__(self) -> None:
        """The watcher starts with the first browser, and ends with the last one."""
        self.rooms: dict[str, Room] = {}
        self.turns = Turns()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._watching: asyncio.Task[None] | None = None
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="classroom")

    async def ask(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call a function of the store in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def enter(self, code: str, listener: Listener) -> Room | None:
        """Join a class; None if there is none. DatabaseError if the database can't be used."""
        room = self.rooms.get(code)
        if room is None:
            state = await self.ask(classroom.find, code)
            if state is None:
                return None
            room = self.rooms.setdefault(code, Room(state))
        room.listeners.add(listener)
        loop = asyncio.get_running_loop()
        if self._watching is None or self._watching.done() or self._loop is not loop:
            self._loop, self._wake = loop, asyncio.Event()
            self._watching = loop.create_task(self._watch(self._wake))
        self.nudge()
        return room

    def leave(self, code: str, listener: Listener) -> None:
        """Leave a class."""
        if room := self.rooms.get(code):
            room.listeners.discard(listener)
        if not any(each.listeners for each in self.rooms.values()):
            replay.VIEWS.forget()

    def nudge(self) -> None:
        """Look for news at once; from any thread."""
        if self._loop is not None and self._wake is not None and not self._loop.is_closed():
            with suppress(RuntimeError):  # the loop was closed just now
                self._loop.call_soon_threadsafe(self._wake.set)

    def opened(self, code: str, visitor: str) -> None:
        """A visitor's page shows the lecturer's view: the next one may open it. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._opened, code, visitor)

    def _opened(self, code: str, visitor: str) -> None:
        for listener in self.rooms[code].listeners if code in self.rooms else ():
            if listener.visitor == visitor:
                listener.prompt = True
                if listener.give_back:
                    listener.give_back()

    async def _watch(self, wake: asyncio.Event) -> None:
        tidied = 0.0
        while self.rooms:
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), PAUSE)
            wake.clear()
            looked = time.monotonic()
            try:
                await self._count()
                await self._look()
                if time.monotonic() - tidied > TIDY_EVERY:
                    tidied = time.monotonic()
                    await self.ask(classroom.forget_ended)
            except LabError as error:
                for room in self.rooms.values():
                    if room.trouble != str(error):
                        room.trouble = str(error)
                        room.tell()
            except Exception:
                log.exception("the watcher of the classes failed; it goes on")
            self._drop_empty_rooms()
            await asyncio.sleep(max(0.0, LEAST - (time.monotonic() - looked)))

    async def _look(self) -> None:
        """Fetch what has changed, and tell those who follow it."""
        known = await self.ask(classroom.news, list(self.rooms))
        for code, room in list(self.rooms.items()):
            changed = (room.state.news if room.state else None) != known.get(code)
            if changed or room.trouble:
                room.state, room.trouble = await self.ask(classroom.find, code) if code in known else None, ""
                room.tell()

    async def _count(self) -> None:
        """Write how many are here, and read how many there are in all processes."""
        now = time.monotonic()
        due = {}
        for code, room in self.rooms.items():
            changed = room.count() != room.counted
            if room.state and now - room.written > (COUNT_EVERY if changed else RECOUNT):
                due[code] = room.counted = room.count()
                room.written = now
        if due:
            await self.ask(classroom.write_presence, PROCESS, due)
        for each in due:
            found = self.rooms.get(each)
            if found is not None and found.state:
                old, found.state = found.state, await self.ask(classroom.find, each)
                if found.state != old:
                    found.tell()

    def _drop_empty_rooms(self) -> None:
        """Forget rooms that are empty, once the database has been told so."""
        for code, room in list(self.rooms.items()):
            if not room.listeners and (room.counted == (0, 0) or room.state is None):
                del self.rooms[code]


HUB = Hub()
