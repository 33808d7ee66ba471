"""How the networks of the family are wired, drawn over time: boxes and arrows, from left to right.

`wiring` has one diagram a network, `shapes` those of many to one, one to many and many to many. Nothing here knows a
trained model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from ui import theme

STILL = {"displayModeBar": False, "staticPlot": True}
INPUT, ANSWER = "#888888", "#0072B2"
_WIDE, _HIGH = 0.66, 0.5  # of a box


@dataclass(frozen=True)
class Box:
    """A box around (x, y): what it is called, and its colour."""

    x: float
    y: float
    text: str
    colour: str = INPUT


@dataclass(frozen=True)
class Arrow:
    """From one point to another; what is handed along it may be written beside it."""

    start: tuple[float, float]
    end: tuple[float, float]
    text: str = ""
    colour: str = INPUT


def draw(boxes: Iterable[Box], arrows: Iterable[Arrow], height: int = 190) -> go.Figure:
    """Boxes and arrows on a plain ground; x and y are counted in boxes, y upwards."""
    boxes, figure = list(boxes), go.Figure()
    for box in boxes:
        figure.add_shape(
            type="rect", x0=box.x - _WIDE / 2, x1=box.x + _WIDE / 2, y0=box.y - _HIGH / 2, y1=box.y + _HIGH / 2,
            line={"color": box.colour, "width": 2}, fillcolor=f"{box.colour}33",
        )  # fmt: skip
        figure.add_annotation(x=box.x, y=box.y, text=box.text, showarrow=False, font_size=14)
    for arrow in arrows:
        (x0, y0), (x1, y1) = arrow.start, arrow.end
        figure.add_annotation(
            x=x1, y=y1, ax=x0, ay=y0, xref="x", yref="y", axref="x", ayref="y", text="", showarrow=True,
            arrowhead=2, arrowsize=1, arrowwidth=2, arrowcolor=arrow.colour,
        )  # fmt: skip
        if arrow.text:
            figure.add_annotation(
                x=(x0 + x1) / 2, y=(y0 + y1) / 2 + 0.17, text=f"<i>{arrow.text}</i>", showarrow=False, font_size=13
            )
    xs, ys = [box.x for box in boxes], [box.y for box in boxes]
    figure.update_xaxes(visible=False, range=[min(xs) - 0.6, max(xs) + 0.6], fixedrange=True)
    figure.update_yaxes(visible=False, range=[min(ys) - 0.4, max(ys) + 0.4], fixedrange=True)
    figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False)
    return figure


def over_time(
    inputs: Sequence[str],
    cells: Sequence[str],
    answers: Sequence[str],
    colours: Sequence[str],
    handed: Sequence[tuple[str, float, str]] = (("h", 0.0, INPUT),),
    *,
    backwards: bool = False,
) -> go.Figure:
    """Cells side by side, one a timestep, each with what it reads below and what it says above.

    Args:
        inputs: what is read at each timestep; "" for nothing.
        cells: what is written in each cell.
        answers: what is said at each timestep; "" for nothing.
        colours: of each cell.
        handed: what goes from each cell to the next: its name, how far above the middle, its colour.
        backwards: a second row of cells that reads from the end.
    """
    steps, top = range(len(cells)), 3.0 if backwards else 2.0
    boxes = [Box(t, 0, inputs[t]) for t in steps if inputs[t]]
    boxes += [Box(t, 1, cells[t], colours[t]) for t in steps]
    boxes += [Box(t, top, answers[t], ANSWER) for t in steps if answers[t]]
    half = _HIGH / 2
    arrows = [Arrow((t, half), (t, 1 - half)) for t in steps if inputs[t]]
    arrows += [Arrow((t, top - 1 + half), (t, top - half)) for t in steps if answers[t]]
    for t in steps[1:]:
        for name, above, colour in handed:
            arrows.append(Arrow((t - 1 + _WIDE / 2, 1 + above), (t - _WIDE / 2, 1 + above), name, colour))
    if backwards:
        boxes += [Box(t, 2, cells[t], colours[t]) for t in steps]
        arrows += [Arrow((t - _WIDE / 2, 2), (t - 1 + _WIDE / 2, 2), "h", INPUT) for t in steps[1:]]
        # Past the other row: each word goes to both, and both go to the answer.
        arrows += [Arrow((t + 0.42, 0.1), (t + 0.2, 2 - half)) for t in steps if inputs[t]]
        arrows += [Arrow((t - 0.2, 1 + half), (t - 0.42, top - 0.1)) for t in steps if answers[t]]
    return draw(boxes, arrows, height=260 if backwards else 190)


_WORDS = ("x₁", "x₂", "x₃")
_STATE, _MEMORY = theme.SIGNALS["h"].colour, theme.SIGNALS["c"].colour


def wiring(network: str) -> tuple[go.Figure, str]:
    """The diagram of a network and what it shows in words, by the network's short name; see `WIRINGS`."""
    return WIRINGS[network]()


def _last_state(cell: str, inside: str, *handed: tuple[str, float, str]) -> go.Figure:
    colour = theme.CELL_LINES[cell][1]
    return over_time(_WORDS, [inside] * 3, ("", "", "answer"), [colour] * 3, handed)


def _filler(both: bool) -> go.Figure:
    words = ("the", "___", "mooed")
    answers = ("", "answer", "")
    return over_time(words, ["LSTM"] * 3, answers, [theme.CELL_LINES["lstm"][1]] * 3, backwards=both)


# A network's short name → its diagram, and the same for those who can't see it.
WIRINGS = {
    "rnn": lambda: (
        _last_state("rnn", "tanh", ("h", 0.0, _STATE)),
        "Three cells in a row, each with one tanh; only h goes from one to the next; the last gives the answer.",
    ),
    "gru": lambda: (
        _last_state("gru", "r · z", ("h", 0.0, _STATE)),
        "Three cells in a row, each with gates r and z; only h goes from one to the next; the last gives the answer.",
    ),
    "lstm": lambda: (
        _last_state("lstm", "f · i · o", ("c", 0.13, _MEMORY), ("h", -0.17, _STATE)),
        "Three cells in a row, each with gates f, i and o; c and h go from one to the next; the last gives the answer.",
    ),
    "forward": lambda: (
        _filler(both=False),
        "Three LSTM cells in a row read the words the, blank, mooed from left to right; the cell at the blank answers.",
    ),
    "both": lambda: (
        _filler(both=True),
        "Two rows of LSTM cells, one reads from left to right, one from right to left; both answer at the blank.",
    ),
}
