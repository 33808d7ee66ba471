"""Gives memory back while the server runs: what nobody has looked at for a while, ended sessions, and free heap."""

import ctypes
import gc
import sys
import threading

from ui.common.shared_cache import CACHE

EVERY = 30.0  # seconds
UNUSED = 120.0  # seconds after which a shared value is dropped, as long as Streamlit keeps a session without a browser
_M_ARENA_MAX = -8  # of glibc's mallopt


def bound_arenas() -> None:
    """Let all threads allocate from two arenas: by default eight a core are made, and none of them ever shrinks."""
    if hasattr(libc := _libc(), "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 2)


def tidy() -> None:
    """Drop old values, collect what ended sessions have left, and return free pages to the system."""
    CACHE.forget(UNUSED)
    gc.collect()
    if hasattr(libc := _libc(), "malloc_trim"):
        libc.malloc_trim(0)


def start() -> threading.Event:
    """Tidy up regularly in a thread; setting the event that is returned ends it."""
    over = threading.Event()

    def keep_tidy() -> None:
        while not over.wait(EVERY):
            tidy()

    threading.Thread(target=keep_tidy, name="housekeeping", daemon=True).start()
    return over


def _libc() -> object:
    """The C library of this process; on other systems than Linux something without the functions above."""
    return ctypes.CDLL(None) if sys.platform == "linux" else object()
