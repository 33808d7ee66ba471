"""How this process keeps its memory, where its C library is glibc; with another one, nothing happens."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -3, -4, -8  # of mallopt


def call(function: str, *arguments: int) -> None:
    """Call a function of glibc, such as "mallopt" or "malloc_trim"; its result is dropped."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), function):
        getattr(libc, function)(*arguments)
