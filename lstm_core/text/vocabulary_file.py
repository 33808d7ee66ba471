"""A vocabulary that somebody saved beside a network of theirs: from a file to ids of a text.

Four forms are read: a JSON list of tokens, a JSON object token → id (or id → token), what Keras's old `Tokenizer`
writes, and a plain text with one token a line. How a text is split follows from the tokens: into characters if each
is one character, else into words; to lower case if no token has a capital; without punctuation if there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import TextError
from lstm_core.text.plain_text import decoded

LARGEST = 8_000_000  # bytes of a vocabulary
MOST_TOKENS = 1_000_000
LONGEST_TEXT = 1_000_000  # characters of a text to read
_UNKNOWN = ("[unk]", "<unk>", "<oov>", "[oov]", "unk")
_SPECIAL = re.compile(r"\[\w+\]|<[/\w]+>|")
_WORDS = re.compile(r"[\w']+|[^\w\s]")
_FORMS = (
    "It must be a JSON list of tokens, a JSON object that gives each token its id, or a text with one token a line."
)


@dataclass(frozen=True)
class VocabularyFile:
    """The ids of a network's tokens."""

    ids: Mapping[str, int]

    @cached_property
    def unknown(self) -> int | None:
        """The id of tokens that are not in the vocabulary; None if it has none, so that they are left out."""
        return next((identity for token, identity in self.ids.items() if token.lower() in _UNKNOWN), None)

    @cached_property
    def ordinary(self) -> frozenset[str]:
        """The tokens without markers such as "<pad>"."""
        return frozenset(token for token in self.ids if not _SPECIAL.fullmatch(token))

    @cached_property
    def of_characters(self) -> bool:
        """Whether each token is one character."""
        return all(len(token) == 1 for token in self.ordinary)

    @cached_property
    def lowercase(self) -> bool:
        """Whether no token has a capital."""
        return not any(token != token.lower() for token in self.ordinary)

    @cached_property
    def punctuation(self) -> bool:
        """Whether a token consists of punctuation."""
        return any(re.fullmatch(r"[^\w\s]+", token) for token in self.ordinary)

    def encode(self, text: str, shift: int = 0) -> tuple[Array, tuple[str, ...]]:
        """The ids of a text, (T,) int32, and its T tokens.

        Args:
            text: any text.
            shift: added to each id, as where a network was trained on Keras's IMDB ids, which begin at 3.

        Raises:
            TextError: if no token is left, or the text is too long.
        """
        if len(text) > LONGEST_TEXT:
            raise TextError(f"The text has {len(text):,} characters; {LONGEST_TEXT:,} is the most.")
        text = text.lower() if self.lowercase else text
        found = [(self._id(token), token) for token in (text if self.of_characters else _WORDS.findall(text))]
        kept = [(identity, token) for identity, token in found if identity is not None]
        if not kept:
            raise TextError("None of the text's tokens is in the vocabulary; is it the vocabulary of this network?")
        return np.array([identity + shift for identity, _ in kept], np.int32), tuple(token for _, token in kept)

    def _id(self, token: str) -> int | None:
        if token in self.ids:
            return self.ids[token]
        plain = token.replace("'", "")  # some tokenizers drop the apostrophe of "don't"
        if plain and plain in self.ids:
            return self.ids[plain]
        mark = not self.of_characters and not re.search(r"\w", token)
        return None if mark and not self.punctuation else self.unknown


def read_vocabulary(data: bytes) -> VocabularyFile:
    """A vocabulary from the bytes of a file.

    Raises:
        TextError: in one sentence, if it is none, or too large.
    """
    if len(data) > LARGEST:
        raise TextError(f"The vocabulary has {len(data) / 1e6:.1f} MB; {LARGEST / 1e6:.0f} MB is the most.")
    try:
        text = decoded(data)
    except TextError as error:
        raise TextError(f"The vocabulary is no text file. {_FORMS}") from error
    found = _of_json(text) if text.lstrip()[:1] in ("[", "{", '"') else None
    ids = _of_lines(text) if found is None else found
    if not ids:
        raise TextError(f"The vocabulary is empty. {_FORMS}")
    if len(ids) > MOST_TOKENS:
        raise TextError(f"The vocabulary has {len(ids):,} tokens; {MOST_TOKENS:,} is the most.")
    return VocabularyFile(ids)


def _of_json(text: str) -> dict[str, int] | None:
    """The ids in a JSON text; None if it is no JSON, such as a list of lines that begins with "["."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    value = _parsed(value)  # Keras's Tokenizer writes a text of JSON, with one in it
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        value = value["config"]
    if isinstance(value, dict) and isinstance(value.get("word_index"), dict | str):
        value = _parsed(value["word_index"])
    if isinstance(value, dict) and isinstance(value.get("tokens"), list):
        value = value["tokens"]
    if isinstance(value, dict) and isinstance(value.get("alphabet"), str):
        value = list(value["alphabet"])
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return {token: number for number, token in reversed([*enumerate(value)])}
    if isinstance(value, dict):
        if all(_is_id(each) for each in value.values()):
            return {str(token): int(identity) for token, identity in value.items()}
        if all(str(key).isdecimal() and isinstance(each, str) for key, each in value.items()):
            return {token: int(identity) for identity, token in value.items()}
    raise TextError(f"The vocabulary's JSON has another form. {_FORMS}")


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _of_lines(text: str) -> dict[str, int]:
    """One token a line, the first has id 0; or a token and its id with a tab between."""
    lines = text.removesuffix("\n").split("\n")
    pairs = [line.rsplit("\t", 1) for line in lines]
    if all(len(pair) == 2 and pair[1].strip().isdecimal() and len(pair[1]) < 10 for pair in pairs):
        return {token: int(identity) for token, identity in pairs}
    return {token: number for number, token in reversed([*enumerate(lines)])} if text.strip() else {}
