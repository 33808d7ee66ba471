"""Bracketed praise and blame, such as "((not bad) and (very good))": grammar, meaning, and trees to learn from.

The grammar is ours and small: a word of praise or blame; "(not X)"; "(very X)"; "(X and Y)"; "(X but Y)". What a
tree means follows from its parts by `meaning`. The network that learns it is in `inference/tree_rnn.py`.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from lstm_core.errors import TextError

# Each word's meaning, from -2 (very bad) to 2 (very good).
STRENGTH = {
    "awful": -2, "terrible": -2, "bad": -1, "poor": -1, "ordinary": 0, "average": 0,
    "fine": 1, "good": 1, "great": 2, "superb": 2,
}  # fmt: skip
BEFORE = ("not", "very")  # operators in front of one part
BETWEEN = ("and", "but")  # operators between two parts
VOCABULARY = (*STRENGTH, *BEFORE, *BETWEEN)
LABELS = ("very bad", "bad", "so-so", "good", "very good")  # of the meanings -2…2
TRAINED_DEPTH = 4  # brackets within one another, at most
ALL_TRAINED = 1  # there are so few trees of this depth and less that all of them are trained on
MOST_DEPTH, MOST_WORDS, MOST_CHARACTERS = 12, 32, 400  # of a sentence that is read
PARTS = 20  # one part in so many is for testing, and one for validation


@dataclass(frozen=True)
class Tree:
    """A word without parts, or an operator with one or two."""

    word: str
    parts: tuple[Tree, ...] = ()

    def __str__(self) -> str:
        if not self.parts:
            return self.word
        *before, last = map(str, self.parts)
        return f"({' '.join([*before, self.word, last])})"

    @property
    def depth(self) -> int:
        """How many brackets lie within one another: 0 for a word."""
        return 1 + max(part.depth for part in self.parts) if self.parts else 0

    @property
    def words(self) -> tuple[str, ...]:
        """All words, operators too, in the order of the sentence."""
        if not self.parts:
            return (self.word,)
        *before, last = (part.words for part in self.parts)
        return (*(word for words in before for word in words), self.word, *last)


def meaning(tree: Tree) -> int:
    """What a sentence says, from -2 (very bad) to 2 (very good).

    A word has its `STRENGTH`. "not" turns the side and takes the edge off: not great is bad, not awful is good, not
    ordinary is ordinary. "very" goes to the end of the side. "and" is the mean of its two parts, rounded towards
    so-so. "but" is what stands behind it.
    """
    if not tree.parts:
        return STRENGTH[tree.word]
    *_, first, last = (0, *map(meaning, tree.parts))
    if tree.word == "not":
        return (last < 0) - (last > 0)
    if tree.word == "very":
        return 2 * ((last > 0) - (last < 0))
    return int((first + last) / 2) if tree.word == "and" else last


# --- As two by two -------------------------------------------------------------------------------


class Piece(NamedTuple):
    """A node of a tree in which every node has two children or is a word.

    Attributes:
        word: of a leaf; empty elsewhere.
        left, right: the places of its children among the pieces; -1 for a leaf.
        value: its meaning from -2 to 2; None for an operator, and for half a sentence such as "and good".
        text: the part of the sentence that it stands for.
    """

    word: str
    left: int
    right: int
    value: int | None
    text: str


def pieces(tree: Tree) -> tuple[Piece, ...]:
    """A tree two by two, children before parents: (X and Y) is X with (and Y). The last piece is the whole."""
    found: list[Piece] = []

    def add(word: str, left: int, right: int, value: int | None, text: str) -> int:
        found.append(Piece(word, left, right, value, text))
        return len(found) - 1

    def visit(node: Tree) -> int:
        if not node.parts:
            return add(node.word, -1, -1, meaning(node), node.word)
        first = visit(node.parts[0]) if len(node.parts) == 2 else None
        operator = add(node.word, -1, -1, None, node.word)
        last = visit(node.parts[-1])
        if first is None:
            return add("", operator, last, meaning(node), str(node))
        half = add("", operator, last, None, f"{node.word} {node.parts[-1]}")
        return add("", first, half, meaning(node), str(node))

    visit(tree)
    return tuple(found)


# --- Reading what people type --------------------------------------------------------------------

_TOKEN = re.compile(r"[()]|[^\s()]+")
HELP = "write (not X), (very X), (X and Y) or (X but Y)"


class _Token(NamedTuple):
    text: str
    place: int  # of its first sign, from 1


class _Parser:
    """One pass over the tokens, a method a rule of the grammar."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.next = tokens, 0

    @property
    def now(self) -> str:
        """The token that comes next; empty at the end."""
        return self.tokens[self.next].text if self.next < len(self.tokens) else ""

    def take(self) -> _Token:
        """The next token, and on to the one behind it."""
        self.next += 1
        return self.tokens[self.next - 1]

    def whole(self) -> Tree:
        """A sentence; the brackets around all of it may be left out."""
        if self.now in BEFORE:
            tree = self.inside()
            self.check_clear(tree)
        else:
            tree = self.sentence()
            if self.now in BETWEEN:
                tree = Tree(self.take().text, (tree, self.sentence()))
        if self.now:
            token = self.take()
            if token.text == ")":
                raise TextError(f"The bracket that closes at sign {token.place} was never opened: take it out.")
            raise TextError(
                f"The sentence is complete before '{token.text}' at sign {token.place}: put brackets around the "
                "parts that belong together."
            )
        return tree

    def sentence(self) -> Tree:
        """A word or a bracket."""
        if not self.now:
            raise TextError(f"Something is missing after '{self.tokens[-1].text}' at the end: {HELP}.")
        token = self.take()
        if token.text in STRENGTH:
            return Tree(token.text)
        if token.text in BEFORE:
            raise TextError(
                f"'{token.text}' at sign {token.place} needs brackets of its own: write ({token.text} …) there."
            )
        if token.text != "(":
            raise TextError(
                f"A word of praise or blame is missing before '{token.text}' at sign {token.place}: {HELP}."
            )
        tree = self.inside()
        self.check_clear(tree)
        if not self.now:
            raise TextError(f"The bracket that opens at sign {token.place} is never closed: add a ')'.")
        end = self.take()
        if end.text != ")":
            raise TextError(f"A ')' is missing before '{end.text}' at sign {end.place}: a bracket has one operator.")
        return tree

    def check_clear(self, tree: Tree) -> None:
        """Refuse "not good and bad": it can be read in two ways, and they differ."""
        if self.now in BETWEEN and tree.word in BEFORE:
            place = self.tokens[self.next].place
            raise TextError(
                f"It isn't clear how far '{tree.word}' reaches before '{self.now}' at sign {place}: put brackets "
                f"around what belongs to it, as in ({tree.word} good) or {tree.word} (good {self.now} bad)."
            )

    def inside(self) -> Tree:
        """What stands in a bracket."""
        if self.now in BEFORE:
            return Tree(self.take().text, (self.sentence(),))
        first = self.sentence()
        if self.now in BETWEEN:
            return Tree(self.take().text, (first, self.sentence()))
        place = self.tokens[self.next - 1].place
        raise TextError(
            f"After '{self.tokens[self.next - 1].text}' at sign {place}, 'and' or 'but' is missing: {HELP}."
        )


