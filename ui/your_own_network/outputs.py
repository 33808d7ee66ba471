"""What a network of any kind answers: its outputs by name, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstm_core.exhibit import answers
from lstm_core.nn import Array
from lstm_core.tracing import ModelTrace
from ui.common import charts, plotting, theme
from ui.common.figure import Figure

MOST_BARS = 12


def by_name(trace: ModelTrace) -> dict[str, Array]:
    """Name of each output → (batch, rows, K): a row for each timestep where it has some, else one."""
    found = trace.output
    if isinstance(found, Mapping):
        named: dict[str, Any] = {str(name): values for name, values in found.items()}
    elif isinstance(found, list | tuple):
        named = {f"output {number}": values for number, values in enumerate(found, start=1)}
    else:
        named = {"output": found}
    return {name: _rows(np.asarray(values, np.float32)) for name, values in named.items()}


def _rows(values: Array) -> Array:
    size = values.shape[-1] if values.ndim > 1 else 1
    return values.reshape(len(values), -1, size)


def shares(values: Array) -> bool:
    """Whether the rows of (rows, K) values are probabilities."""
    low, high = values.min(initial=0.0), values.max(initial=1.0)
    if low < 0 or high > 1 + 1e-4:
        return False
    return values.shape[-1] == 1 or bool(np.allclose(values.sum(axis=-1), 1, atol=1e-3))


def value_names(count: int) -> list[str]:
    """What K values are called."""
    return [f"value {index}" for index in range(count)]


def bars(values: Array, before: Array | None = None) -> tuple[Figure, str]:
    """The figure of (K,) values, with those before in grey, and its description: the largest, if they are many."""
    chosen = np.arange(len(values))
    if len(values) > MOST_BARS:
        chosen = np.argsort(-np.abs(values), kind="stable")[:MOST_BARS]
    names = [value_names(len(values))[index] for index in chosen]
    colour = theme.SIGNALS["h"].colour
    figure = Figure()
    plotting.add_bars(figure, values[chosen], names, colour, [number(each) for each in values[chosen]], name="output")
    if before is not None:
        texts = [number(each) for each in before[chosen]]
        plotting.add_bars(figure, before[chosen], names, "#888888", texts, name="without clamps")
    both = values if before is None else np.concatenate([values, before])
    low, high = min(0.0, float(both.min())), max(0.0, float(both.max()))
    room = 0.25 * (high - low or 1.0)
    figure.update_layout(height=110 + (28 if before is None else 52) * len(chosen), bargap=0.25, margin={"t": 40})
    figure.update_xaxes(range=[low - room * (low < 0), high + room], fixedrange=True, zeroline=True, title="output")
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    more = (
        f"the {MOST_BARS} of {len(values):,} values that are farthest from 0" if len(values) > MOST_BARS else "values"
    )
    return figure, f"Bars: {more} of the output."


def lost(steps: Sequence[str], values: Array, colours: tuple[str, str]) -> Figure:
    """Bars over T timesteps: (T,) how much of an output goes with each; the colours of those above and below zero."""
    figure, places = Figure(), np.arange(len(values))
    shown = [colours[0] if value > 0 else colours[1] for value in values]
    figure.add_bar(x=places, y=values, marker_color=shown, hovertemplate="%{x}: %{y:.4g}<extra></extra>")
    figure.update_layout(height=380, margin_t=16)
    figure.update_yaxes(title="output lost without it", zeroline=True)
    charts.token_axis(figure, steps)
    return figure.update_xaxes(title="timestep")


def number(value: float) -> str:
    """Four digits with a true minus."""
    return f"{value:.4g}".replace("-", "−")


def in_microscope(trace: ModelTrace, after: ModelTrace, name: str, timesteps: Array) -> dict[str, Any]:
    """The outputs for the microscope over (T,) timesteps in the order in which a layer reads; see `exhibit.answers`."""
    before, values = by_name(trace)[name][0], by_name(after)[name][0]
    at_each = len(values) == len(timesteps)
    rows = timesteps if at_each else slice(-1, None)
    title = "Output at this timestep" if at_each else "Output for the whole sequence"
    names, probabilities = value_names(values.shape[-1]), shares(values)
    clamped = before[rows] if after is not trace else None
    return answers(title, names, values[rows], clamped, shares=probabilities)
