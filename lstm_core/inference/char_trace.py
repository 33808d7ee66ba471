"""A text that a character model has read, with everything that it computed; made by `TextGenerator.trace`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.exhibit import CellTrace, Exhibit, answers
from lstm_core.nn.clamp_syntax import clamp_notes
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import LayerTrace


@dataclass(frozen=True)
class CharacterTrace(Exhibit):
    """A text, read character by character; T is the number of characters that were read.

    Attributes:
        text: what was read, in the characters of the alphabet.
        tokens: (T,) its characters; where the network reads a window, the padding in front as well.
        alphabet: the characters in the order of the columns of `probabilities`.
        probabilities: (T, alphabet), of the next character.
        layers: one trace a recurrent layer.
        clamps: the signals that were clamped.
        first: index of the first character that isn't padding.
    """

    text: str
    tokens: tuple[str, ...]
    alphabet: tuple[str, ...]
    probabilities: Array
    layers: tuple[LayerTrace, ...]
    clamps: tuple[Clamp, ...] = ()
    first: int = 0

    def exhibits(self, sequence: int = 0) -> Mapping[str, LayerTrace]:
        """Each layer by its name; see `Exhibit`."""
        return {layer.name: layer for layer in self.layers}

    def arrays(self) -> dict[str, Array]:
        """The names of each layer after "layers/NUMBER/", and text, tokens, alphabet, probabilities and clamps."""
        found = {name: np.array(getattr(self, name)) for name in ("text", "tokens", "alphabet", "probabilities")}
        found["clamps"] = np.array(clamp_notes(self.clamps), "U")
        for number, layer in enumerate(self.layers):
            found |= {f"layers/{number}/{name}": values for name, values in layer.arrays().items()}
        return found

    def _tokens(self) -> Sequence[str]:
        return self.tokens

    def _text(self) -> str:
        return self.text

    def _view_options(self, trace: CellTrace) -> dict[str, Any]:
        number = next(n for n, layer in enumerate(self.layers) if layer is trace)
        return {
            "answers": answers("Next character", self.alphabet, self.probabilities),
            "clamps": [clamp for clamp in self.clamps if clamp.layer == number],
        }