def parse_tree(text: str) -> Tree:
    """The tree of a bracketed sentence; capitals and white space don't matter.

    Raises:
        TextError: saying where it can't be read and how to mend it.
    """
    if len(text) > MOST_CHARACTERS:
        raise TextError(f"That sentence has {len(text):,} signs; at most {MOST_CHARACTERS} are read here: shorten it.")
    tokens = [_Token(match[0].lower(), match.start() + 1) for match in _TOKEN.finditer(text)]
    if not tokens:
        raise TextError(f"There is no sentence to read: {HELP}.")
    for token in tokens:
        if token.text not in VOCABULARY and token.text not in "()":
            shown = token.text if token.text.isprintable() else "an invisible sign"
            raise TextError(
                f"The word '{shown[:20]}' at sign {token.place} isn't known here; known are {', '.join(VOCABULARY)}."
            )
    words = sum(token.text not in "()" for token in tokens)
    if words > MOST_WORDS:
        raise TextError(f"That sentence has {words} words; at most {MOST_WORDS} are read here: shorten it.")
    _check_depth(tokens)
    return _Parser(tokens).whole()


def _check_depth(tokens: list[_Token]) -> None:
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth > MOST_DEPTH:
            raise TextError(
                f"More than {MOST_DEPTH} brackets lie within one another at sign {token.place}: take some out."
            )


