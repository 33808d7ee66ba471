"""What this package needs to know of a trace: `nn.LayerTrace` fits, and so does whatever holds the same arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from lstm_core.arrays import Array
from lstm_core.exhibit.signals import SIGNALS

COLOUR_QUANTILE = 0.995  # share of a state's absolute values that its colour scale covers; larger ones are clipped


class CellTrace(Protocol):
    """Everything one recurrent layer computed over one sequence; see `nn.LayerTrace` for the shapes."""

    @property
    def kind(self) -> str:
        """One of "lstm", "gru" and "rnn"."""

    @property
    def name(self) -> str:
        """The layer's name."""

    @property
    def signals(self) -> Mapping[str, Array]:
        """Name → (T, units)."""

    @property
    def input_sums(self) -> Mapping[str, Array]:
        """Gate → (T, units), W·x + b."""

    @property
    def recurrent_sums(self) -> Mapping[str, Array]:
        """Gate → (T, units), U·h."""

    @property
    def outputs(self) -> Array:
        """(T, units)."""

    @property
    def timesteps(self) -> Array:
        """(T,) the input index of each row."""

    @property
    def mask(self) -> Array:
        """(T,) of bool."""

    @property
    def initial_state(self) -> tuple[Array, ...]:
        """(units,) each: h and c, or h."""

    @property
    def activations(self) -> tuple[str, str]:
        """Keras's names of the activation of the gates, and of that of the candidate and the state."""

    @property
    def clamps(self) -> Sequence[ClampLike]:
        """The signals that were clamped."""

    @property
    def units(self) -> int:
        """The number of units."""

    def activate(self, values: Array, *, gate: bool) -> Array:
        """One of the two activations of some values."""

    def __len__(self) -> int:
        """T."""


class ClampLike(Protocol):
    """What this package needs to know of a clamp; see `nn.Clamp`."""

    @property
    def gate(self) -> str:
        """The clamped signal."""

    @property
    def value(self) -> float:
        """To which it is clamped."""

    @property
    def units(self) -> Sequence[int] | int | None:
        """None for all."""

    @property
    def timesteps(self) -> Sequence[int] | int | None:
        """Positions in the text; None for all."""

    @property
    def layer(self) -> int | str:
        """From 0."""


def derived_signals(trace: CellTrace, reset_after: bool) -> dict[str, Array]:
    """The signals that follow from the sums with the layer's activations, (T, units) each.

    Args:
        trace: of one layer.
        reset_after: of a GRU: whether the reset gate multiplies U·h, as by Keras's default, or h before the product.
    """
    wx, uh = trace.input_sums, trace.recurrent_sums
    if trace.kind == "rnn":
        return {"h": trace.activate(wx["h"] + uh["h"], gate=False)}
    gates = {letter: trace.activate(wx[letter] + uh[letter], gate=True) for letter in wx if letter != "g"}
    if trace.kind == "gru":
        seen = trace.signals["r"] * uh["g"] if reset_after else uh["g"]
        return {**gates, "g": trace.activate(wx["g"] + seen, gate=False)}
    h = trace.signals["o"] * trace.activate(trace.signals["c"], gate=False)
    return {**gates, "g": trace.activate(wx["g"] + uh["g"], gate=False), "h": h}


def function_name(activation: str) -> str:
    """How an activation of Keras is written in an equation: σ, tanh, "hard σ", relu, "leaky relu"."""
    return activation.replace("sigmoid", "σ").replace("_", " ")


def is_share(letter: str, values: Array) -> bool:
    """Whether a signal is a gate with values in 0…1, as it is with σ but not with relu or under a clamp beyond."""
    return SIGNALS[letter].gate and not (values.size and (values.min() < 0 or values.max() > 1))


def resets_after(trace: CellTrace) -> bool:
    """Whether a GRU's candidate is what `reset_after` gives, rather than what the other form gives; else True."""
    if trace.kind != "gru":
        return True
    off = {each: derived_signals(trace, each)["g"] - trace.signals["g"] for each in (True, False)}
    return bool(np.abs(off[True]).max(initial=0) <= np.abs(off[False]).max(initial=0))


def in_text_order(trace: CellTrace, values: Array) -> Array:
    """(T, …) rows of a trace, sorted by their timestep."""
    return values[np.argsort(trace.timesteps)]


def most_varying_unit(trace: CellTrace) -> int:
    """The unit whose state has the largest range."""
    state = trace.signals["c" if trace.kind == "lstm" else "h"]
    return int((state.max(axis=0) - state.min(axis=0)).argmax()) if state.size else 0


def colour_limit(values: Array) -> float:
    """Where the colour scale of a state ends: few units hold very large values, and the others should be seen too."""
    return max(float(np.quantile(np.abs(values), COLOUR_QUANTILE)) if values.size else 0.0, 1e-6)


def similarity_order(values: Array) -> Array:
    """An order of the units in which similar units are neighbours; (units,) of int.

    Each unit is a point in the plane of the first two principal components of the signal; the order is that of the
    angles, starting after the widest gap.

    Args:
        values: (T, units).
    """
    if min(values.shape) < 2:
        return np.argsort(values[-1], kind="stable") if len(values) else np.arange(values.shape[1])
    _, _, directions = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)  # (min(T, units), units)
    angles = np.arctan2(directions[1], directions[0])
    order = np.argsort(angles, kind="stable")
    gaps = np.diff(angles[order], append=angles[order[0]] + 2 * np.pi)  # after each unit, around the circle
    return np.roll(order, -1 - int(gaps.argmax()))
