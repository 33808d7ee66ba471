"""From a text to the numbers a network reads: tokens with their places, vocabularies, encoders.

Tokenizers never change the text they are given: every token keeps where it stood, so that a page
can tint the words as they were pasted. What a question needs before it looks like the data set
(language names) is in `text/language_names.py`.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any, NamedTuple

import numpy as np

from lstm_core.errors import TextError
from lstm_core.text import language_names, subwords

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


# What the data set did to its questions, undone: HTML entities, doubled quotes, line breaks as full
# stops. A paste has real ones; after this both look the same. (İ is the one letter that grows when
# it is lower-cased, which would shift what follows.)
_CROOKED = re.compile(r"(?i:&(?:\#\d{1,7}|\#x[0-9a-f]{1,6}|[a-z]{2,8});)|\"\"|\r?\n|\t|İ")
# One alternative a line: language, word, number, indented line, full stop inside code, operators of
# several signs, any other sign.
_CODE = re.compile(
    r"""c\# | c\+\+
      | [a-z_]\w* | [^\W\d_]+
      | \d+
      | \.\ {2,}
      | \.(?=\S)
      | [=!<>]=+ | => | -> | :: | && | \|\| | //+ | /\* | \+\++ | --+ | [+\-*/]=
      | [^\w\s]""",
    re.VERBOSE,
)
INDENT = ".\t"  # the token of a line that begins with white space


def code_tokens(text: str) -> Iterator[Token]:
    """Words, numbers, operators and indentations, lower-cased; for prose with code in it.

    Long numbers are known by their number of digits alone ("2024" is "0000").
    """
    straight, origins = _straighten(text)
    wrapped = len(straight) > 1 and straight[0] == straight[-1] == '"'  # most of the data's questions are
    for match in _CODE.finditer(straight, int(wrapped), len(straight) - int(wrapped)):
        token = match[0]
        if token[0] == "." and len(token) > 1:
            token = INDENT
        elif token[0].isdigit() and len(token) > 2:
            token = "0" * min(len(token), 5)
        yield Token(token, origins[match.start()], origins[match.end()])


def _straighten(text: str) -> tuple[str, list[int]]:
    """The text lower-cased and as code would have it, and where each of its signs (and its end) stood before."""
    pieces: list[str] = []
    origins: list[int] = []
    end = 0
    for match in _CROOKED.finditer(text):
        pieces.append(text[end : match.start()].lower())
        origins.extend(range(end, match.start()))
        piece = _straight(match[0])
        pieces.append(piece)
        origins.extend([match.start()] * len(piece))
        end = match.end()
    pieces.append(text[end:].lower())
    origins.extend(range(end, len(text) + 1))
    return "".join(pieces), origins


def _straight(piece: str) -> str:
    if piece[0] == "&":
        return html.unescape(piece.lower()).lower()
    if piece == "\t":
        return "    "
    if piece[-1] == "\n":
        return "."
    return '"' if piece == '""' else piece.lower()


# Keras's own `Tokenizer` cuts at white space and at all of these; it keeps the apostrophe.
_KERAS = re.compile(r"""[^\s!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~]+""")


def keras_tokens(text: str) -> Iterator[Token]:
    """Lower-cased words without punctuation, as Keras's `Tokenizer` cuts them by default."""
    for match in _KERAS.finditer(text):
        yield Token(match[0].lower(), match.start(), match.end())


# One alternative a line: line break, shortened verb; then what is read: mark out of ten, "n't", a
# word in front of it, any other word, stops, smiley.
_PROSE = re.compile(
    r"""(?P<skip> <br\s*/?> | ['’`](?:s|re|ve|ll|d|m)\b )
      | \d+(?:\.\d+)?/\d+
      | (?P<negation> n['’`]t\b )
      | [^\W_]+?(?=n['’`]t\b)
      | [^\W_]+
      | [.!?]{1,3}
      | [:;]-?[()]""",
    re.VERBOSE | re.IGNORECASE,
)


def word_tokens(text: str) -> Iterator[Token]:
    """Lower-cased words and the stops between them, for prose; "don't" is "do", "n't"."""
    for match in _PROSE.finditer(text):
        if match["skip"] is None:
            yield Token("n't" if match["negation"] else match[0].lower(), match.start(), match.end())


