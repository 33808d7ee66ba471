"""An encoder–decoder: one LSTM reads a number, and another one, given its last state, writes it out in words.

The saved network is one Keras model with two inputs, the number and the true characters so far (teacher forcing);
here it runs step by step in NumPy, and each character is fed back. The task is in `datasets/number_words.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import number_words
from lstm_core.errors import ModelError
from lstm_core.inference.protocol import Expected, Model, named_layers, weighted_figures
from lstm_core.library.card import ModelCard, misfit
from lstm_core.library.store import read_network, read_vocabulary
from lstm_core.nn.activations import softmax
from lstm_core.nn.saved import SavedNetwork
from lstm_core.nn.stack import LSTMStack, State
from lstm_core.nn.trace import LayerTrace, run_cell
from lstm_core.nn.weights import weights_of

END = "∎"  # how the end of an answer is shown; the network has an id of its own for it
EDGE = 0  # that id: the end of what is written, the start of what is fed back, and the pad of what is read
LONGEST_WORD = max(map(len, number_words.WORDS)) + 1  # with the space after it


@dataclass(frozen=True)
class NumberAlphabet:
    """The digits that can be read and the characters that can be written; ids from 1 in this order, 0 is `EDGE`."""

    digits: str = number_words.DIGITS
    characters: str = number_words.CHARACTERS

    def encode_number(self, number: str) -> Array:
        """(T,) int32 ids of digits."""
        return np.array([1 + self.digits.index(digit) for digit in number], np.int32)

    def encode_words(self, text: str) -> Array:
        """(n,) int32 ids of characters."""
        return np.array([1 + self.characters.index(character) for character in text], np.int32)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        alphabet = cls(data["digits"], data["characters"])
        for text in (alphabet.digits, alphabet.characters):
            if not isinstance(text, str):
                raise TypeError("the characters are not a text")
            if not text or len(set(text)) != len(text):
                raise ValueError("each character must be there once")
        if not set(number_words.DIGITS) <= set(alphabet.digits):
            raise ValueError("a digit is missing")
        return alphabet


@dataclass(frozen=True)
class Written:
    """What a decoder wrote from a state: n characters, with `END` as the last one if it came to an end."""

    characters: tuple[str, ...]  # n of them
    probabilities: Array  # (n, 1 + characters of the alphabet), column 0 is the end
    trace: LayerTrace  # of the decoder, n steps
    finished: bool  # whether it wrote the end

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(character for character in self.characters if character != END)

    @property
    def confidence(self) -> Array:
        """(n,) the probability of each written character, 0…1."""
        return self.probabilities.max(axis=1)


@dataclass(frozen=True)
class Rewriting:
    """One number, read and written: `encoder` has a step a digit, `h` and `c` (units,) are its last state."""

    number: str
    encoder: LayerTrace
    h: Array
    c: Array
    written: Written

    @property
    def truth(self) -> str:
        """The correct answer."""
        return number_words.spelled_backwards(self.number)

    @property
    def is_right(self) -> bool:
        """Whether the answer is finished and every character is correct."""
        return self.written.finished and self.written.text == self.truth


class Rewriter(Model):
    """A loaded encoder–decoder; holds copies of the weights, so it is safe to share."""

    def __init__(
        self, card: ModelCard, alphabet: NumberAlphabet, saved: SavedNetwork, folder: Path | None = None
    ) -> None:
        """Raises ModelError if the network's layers aren't those of an encoder–decoder."""
        self.card, self.alphabet, self._saved, self.folder = card, alphabet, saved, folder
        inputs = (*saved.inputs, "two inputs", "two inputs")
        forwards = {"go_backwards": False}
        graph: dict[str, Expected] = {
            "read": ("Embedding", inputs[:1], {}),
            "encoder": ("LSTM", ("read",), forwards | {"return_sequences": False}),
            "written": ("Embedding", inputs[1:2], {"mask_zero": False}),
            "decoder": ("LSTM", ("written",), forwards | {"return_sequences": True}),
            "answer": ("Dense", ("decoder",), {"activation": "softmax", "use_bias": True}),
        }
        parts = named_layers(card, saved, graph, "encoder–decoder")
        if parts["decoder"].states != (("encoder", 1), ("encoder", 2)):
            raise ModelError(f"The model '{card.name}' is no encoder–decoder: its decoder must begin with h and c.")
        self.encoder, self.decoder = weights_of(parts["encoder"]), weights_of(parts["decoder"])
        weights = {name: part.weights for name, part in parts.items()}
        self._digits, self._characters = weights["read"][0], weights["written"][0]  # (ids, width)
        self._kernel, self._bias = weights["answer"]
        sizes = len(self._digits) - 1, len(self._characters) - 1, len(self._bias) - 1
        expected = len(alphabet.digits), len(alphabet.characters), len(alphabet.characters)
        kinds = {self.encoder.kind, self.decoder.kind}
        if sizes != expected or kinds != {"lstm"} or self.encoder.units != self.decoder.units:
            raise misfit(card, f"{sizes} characters in the network, {expected} in the vocabulary")
        self._stack = LSTMStack((self.decoder,))
        self._fed_sums = self._stack.input_sums(self._characters)  # (ids, 4·units): W·x + b of every character, once

    def read(self, text: str) -> tuple[str, LayerTrace]:
        """The number in a text and the encoder's trace of it, a step a digit.

        Raises:
            TextError: if the text is no number of at most `number_words.MOST_DIGITS` digits.
        """
        number = number_words.checked(text)
        return number, run_cell(self.encoder, self._digits[self.alphabet.encode_number(number)])

    def write(self, h: Array, c: Array, longest: int) -> Written:
        """Decode greedily from a state: the most probable character at each step, fed back at the next.

        Args:
            h: (units,) the hidden state.
            c: (units,) the cell state.
            longest: the number of characters after which decoding stops.
        """
        ids, probabilities = self._decode(h[None], c[None], longest)
        fed = np.append(EDGE, ids[:-1, 0])  # (n,): what the decoder read
        trace = run_cell(self.decoder, self._characters[fed], initial_state=(h, c))
        names = END + self.alphabet.characters
        return Written(tuple(names[each] for each in ids[:, 0]), probabilities[:, 0], trace, bool(ids[-1, 0] == EDGE))

    def rewrite(self, text: str) -> Rewriting:
        """Read a number and write it out; raises TextError as `read` does."""
        number, trace = self.read(text)
        h, c = trace.h[-1], trace.c[-1]
        return Rewriting(number, trace, h, c, self.write(h, c, longest_for(number)))

    def answers(self, numbers: Sequence[str]) -> list[str]:
        """The answers for many numbers of one length, as from `rewrite`; an unfinished one ends in `END`."""
        ids = np.stack([self.alphabet.encode_number(number) for number in numbers], axis=1)  # (T, n)
        trace = run_cell(self.encoder, self._digits[ids])
        return self.write_many(trace.h[-1], trace.c[-1], longest_for(numbers[0]))

    def state(self, number: str) -> tuple[Array, Array]:
        """The encoder's last state for a number: h and c, (units,) each; raises TextError as `read` does."""
        _, trace = self.read(number)
        return trace.h[-1], trace.c[-1]

    def write_many(self, h: Array, c: Array, longest: int) -> list[str]:
        """The answers from many states, as from `write`; an unfinished one ends in `END`.

        Args:
            h: (n, units) hidden states.
            c: (n, units) cell states.
            longest: see `write`.
        """
        names = "\0" + self.alphabet.characters
        texts = ["".join(names[each] for each in column) for column in self._decode(h, c, longest)[0].T]
        return [text.partition("\0")[0] if "\0" in text else text + END for text in texts]

    def _decode(self, h: Array, c: Array, longest: int) -> tuple[Array, Array]:
        """From (n, units) twice: ids (steps, n) up to where all have ended, and probabilities (steps, n, ids)."""
        fed = np.full(len(h), EDGE)
        ids: list[Array] = []
        probabilities: list[Array] = []
        ended = np.zeros(len(h), bool)
        state: State = ((h, c),)
        while len(ids) < longest and not ended.all():
            (step,), state = self._stack.step(self._fed_sums[fed], state)
            probabilities.append(softmax(step.h @ self._kernel + self._bias))
            fed = probabilities[-1].argmax(axis=1)
            ended |= fed == EDGE
            ids.append(fed)
        return np.stack(ids), np.stack(probabilities)


