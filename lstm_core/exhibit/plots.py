"""Traces as figures of Plotly, which is imported when one is made."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.exhibit.cell_trace import CellTrace, colour_limit, in_text_order, is_share, similarity_order
from lstm_core.exhibit.signals import LETTERS, SIGNALS, colour_scale, state_letter
from lstm_core.optional import library

MOST_LABELS = 60  # tokens that have room below a figure
_LINES = ("solid", "dash", "dot", "dashdot")


def figure(
    trace: CellTrace, signal: str | None = None, units: Sequence[int] | int | None = None, tokens: Sequence[str] = ()
) -> Any:
    """Heat maps of all units, or lines of some, over the timesteps.

    Args:
        trace: of one sequence.
        signal: its letter; None for all of them, one below the other.
        units: those whose lines are drawn; None for a heat map of all, similar units side by side.
        tokens: (T,) what was read at each timestep; numbers if there are none.

    Returns:
        a `plotly.graph_objects.Figure`.

    Raises:
        ValueError: if there is no such signal or unit.
        MissingLibraryError: if Plotly isn't installed.
    """
    graph, subplots = library("plotly.graph_objects", "notebook"), library("plotly.subplots", "notebook")
    letters = LETTERS[trace.kind] if signal is None else (signal,)
    if unknown := [letter for letter in letters if letter not in trace.signals]:
        raise ValueError(f"A trace of kind '{trace.kind}' has no signal '{unknown[0]}'; it has {_listed(trace)}.")
    chosen = None if units is None else np.atleast_1d(np.asarray(units, int))
    if chosen is not None and (chosen.size == 0 or chosen.min() < 0 or chosen.max() >= trace.units):
        raise ValueError(f"Units go from 0 to {trace.units - 1}; received {chosen.tolist()}.")
    names = [f"{SIGNALS[letter].name} {letter}" for letter in letters]
    made = subplots.make_subplots(
        len(letters), 1, shared_xaxes=True, subplot_titles=names, vertical_spacing=0.12 / len(letters)
    )
    order = similarity_order(in_text_order(trace, trace.signals[state_letter(trace.kind)]))
    for row, letter in enumerate(letters, start=1):
        values = in_text_order(trace, trace.signals[letter])  # (T, units)
        if chosen is None:
            made.add_trace(_heat_map(graph, letter, values, order), row, 1)
        for number, unit in enumerate([] if chosen is None else chosen):
            line = {"color": SIGNALS[letter].colour, "dash": _LINES[number % len(_LINES)]}
            made.add_trace(_line(graph, letter, values, int(unit), line), row, 1)
        made.update_yaxes(title_text=f"{trace.units} units" if chosen is None else letter, row=row, col=1)
    if chosen is None:
        made.update_yaxes(autorange="reversed", showticklabels=False)
    made.update_layout(height=120 + (330 if len(letters) == 1 else 150 * len(letters)), showlegend=chosen is not None)
    _label_timesteps(made, tokens, len(letters))
    return made


def _listed(trace: CellTrace) -> str:
    return ", ".join(LETTERS[trace.kind])


def _heat_map(graph: Any, letter: str, values: Array, order: Array) -> Any:
    share = is_share(letter, values)
    limit = 1.0 if share else colour_limit(values)
    unit = np.broadcast_to(order[:, None], (len(order), len(values)))
    return graph.Heatmap(
        z=values.T[order], customdata=unit, colorscale=colour_scale(letter, share=share), zmin=0.0 if share else -limit,
        zmax=limit, showscale=False, name=letter,
        hovertemplate=f"unit %{{customdata}}, %{{x}}<br>{letter} = %{{z:.4f}}<extra></extra>",
    )  # fmt: skip


def _line(graph: Any, letter: str, values: Array, unit: int, line: dict[str, str]) -> Any:
    return graph.Scatter(
        x=np.arange(len(values)), y=values[:, unit], mode="lines", line=line, name=f"{letter}[{unit}]",
        hovertemplate="%{x}: %{y:.4f}",
    )  # fmt: skip


def _label_timesteps(made: Any, tokens: Sequence[str], rows: int) -> None:
    made.update_xaxes(title_text="token" if tokens else "timestep", row=rows, col=1)
    if tokens:  # Plotly takes tags in a label as formatting; a token is shown as it is
        names = {str(t): escape(token[:14], quote=False) for t, token in enumerate(tokens)}
        ticks = {"dtick": 1} if len(tokens) <= MOST_LABELS else {"nticks": MOST_LABELS}
        made.update_xaxes(labelalias=names, tickformat="d", separatethousands=False, tickangle=-90, **ticks)
