"""What one visitor had computed, for everybody: a cache bounded by bytes, shared by all sessions.

In a class everybody looks at the same sentence, which is read once. Values are handed out to many sessions at once, so
their arrays are made read-only before the first one gets them.
"""

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

MOST_BYTES = 32 * 2**20
Value = TypeVar("Value")


class SharedCache:
    """The values used last, up to a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes` of all values together; a value above a fifth of it is not kept."""
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, tuple[Any, int, float]] = OrderedDict()  # value, bytes, when it was used last
        self._computing: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()
        self.bytes = 0

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value under a key; whoever comes first computes it, the others wait for that.

        Args:
            key: says everything that the value depends on.
            compute: gives the value; an exception reaches everybody who waits, and is not kept.
        """
        while True:
            with self._lock:
                if key in self._kept:
                    value, size, _ = self._kept.pop(key)
                    self._kept[key] = value, size, time.monotonic()
                    return value
                running = self._computing.get(key)
                if running is None:
                    own = self._computing[key] = Future()
            if running is None:
                return self._compute(key, compute, own)
            error = running.exception()
            if error is None or isinstance(error, Exception):
                return running.result()  # or else the run that computed it was ended by its visitor: compute it here

    def _compute(self, key: Hashable, compute: Callable[[], Value], own: "Future[Value]") -> Value:
        try:
            value = compute()
            size = freeze(value)
        except BaseException as error:
            with self._lock:
                del self._computing[key]
            own.set_exception(error)
            raise
        with self._lock:
            del self._computing[key]
            self._keep(key, value, size)
        own.set_result(value)
        return value

    def _keep(self, key: Hashable, value: Any, size: int) -> None:
        if size > self._most // 5:
            return
        self._kept[key] = value, size, time.monotonic()
        self.bytes += size
        while self.bytes > self._most:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self.bytes -= self._kept.popitem(last=False)[1][1]

    def forget(self, unused: float) -> None:
        """Drop the values that nobody has used for so many seconds."""
        before = time.monotonic() - unused
        with self._lock:
            while self._kept and next(iter(self._kept.values()))[2] <= before:
                self._drop_oldest()


def freeze(value: Any, seen: set[int] | None = None) -> int:
    """Make all arrays in a value read-only.

    Args:
        value: dataclasses, containers and arrays.
        seen: the buffers that have been counted.

    Returns:
        its size in bytes, roughly; a buffer that several arrays share counts once.
    """
    seen = set() if seen is None else seen
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
        owner = value if value.base is None else value.base
        if id(owner) in seen:
            return 100
        seen.add(id(owner))
        return 100 + int(getattr(owner, "nbytes", value.nbytes))
    if isinstance(value, str | bytes):
        return sys.getsizeof(value)
    if is_dataclass(value) and not isinstance(value, type):
        return 100 + sum(freeze(getattr(value, each.name), seen) for each in fields(value))
    if isinstance(value, Mapping):
        return 200 + sum(freeze(each, seen) for each in value.values())
    return 50 + (sum(freeze(each, seen) for each in value) if isinstance(value, list | tuple | set) else 0)


CACHE = SharedCache(MOST_BYTES)
