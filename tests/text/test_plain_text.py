"""A text that somebody brings along: encodings, figures, and one clear sentence for what can't be used."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.errors import TextError
from lstm_core.text import plain_text

TEXT = "Größe, façade und “Anführung”: " * 500


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_detected(encoding: str) -> None:
    found = plain_text.read_plain_text(TEXT.encode(encoding))
    assert found.text == TEXT
    assert set(found.alphabet.characters) == set(TEXT)


def test_line_ends_become_one_character_and_counts_are_those_of_the_text() -> None:
    found = plain_text.read_plain_text(b"ab\r\nc\rd\n" * 2000)
    assert found.text == "ab\nc\nd\n" * 2000
    assert found.counts[0] == ("\n", 6000)
    shares = np.array([3, 1, 1, 1, 1]) / 7
    assert found.entropy == pytest.approx(-(shares * np.log(shares)).sum())


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        ("", "is empty"),
        (b"short", "5 bytes"),
        (b"a" * 20_000, "one character"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 1000, "plain text|encoding"),
        (bytes(range(256)) * 100, "plain text|encoding"),
        (b"ab" * 3_000_000, "6.0 MB"),
        ("".join(chr(0x4E00 + index % 900) for index in range(12_000)), "900 different"),
        ("\0\1 " * 9000, "plain text"),
    ],
    ids=["nothing", "no text", "short", "one sign", "picture", "binary", "large", "many signs", "control signs"],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(data: bytes | str, sentence: str) -> None:
    with pytest.raises(TextError, match=sentence) as caught:
        plain_text.read_plain_text(data)
    assert "\n" not in str(caught.value)


def test_without_the_library_that_detects_encodings_utf_8_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert plain_text.read_plain_text(TEXT.encode()).text == TEXT
    with pytest.raises(TextError, match="isn't in UTF-8; save it so, or install charset-normalizer"):
        plain_text.read_plain_text(TEXT.encode("cp1252"))
