"""How a character network reads: it carries its state on, or it reads a window of characters anew for each one.

A reader turns ids into signals and logits, with optional clamps; `make_reader` finds the one that fits a network.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn.cells import LSTMStep
from lstm_core.nn.clamps import Clamp, clamp_hooks, shift_clamps
from lstm_core.nn.layers import Affine
from lstm_core.nn.network import Network
from lstm_core.nn.stack import LSTMStack, split_network

# What a reader continues from; private to the reader that made it.
State = Any

IN_THE_PROMPT = -1  # the position of a character that wasn't generated


@dataclass(frozen=True)
class Step:
    """What the network computed for one character: each layer's signals, (alphabet,) logits, the state after it."""

    layers: tuple[LSTMStep, ...]
    logits: Array
    state: State


class Reader(ABC):
    """LSTM layers over characters, `layers` from the lowest, and the output layer; stateless, so safe to share."""

    memory = 0  # how many characters are read anew for each one; 0 where the state is carried on

    def __init__(self, table: Array, stack: LSTMStack, output: Affine) -> None:
        """`table` (alphabet, width) holds what the first layer reads for each character."""
        self.layers, self._table, self._stack, self._output = stack.layers, table, stack, output

    @abstractmethod
    def start(self) -> State:
        """The state before the first character."""

    @abstractmethod
    def step(self, identity: int, state: State, clamps: Sequence[Clamp] = (), position: int = IN_THE_PROMPT) -> Step:
        """Read one character.

        Args:
            identity: its id.
            state: from `start` or from the step before.
            clamps: signals to clamp; `timesteps` are positions of generated characters.
            position: the character's own, from 0; negative in the prompt.
        """

    @abstractmethod
    def read(self, ids: Array, clamps: Sequence[Clamp] = ()) -> Step:
        """Read a prompt, (n,) ids with n ≥ 1; the step of its last character."""

    @abstractmethod
    def read_chunk(self, ids: Array, state: State) -> tuple[Array, State]:
        """(T, alphabet) logits after each of (T,) ids, and the state after the last."""

    def check(self, clamps: Iterable[Clamp]) -> None:
        """Raises ValueError if a clamp names a layer, signal, unit or timestep that doesn't exist."""
        for clamp in clamps:
            if clamp.layer not in range(len(self.layers)):
                raise ValueError(f"A clamp names layer {clamp.layer}; there are {len(self.layers)}, from 0.")
            if clamp.timesteps is not None and (first := np.min(clamp.timesteps, initial=0)) < 0:
                raise ValueError(f"A clamp names timestep {first}; generated characters count from 0.")
            clamp_hooks(self.layers[int(clamp.layer)], [replace(clamp, timesteps=None)], np.arange(1))


class CarriedReader(Reader):
    """Reads every character once; the state is (h, c) of each layer, (units,) each."""

    def __init__(self, table: Array, stack: LSTMStack, output: Affine) -> None:
        super().__init__(table, stack, output)
        self._first_sums = self._stack.input_sums(table)  # (alphabet, 4·units): W·x + b of every character, once

    def start(self) -> State:
        """Zeros."""
        return self._stack.initial_state()

    def step(self, identity: int, state: State, clamps: Sequence[Clamp] = (), position: int = IN_THE_PROMPT) -> Step:
        """See `Reader`."""
        hooks = []
        if clamps:
            here = shift_clamps(clamps, position, 1)
            for number, layer in enumerate(self.layers):
                own = [clamp for clamp in here if clamp.layer == number]
                hooks.append(clamp_hooks(layer, own, np.arange(1))(0))
        steps, after = self._stack.step(self._first_sums[identity], state, hooks)
        return Step(steps, self._output.sums([steps[-1].h]), after)

    def read(self, ids: Array, clamps: Sequence[Clamp] = ()) -> Step:
        """See `Reader`."""
        step = self.step(int(ids[0]), self.start(), clamps)
        for identity in ids[1:]:
            step = self.step(int(identity), step.state, clamps)
        return step

    def read_chunk(self, ids: Array, state: State) -> tuple[Array, State]:
        """See `Reader`."""
        traces = self._stack.run(self._table[ids], state)
        return self._output.sums([traces[-1].outputs]), tuple((trace.h[-1], trace.c[-1]) for trace in traces)


class WindowReader(Reader):
    """Reads the last few characters from zeros for every character; the state is their ids, (window,).

    A character is one number, its id divided by the size of the alphabet. A window with fewer characters is padded in
    front. A clamp at a timestep applies whenever the character at that position is read again.
    """

    def __init__(self, stack: LSTMStack, output: Affine, window: int, pad: int) -> None:
        """`window` characters are read each time; `pad` is the id that fills it in front."""
        alphabet = output.kernel.shape[1]
        super().__init__((np.arange(alphabet) / alphabet).astype(np.float32)[:, None], stack, output)
        self.memory, self._pad = window, pad

    def start(self) -> State:
        """Pads only."""
        return np.full(self.memory, self._pad)

    def step(self, identity: int, state: State, clamps: Sequence[Clamp] = (), position: int = IN_THE_PROMPT) -> Step:
        """See `Reader`; the signals are those of the window's last timestep."""
        window = np.append(state[1:], identity)
        inside = shift_clamps(clamps, position - self.memory + 1, self.memory)
        last = []
        for trace in self._stack.run(self._table[window], self._stack.initial_state(), inside):
            uh = np.concatenate([sums[-1] for sums in trace.recurrent_sums.values()])  # (4·units,)
            last.append(LSTMStep(**{name: rows[-1] for name, rows in trace.signals.items()}, uh=uh))
        return Step(tuple(last), self._output.sums([last[-1].h]), window)

    def read(self, ids: Array, clamps: Sequence[Clamp] = ()) -> Step:
        """See `Reader`; characters before the window are not read."""
        window = np.append(self.start(), ids[:-1])[-self.memory :]
        return self.step(int(ids[-1]), window, clamps)

    def read_chunk(self, ids: Array, state: State) -> tuple[Array, State]:
        """See `Reader`; all windows are one batch, and only their states are kept."""
        run = np.append(state, ids)
        windows = np.lib.stride_tricks.sliding_window_view(run, self.memory)[1:]  # (T, window)
        states = self._stack.initial_state(len(ids))
        for column in windows.T:
            _, states = self._stack.step(self._stack.input_sums(self._table[column]), states)
        return self._output.sums([states[-1][0]]), run[-self.memory :]


def make_reader(network: Network, window: int | None, pad: int) -> Reader | None:
    """The reader of a network; None if the network is neither of the two kinds that can generate.

    Args:
        network: an Embedding, LSTM layers and a Dense layer in a row; or LSTM layers that read one
            number at each of `window` timesteps, and a Dense layer.
        window: the length of the network's input; None if it is variable.
        pad: the id that fills a window in front.
    """
    parts = split_network(network)
    if parts is None or len(parts[2]) > 1:
        return None
    embedding, stack, (output,) = parts
    if embedding is not None:
        if embedding.skips_zero or embedding.table.shape[0] != output.kernel.shape[1]:
            return None  # 0 is a character here
        return CarriedReader(embedding.table, stack, output)
    if window is None or len(stack.layers[0].kernel) != 1:
        return None
    return WindowReader(stack, output, window, pad)