# A blank, which is two or more underscores, or a word.
_BLANKS = re.compile(r"(?P<blank>_{2,})|[^\W_]+(?:['’][^\W_]+)*")
BLANK = "___"


def blank_tokens(text: str) -> Iterator[Token]:
    """Lower-cased words without punctuation, and the blanks between them, each one "___" however long it is."""
    for match in _BLANKS.finditer(text):
        yield Token(BLANK if match["blank"] else match[0].lower(), match.start(), match.end())


# A run of anything but white space, ASCII signs (the apostrophe aside), Latin-1 signs, typography, symbols and emoji;
# so that a word of any script stays whole, its vowel signs with it.
_WORD = re.compile(
    "[^\\s\x00-&(-/:-@\\[-`{-~\x7f-¿×÷\u2000-\u2bff\u3000-\u303f\ufe00-\ufe0f\ufff0-\uffff\U0001f000-\U0001faff]+"
)


def sentence_tokens(text: str) -> Iterator[Token]:
    """Lower-cased words without any sign but the apostrophe inside ("don't", "film's"); nothing else is a token."""
    for match in _WORD.finditer(text.replace("’", "'")):
        word = match[0].strip("'")
        if word:
            start = match.start() + match[0].index(word)
            yield Token(word.lower(), start, start + len(word))


