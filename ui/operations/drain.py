"""The graceful end of a web process among several: who is here may finish, who comes is sent to another one.

After SIGTERM `/ready` answers 503 and every new websocket is refused, which a proxy then tries at the next replica. The
process ends when the last page is closed, at the latest after LSTM_LAB_GRACE seconds, or at a second signal. Without
that setting it ends at once.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from types import FrameType

from lstm_core.paths import number_setting
from ui.operations import metrics

log = logging.getLogger("lstm_lab.operations")

LONGEST = 24 * 3600  # seconds of grace
PAUSE = 0.25  # seconds between two looks at who is here
_asked = threading.Event()


def ending() -> bool:
    """Whether this process was asked to end."""
    return _asked.is_set()


def watch() -> None:
    """Put the end off that SIGTERM asks for; call it in the event loop, once the server has set its own handler."""
    grace = number_setting("LSTM_LAB_GRACE", 0, LONGEST)
    if not grace or threading.current_thread() is not threading.main_thread():
        return
    loop, end = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
    assert callable(end)

    async def finish() -> None:
        log.info("asked to end; %d pages are open, and it waits at most %d s", metrics.open_pages(), grace)
        until = time.monotonic() + grace
        while metrics.open_pages() and time.monotonic() < until:
            await asyncio.sleep(PAUSE)
        log.info("ends; %d pages were still open", metrics.open_pages())
        end(signal.SIGTERM, None)

    def asked(number: int, frame: FrameType | None) -> None:
        if ending():
            end(number, frame)
            return
        _asked.set()
        metrics.ENDING.set(1)
        loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(finish())))

    tasks: list[asyncio.Task[None]] = []  # the loop alone would not keep it alive
    signal.signal(signal.SIGTERM, asked)
