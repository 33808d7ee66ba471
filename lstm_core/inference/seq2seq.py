"""An encoder–decoder at work: one LSTM reads a number, and another, given its last state, writes it out in words.

The saved network is one Keras model with two inputs, the number and the true characters so far (teacher forcing);
here it is run step by step in NumPy, each character fed back. The task is in `datasets/number_words.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import number_words
from lstm_core.errors import ModelError
from lstm_core.library.card import ModelCard, misfit
from lstm_core.nn import cells
from lstm_core.nn.activations import softmax
from lstm_core.nn.trace import LayerTrace, run_cell
from lstm_core.nn.weights import CellWeights, weights_of

END = "∎"  # how the end of an answer is shown; the network has an id of its own for it
EDGE = 0  # that id: the end in what is written, the beginning in what is fed back, and a pad in what is read
LAYERS = ("read", "encoder", "written", "decoder", "answer")  # by these names a network is taken apart
LONGEST_WORD = max(map(len, number_words.WORDS)) + 1  # with the space behind it


@dataclass(frozen=True)
class Signs:
    """What can be read and what can be written; ids from 1 in the order given, 0 is `EDGE`."""

    digits: str = number_words.DIGITS
    characters: str = number_words.CHARACTERS

    def read(self, number: str) -> Array:
        """(T,) int32 ids of digits."""
        return np.array([1 + self.digits.index(digit) for digit in number], np.int32)

    def write(self, text: str) -> Array:
        """(n,) int32 ids of characters."""
        return np.array([1 + self.characters.index(sign) for sign in text], np.int32)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        return {"digits": self.digits, "characters": self.characters}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Signs:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        signs = cls(data["digits"], data["characters"])
        for text in (signs.digits, signs.characters):
            if not isinstance(text, str):
                raise TypeError("the signs are not a text")
            if not text or len(set(text)) != len(text):
                raise ValueError("each sign must be there once")
        if not set(number_words.DIGITS) <= set(signs.digits):
            raise ValueError("a digit is missing")
        return signs


@dataclass(frozen=True)
class Written:
    """What a decoder wrote from a state, n characters with `END` as the last one if it came to an end.

    Attributes:
        characters: n of them.
        probabilities: (n, 1 + characters of the alphabet), column 0 is the end.
        trace: of the decoder, n steps.
        finished: whether it ended by itself.
    """

    characters: tuple[str, ...]
    probabilities: Array
    trace: LayerTrace
    finished: bool

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(sign for sign in self.characters if sign != END)

    @property
    def sureness(self) -> Array:
        """(n,) the probability of each character that was written, 0…1."""
        return self.probabilities.max(axis=1)


@dataclass(frozen=True)
class Rewriting:
    """One number, read and written: `encoder` has a step a digit, `h` and `c` (units,) are what was handed over."""

    number: str
    encoder: LayerTrace
    h: Array
    c: Array
    written: Written

    @property
    def truth(self) -> str:
        """What should have been written."""
        return number_words.spelled_backwards(self.number)

    @property
    def is_right(self) -> bool:
        """Whether every character is."""
        return self.written.finished and self.written.text == self.truth


class Rewriter:
    """An encoder–decoder, loaded; holds copies of the weights, so it is safe to share."""

    def __init__(self, card: ModelCard, signs: Signs, model: Any) -> None:
        """Raises ModelError if the network's parts aren't those of an encoder–decoder."""
        parts = {layer.name: layer for layer in model.layers if layer.name in LAYERS}
        if missing := [name for name in LAYERS if name not in parts]:
            raise ModelError(f"The model '{card.name}' is no encoder–decoder: its layer '{missing[0]}' is missing.")
        self.card, self.signs, self.model = card, signs, model
        self.encoder: CellWeights = weights_of(parts["encoder"])
        self.decoder: CellWeights = weights_of(parts["decoder"])
        self._digits, self._characters = (_weight(parts[name], 0) for name in ("read", "written"))  # (ids, width)
        self._kernel, self._bias = (_weight(parts["answer"], place) for place in (0, 1))
        sizes = len(self._digits) - 1, len(self._characters) - 1, len(self._bias) - 1
        wanted = len(signs.digits), len(signs.characters), len(signs.characters)
        kinds = {self.encoder.kind, self.decoder.kind}
        if sizes != wanted or kinds != {"lstm"} or self.encoder.units != self.decoder.units:
            raise misfit(card, f"{sizes} signs in the network, {wanted} in the vocabulary")

    def read(self, text: str) -> tuple[str, LayerTrace]:
        """The number in a text and the encoder's trace of it, a step a digit.

        Raises:
            TextError: if the text is no number of at most `spelling.MOST_DIGITS` digits.
        """
        number = number_words.checked(text)
        return number, run_cell(self.encoder, self._digits[self.signs.read(number)])

    def write(self, h: Array, c: Array, longest: int) -> Written:
        """Decode greedily from a state: the most probable character at each step, fed back at the next.

        Args:
            h, c: (units,) each.
            longest: characters after which it is stopped.
        """
        ids, probabilities = self._decode(h[None], c[None], longest)
        finished = bool(ids[-1, 0] == EDGE)
        fed = np.append(EDGE, ids[:-1, 0])  # (n,): what the decoder read
        trace = run_cell(self.decoder, self._characters[fed], initial_state=(h, c))
        names = END + self.signs.characters
        return Written(tuple(names[each] for each in ids[:, 0]), probabilities[:, 0], trace, finished)

    def rewrite(self, text: str) -> Rewriting:
        """Read a number and write it out; raises TextError as `read` does."""
        number, trace = self.read(text)
        h, c = trace.h[-1], trace.c[-1]
        return Rewriting(number, trace, h, c, self.write(h, c, longest_for(number)))

    def answers(self, numbers: Sequence[str]) -> list[str]:
        """The answers for many numbers of one length, as `rewrite` gives them; an unfinished one ends in `END`."""
        x = self._digits[np.stack([self.signs.read(number) for number in numbers], axis=1)]  # (T, n, width)
        trace = run_cell(self.encoder, x)
        return self.write_many(trace.h[-1], trace.c[-1], longest_for(numbers[0]))

    def state(self, number: str) -> tuple[Array, Array]:
        """What the encoder hands over for a number: h and c, (units,) each; raises TextError as `read` does."""
        _, trace = self.read(number)
        return trace.h[-1], trace.c[-1]

    def write_many(self, h: Array, c: Array, longest: int) -> list[str]:
        """The answers from many states, (n, units) each, as `write` gives them; an unfinished one ends in `END`."""
        ids, _ = self._decode(h, c, longest)
        return [self._text(column) for column in ids.T]

    def _text(self, ids: Array) -> str:
        ends = np.flatnonzero(ids == EDGE)
        text = "".join(self.signs.characters[each - 1] for each in ids[: ends[0] if len(ends) else None])
        return text if len(ends) else text + END

    def _decode(self, h: Array, c: Array, longest: int) -> tuple[Array, Array]:
        """From (n, units) twice: ids (steps, n) up to where all have ended, and probabilities (steps, n, ids)."""
        weights, fed = self.decoder, np.full(len(h), EDGE)
        ids: list[Array] = []
        probabilities: list[Array] = []
        ended = np.zeros(len(h), bool)
        while len(ids) < longest and not ended.all():
            wx = self._characters[fed] @ weights.kernel + weights.bias  # (n, 4·units)
            step = cells.lstm_step(wx, h, c, weights.recurrent, sigma=weights.sigma, tanh=weights.tanh)
            h, c = step.h, step.c
            probabilities.append(softmax(h @ self._kernel + self._bias))
            fed = probabilities[-1].argmax(axis=1)
            ended |= fed == EDGE
            ids.append(fed)
        return np.stack(ids), np.stack(probabilities)


def longest_for(number: str) -> int:
    """Characters after which a decoder is stopped: two words and the end more than the longest truth needs."""
    return LONGEST_WORD * (len(number) + 2) + 1


def right_signs(answer: str, truth: str) -> list[bool]:
    """For each character of an answer, whether it is the true one at its place in the word of its number.

    Word by word, so that one word too long doesn't make all after it wrong; a space is right where it ends a right
    number of characters.
    """
    found: list[bool] = []
    true_words = truth.split(" ")
    for place, word in enumerate(answer.split(" ")):
        wanted = true_words[place] if place < len(true_words) else ""
        if place:
            found.append(place < len(true_words))  # the space in front of this word
        found += [index < len(wanted) and sign == wanted[index] for index, sign in enumerate(word)]
    return found


def right_words(answer: str, truth: str) -> int:
    """How many words stand where they should."""
    return sum(word == wanted for word, wanted in zip(answer.split(" "), truth.split(" "), strict=False))


def _weight(layer: Any, place: int) -> Array:
    return np.asarray(layer.get_weights()[place], np.float32)


# --- Loading and measuring ----------------------------------------------------------------------


def load_rewriter(folder: Path, card: ModelCard) -> Rewriter:
    """An encoder–decoder from its folder; raises ModelError as `library.load` does."""
    from lstm_core.library.store import load_network, read_vocabulary

    return Rewriter(card, read_vocabulary(folder, Signs.from_json), load_network(folder))


MEASURED_LENGTH, MEASURED = 12, 500  # up to how many digits, and how many numbers a length


def rewriting_figures(model: Rewriter, part: str = "test") -> dict[str, Any]:
    """How many answers are right to the last character, on numbers of a part, and how it goes with their length.

    `accuracy` is that of the lengths that were trained on and have such numbers, each length weighing as its count;
    `by_length` goes on beyond. Lengths without any in that part are measured on what was trained, and say so.
    """
    rows = []
    for length in range(1, (MEASURED_LENGTH if part == "test" else number_words.LONGEST_TRAINED) + 1):
        held_out = length > number_words.ALL_TRAINED
        rng = np.random.default_rng(length)
        numbers = number_words.numbers(part if held_out else "training", length, MEASURED, rng)
        pairs = list(zip(model.answers(numbers), map(number_words.spelled_backwards, numbers), strict=True))
        rows.append(
            {
                "digits": length,
                "held_out": held_out,
                "count": len(pairs),
                "accuracy": float(np.mean([answer == truth for answer, truth in pairs])),
                "words_right": float(np.mean([right_words(answer, truth) / length for answer, truth in pairs])),
            }
        )
    trained = [row for row in rows if row["held_out"] and row["digits"] <= number_words.LONGEST_TRAINED]
    examples = sum(row["count"] for row in trained)
    return {
        "model": model.card.name,
        "examples": examples,
        "accuracy": sum(row["accuracy"] * row["count"] for row in trained) / examples,
        "by_length": {key: [row[key] for row in rows] for key in rows[0]},
    }
