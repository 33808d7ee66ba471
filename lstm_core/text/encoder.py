"""From a text to ids: tokens with their places in the text, vocabularies, encoders.

Every token keeps its place in the text, so that a page can tint the words as they were pasted.
"""

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, pairwise
from typing import Any, NamedTuple, Self

import numpy as np

from lstm_core.errors import TextError
from lstm_core.text import language_names, subwords

PAD, UNKNOWN = 0, 1
MOST_TOKENS = 10_000  # that a model may read of a text
MOST_CHARACTERS = 50_000  # of a text that is split into tokens, or more for a model that reads more than 2,500 tokens
LONG = 20  # characters that are split for each token that such a model reads
PAD_TEXT = "‹pad›"


class Token(NamedTuple):
    """A token as in the vocabulary, and its place: text[start:end]."""

    text: str
    start: int
    end: int


def regex_tokens(pattern: re.Pattern[str], text: str) -> Iterator[Token]:
    """Every match of a pattern, lower-cased."""
    for match in pattern.finditer(text):
        yield Token(match[0].lower(), match.start(), match.end())


# Reverses what the data set did to its questions: HTML entities, doubled quotes, line breaks as full
# stops. A pasted question has real ones; after this both are the same. (İ is the one letter whose
# lower case is longer, which would shift what follows.)
_ENCODED = re.compile(r"(?i:&(?:\#\d{1,7}|\#x[0-9a-f]{1,6}|[a-z]{2,8});)|\"\"|\r?\n|\t|İ")
_UNQUOTED = {'""': '"', "\t": "    ", "\n": ".", "\r\n": "."}
# One alternative a line: language, word, number, indented line, full stop inside code, operators of
# several characters, any other character.
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
INDENT = ".\t"  # the token of a line that begins with whitespace


def code_tokens(text: str) -> Iterator[Token]:
    """Words, numbers (of long ones only the length), operators and indentations; for prose with code in it."""
    plain, origins = _decode_entities(text)
    quoted = len(plain) > 1 and plain[0] == plain[-1] == '"'  # most of the data set's questions are
    for match in _CODE.finditer(plain, int(quoted), len(plain) - int(quoted)):
        token = match[0]
        if token[0] == "." and len(token) > 1:
            token = INDENT
        elif token[0].isdigit() and len(token) > 2:
            token = "0" * min(len(token), 5)
        yield Token(token, origins[match.start()], origins[match.end()])


def _decode_entities(text: str) -> tuple[str, list[int]]:
    """The text lower-cased and decoded, and the original place of each of its characters and of its end."""
    pieces: list[str] = []
    origins: list[int] = []
    end = 0
    for match in _ENCODED.finditer(text):
        pieces.append(text[end : match.start()].lower())
        origins.extend(range(end, match.start()))
        piece = _UNQUOTED.get(match[0]) or html.unescape(match[0].lower()).lower()
        pieces.append(piece)
        origins.extend([match.start()] * len(piece))
        end = match.end()
    pieces.append(text[end:].lower())
    origins.extend(range(end, len(text) + 1))
    return "".join(pieces), origins


# Keras's own `Tokenizer` splits at whitespace and at all of these; it keeps the apostrophe.
_KERAS = re.compile(r"""[^\s!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~]+""")
# One alternative a line: skipped are line breaks and shortened verbs; tokens are a rating ("8/10"),
# "n't", the word before it, any other word, full stops, a smiley.
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
    """Lower-cased words and the punctuation between sentences, for prose; "don't" is "do", "n't"."""
    for match in _PROSE.finditer(text):
        if match["skip"] is None:
            yield Token("n't" if match["negation"] else match[0].lower(), match.start(), match.end())


# A blank, which is two or more underscores, or a word.
_BLANKS = re.compile(r"(?P<blank>_{2,})|[^\W_]+(?:['’][^\W_]+)*")
BLANK = "___"


def blank_tokens(text: str) -> Iterator[Token]:
    """Lower-cased words without punctuation, and blanks, each one "___" whatever its length."""
    for match in _BLANKS.finditer(text):
        yield Token(BLANK if match["blank"] else match[0].lower(), match.start(), match.end())


