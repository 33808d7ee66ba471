"""The figures of the memory gym: an example, the race, and a trained cell. Arrays and plain values in, a figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ui.common import charts, theme
from ui.common.figure import Figure
from ui.common.plotting import add_line, signed

GREY = "#888888"
MARKED = theme.CLASS_COLOURS[1]
RIGHT, WRONG = theme.CLASS_COLOURS[3], theme.CLASS_COLOURS[5]


def numbers(values: np.ndarray, marked: np.ndarray) -> Figure:
    """(T,) numbers, -1…1, as bars; those `marked` in colour with their value, of more than two the first's."""
    figure = Figure().add_bar(
        x=np.arange(1, len(values) + 1),
        y=values,
        marker_color=[MARKED if mark else "#9AA0A6" for mark in marked],
        marker_opacity=[1.0 if mark else 0.45 for mark in marked],
        hovertemplate="timestep %{x}: %{y:.2f}<extra></extra>",
    )
    # The labels stand beyond the longest bars, so that none touches a bar beside its own; neighbours on either side.
    places = np.flatnonzero(marked)
    places = places[: 1 if len(places) > 2 else 2]
    above = [bool(values[place] >= 0) for place in places]
    if len(set(above)) == 1 and np.ptp(places) < len(values) / 4:
        above[1:] = [not above[0]] * len(above[1:])
    for place, up in zip(places, above, strict=True):
        figure.add_annotation(
            x=int(place) + 1, y=1.02 if up else -1.02, text=f"<b>{signed(values[place], '.2f')}</b>", showarrow=False,
            yanchor="bottom" if up else "top", font={"size": 16, "color": MARKED},
        )  # fmt: skip
    figure.update_layout(height=230, margin_t=16, bargap=0.15)
    figure.update_xaxes(title="timestep", fixedrange=True)
    return figure.update_yaxes(range=[-1.45, 1.45], tickvals=[-1, 0, 1], fixedrange=True)


def race(
    cells: Mapping[str, Mapping[str, Any]],
    *,
    every: int,
    most: int,
    mark: float,
    baseline: tuple[float, str],
    error_name: str,
    error_mark: float | None,
) -> Figure:
    """The accuracy and the error of each cell, by the number of training sequences.

    Args:
        cells: kind → `score` and `error` after each turn, and `passed`.
        every: sequences between two measurements.
        most: the maximum number of sequences, where the axis ends.
        mark: the accuracy at which a cell passes.
        baseline: the accuracy without memory, and its label.
        error_name: the title of the lower plot.
        error_mark: the published pass mark of the error, if there is one.
    """
    figure = Figure(
        2, 1, shared_xaxes=True, vertical_spacing=0.13, row_heights=[0.6, 0.4], subplot_titles=("accuracy", error_name)
    )
    highest = max(0.1, error_mark or 0.0)
    for kind, (name, colour, dash) in theme.CELL_LINES.items():
        cell = cells.get(kind, {"score": [], "error": [], "passed": None})
        x = [every * (turn + 1) for turn in range(len(cell["score"]))]
        errors = [value if value >= 0 else np.nan for value in cell["error"]]
        highest = max([highest, *(value for value in errors if value == value)])
        for row, y, form in ((1, cell["score"], "%{y:.1%}"), (2, errors, "%{y:.3f}")):
            add_line(
                figure, x or [np.nan], y or [np.nan], name, colour, dash=dash, width=3.5, legendgroup=name,
                mode="lines" if len(x) > 1 else "markers", marker={"size": 8}, hovertemplate=form,
                showlegend=row == 1, row=row, col=1,
            )  # fmt: skip
        if cell["passed"] is not None:
            figure.add_scatter(
                x=x[-1:], y=cell["score"][-1:], mode="markers", showlegend=False, hoverinfo="skip",
                marker={"color": colour, "size": 15, "symbol": "star"}, row=1, col=1,
            )  # fmt: skip
    _level(figure, mark, "pass mark", 1, most, above=False)
    _level(figure, *baseline, 1, most)
    if error_mark is not None:
        _level(figure, error_mark, f"published mark {error_mark:g}", 2, most)
    figure.update_layout(height=560, margin_t=88, hovermode="x unified", legend_y=1.08)
    figure.update_xaxes(range=[0, most * 1.02], fixedrange=True)
    figure.update_xaxes(title="training sequences", row=2, col=1)
    figure.update_yaxes(range=[-0.03, 1.08], tickformat=".0%", fixedrange=True, row=1, col=1)
    return figure.update_yaxes(range=[0, highest * 1.12], fixedrange=True, row=2, col=1)


def _level(figure: Figure, value: float, text: str, row: int, right: float, *, above: bool = True) -> None:
    figure.add_hline(y=value, line={"color": GREY, "width": 1.5, "dash": "dot"}, row=row, col=1)
    figure.add_annotation(
        x=right, y=value, text=text, showarrow=False, xanchor="right", yanchor="bottom" if above else "top",
        font={"size": 14, "color": GREY}, row=row, col=1,
    )  # fmt: skip