def longest_for(number: str) -> int:
    """The number of characters after which decoding stops: two words and the end more than the longest truth needs."""
    return LONGEST_WORD * (len(number) + 2) + 1


def correct_characters(answer: str, truth: str) -> list[bool]:
    """For each character of an answer, whether it is the correct one at its place in its word.

    Words are compared one by one, so that one word too long doesn't shift all after it; a space is correct where the
    truth has a word after it.
    """
    found: list[bool] = []
    true_words = truth.split(" ")
    for place, word in enumerate(answer.split(" ")):
        true_word = true_words[place] if place < len(true_words) else ""
        if place:
            found.append(place < len(true_words))  # the space before this word
        found += [index < len(true_word) and each == true_word[index] for index, each in enumerate(word)]
    return found


def count_correct_words(answer: str, truth: str) -> int:
    """How many words are correct at their place."""
    return sum(word == true_word for word, true_word in zip(answer.split(" "), truth.split(" "), strict=False))


def load_rewriter(folder: Path, card: ModelCard) -> Rewriter:
    """An encoder–decoder from its folder; raises ModelError as `inference.load` does."""
    return Rewriter(card, read_vocabulary(folder, NumberAlphabet.from_json), read_network(folder), folder)


MEASURED_LENGTH, MEASURED = 12, 500  # up to how many digits, and how many numbers a length


def rewriting_figures(model: Rewriter, part: str = "test") -> dict[str, Any]:
    """How many answers are correct to the last character, on numbers of a part, by the number's length.

    `accuracy` is over the lengths that were trained on and have held-out numbers; `by_length` goes on to longer ones.
    Lengths without held-out numbers are measured on training numbers (`held_out` is False).
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
                "words_right": float(np.mean([count_correct_words(*pair) / length for pair in pairs])),
            }
        )
    trained = [row for row in rows if row["held_out"] and row["digits"] <= number_words.LONGEST_TRAINED]
    return weighted_figures(model, trained) | {"by_length": {key: [row[key] for row in rows] for key in rows[0]}}
