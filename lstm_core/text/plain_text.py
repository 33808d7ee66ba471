"""An uploaded or pasted text: from bytes of an unknown encoding to characters."""

import importlib.util
import unicodedata
from collections import Counter
from dataclasses import dataclass

import numpy as np

from lstm_core.errors import TextError
from lstm_core.text.alphabet import Alphabet

SMALLEST, LARGEST = 10_000, 5_000_000  # bytes
MOST_CHARACTERS = 400  # different ones: a small network doesn't learn a larger alphabet


@dataclass(frozen=True)
class Corpus:
    """A decoded text."""

    text: str  # with "\n" at the ends of lines
    encoding: str  # the detected encoding
    alphabet: Alphabet  # its characters
    counts: tuple[tuple[str, int], ...]  # how often each occurs, the most frequent first

    @property
    def entropy(self) -> float:
        """Nats per character of a unigram model: a network that has learnt something is below it."""
        shares = np.array([count for _, count in self.counts]) / len(self.text)
        return float(-(shares * np.log(shares)).sum())


def read_plain_text(data: bytes | str) -> Corpus:
    """A corpus from a text, or from bytes in any encoding that can be detected.

    Raises:
        TextError: if it is empty, too small, too large, not a text, or one character repeated.
    """
    size = len(data.encode("utf-8", "replace")) if isinstance(data, str) else len(data)
    if not size:
        raise TextError("The file is empty; choose a text of 10 kB or more.")
    if size > LARGEST:
        raise TextError(f"That is {size / 1e6:.1f} MB; a corpus can have {LARGEST / 1e6:.0f} MB at most.")
    text, encoding = _plain(data)
    if size < SMALLEST:
        raise TextError(f"That is {size:,} bytes; a network learns nothing from less than {SMALLEST:,}.")
    counts = Counter(text).most_common()
    if len(counts) < 2:
        raise TextError("The text is one character repeated; there is nothing to learn in it.")
    if len(counts) > MOST_CHARACTERS:
        raise TextError(
            f"The text has {len(counts):,} different characters; a character model can take {MOST_CHARACTERS} at most."
        )
    return Corpus(text, encoding, Alphabet.of(text), tuple(counts))


def decoded(data: bytes) -> str:
    """Bytes of any encoding that can be detected, as text with "\\n" at the ends of lines; TextError if it is none."""
    return _plain(data)[0]


def _plain(data: bytes | str) -> tuple[str, str]:
    text, encoding = (data, "pasted") if isinstance(data, str) else _decoded(data)
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    # Control characters and unassigned ones, as in a picture or a program.
    unusual = {each for each in set(text) - set("\n\t\f") if unicodedata.category(each) in ("Cc", "Cn", "Co", "Cs")}
    binary = sum(map(unusual.__contains__, text)) if unusual else 0
    if binary > len(text) / 1000:
        raise TextError("That is not a plain text; save it as .txt and choose it again.")
    return text, encoding


def _decoded(data: bytes) -> tuple[str, str]:
    for encoding in ("utf-8-sig", "utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    found = None if b"\0" in data[:200_000] else _detected(data[:200_000])
    if found is None:
        raise TextError("The encoding of this file is unknown; save it as UTF-8 and choose it again.")
    return data.decode(found, "replace"), found


def _detected(data: bytes) -> str | None:
    """The encoding that charset-normalizer finds; TextError if the library isn't installed."""
    if importlib.util.find_spec("charset_normalizer") is None:
        raise TextError(
            "This file isn't in UTF-8; save it so, or install charset-normalizer, which recognizes other encodings."
        )
    from charset_normalizer import from_bytes

    found = from_bytes(data).best()
    return None if found is None else found.encoding
