"""A text that somebody brings along: from bytes of an unknown encoding to characters, or one clear refusal."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass

import numpy as np

from lstm_core.errors import TextError
from lstm_core.text.alphabet import Alphabet

SMALLEST, LARGEST = 10_000, 5_000_000  # bytes
MOST_SIGNS = 400  # different characters: beyond that it is no alphabet that a small network learns


@dataclass(frozen=True)
class Corpus:
    """A text, ready to be looked at or trained on.

    Attributes:
        text: with "\\n" at the ends of lines.
        encoding: as it was read.
        alphabet: its characters.
        counts: how often each occurs, the most frequent first.
    """

    text: str
    encoding: str
    alphabet: Alphabet
    counts: tuple[tuple[str, int], ...]

    @property
    def entropy(self) -> float:
        """Nats per character of the letters alone, in any order: what a network must beat to have learnt anything."""
        shares = np.array([count for _, count in self.counts]) / len(self.text)
        return float(-(shares * np.log(shares)).sum())


def read_plain_text(data: bytes | str) -> Corpus:
    """Take in an upload or a pasted text.

    Args:
        data: bytes in any encoding that can be detected, or a text.

    Raises:
        TextError: if it is empty, too small, too large, not a text, or always the same character.
    """
    size = len(data.encode("utf-8", "replace")) if isinstance(data, str) else len(data)
    if not size:
        raise TextError("The file is empty; choose a text of 10 kB or more.")
    if size > LARGEST:
        raise TextError(f"That is {size / 1e6:.1f} MB; a corpus can have {LARGEST / 1e6:.0f} MB at most.")
    text, encoding = (data, "pasted") if isinstance(data, str) else _decoded(data)
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if _is_no_text(text):
        raise TextError("That is not a plain text; save it as .txt and choose it again.")
    if size < SMALLEST:
        raise TextError(f"That is {size:,} bytes; a network learns nothing from less than {SMALLEST:,}.")
    counts = Counter(text).most_common()
    if len(counts) < 2:
        raise TextError("The text is one character again and again; there is nothing to learn in it.")
    if len(counts) > MOST_SIGNS:
        raise TextError(
            f"The text has {len(counts):,} different characters; a character model can take {MOST_SIGNS} at most."
        )
    return Corpus(text, encoding, Alphabet.of(text), tuple(counts))


def decoded(data: bytes) -> str:
    """Bytes of any encoding that can be detected, as text with "\\n" at the ends of lines; TextError if it is none."""
    text = _decoded(data)[0].removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if _is_no_text(text):
        raise TextError("That is not a plain text.")
    return text


def _decoded(data: bytes) -> tuple[str, str]:
    from charset_normalizer import from_bytes

    for encoding in ("utf-8-sig", "utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    found = from_bytes(data[:200_000]).best()
    if found is None or b"\0" in data[:200_000]:
        raise TextError("The encoding of this file can't be told; save it as UTF-8 and choose it again.")
    return data.decode(found.encoding, "replace"), found.encoding


def _is_no_text(text: str) -> bool:
    """Whether control characters or signs without meaning stand in it, as in a picture or a program."""
    strange = sum(unicodedata.category(sign) in ("Cc", "Cn", "Co", "Cs") and sign not in "\n\t\f" for sign in text)
    return strange > len(text) / 1000
