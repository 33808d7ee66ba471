"""A trained character model: generates one character at a time, and scores a text.

Every character comes with the whole distribution before and after temperature and truncation, and the gates and states
of every layer. How the network reads is in `inference/char_inference.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError, TextError
from lstm_core.inference.char_inference import Step, make_reader
from lstm_core.inference.char_trace import CharacterTrace
from lstm_core.inference.protocol import Model
from lstm_core.library.card import ModelCard, misfit
from lstm_core.library.store import read_network, read_vocabulary
from lstm_core.nn.activations import softmax
from lstm_core.nn.cells import LSTMStep
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.network import Network
from lstm_core.nn.trace import LayerTrace
from lstm_core.text.alphabet import Alphabet

LONGEST = 20_000  # characters in one run
LONGEST_TRACE = 5_000  # characters whose signals are all kept
LOWEST_TEMPERATURE = 1e-3  # a lower one is greedy: dividing by it overflows
CHUNK = 512  # characters that are read at once when a text is scored


@dataclass(frozen=True)
class GeneratedCharacter:
    """One generated character and the distribution that it was sampled from.

    Attributes:
        character: the sampled character.
        probability: its probability in `shaped`, 0…1.
        logits: (alphabet,) the network's output; another temperature can be applied to it without
            running the network again.
        distribution: (alphabet,) the network's own probabilities, at temperature 1.
        shaped: (alphabet,) after temperature and truncation: the sampling distribution.
        layers: the signals `i f g o c h` of each layer, (units,), at the step that led here.
    """

    character: str
    probability: float
    logits: Array
    distribution: Array
    shaped: Array
    layers: tuple[LSTMStep, ...]


@dataclass(frozen=True)
class Score:
    """The surprisal of a text."""

    text: str  # with its characters mapped to the alphabet
    surprisal: Array  # (characters - 1,) nats, -ln p of each character after the first
    nats_per_character: float  # their mean; e to its power is the perplexity


def sampling_distribution(
    logits: Array, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Array:
    """Probabilities after temperature and truncation; they sum to 1.

    Args:
        logits: (alphabet,).
        temperature: divides the logits; 0 always takes the largest.
        top_k: keep only the k most probable characters; None for all.
        top_p: keep only the most probable ones that together reach p (Holtzman et al. 2020); None for all.

    Raises:
        ValueError: if one of them is out of range.
    """
    if not (np.isfinite(temperature) and 0 <= temperature <= 100):
        raise ValueError(f"The temperature must be from 0 to 100; received {temperature}.")
    if top_k is not None and not top_k >= 1:
        raise ValueError(f"top_k must be 1 or more; received {top_k}.")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1; received {top_p}.")
    if temperature < LOWEST_TEMPERATURE:
        return (np.arange(len(logits)) == logits.argmax()).astype(logits.dtype)
    p = softmax(logits.astype(np.float64) / temperature)
    if top_k is None and top_p is None:
        return p.astype(logits.dtype)
    order = np.argsort(-p, kind="stable")[:top_k]
    if top_p is not None:
        order = order[np.cumsum(p[order]) - p[order] < top_p]
    kept = np.zeros_like(p)
    kept[order] = p[order]
    return (kept / kept.sum()).astype(logits.dtype)


class TextGenerator(Model):
    """A loaded character model; made by `lstm_core.load`. Nothing in it changes: it is safe to share.

    Attributes:
        card: what it is.
        alphabet: its characters.
        network: T ids → (T, alphabet) probabilities, or, where it reads windows, (window, 1) of ids / len(alphabet).
        folder: see `Model`.
        reader: how it reads; `reader.memory` is the length of its window, 0 where it carries a state.
            A text shorter than the window is padded with newlines in front.
    """

    def __init__(self, card: ModelCard, alphabet: Alphabet, network: Network, folder: Path | None = None) -> None:
        """Raises ModelError unless the network is one of the two kinds that `make_reader` accepts."""
        self.card, self.alphabet, self.network, self.folder = card, alphabet, network, folder
        reader = make_reader(network, network.saved.shape(network.inputs[0])[0], pad=alphabet.ids.get("\n", 0))
        if reader is None:
            raise ModelError(
                f"The model '{card.name}' can't generate text: it must be an Embedding, LSTM layers and a Dense layer "
                "in a row, or LSTM layers that read a window of one number a character, and a Dense layer."
            )
        self.reader = reader

    @property
    def carries(self) -> bool:
        """Whether its state is carried on from character to character; if not, each one reads a whole window."""
        return self.reader.memory == 0

    def read(self, prompt: str, clamps: Sequence[Clamp] = ()) -> Step:
        """The step of a prompt's last character, from which generation continues; see `stream`.

        Raises:
            TextError: if no character of it is in the model's alphabet.
            ValueError: if a clamp names something that doesn't exist.
        """
        self.reader.check(clamps)
        ids = self.alphabet.encode(prompt)
        if not len(ids):
            raise TextError("There is nothing to begin with: type some characters that the model knows.")
        return self.reader.read(ids, clamps)

    def trace(self, text: str, clamps: Sequence[Clamp] = ()) -> CharacterTrace:
        """Read a text and keep everything; a network that reads windows reads the last one of the text.

        Args:
            text: any text; characters outside the alphabet are mapped or dropped. At most `LONGEST_TRACE` are read.
            clamps: signals to clamp; `timesteps` count the characters that are read, from 0.

        Raises:
            TextError: if no character of it is in the model's alphabet, or there are too many.
            ValueError: if a clamp names something that doesn't exist.
        """
        ids = self.alphabet.encode(text)
        if not len(ids):
            raise TextError("There is nothing to read: type some characters of the model's alphabet.")
        window = self.reader.memory
        if len(ids) > LONGEST_TRACE and not window:
            raise TextError(f"The text has {len(ids):,} characters; {LONGEST_TRACE:,} can be traced at once.")
        x, first = ids, 0
        if window:
            first = max(0, window - len(ids))
            ids = np.append(self.reader.start(), ids)[-window:]  # (window,)
            x = (ids / len(self.alphabet)).astype(np.float32)[:, None]  # (window, 1)
        run = self.network.run(x, clamps=clamps)
        layers = tuple(trace for trace in run.traces if isinstance(trace, LayerTrace))
        tokens, alphabet = self.alphabet.decode(ids), tuple(self.alphabet.characters)
        return CharacterTrace(tokens[first:], tuple(tokens), alphabet, run.output, layers, tuple(clamps), first)

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
        """Continue a prompt, one character at a time.

        Args:
            prompt: any text; characters outside the alphabet are mapped or dropped.
            length: how many characters, 1 to `LONGEST`.
            temperature, top_k, top_p: see `sampling_distribution`.
            seed: the same seed gives the same text; None for a random one.
            clamps: signals to clamp while the network reads. `timesteps` count the generated characters from 0: a clamp
                at character n affects the ones from n + 1 on. A clamp without timesteps applies to the prompt too.

        Raises:
            TextError: if no character of the prompt is in the alphabet.
            ValueError: if a number is out of range, or a clamp names something that doesn't exist; both before the
                first character.
        """
        if not 1 <= length <= LONGEST:
            raise ValueError(f"The length must be from 1 to {LONGEST:,} characters; received {length}.")
        clamps = tuple(clamps)
        step = self.read(prompt, clamps)
        sampling_distribution(step.logits, temperature, top_k, top_p)
        random = np.random.default_rng(seed)

        def generate(step: Step) -> Iterator[GeneratedCharacter]:
            for position in range(length):
                shaped = sampling_distribution(step.logits, temperature, top_k, top_p)
                # One random number in the cumulative distribution, whose end may be a rounding error below 1.
                sampled = int(np.searchsorted(np.cumsum(shaped), random.random(), side="right"))
                sampled = min(sampled, int(np.flatnonzero(shaped)[-1]))
                character, probability = self.alphabet.characters[sampled], float(shaped[sampled])
                distribution = softmax(step.logits)
                yield GeneratedCharacter(character, probability, step.logits, distribution, shaped, step.layers)
                step = self.reader.step(sampled, step.state, clamps, position)

        return generate(step)

    def score(self, text: str) -> Score:
        """The surprisal of each character of a text after the first, in nats.

        Raises:
            TextError: if fewer than two characters of it are in the alphabet.
        """
        ids = self.alphabet.encode(text)
        if len(ids) < 2:
            raise TextError("There is too little to score: give two characters or more that the model knows.")
        parts = []
        for logits, following in self.predictions(ids):
            highest = logits.max(axis=1)
            total = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
            parts.append(total - logits[np.arange(len(following)), following])
        surprisal = np.concatenate(parts)
        return Score(self.alphabet.decode(ids), surprisal, float(surprisal.mean()))

    def predictions(self, ids: Array) -> Iterator[tuple[Array, Array]]:
        """Read (n,) ids in chunks: the (m, alphabet) logits after each but the last, and the (m,) ids that follow."""
        state = self.reader.start()
        for first in range(0, len(ids) - 1, CHUNK):
            following = ids[first + 1 : first + 1 + CHUNK]
            logits, state = self.reader.read_chunk(ids[first : first + len(following)], state)
            yield logits, following


def load_generator(folder: Path, card: ModelCard) -> TextGenerator:
    """A text generator from its folder; raises ModelError as `inference.load` does."""
    alphabet = read_vocabulary(folder, Alphabet.from_json)
    network = Network(read_network(folder))
    if network.width != len(alphabet):
        raise misfit(card, f"the alphabet has {len(alphabet)} characters, the network's answer {network.width}")
    return TextGenerator(card, alphabet, network, folder)
