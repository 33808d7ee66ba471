"""From a text to the numbers a network reads: tokens with their places, vocabularies, encoders.

Tokenizers never change the text they are given: every token keeps where it stood, so that a page
can tint the words as they were pasted. What a question needs before it looks like the data set
(language names) is in `pastes.py`.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lstm_core import pastes
from lstm_core.errors import TextError

PAD, UNKNOWN = 0, 1
PAD_TEXT = "‹pad›"


class Token(NamedTuple):
    """A token as the network knows it, and text[start:end], where it stood."""

    text: str
    start: int
    end: int


def whitespace_tokens(text: str) -> Iterator[Token]:
    """Lower-cased runs between white space, punctuation and all: "list," is not "list"."""
    for match in re.finditer(r"\S+", text):
        yield Token(match[0].lower(), match.start(), match.end())


# One alternative a line: entity, name of a language, word, number, line break(s), doubled quote, sign.
_CODE = re.compile(
    r"""&(?:\#\d+|\#x[0-9a-f]+|[a-z]{2,8});
      | c\#
      | [^\W\d_]+ | _+
      | \d+
      | [.\r\n][.\s]*
      | \"\"?
      | [^\w\s]""",
    re.VERBOSE | re.IGNORECASE,
)


def code_tokens(text: str) -> Iterator[Token]:
    """Words, numbers and single signs, lower-cased; for prose with code in it.

    HTML entities are undone and doubled quotes are one quote. In the Stack Overflow data a line
    break became a full stop, so both are the token "." here, and a run of them is one.
    """
    for match in _CODE.finditer(text):
        token = match[0]
        if token[0] in ".\r\n":
            token = "."
        elif token[0] == "&" and len(token) > 1:
            token = html.unescape(token.lower()).strip() or "&"
        elif token == '""':
            token = '"'
        yield Token(token.lower(), match.start(), match.end())


TOKENIZERS: dict[str, Callable[[str], Iterator[Token]]] = {
    "whitespace": whitespace_tokens,
    "code": code_tokens,
}


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their ids; 0 is padding and 1 is any token that isn't here."""

    tokens: tuple[str, ...]
    ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", {token: index + 2 for index, token in enumerate(self.tokens)})

    def __len__(self) -> int:
        return len(self.tokens) + 2

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The id of each token, UNKNOWN for those that aren't here."""
        return [self.ids.get(token, UNKNOWN) for token in tokens]

    @classmethod
    def build(cls, texts: Iterable[Iterable[str]], size: int, at_least: int = 1) -> Vocabulary:
        """The most frequent tokens, `size` ids in all with padding and unknown; ties by alphabet.

        Args:
            texts: the tokens of each training text.
            size: how many ids, PAD and UNKNOWN counted.
            at_least: leave out tokens seen fewer times.
        """
        counts = Counter(token for tokens in texts for token in tokens)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls(tuple(token for token, count in ranked[: size - 2] if count >= at_least))


@dataclass(frozen=True)
class Encoded:
    """One text as a network reads it.

    Attributes:
        tokens: length T, as the network knows them; pads are `PAD_TEXT`.
        spans: length T, where each token stands in the text; (0, 0) for a pad.
        ids: (T,) int32.
        total: how many tokens the whole text has; more than T if it was cut.
        masked: the language names that were replaced, as they stood in the text.
    """

    tokens: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    ids: np.ndarray
    total: int
    masked: tuple[str, ...] = ()

    @property
    def unknown(self) -> int:
        """How many of the tokens that are read are not in the vocabulary."""
        return int((self.ids == UNKNOWN).sum())

    @property
    def cut(self) -> int:
        """How many tokens at the end of the text are not read."""
        return self.total - sum(token is not PAD_TEXT for token in self.tokens)


@dataclass(frozen=True)
class Encoder:
    """How one model turns a text into ids; saved beside its weights as `vocabulary.json`.

    Attributes:
        tokenizer: a name from `TOKENIZERS`.
        vocabulary: the model's tokens.
        length: the most tokens that are read; the rest of a text is cut off.
        padding: None reads the text's own tokens. "front" or "back" fills every text up to
            `length` with pads that the network reads as if they were text, as the articles do.
        mask_names: replace the names of programming languages by the data set's "blank".
    """

    tokenizer: str
    vocabulary: Vocabulary
    length: int
    padding: str | None = None
    mask_names: bool = False

    def tokens_of(self, text: str) -> list[Token]:
        """Every token of the text, before anything is cut, masked or padded."""
        return list(TOKENIZERS[self.tokenizer](text))

    def encode(self, text: str, mask_names: bool | None = None) -> Encoded:
        """Turn one text into what the network reads.

        Args:
            text: any string; NUL bytes, emoji and scripts it has never seen become unknown tokens.
            mask_names: overrides the encoder's own setting.

        Raises:
            TextError: if there is no token in it.
        """
        everything = self.tokens_of(text)
        if not everything:
            raise TextError("There is no text to read: type or paste some words first.")
        kept = everything[: self.length]
        masked: tuple[str, ...] = ()
        if self.mask_names if mask_names is None else mask_names:
            kept, masked = _mask(kept, text)
        words = [token.text for token in kept]
        spans = [(token.start, token.end) for token in kept]
        ids = self.vocabulary.encode(words)
        if self.padding is not None:
            pads = self.length - len(ids)
            front, back = (pads, 0) if self.padding == "front" else (0, pads)
            words = [PAD_TEXT] * front + words + [PAD_TEXT] * back
            spans = [(0, 0)] * front + spans + [(0, 0)] * back
            ids = [PAD] * front + ids + [PAD] * back
        return Encoded(tuple(words), tuple(spans), np.array(ids, np.int32), len(everything), masked)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs to make this encoder again."""
        return {
            "tokenizer": self.tokenizer,
            "length": self.length,
            "padding": self.padding,
            "mask_names": self.mask_names,
            "tokens": list(self.vocabulary.tokens),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Encoder:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        if data["tokenizer"] not in TOKENIZERS:
            raise ValueError(f"unknown tokenizer {data['tokenizer']!r}")
        if data["padding"] not in (None, "front", "back"):
            raise ValueError(f"unknown padding {data['padding']!r}")
        return cls(
            tokenizer=data["tokenizer"],
            vocabulary=Vocabulary(tuple(map(str, data["tokens"]))),
            length=int(data["length"]),
            padding=data["padding"],
            mask_names=bool(data["mask_names"]),
        )


def _mask(tokens: list[Token], text: str) -> tuple[list[Token], tuple[str, ...]]:
    """The tokens with language names blanked, and the names as they stood in the text."""
    result, masked = [], []
    for token in tokens:
        blanked = pastes.mask_names(token.text)
        if blanked != token.text:
            masked.append(text[token.start : token.end])
        result.append(token._replace(text=blanked))
    return result, tuple(dict.fromkeys(masked))
