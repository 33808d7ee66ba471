"""Bracketed sentences of praise and blame, such as "((not bad) and (very good))": grammar, parser, labels and samples.

The grammar: a word of praise or blame; "(not X)"; "(very X)"; "(X and Y)"; "(X but Y)".
"""

import re
import zlib
from dataclasses import dataclass
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from lstm_core.errors import TextError

# The label of each word, from -2 (very bad) to 2 (very good).
STRENGTH = {
    "awful": -2, "terrible": -2, "bad": -1, "poor": -1, "ordinary": 0, "average": 0,
    "fine": 1, "good": 1, "great": 2, "superb": 2,
}  # fmt: skip
BEFORE = ("not", "very")  # operators in front of one part
BETWEEN = ("and", "but")  # operators between two parts
VOCABULARY = (*STRENGTH, *BEFORE, *BETWEEN)
LABELS = ("very bad", "bad", "so-so", "good", "very good")  # of the meanings -2…2
TRAINED_DEPTH = 4  # the largest depth of training trees
ALL_TRAINED = 1  # up to this depth there are so few trees that all are training trees
MOST_DEPTH, MOST_WORDS, MOST_CHARACTERS = 12, 32, 400  # of a sentence that is parsed
PARTS = 20  # one in so many trees is a test tree, and one a validation tree


@dataclass(frozen=True)
class Tree:
    """A word without parts, or an operator with one or two parts."""

    word: str
    parts: tuple["Tree", ...] = ()

    def __str__(self) -> str:
        if not self.parts:
            return self.word
        *before, last = map(str, self.parts)
        return f"({' '.join([*before, self.word, last])})"

    @property
    def depth(self) -> int:
        """The nesting depth of brackets: 0 for a word."""
        return 1 + max(part.depth for part in self.parts) if self.parts else 0

    @property
    def words(self) -> tuple[str, ...]:
        """All words, operators too, in the order of the sentence."""
        if not self.parts:
            return (self.word,)
        *before, last = (part.words for part in self.parts)
        return (*(word for words in before for word in words), self.word, *last)


def meaning(tree: Tree) -> int:
    """The label of a sentence, from -2 (very bad) to 2 (very good).

    A word has its `STRENGTH`. "not" inverts the sign and weakens: not great is bad, not awful is good, not ordinary
    is ordinary. "very" strengthens to ±2. "and" is the mean of its two parts, rounded towards 0. "but" is its second
    part.
    """
    if not tree.parts:
        return STRENGTH[tree.word]
    *_, first, last = (0, *map(meaning, tree.parts))
    if tree.word == "not":
        return (last < 0) - (last > 0)
    if tree.word == "very":
        return 2 * ((last > 0) - (last < 0))
    return int((first + last) / 2) if tree.word == "and" else last


class Piece(NamedTuple):
    """A node of a binary tree.

    Attributes:
        word: of a leaf; empty elsewhere.
        left, right: the indices of its children among the pieces; -1 for a leaf.
        value: its label from -2 to 2; None for an operator, and for a half such as "and good".
        text: its part of the sentence.
    """

    word: str
    left: int
    right: int
    value: int | None
    text: str


def pieces(tree: Tree) -> tuple[Piece, ...]:
    """The binary tree, children before parents: (X and Y) is X with (and Y). The last piece is the root."""
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


_TOKEN = re.compile(r"[()]|[^\s()]+")
HELP = "write (not X), (very X), (X and Y) or (X but Y)"


class _Token(NamedTuple):
    text: str
    place: int  # of its first character, from 1