def unit_state(
    tokens: Sequence[str], states: Mapping[str, np.ndarray], memory: np.ndarray, *, mirrored: bool
) -> Figure:
    """One unit's state with the value to remember, and its gates below.

    Args:
        tokens: length T.
        states: letter → (T,) of this unit; the state comes first, then gates.
        memory: (T,) the value to remember, on an axis of its own.
        mirrored: whether that axis is inverted, for a unit with a negative correlation.
    """
    (letter, values), *gates = states.items()
    figure = Figure(
        1 + bool(gates), 1, shared_xaxes=True, row_heights=[0.64, 0.36][: 1 + bool(gates)], vertical_spacing=0.08,
        specs=[[{"secondary_y": True}]] + [[{}]] * bool(gates),
    )  # fmt: skip
    steps, signal, hover = np.arange(len(tokens)), theme.SIGNALS[letter], {"hovertemplate": "%{y:.2f}"}
    add_line(
        figure, steps, memory, f"to remember{', inverted' * mirrored}", GREY, width=5, line_shape="hvh", opacity=0.55,
        row=1, col=1, secondary_y=True, **hover,
    )  # fmt: skip
    add_line(figure, steps, values, f"{signal.name.lower()} {letter}", signal.colour, width=3.5, row=1, col=1, **hover)
    for (name, row), dash in zip(gates, theme.CLASS_DASHES, strict=False):
        gate = theme.SIGNALS[name]
        label = f"{gate.name.lower().removesuffix(' gate')} {name}"
        add_line(figure, steps, row, label, gate.colour, dash=dash, width=2.5, row=2, col=1, **hover)
    charts.token_axis(figure, tokens)
    figure.update_layout(height=460 if gates else 330, margin_t=84, hovermode="x unified")
    figure.update_yaxes(title=letter, nticks=5, zeroline=False, row=1, col=1, secondary_y=False)
    direction = "reversed" if mirrored else True
    figure.update_yaxes(
        showgrid=False, zeroline=False, tickmode="auto", nticks=5, autorange=direction, row=1, col=1, secondary_y=True
    )
    if gates:
        figure.update_yaxes(range=[-0.06, 1.06], tickvals=[0, 0.5, 1], row=2, col=1)
    return figure


def counts(cells: Mapping[str, np.ndarray], trained: int) -> Figure:
    """For each cell, (most,) of bool: whether it counts right, n = 1, 2, …; `trained` is the largest in training."""
    kinds = [kind for kind in theme.CELL_LINES if kind in cells]
    rows = np.array([cells[kind] for kind in kinds], float)
    figure = Figure().add_heatmap(
        z=rows, x=np.arange(1, rows.shape[1] + 1), y=[theme.CELL_LINES[kind][0] for kind in kinds],
        colorscale=[(0.0, WRONG), (1.0, RIGHT)], zmin=0, zmax=1, showscale=False, xgap=1, ygap=6,
        customdata=np.where(rows > 0, "right", "wrong"),
        hovertemplate="%{y}, n = %{x}: %{customdata}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=trained + 0.5, line={"color": GREY, "width": 2.5})
    figure.add_annotation(
        x=trained + 0.5, y=1, yref="paper", text="  longest in training", showarrow=False, xanchor="left",
        yanchor="bottom", font={"size": 14},
    )  # fmt: skip
    figure.update_layout(height=110 + 46 * len(kinds), margin_t=36)
    figure.update_xaxes(title="n", fixedrange=True)
    return figure.update_yaxes(autorange="reversed", fixedrange=True, tickfont_size=15)


def lengths(cells: Mapping[str, Sequence[float]], at: Sequence[int], trained: int, mark: float) -> Figure:
    """The accuracy `at` other lengths than that of training, a line for each cell; `mark` is where a cell passes."""
    figure = Figure()
    for kind, values in cells.items():
        name, colour, dash = theme.CELL_LINES[kind]
        add_line(
            figure, list(at), list(values), name, colour, dash=dash, width=3.5, mode="lines+markers",
            hovertemplate="%{y:.1%}",
        )  # fmt: skip
    figure.add_vline(x=trained, line={"color": GREY, "width": 2})
    figure.add_annotation(
        x=trained, y=0, text=" trained here", showarrow=False, xanchor="left", yanchor="bottom", font={"size": 14}
    )
    figure.add_hline(y=mark, line={"color": GREY, "width": 1.5, "dash": "dot"})
    figure.update_layout(height=320, hovermode="x unified")
    figure.update_xaxes(title="length", fixedrange=True)
    return figure.update_yaxes(range=[-0.03, 1.08], tickformat=".0%", fixedrange=True, title="accuracy")
