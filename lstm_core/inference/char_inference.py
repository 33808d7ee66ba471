"""How a character network reads: it carries its state on, or it reads a window anew for every character.

A reader turns ids into signals and logits, with clamps on the way. It knows nothing of texts,
sampling or Keras: `inference/char_lm.py` writes with it, and `reader_of` finds the one that a network needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn import cells
from lstm_core.nn.cells import LSTMStep
from lstm_core.nn.clamps import Clamp, holds, seen_from
from lstm_core.nn.layers import Affine, Embed, Recur, Same
from lstm_core.nn.network import Network
from lstm_core.nn.trace import run_cell
from lstm_core.nn.weights import CellWeights

# What a reader goes on from. Only the reader that made it looks inside.
State = Any

IN_THE_PROMPT = -1  # the position of a character that wasn't written


@dataclass(frozen=True)
class Step:
    """What the network computed for one character: each layer's signals, what comes next, where to go on from."""

    layers: tuple[LSTMStep, ...]
    logits: Array
    state: State


class Reader(ABC):
    """LSTM layers over characters and the layer that answers; holds no state, so it is safe to share.

    Attributes:
        layers: the LSTM layers, in reading order.
        memory: how many characters are read anew for each one; 0 where the state is carried on.
    """

    memory = 0

    def __init__(self, table: Array, layers: Sequence[CellWeights], answer: Affine) -> None:
        """`table` (alphabet, width) holds what the first layer reads for each character."""
        self.layers, self._table, self._answer = tuple(layers), table, answer

    @abstractmethod
    def start(self) -> State:
        """The state before the first character."""

    @abstractmethod
    def step(self, identity: int, state: State, clamps: Sequence[Clamp] = (), position: int = IN_THE_PROMPT) -> Step:
        """Read one character.

        Args:
            identity: its id.
            state: what `start` or the step before gave.
            clamps: signals to hold; `timesteps` are positions of written characters.
            position: the character's own, from 0; negative in the prompt.
        """

    @abstractmethod
    def read(self, ids: Array, clamps: Sequence[Clamp] = ()) -> Step:
        """Read a prompt, (n,) ids with n ≥ 1, and stand behind its last character."""

    @abstractmethod
    def read_chunk(self, ids: Array, state: State) -> tuple[Array, State]:
        """(T, alphabet) logits after each of (T,) ids, and the state after the last."""

    def check(self, clamps: Iterable[Clamp]) -> None:
        """Raises ValueError if a clamp names a layer, signal, unit or timestep that can't be."""
        for clamp in clamps:
            if not 0 <= clamp.layer < len(self.layers):
                raise ValueError(f"A clamp names layer {clamp.layer}; there are {len(self.layers)}, from 0.")
            if clamp.timesteps is not None and np.min(clamp.timesteps, initial=0) < 0:
                raise ValueError(f"A clamp names timestep {np.min(clamp.timesteps)}; what is written counts from 0.")
            holds(self.layers[clamp.layer], [replace(clamp, timesteps=None)], np.arange(1))


class CarriedReader(Reader):
    """Reads every character once; the state is (h, c) of each layer, (units,) each."""

    def __init__(self, table: Array, layers: Sequence[CellWeights], answer: Affine) -> None:
        super().__init__(table, layers, answer)
        # W·x + b of the first layer for every character of the alphabet, once.
        self._first_sums = table @ self.layers[0].kernel + self.layers[0].bias  # (alphabet, 4·units)

    def start(self) -> State:
        """Zeros."""
        return tuple((np.zeros(layer.units, np.float32), np.zeros(layer.units, np.float32)) for layer in self.layers)

    def step(self, identity: int, state: State, clamps: Sequence[Clamp] = (), position: int = IN_THE_PROMPT) -> Step:
        """See `Reader`."""
        wx = self._first_sums[identity]
        taken: list[LSTMStep] = []
        for number, (layer, (h, c)) in enumerate(zip(self.layers, state, strict=True)):
            if number:
                wx = taken[-1].h @ layer.kernel + layer.bias
            hold = _hold(layer, _of_layer(clamps, number), position) if clamps else cells.identity_hook
            taken.append(cells.lstm_step(wx, h, c, layer.recurrent, sigma=layer.sigma, tanh=layer.tanh, hold=hold))
        return Step(tuple(taken), self._answer.sums([taken[-1].h]), tuple((each.h, each.c) for each in taken))

    def read(self, ids: Array, clamps: Sequence[Clamp] = ()) -> Step:
        """See `Reader`."""
        step = self.step(int(ids[0]), self.start(), clamps)
        for identity in ids[1:]:
            step = self.step(int(identity), step.state, clamps)
        return step

    def read_chunk(self, ids: Array, state: State) -> tuple[Array, State]:
        """See `Reader`."""
        x = self._table[ids]  # (T, width)
        after = []
        for layer, before in zip(self.layers, state, strict=True):
            trace = run_cell(layer, x, initial_state=before)
            x = trace.outputs  # (T, units)
            after.append((trace.h[-1], trace.c[-1]))
        return self._answer.sums([x]), tuple(after)