# A run of anything but whitespace, ASCII punctuation (except the apostrophe), Latin-1 punctuation, typography, symbols
# and emoji, so that a word of any script stays whole, with its vowel signs.
_WORD = re.compile(
    "[^\\s\x00-&(-/:-@\\[-`{-~\x7f-¿×÷\u2000-\u2bff\u3000-\u303f\ufe00-\ufe0f\ufff0-\uffff\U0001f000-\U0001faff]+"
)


def sentence_tokens(text: str) -> Iterator[Token]:
    """Lower-cased words, with apostrophes inside ("don't", "film's"); nothing else is a token."""
    for match in _WORD.finditer(text.replace("’", "'")):
        word = match[0].strip("'")
        if word:
            start = match.start() + match[0].index(word)
            yield Token(word.lower(), start, start + len(word))


# Any character but whitespace, an emoji with its variants and what is joined to it.
_CHARACTER = re.compile("\\S[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]*(?:\u200d\\S[\ufe0f\U0001f3fb-\U0001f3ff]*)*")

TOKENIZERS: dict[str, Callable[[str], Iterator[Token]]] = {
    "whitespace": partial(regex_tokens, re.compile(r"\S+")),  # with punctuation: "list," is not "list"
    "keras": partial(regex_tokens, _KERAS),
    "code": code_tokens,
    "words": word_tokens,
    "blanks": blank_tokens,
    "sentence": sentence_tokens,
}


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their ids; 0 is padding and 1 is any other token."""

    tokens: tuple[str, ...]
    ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", {token: index + 2 for index, token in enumerate(self.tokens)})

    def __len__(self) -> int:
        return len(self.tokens) + 2

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The id of each token, UNKNOWN for other tokens."""
        return [self.ids.get(token, UNKNOWN) for token in tokens]

    @classmethod
    def build(cls, texts: Iterable[Iterable[str]], size: int, min_count: int = 1) -> Self:
        """The most frequent tokens; ties by alphabet.

        Args:
            texts: the tokens of each training text.
            size: how many ids, including PAD and UNKNOWN.
            min_count: rarer tokens are left out.
        """
        return cls(_most_frequent((token for tokens in texts for token in tokens), size - 2, min_count))


