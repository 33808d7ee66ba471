"""Codes and keys of classes, and how often somebody may guess them."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time

LETTERS = "ACDEFGHJKMNPQRTUVWXY34679"  # none of them is read as another one
LENGTH = 6  # letters of a code: 244 million codes
KEY_LENGTH = 20  # letters of a lecturer's key
MOST_ADDRESSES = 10_000  # that are remembered


def new_code() -> str:
    """A random code of a class."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def new_key() -> str:
    """A random key for the lecturer of a class."""
    return "".join(secrets.choice(LETTERS) for _ in range(KEY_LENGTH))


def plain_code(typed: str) -> str:
    """What somebody has typed as a code or a key, without spaces and hyphens, in capital letters."""
    return "".join(letter for letter in typed[:100].upper() if letter.isalnum())


def shown_code(code: str) -> str:
    """A code or a key in groups, to be read aloud and typed."""
    size = 3 if len(code) <= LENGTH else 5
    return "-".join(code[start : start + size] for start in range(0, len(code), size))


def hashed(*parts: str) -> str:
    """A hash of some strings, 32 hexadecimal digits."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


class Attempts:
    """Counts attempts by network address within a time, in this process."""

    def __init__(self, most: int, seconds: float) -> None:
        """An address may make `most` attempts within `seconds`."""
        self.most, self.seconds = most, seconds
        self._made: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def left(self, address: str) -> bool:
        """Whether an address may make another attempt now."""
        with self._lock:
            return len(self._recent(address)) < self.most

    def note(self, address: str) -> None:
        """Count an attempt."""
        with self._lock:
            recent = [*self._recent(address), time.monotonic()]
            self._made.pop(address, None)
            self._made[address] = recent
            while len(self._made) > MOST_ADDRESSES:
                self._made.pop(next(iter(self._made)))

    def _recent(self, address: str) -> list[float]:
        oldest = time.monotonic() - self.seconds
        return [when for when in self._made.get(address, ()) if when > oldest]