# --- Trees to learn from -------------------------------------------------------------------------


_JUDGEMENTS = tuple(STRENGTH)


def random_tree(depth: int, rng: np.random.Generator) -> Tree:
    """A tree of exactly that depth; each kind of node as likely, the shallower side of any depth below."""
    if depth == 0:
        return Tree(_JUDGEMENTS[rng.integers(len(_JUDGEMENTS))])
    word = (*BEFORE, *BETWEEN)[rng.integers(4)]
    deep = random_tree(depth - 1, rng)
    if word in BEFORE:
        return Tree(word, (deep,))
    other = random_tree(int(rng.integers(depth)), rng)
    return Tree(word, (deep, other) if rng.random() < 0.5 else (other, deep))


def part_of(tree: Tree) -> str:
    """Which part a tree belongs to, once and for all: "training", "validation", "test" or "none".

    By a checksum of its canonical text, so that no list has to be kept. A training tree holds no tree of the
    other parts in it either; one that would is of part "none". What is deeper than `TRAINED_DEPTH` is all "test".
    """
    if tree.depth > TRAINED_DEPTH:
        return "test"
    if tree.depth <= ALL_TRAINED:
        return "training"
    place = zlib.crc32(str(tree).encode()) % PARTS
    if place < 2:
        return ("test", "validation")[place]
    return "training" if all(part_of(part) == "training" for part in tree.parts) else "none"


def trees(part: str, depth: int, count: int, rng: np.random.Generator) -> list[Tree]:
    """Different trees of one depth and part: `count` of them.

    Raises:
        ValueError: if there are none, or not so many to be found.
    """
    found: dict[str, Tree] = {}
    for _ in range(200 * count + 2000):
        tree = random_tree(depth, rng)
        if str(tree) not in found and part_of(tree) == part:
            found[str(tree)] = tree
        if len(found) == count:
            return list(found.values())
    raise ValueError(f"Only {len(found)} of {count} trees of depth {depth} were found in the part '{part}'.")


def bracketings(words: tuple[str, ...], most: int = 200) -> list[Tree]:
    """Every tree that has these words in this order, `most` of them at most; none if no tree has.

    Args:
        words: as `Tree.words` gives them.
        most: how many of each part of the sentence are followed up.
    """
    known: dict[tuple[int, int], list[Tree]] = {}

    def of(start: int, end: int) -> list[Tree]:
        if (start, end) in known:
            return known[start, end]
        found: list[Tree] = []
        if end - start == 1 and words[start] in STRENGTH:
            found.append(Tree(words[start]))
        elif end - start > 1 and words[start] in BEFORE:
            found += [Tree(words[start], (rest,)) for rest in of(start + 1, end)]
        for middle in range(start + 1, end - 1):
            if words[middle] in BETWEEN:
                pairs = product(of(start, middle), of(middle + 1, end))
                found += [Tree(words[middle], pair) for pair in islice(pairs, most)]
        known[start, end] = found[:most]
        return known[start, end]

    return of(0, len(words))