@dataclass(frozen=True)
class Bigrams:
    """Frequent pairs of neighbouring tokens: each timestep also gets the id of its token's pair with the one before.

    A pair is two token ids, so it can be "unknown, then foo". As in `Vocabulary`, 0 is padding and 1 is any other pair;
    the first token of a text has no pair and gets 1.
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
    def build(cls, texts: Iterable[Sequence[int]], size: int, min_count: int) -> Self:
        """The pairs that occur in the most texts, `size` ids in all; ties by id.

        Args:
            texts: the token ids of each training text.
            size: how many ids, including PAD and UNKNOWN.
            min_count: pairs that occur in fewer texts are left out.
        """
        return cls(_most_frequent((pair for ids in texts for pair in set(pairwise(ids))), size - 2, min_count))


def _most_frequent(items: Iterable[Any], most: int, min_count: int) -> tuple[Any, ...]:
    """The most frequent items, ties in their own order."""
    ranked = sorted(Counter(items).items(), key=lambda item: (-item[1], item[0]))
    return tuple(item for item, count in ranked[:most] if count >= min_count)


@dataclass(frozen=True)
class Encoding:
    """One text as a network reads it."""

    tokens: tuple[str, ...]  # length T, as in the vocabulary; pads are `PAD_TEXT`
    spans: tuple[tuple[int, int], ...]  # length T, the place of each token in the text; (0, 0) for a pad
    ids: np.ndarray  # (T,) int32
    total: int  # how many tokens the text, or the part of it that was split, has; more than T if it was cut off
    masked: tuple[str, ...] = ()  # the language names that were replaced, as they stand in the text
    pair_ids: np.ndarray | None = None  # (T,) int32 for a network that also reads pairs, else None
    counted: bool = True  # whether `total` is of the whole text

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
        """How many tokens after the last one that is read were counted."""
        pads = int((self.ids == PAD).sum())  # no token has the id of a pad
        return self.total - (len(self.ids) - pads)


@dataclass(frozen=True)
class Encoder:
    """How a model turns a text into ids; saved beside its weights as `vocabulary.json`."""

    tokenizer: str  # a name from `TOKENIZERS`
    vocabulary: Vocabulary  # the model's tokens
    length: int  # the most tokens that are read; the rest of a text is cut off
    # None reads the text's own tokens. "front" or "back" fills every text up to `length` with pads that the network
    # reads like text, as the articles do.
    padding: str | None = None
    mask_names: bool = False  # replace the names of programming languages by the data set's "blank"
    pairs: Bigrams | None = None  # for a network that also reads pairs of neighbouring tokens
    cut_words: bool = False  # split a word that isn't in the vocabulary into words that are; see `text/subwords.py`
    _parts: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parts", subwords.parts_of(self.vocabulary.tokens if self.cut_words else ()))

    def tokens_of(self, text: str) -> list[Token]:
        """Every token of the text, before truncation, masking and padding."""
        return list(TOKENIZERS[self.tokenizer](text))

    def pieces_of(self, token: Token) -> list[Token]:
        """The pieces of a token that isn't in the vocabulary, or else the token itself."""
        if token.text in self.vocabulary.ids or token.end - token.start != len(token.text):
            return [token]  # with an HTML entity inside, its characters can't be assigned to places in the text
        return [
            Token(subwords.MARK * (start > 0) + token.text[start:end], token.start + start, token.start + end)
            for start, end in subwords.cut(token.text, self._parts)
        ]

    def encode(self, text: str, mask_names: bool | None = None) -> Encoding:
        """The inputs for any text, with another setting of `mask_names` if given; TextError if it has no token."""
        most = max(MOST_CHARACTERS, LONG * self.length)
        found, counted = TOKENIZERS[self.tokenizer](text[:most]), len(text) <= most
        kept = list(islice(found, self.length))
        if not kept and not counted:
            found, counted = TOKENIZERS[self.tokenizer](text), True
            kept = list(islice(found, self.length))
        if not kept:  # no word that the tokenizer knows, but perhaps other characters, such as emoji
            found = (token for token in regex_tokens(_CHARACTER, text) if token.text[0].isprintable())
            kept = list(islice(found, self.length))
        if not kept or text.isspace():  # a line break is a token, but not text
            raise TextError("There is no text to read: type or paste some words first.")
        masked: tuple[str, ...] = ()
        if self.mask_names if mask_names is None else mask_names:
            kept, masked = _mask(kept, text)
        if self.cut_words:
            kept = [piece for token in kept for piece in self.pieces_of(token)]
        total = len(kept) + sum(1 for _ in found)  # words beyond the length are counted without splitting them
        kept = kept[: self.length]
        words = [token.text for token in kept]
        spans = [(token.start, token.end) for token in kept]
        ids = self.vocabulary.encode(words)
        pads = self.length - len(ids) if self.padding else 0
        front, back = (pads, 0) if self.padding == "front" else (0, pads)
        words = [PAD_TEXT] * front + words + [PAD_TEXT] * back
        spans = [(0, 0)] * front + spans + [(0, 0)] * back
        ids = [PAD] * front + ids + [PAD] * back
        pair_ids = None if self.pairs is None else np.array(self.pairs.encode(ids), np.int32)
        return Encoding(tuple(words), tuple(spans), np.array(ids, np.int32), total, masked, pair_ids, counted)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
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
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        if data["tokenizer"] not in TOKENIZERS:
            raise ValueError(f"unknown tokenizer {data['tokenizer']!r}")
        if data["padding"] not in (None, "front", "back"):
            raise ValueError(f"unknown padding {data['padding']!r}")
        if type(data["length"]) is not int or not 1 <= data["length"] <= MOST_TOKENS:
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
    """The tokens with language names replaced, and the names as they stand in the text."""
    blanked = [token._replace(text=language_names.mask_names(token.text)) for token in tokens]
    masked = (text[token.start : token.end] for token, blank in zip(tokens, blanked, strict=True) if token != blank)
    return blanked, tuple(dict.fromkeys(masked))