class _Parser:
    """A recursive-descent parser with one method for each rule of the grammar."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.next = tokens, 0

    @property
    def now(self) -> _Token:
        """The next token; its text is empty at the end."""
        return self.tokens[self.next] if self.next < len(self.tokens) else _Token("", 0)

    def take(self) -> _Token:
        """The next token, which is consumed."""
        self.next += 1
        return self.tokens[self.next - 1]

    def sentence(self) -> Tree:
        """All tokens; the outermost brackets may be omitted."""
        tree = self.phrase(in_brackets=False)
        if self.now.text == ")":
            raise TextError(f"The bracket that closes at character {self.now.place} was never opened: take it out.")
        if self.now.text:
            raise TextError(
                f"The sentence is complete before '{self.now.text}' at character {self.now.place}: put brackets around "
                "the parts that belong together."
            )
        return tree

    def phrase(self, in_brackets: bool) -> Tree:
        """An operator and its parts; outside of brackets also a single part."""
        if self.now.text in BEFORE:
            tree = Tree(self.take().text, (self.part(),))
            if self.now.text in BETWEEN:
                raise TextError(
                    f"It isn't clear how far '{tree.word}' reaches before '{self.now.text}' at character "
                    f"{self.now.place}: put brackets around what belongs to it, as in ({tree.word} good) or "
                    f"{tree.word} (good {self.now.text} bad)."
                )
            return tree
        first = self.part()
        if self.now.text in BETWEEN:
            return Tree(self.take().text, (first, self.part()))
        if in_brackets:
            last = self.tokens[self.next - 1]
            raise TextError(f"After '{last.text}' at character {last.place}, 'and' or 'but' is missing: {HELP}.")
        return first

    def part(self) -> Tree:
        """A word or a phrase in brackets."""
        if not self.now.text:
            raise TextError(f"Something is missing after '{self.tokens[-1].text}' at the end: {HELP}.")
        token = self.take()
        if token.text in STRENGTH:
            return Tree(token.text)
        if token.text in BEFORE:
            raise TextError(
                f"'{token.text}' at character {token.place} needs brackets of its own: write ({token.text} …) there."
            )
        if token.text != "(":
            raise TextError(
                f"A word of praise or blame is missing before '{token.text}' at character {token.place}: {HELP}."
            )
        tree = self.phrase(in_brackets=True)
        if not self.now.text:
            raise TextError(f"The bracket that opens at character {token.place} is never closed: add a ')'.")
        end = self.take()
        if end.text != ")":
            raise TextError(
                f"A ')' is missing before '{end.text}' at character {end.place}: a bracket has one operator."
            )
        return tree


def parse_tree(text: str) -> Tree:
    """Parse a bracketed sentence; case and white space don't matter.

    Raises:
        TextError: with the place and a correction, if it isn't a sentence of the grammar.
    """
    if len(text) > MOST_CHARACTERS:
        raise TextError(
            f"That sentence has {len(text):,} characters; at most {MOST_CHARACTERS} are read here: shorten it."
        )
    tokens = [_Token(match[0].lower(), match.start() + 1) for match in _TOKEN.finditer(text)]
    if not tokens:
        raise TextError(f"There is no sentence to read: {HELP}.")
    for token in tokens:
        if token.text not in VOCABULARY and token.text not in "()":
            shown = token.text if token.text.isprintable() else "an invisible character"
            raise TextError(
                f"The word '{shown[:20]}' at character {token.place} isn't known here; "
                f"known are {', '.join(VOCABULARY)}."
            )
    words = sum(token.text not in "()" for token in tokens)
    if words > MOST_WORDS:
        raise TextError(f"That sentence has {words} words; at most {MOST_WORDS} are read here: shorten it.")
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth > MOST_DEPTH:
            raise TextError(f"More than {MOST_DEPTH} brackets are nested at character {token.place}: take some out.")
    return _Parser(tokens).sentence()


_JUDGEMENTS = tuple(STRENGTH)


def random_tree(depth: int, rng: np.random.Generator) -> Tree:
    """A random tree of exactly this depth: operators are equally likely, the shallower part has any smaller depth."""
    if depth == 0:
        return Tree(_JUDGEMENTS[rng.integers(len(_JUDGEMENTS))])
    word = (*BEFORE, *BETWEEN)[rng.integers(4)]
    deep = random_tree(depth - 1, rng)
    if word in BEFORE:
        return Tree(word, (deep,))
    other = random_tree(int(rng.integers(depth)), rng)
    return Tree(word, (deep, other) if rng.random() < 0.5 else (other, deep))


def part_of(tree: Tree) -> str:
    """The part of the data that a tree belongs to: "training", "validation", "test" or "none".

    It follows from a checksum of its text, so that no list has to be kept. A training tree contains no tree of another
    part; one that does is of part "none". All trees deeper than `TRAINED_DEPTH` are "test".
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
    """Random trees, all different.

    Args:
        part: of the data, see `part_of`.
        depth: of each tree.
        count: the number of trees.
        rng: the random generator.

    Raises:
        ValueError: if not enough of them are found.
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
    """All trees that have these words in this order, at most `most`, also for each part of the sentence."""
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
