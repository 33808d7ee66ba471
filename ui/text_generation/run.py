"""One visitor's run of a character model: what is written so far, and everything that is known about it.

A run advances a little at a time, from a fragment that draws itself again and again: no thread
waits for it, Stop takes effect at the next beat, and a closed tab ends it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.inference import GeneratedCharacter, TextGenerator
from lstm_core.nn import Clamp
from ui.common import theme

BEAT = 0.25  # seconds between two drawings of a run
BUDGET = 0.1  # seconds of a beat in which the network may compute, so that others are served too
LONGEST_PROMPT = 2_000  # characters of a prompt that are read: its last ones
LENGTHS = (20, 800)  # characters that one run may write


@dataclass(frozen=True)
class Settings:
    """How a run draws its characters; see `TextGenerator.stream`.

    Attributes:
        temperature: 0 is greedy.
        top_k: None for all.
        top_p: None for all.
        seed: the same seed, the same text.
        length: characters to write.
        pace: characters a second.
    """

    temperature: float = 0.8
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 1
    length: int = 400
    pace: int = 40


class Writing:
    """A run: begun, advanced, stopped. Arrays have a row for each character that was written.

    Attributes:
        model: what writes.
        prompt: what it reads first.
        settings: how it draws.
        clamps: what is held while it writes.
        text: what it has written.
        stopped: whether there is more to come.
    """

    def __init__(self, model: TextGenerator, prompt: str, settings: Settings, clamps: Sequence[Clamp] = ()) -> None:
        """Read the prompt.

        Raises:
            TextError: if nothing of the prompt is left in the alphabet.
            ValueError: if a setting is out of range.
        """
        self.model, self.prompt, self.settings = model, prompt[-LONGEST_PROMPT:], settings
        self.clamps = tuple(clamps)
        self._stream = model.stream(
            self.prompt,
            settings.length,
            temperature=settings.temperature,
            top_k=settings.top_k,
            top_p=settings.top_p,
            seed=settings.seed,
            clamps=self.clamps,
        )
        self._began: float | None = None
        self._logits: list[np.ndarray] = []
        self._surprise: list[float] = []
        self._signals: list[list[np.ndarray]] = []
        self.text, self.stopped = "", False

    def __len__(self) -> int:
        return len(self.text)

    def advance(self, count: int | None = None) -> None:
        """Write `count` characters, or as many as are due by the clock and as fit into `BUDGET`; none once stopped."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        due = len(self) + count if count is not None else int((now - self._began + BEAT) * self.settings.pace)
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
        """No more after this."""
        self.stopped = True

    def _keep(self, each: GeneratedCharacter) -> None:
        identity = self.model.alphabet.ids[each.character]
        self.text += each.character
        self._logits.append(each.logits)
        self._surprise.append(float(-np.log(max(each.distribution[identity], 1e-12))))
        # Half precision: three digits are enough for a picture, and many runs are kept at once.
        self._signals.append(
            [
                np.stack([getattr(layer, letter) for letter in theme.LSTM_SIGNALS]).astype(np.float16)
                for layer in each.layers
            ]
        )

    @property
    def layers(self) -> int:
        """How many recurrent layers the network has."""
        return len(self._signals[0]) if self._signals else 0

    @property
    def surprise(self) -> np.ndarray:
        """(n,) nats: how little the network expected each character, before temperature and truncation."""
        return np.array(self._surprise)

    def logits(self, position: int) -> np.ndarray:
        """(alphabet,) as the network gave them for the character at a position."""
        return self._logits[position]

    def signal(self, layer: int, letter: str) -> np.ndarray:
        """(n, units): the values from which each character was drawn."""
        index = theme.LSTM_SIGNALS.index(letter)
        return np.array([layers[layer][index] for layers in self._signals], np.float32)
