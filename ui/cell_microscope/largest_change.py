"""What changes a unit's memory where it changes most: forgetting or writing. Nothing is drawn."""

import numpy as np

from lstm_core.exhibit import most_varying_unit
from lstm_core.nn import LayerTrace
from ui.cell_microscope.traced_text import TracedText
from ui.common import tokens
from ui.common.plotting import signed

FORGETTING, WRITING, NO_GATE = range(3)


def largest_change(traced: TracedText, layer: int) -> tuple[int, str]:
    """Which of the three it is, and a sentence with the figures of that timestep.

    The new state minus the old one is (f − 1)·old + i·g in an LSTM, and (z − 1)·old + (1 − z)·g in a GRU: the first
    part is what is lost, the second what is written.
    """
    trace = traced.layers[layer]
    unit = most_varying_unit(trace)
    states = trace.signals["c" if trace.kind == "lstm" else "h"][:, unit]  # (T,)
    old = np.concatenate([[0.0], states[:-1]])
    t = int(np.abs(states - old).argmax())
    token = tokens.plain(traced.tokens[int(trace.timesteps[t])])
    change = (
        f"of unit {unit} goes from {old[t]:.2f} to {states[t]:.2f} at token {int(trace.timesteps[t]) + 1}, “{token}”"
    )
    if trace.kind == "rnn":
        return NO_GATE, f"The hidden state h {change}; a plain RNN computes it anew at every token."
    kept, written = _gates(trace, t, unit)
    lost, added = (kept - 1) * old[t], written * float(trace.signals["g"][t, unit])
    state = "cell state c" if trace.kind == "lstm" else "hidden state h"
    names = f"f = {kept:.2f} and i = {written:.2f}" if trace.kind == "lstm" else f"z = {kept:.2f}"
    figures = f"With {names}, {signed(lost, '.2f')} comes from forgetting and {signed(added, '.2f')} from writing."
    return (FORGETTING if abs(lost) > abs(added) else WRITING), f"The {state} {change}. {figures}"


def _gates(trace: LayerTrace, t: int, unit: int) -> tuple[float, float]:
    """The share of the old state that is kept, and the share of the candidate that is written."""
    if trace.kind == "lstm":
        return float(trace.signals["f"][t, unit]), float(trace.signals["i"][t, unit])
    kept = float(trace.signals["z"][t, unit])
    return kept, 1 - kept