TOKENIZERS: dict[str, Callable[[str], Iterator[Token]]] = {
    "whitespace": whitespace_tokens,
    "keras": keras_tokens,
    "code": code_tokens,
    "words": word_tokens,
    "blanks": blank_tokens,
    "sentence": sentence_tokens,
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
class Bigrams:
    """Frequent neighbours: each timestep also gets the id of the pair it makes with the token before.

    A pair is two token ids, so it can be "unknown, then foo". As in `Vocabulary`, 0 is padding
    and 1 is any pair that isn't here; the first token of a text has no pair and gets 1.
    """

    pairs: tuple[tuple[int, int], ...]
    ids: dict[tuple[int, int], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", {pair: index + 2 for index, pair in enumerate(self.pairs)})

    def __len__(self) -> int:
        return len(self.pairs) + 2

    def encode(self, ids: Sequence[int]) -> list[int]:
        """One pair id a token."""
        return [UNKNOWN, *(self.ids.get(pair, UNKNOWN) for pair in pairwise(ids))][: len(ids)]

    @classmethod
    def build(cls, texts: Iterable[Sequence[int]], size: int, at_least: int) -> Bigrams:
        """The pairs that stand in the most texts, `size` ids in all; ties by id."""
        counts = Counter(pair for ids in texts for pair in set(pairwise(ids)))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls(tuple(pair for pair, count in ranked[: size - 2] if count >= at_least))


@dataclass(frozen=True)
class Encoding:
    """One text as a network reads it.

    Attributes:
        tokens: length T, as the network knows them; pads are `PAD_TEXT`.
        spans: length T, where each token stands in the text; (0, 0) for a pad.
        ids: (T,) int32.
        pair_ids: (T,) int32 for a network that also reads pairs, else None.
        total: how many tokens the whole text has; more than T if it was cut.
        masked: the language names that were replaced, as they stood in the text.
    """

    tokens: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    ids: np.ndarray
    total: int
    masked: tuple[str, ...] = ()
    pair_ids: np.ndarray | None = None

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        """The network's inputs, each (T,)."""
        return (self.ids,) if self.pair_ids is None else (self.ids, self.pair_ids)

    @property
    def unknown(self) -> int:
        """How many of the tokens that are read are not in the vocabulary."""
        return int((self.ids == UNKNOWN).sum())

    @property
    def cut(self) -> int:
        """How many tokens at the end of the text are not read."""
        pads = int((self.ids == PAD).sum())  # no token has the id of a pad
        return self.total - (len(self.ids) - pads)


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
        pairs: for a network that also reads the pair which each token makes with the one before.
        cut_words: cut a word that isn't in the vocabulary into words that are; see `text/subwords.py`.
    """

    tokenizer: str
    vocabulary: Vocabulary
    length: int
    padding: str | None = None
    mask_names: bool = False
    pairs: Bigrams | None = None
    cut_words: bool = False
    _parts: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parts", subwords.parts_of(self.vocabulary.tokens if self.cut_words else ()))

    def tokens_of(self, text: str) -> list[Token]:
        """Every token of the text, before anything is cut, masked or padded."""
        return list(TOKENIZERS[self.tokenizer](text))

    def pieces_of(self, token: Token) -> list[Token]:
        """The pieces of a token that isn't in the vocabulary, or else the token itself."""
        if token.text in self.vocabulary.ids or token.end - token.start != len(token.text):
            return [token]  # an HTML entity inside a word is as many signs as it is; nobody could say where to cut
        return [
            Token(subwords.MARK * (start > 0) + token.text[start:end], token.start + start, token.start + end)
            for start, end in subwords.cut(token.text, self._parts)
        ]

    def encode(self, text: str, mask_names: bool | None = None) -> Encoding:
        """Turn one text into what the network reads.

        Args:
            text: any string; NUL bytes, emoji and scripts it has never seen become unknown tokens.
            mask_names: overrides the encoder's own setting.

        Raises:
            TextError: if there is no token in it.
        """
        found = TOKENIZERS[self.tokenizer](text)
        kept = list(islice(found, self.length))
        if not kept or text.isspace():  # a line break alone is a token, but nothing to read
            raise TextError("There is no text to read: type or paste some words first.")
        masked: tuple[str, ...] = ()
        if self.mask_names if mask_names is None else mask_names:
            kept, masked = _mask(kept, text)
        if self.cut_words:
            kept = [piece for token in kept for piece in self.pieces_of(token)]
        total = len(kept) + sum(1 for _ in found)  # what can't be read any more is counted in whole words
        kept = kept[: self.length]
        words = [token.text for token in kept]
        spans = [(token.start, token.end) for token in kept]
        ids = self.vocabulary.encode(words)
        if self.padding is not None:
            pads = self.length - len(ids)
            front, back = (pads, 0) if self.padding == "front" else (0, pads)
            words = [PAD_TEXT] * front + words + [PAD_TEXT] * back
            spans = [(0, 0)] * front + spans + [(0, 0)] * back
            ids = [PAD] * front + ids + [PAD] * back
        return Encoding(
            tokens=tuple(words),
            spans=tuple(spans),
            ids=np.array(ids, np.int32),
            total=total,
            masked=masked,
            pair_ids=None if self.pairs is None else np.array(self.pairs.encode(ids), np.int32),
        )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs to make this encoder again."""
        return {
            "tokenizer": self.tokenizer,
            "length": self.length,
            "padding": self.padding,
            "mask_names": self.mask_names,
            "cut_words": self.cut_words,
            "tokens": list(self.vocabulary.tokens),
            "pairs": None if self.pairs is None else [list(pair) for pair in self.pairs.pairs],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Encoder:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        if data["tokenizer"] not in TOKENIZERS:
            raise ValueError(f"unknown tokenizer {data['tokenizer']!r}")
        if data["padding"] not in (None, "front", "back"):
            raise ValueError(f"unknown padding {data['padding']!r}")
        if not isinstance(data["length"], int) or data["length"] < 1:
            raise ValueError(f"length is {data['length']!r}")
        for name in ("mask_names", "cut_words"):
            if not isinstance(data.get(name, False), bool):
                raise TypeError(f"{name} is neither true nor false")
        if not isinstance(data["tokens"], list) or not all(isinstance(token, str) for token in data["tokens"]):
            raise TypeError("tokens is not a list of texts")
        return cls(
            tokenizer=data["tokenizer"],
            vocabulary=Vocabulary(tuple(data["tokens"])),
            length=data["length"],
            padding=data["padding"],
            mask_names=data["mask_names"],
            cut_words=data.get("cut_words", False),
            pairs=None if data.get("pairs") is None else Bigrams(tuple((a, b) for a, b in data["pairs"])),
        )


def _mask(tokens: list[Token], text: str) -> tuple[list[Token], tuple[str, ...]]:
    """The tokens with language names blanked, and the names as they stood in the text."""
    result, masked = [], []
    for token in tokens:
        blanked = language_names.mask_names(token.text)
        if blanked != token.text:
            masked.append(text[token.start : token.end])
        result.append(token._replace(text=blanked))
    return result, tuple(dict.fromkeys(masked))
