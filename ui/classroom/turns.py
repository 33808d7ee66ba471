"""Followers open a lecturer's view in turns: a class of sixty doesn't start sixty runs at once.

All runs together take as long, but those of the first followers are over soon, and none of them waits for the others'.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from urllib.parse import parse_qsl

MOST = 1  # followers whose page is under way: two would compute at once, and most of the class would wait longer
LONGEST = 1.0  # seconds after which a turn counts as over, whatever became of its page
MICROSCOPE, CURSOR = "cell_microscope", ("t", "unit", "signal")  # its page, and what says its place


class Turns:
    """Places for pages under way; it belongs to the thread of the event loop."""

    def __init__(self, most: int = MOST) -> None:
        """`most` turns are given away at once."""
        self._free = most
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self, late: Callable[[], None]) -> Callable[[], None]:
        """Wait for a turn, first come, first served.

        Args:
            late: called if the turn isn't given back in `LONGEST`.

        Returns:
            What gives it back; it may be called more than once.
        """
        if self._free:
            self._free -= 1
        else:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            try:
                await future
            except asyncio.CancelledError:
                if future.done() and not future.cancelled():
                    self._give()
                raise
        over = [False]

        def give_back() -> None:
            if not over[0]:
                over[0] = True
                self._give()

        def end() -> None:
            if not over[0]:
                late()
                give_back()

        asyncio.get_running_loop().call_later(LONGEST, end)
        return give_back

    def _give(self) -> None:
        while self._waiting:
            if not (future := self._waiting.popleft()).done():
                future.set_result(None)
                return
        self._free += 1


def only_moves(before: str, after: str) -> bool:
    """Whether a view differs from the one before in the microscope's place alone, which a browser shows by itself."""
    parts = [view.partition("?")[::2] for view in (before, after)]
    rests = [sorted(pair for pair in parse_qsl(search) if pair[0] not in CURSOR) for _, search in parts]
    return parts[0][0] == parts[1][0] == MICROSCOPE and rests[0] == rests[1]
