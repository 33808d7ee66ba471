"""One visitor's run of a character model: what is written so far, with the network's outputs and states.

A run advances step by step, from a fragment that reruns at every beat: it needs no thread, Stop takes effect at the
next beat, and closing the tab ends it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.inference import GeneratedCharacter, TextGenerator
from lstm_core.nn import Clamp
from ui.common import theme

BEAT = 0.25  # seconds between two drawings of a run
BUDGET = 0.1  # seconds of computation in a beat, so that other visitors are served as well
MAX_PROMPT = 2_000  # characters of a prompt that are read: the last ones
LENGTHS = (20, 800)  # characters of a run, minimum and maximum


@dataclass(frozen=True)
class Settings:
    """How a run samples its characters; see `TextGenerator.stream`."""

    temperature: float = 0.8  # 0 for greedy decoding
    top_k: int | None = None  # None for all
    top_p: float | None = None  # None for all
    seed: int = 1  # of the sampling
    length: int = 400  # characters to write
    pace: int = 40  # characters per second


class Writing:
    """A run that is advanced until it is `stopped`; arrays have a row for each character of its `text`."""

    def __init__(self, model: TextGenerator, prompt: str, settings: Settings, clamps: Sequence[Clamp] = ()) -> None:
        """Read the prompt; TextError if none of it is in the alphabet, ValueError if a setting is out of range."""
        self.model, self.prompt, self.settings = model, prompt[-MAX_PROMPT:], settings
        self.clamps = tuple(clamps)
        sampling = {name: getattr(settings, name) for name in ("temperature", "top_k", "top_p", "seed")}
        self._stream = model.stream(self.prompt, settings.length, **sampling, clamps=self.clamps)
        self._start: float | None = None
        self._logits: list[np.ndarray] = []
        self._surprisal: list[float] = []
        self._signals: list[list[np.ndarray]] = []
        self.text, self.stopped = "", False

    def __len__(self) -> int:
        return len(self.text)

    def advance(self, count: int | None = None) -> None:
        """Write `count` characters, or as many as are due by now and fit into `BUDGET`; none once stopped."""
        now = time.monotonic()
        if self._start is None:
            self._start = now
        due = len(self) + count if count is not None else int((now - self._start + BEAT) * self.settings.pace)
        while len(self) < due and not self.stopped:
            each = next(self._stream, None)
            if each is None:
                self.stopped = True
                break
            self._keep(each)
            if count is None and time.monotonic() - now > BUDGET:
                break
        self.stopped = self.stopped or len(self) >= self.settings.length

    def stop(self) -> None:
        """End the run."""
        self.stopped = True

    def _keep(self, each: GeneratedCharacter) -> None:
        identity = self.model.alphabet.ids[each.character]
        self.text += each.character
        self._logits.append(each.logits)
        self._surprisal.append(float(-np.log(max(each.distribution[identity], 1e-12))))
        # Half precision: three digits are enough for a figure, and a session keeps several runs.
        stacks = [np.stack([getattr(layer, letter) for letter in theme.LSTM_SIGNALS]) for layer in each.layers]
        self._signals.append([stack.astype(np.float16) for stack in stacks])

    @property
    def layers(self) -> int:
        """The number of recurrent layers."""
        return len(self._signals[0]) if self._signals else 0

    @property
    def surprisal(self) -> np.ndarray:
        """(n,) nats: the surprisal of each character, before temperature and truncation."""
        return np.array(self._surprisal)

    def logits(self, position: int) -> np.ndarray:
        """(alphabet,) the logits for the character at a position."""
        return self._logits[position]

    def signal(self, layer: int, letter: str) -> np.ndarray:
        """(n, units) values of one signal when each character was sampled."""
        index = theme.LSTM_SIGNALS.index(letter)
        return np.array([layers[layer][index] for layers in self._signals], np.float32)
