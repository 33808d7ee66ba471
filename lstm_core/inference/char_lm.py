"""A trained character model: writing one character at a time, and being surprised by a text.

Every character comes with the network's doubts: the whole distribution before and after
temperature and truncation, and the gates and states of every layer. How the network reads, with a
state that it carries on or a window that it reads anew, is in `inference/char_inference.py`; how characters become
ids is in `text/alphabet.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError, TextError
from lstm_core.inference.char_inference import IN_THE_PROMPT, State, Step, reader_of
from lstm_core.library.card import ModelCard, misfit
from lstm_core.library.store import load_network, read_vocabulary
from lstm_core.nn.activations import softmax
from lstm_core.nn.cells import LSTMStep
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.network import Network
from lstm_core.text.alphabet import Alphabet

LONGEST = 20_000  # characters in one run
COLDEST = 1e-3  # below this a temperature is greedy: dividing by it overflows
CHUNK = 512  # characters that are read at once when a text is scored


@dataclass(frozen=True)
class GeneratedCharacter:
    """One character that was written, and why.

    Attributes:
        character: what was written.
        probability: its share of `shaped`, 0…1.
        logits: (alphabet,) as the network gave them; from these a new temperature can be drawn
            without running it again.
        distribution: (alphabet,) the network's own probabilities, at temperature 1.
        shaped: (alphabet,) after temperature and truncation: what the character was drawn from.
        layers: the signals `i f g o c h` of each layer, (units,), of the step that led here.
    """

    character: str
    probability: float
    logits: Array
    distribution: Array
    shaped: Array
    layers: tuple[LSTMStep, ...]


@dataclass(frozen=True)
class Score:
    """How surprised the model is by a text.

    Attributes:
        text: what was read: the text with characters mapped to the alphabet.
        surprise: (characters - 1,) nats, -ln p of each character after the first.
        nats_per_character: their mean; e to its power is the perplexity.
    """

    text: str
    surprise: Array
    nats_per_character: float


def sampling_distribution(
    logits: Array, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Array:
    """Probabilities after temperature and truncation; they sum to 1.

    Args:
        logits: (alphabet,).
        temperature: above 0 divides the logits; 0 puts everything on the largest.
        top_k: keep the k most probable; None for all.
        top_p: keep the fewest whose probabilities reach p (Holtzman et al. 2020); None for all.

    Raises:
        ValueError: if one of them is out of range.
    """
    if not (np.isfinite(temperature) and 0 <= temperature <= 100):
        raise ValueError(f"The temperature must be from 0 to 100; received {temperature}.")
    if top_k is not None and not top_k >= 1:
        raise ValueError(f"top_k must be 1 or more; received {top_k}.")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1; received {top_p}.")
    if temperature < COLDEST:
        return (np.arange(len(logits)) == logits.argmax()).astype(logits.dtype)
    p = softmax(logits.astype(np.float64) / temperature)
    if top_k is None and top_p is None:
        return p.astype(logits.dtype)
    order = np.argsort(-p, kind="stable")
    kept = np.ones(len(p), bool)
    if top_k is not None:
        kept[order[top_k:]] = False
    if top_p is not None:
        before = np.cumsum(p[order]) - p[order]
        kept[order[before >= top_p]] = False
    p = np.where(kept, p, 0)
    return (p / p.sum()).astype(logits.dtype)


class TextGenerator:
    """A loaded character model; made by `lstm_core.load`. Nothing in it changes: it is safe to share.

    Attributes:
        card: what it is.
        alphabet: the characters it knows.
        model: the Keras model: (batch, T) of ids → (batch, T, alphabet) probabilities, or, where it
            reads windows, (batch, window, 1) of ids / len(alphabet) → (batch, alphabet).
        network: the same in NumPy.
        reader: how it reads; `reader.memory` is the length of its window, 0 where it carries a state.
            In front of a text that is shorter than the window it puts newlines.
    """

    def __init__(self, card: ModelCard, alphabet: Alphabet, model: Any, network: Network) -> None:
        """Raises ModelError unless the network is one of the two that `reader_of` knows."""
        self.card, self.alphabet, self.model, self.network = card, alphabet, model, network
        reader = reader_of(network, model.inputs[0].shape[1], pad=alphabet.ids.get("\n", 0))
        if reader is None:
            raise ModelError(
                f"The model '{card.name}' can't write: it must be an Embedding, LSTM layers and a Dense layer in a "
                "row, or LSTM layers that read a window of one number a character, and a Dense layer."
            )
        self.reader = reader

    @property
    def carries(self) -> bool:
        """Whether its state is carried from character to character; if not, it reads a window anew each time."""
        return self.reader.memory == 0

    def start(self) -> State:
        """The state before the first character."""
        return self.reader.start()

    def step(self, identity: int, state: State, clamps: Sequence[Clamp] = (), position: int = IN_THE_PROMPT) -> Step:
        """Read one character.

        Args:
            identity: its id.
            state: what `start` or the step before gave.
            clamps: signals to hold, see `stream`.
            position: the character's place among those written, from 0; negative in the prompt.
        """
        return self.reader.step(identity, state, clamps, position)

    def read(self, prompt: str, clamps: Sequence[Clamp] = ()) -> Step:
        """Read a prompt and stand ready to write; only clamps without timesteps hold here.

        Raises:
            TextError: if nothing of it is left in the model's alphabet.
            ValueError: if a clamp names something that isn't there.
        """
        self.reader.check(clamps)
        ids = self.alphabet.encode(prompt)
        if not len(ids):
            raise TextError("There is nothing to begin with: type some letters that the model knows.")
        return self.reader.read(ids, clamps)

    def stream(
        self,
        prompt: str,
        length: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        clamps: Sequence[Clamp] = (),
    ) -> Iterator[GeneratedCharacter]:
        """Write on from a prompt, one character at a time.

        Args:
            prompt: any text; characters outside the alphabet are mapped or dropped.
            length: how many characters, 1 to `LONGEST`.
            temperature: see `shape`.
            top_k: see `shape`.
            top_p: see `shape`.
            seed: the same seed gives the same text; None for another one each time.
            clamps: signals to hold while the network reads. `timesteps` count the characters that
                are written, from 0: what is held while character n is read shows from character
                n + 1 on. A clamp without timesteps holds while the prompt is read, too.

        Raises:
            TextError: if nothing of the prompt is left in the alphabet.
            ValueError: if a number is out of range, or a clamp names something that isn't there;
                both before anything is written.
        """
        if not 1 <= length <= LONGEST:
            raise ValueError(f"The length must be from 1 to {LONGEST:,} characters; received {length}.")
        clamps = tuple(clamps)
        step = self.read(prompt, clamps)
        sampling_distribution(step.logits, temperature, top_k, top_p)
        return self._write(step, length, (temperature, top_k, top_p), np.random.default_rng(seed), clamps)

    def _write(
        self,
        step: Step,
        length: int,
        how: tuple[float, int | None, float | None],
        random: np.random.Generator,
        clamps: tuple[Clamp, ...],
    ) -> Iterator[GeneratedCharacter]:
        for position in range(length):
            shaped = sampling_distribution(step.logits, *how)
            # One draw from the cumulated shares: the last one may fall a rounding short of 1.
            drawn = int(np.searchsorted(np.cumsum(shaped), random.random(), side="right"))
            drawn = min(drawn, int(np.flatnonzero(shaped)[-1]))
            yield GeneratedCharacter(
                character=self.alphabet.characters[drawn],
                probability=float(shaped[drawn]),
                logits=step.logits,
                distribution=softmax(step.logits),
                shaped=shaped,
                layers=step.layers,
            )
            step = self.step(drawn, step.state, clamps, position)

    def score(self, text: str) -> Score:
        """How surprised the model is by each character of a text, in nats.

        Raises:
            TextError: if fewer than two characters of it are left in the alphabet.
        """
        ids = self.alphabet.encode(text)
        if len(ids) < 2:
            raise TextError("There is too little to be surprised by: give two characters or more that the model knows.")
        state, parts = self.start(), []
        for first in range(0, len(ids) - 1, CHUNK):
            wanted = ids[first + 1 : first + 1 + CHUNK]
            logits, state = self.reader.read_chunk(ids[first : first + len(wanted)], state)
            highest = logits.max(axis=1)
            total = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
            parts.append(total - logits[np.arange(len(wanted)), wanted])
        surprise = np.concatenate(parts)
        return Score(self.alphabet.decode(ids), surprise, float(surprise.mean()))


def load_generator(folder: Path, card: ModelCard) -> TextGenerator:
    """A text generator from its folder; raises ModelError as `load` does."""

    alphabet = read_vocabulary(folder, Alphabet.from_json)
    model = load_network(folder)
    network = Network(model)
    if model.outputs[0].shape[-1] != len(alphabet):
        answers = model.outputs[0].shape[-1]
        raise misfit(card, f"the alphabet has {len(alphabet)} characters, the network's answer {answers}")
    return TextGenerator(card, alphabet, model, network)