class WindowReader(Reader):
    """Reads the last few characters from zeros for every character; the state is their ids, (window,).

    A character is one number, its id divided by the size of the alphabet. Where fewer characters
    were read than the window holds, `pad` stands in front of them. A clamp at a timestep holds
    whenever the character at that position is read again.
    """

    def __init__(self, layers: Sequence[CellWeights], answer: Affine, window: int, pad: int) -> None:
        """`window` characters are read each time; `pad` is the id that stands in front."""
        alphabet = answer.kernel.shape[1]
        super().__init__((np.arange(alphabet) / alphabet).astype(np.float32)[:, None], layers, answer)
        self.memory, self._pad = window, pad

    def start(self) -> State:
        """Nothing but pads."""
        return np.full(self.memory, self._pad)

    def step(self, identity: int, state: State, clamps: Sequence[Clamp] = (), position: int = IN_THE_PROMPT) -> Step:
        """See `Reader`; the signals are those of the window's last timestep."""
        window = np.append(state[1:], identity)
        held = seen_from(clamps, position - self.memory + 1, self.memory)
        x, last = self._table[window], []  # (window, 1)
        for number, layer in enumerate(self.layers):
            trace = run_cell(layer, x, clamps=_of_layer(held, number))
            x = trace.outputs  # (window, units)
            uh = np.concatenate([sums[-1] for sums in trace.recurrent_sums.values()])  # (4·units,)
            last.append(LSTMStep(**{name: rows[-1] for name, rows in trace.signals.items()}, uh=uh))
        return Step(tuple(last), self._answer.sums([x[-1]]), window)

    def read(self, ids: Array, clamps: Sequence[Clamp] = ()) -> Step:
        """See `Reader`; what lies further back than the window is never looked at."""
        window = np.append(self.start(), ids[:-1])[-self.memory :]
        return self.step(int(ids[-1]), window, clamps)

    def read_chunk(self, ids: Array, state: State) -> tuple[Array, State]:
        """See `Reader`; all windows go through the layers side by side, and only their states are kept."""
        run = np.append(state, ids)
        windows = np.lib.stride_tricks.sliding_window_view(run, self.memory)[1:]  # (T, window)
        states = [(np.zeros((len(ids), layer.units), np.float32),) * 2 for layer in self.layers]
        for column in windows.T:
            x = self._table[column]  # (T, 1)
            for number, (layer, (h, c)) in enumerate(zip(self.layers, states, strict=True)):
                wx = x @ layer.kernel + layer.bias  # (T, 4·units)
                taken = cells.lstm_step(wx, h, c, layer.recurrent, sigma=layer.sigma, tanh=layer.tanh)
                x = taken.h  # (T, units)
                states[number] = (taken.h, taken.c)
        return self._answer.sums([x]), run[-self.memory :]


def reader_of(network: Network, window: int | None, pad: int) -> Reader | None:
    """The reader of a network; None if it is neither of the two that can write.

    Args:
        network: an Embedding, LSTM layers and a Dense layer in a row; or LSTM layers that read one
            number at each of `window` timesteps, and a Dense layer.
        window: the timesteps that the network's input has; None if any number will do.
        pad: the id that stands in front where a window isn't full.
    """
    operations = [node.operation for node in network.nodes if not isinstance(node.operation, Same | None)]
    first, last = (operations[0], operations[-1]) if operations else (None, None)
    middle = operations[1:-1] if isinstance(first, Embed) else operations[:-1]
    layers = [each.weights for each in middle if isinstance(each, Recur) and each.weights.kind == "lstm"]
    if not layers or len(layers) < len(middle) or not isinstance(last, Affine):
        return None
    if isinstance(first, Embed):
        return CarriedReader(first.table, layers, last)
    if window is None or len(layers[0].kernel) != 1:
        return None
    return WindowReader(layers, last, window, pad)


def _of_layer(clamps: Sequence[Clamp], number: int) -> list[Clamp]:
    return [clamp for clamp in clamps if clamp.layer == number]


def _hold(layer: CellWeights, clamps: Sequence[Clamp], position: int) -> cells.Hold:
    """The hold of a single step."""
    return holds(layer, seen_from(clamps, position, 1), np.arange(1))(0)
