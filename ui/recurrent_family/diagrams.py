"""How the networks of the family are wired, drawn over time: boxes and arrows, from left to right.

`wiring` has one diagram a network, `shapes` those of many to one, one to many and many to many. Nothing here knows a
trained model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ui.common import theme

STILL = {"displayModeBar": False, "staticPlot": True}
INPUT, ANSWER = "#888888", "#0072B2"
_STATE, _MEMORY, _LSTM = theme.SIGNALS["h"].colour, theme.SIGNALS["c"].colour, theme.CELL_LINES["lstm"][1]
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
    boxes, ink = list(boxes), "#FAFAFA" if theme.is_dark() else "#262730"
    shapes = [
        {
            "type": "rect", "x0": box.x - _WIDE / 2, "x1": box.x + _WIDE / 2,
            "y0": box.y - _HIGH / 2, "y1": box.y + _HIGH / 2,
            "line": {"color": box.colour, "width": 2}, "fillcolor": f"{box.colour}33",
        }
        for box in boxes
    ]  # fmt: skip
    labels = [_label(box.x, box.y, box.text, {"size": 14, "color": ink}) for box in boxes]
    for arrow in arrows:
        (x0, y0), (x1, y1) = arrow.start, arrow.end
        labels.append(
            {
                "x": x1, "y": y1, "ax": x0, "ay": y0, "xref": "x", "yref": "y", "axref": "x", "ayref": "y",
                "text": "", "showarrow": True, "arrowhead": 2, "arrowsize": 1, "arrowwidth": 2,
                "arrowcolor": arrow.colour,
            }
        )  # fmt: skip
        if arrow.text:
            middle = (x0 + x1) / 2, (y0 + y1) / 2 + 0.17
            labels.append(_label(*middle, f"<i>{arrow.text}</i>", {"size": 13, "color": ink}))
    figure = go.Figure(layout={"shapes": shapes, "annotations": labels})  # one by one takes Plotly a second a page
    xs, ys = [box.x for box in boxes], [box.y for box in boxes]
    figure.update_xaxes(visible=False, range=[min(xs) - 0.6, max(xs) + 0.6], fixedrange=True)
    figure.update_yaxes(visible=False, range=[min(ys) - 0.4, max(ys) + 0.4], fixedrange=True)
    figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False)
    return figure


def _label(x: float, y: float, text: str, font: dict[str, Any]) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": font}


def over_time(
    inputs: Sequence[str],
    cells: Sequence[str],
    answers: Sequence[str],
    colours: Sequence[str],
    handed: Sequence[tuple[str, float, str]] = (("h", 0.0, INPUT),),
    height: int = 190,
) -> go.Figure:
    """Cells side by side, one a timestep, each with what it reads below and what it says above.

    Args:
        inputs: what is read at each timestep; "" for nothing.
        cells: what is written in each cell.
        answers: what is said at each timestep; "" for nothing.
        colours: of each cell.
        handed: what goes from each cell to the next: its name, how far above the middle, its colour.
        height: in pixels.
    """
    steps, half = range(len(cells)), _HIGH / 2
    boxes = [Box(t, 0, inputs[t]) for t in steps if inputs[t]]
    boxes += [Box(t, 1, cells[t], colours[t]) for t in steps]
    boxes += [Box(t, 2, answers[t], ANSWER) for t in steps if answers[t]]
    arrows = [Arrow((t, half), (t, 1 - half)) for t in steps if inputs[t]]
    arrows += [Arrow((t, 1 + half), (t, 2 - half)) for t in steps if answers[t]]
    for t in steps[1:]:
        for name, above, colour in handed:
            arrows.append(Arrow((t - 1 + _WIDE / 2, 1 + above), (t - _WIDE / 2, 1 + above), name, colour))
    return draw(boxes, arrows, height)


def both_ways(inputs: Sequence[str], cell: str, answers: Sequence[str], colour: str, height: int = 260) -> go.Figure:
    """Two rows of cells, one that reads from the left and one from the right; arguments as in `over_time`."""
    half, apart, aside = _HIGH / 2, 1.5, 0.6
    places = [t * apart for t in range(len(inputs))]
    boxes = [Box(x + aside * 0.65, 0, text) for x, text in zip(places, inputs, strict=True)]
    boxes += [Box(x, 1, cell, colour) for x in places] + [Box(x + aside, 2, cell, colour) for x in places]
    boxes += [Box(x + aside * 0.35, 3, text, ANSWER) for x, text in zip(places, answers, strict=True) if text]
    arrows = []
    for x, text in zip(places, answers, strict=True):
        arrows += [Arrow((x + 0.2, half), (x, 1 - half)), Arrow((x + aside, half), (x + aside, 2 - half))]
        if text:
            arrows += [Arrow((x, 1 + half), (x, 3 - half)), Arrow((x + aside, 2 + half), (x + 0.4, 3 - half))]
    for x in places[1:]:
        arrows.append(Arrow((x - apart + _WIDE / 2, 1), (x - _WIDE / 2, 1), "h", _STATE))
        arrows.append(Arrow((x + aside - _WIDE / 2, 2), (x + aside - apart + _WIDE / 2, 2), "h", _STATE))
    return draw(boxes, arrows, height)


_WORDS = ("x₁", "x₂", "x₃")
_SENTENCE = ("the", "___", "mooed")


def wiring(network: str) -> tuple[go.Figure, str]:
    """The diagram of a network and what it shows in words, by the network's short name; see `WIRINGS`."""
    return WIRINGS[network]()


def _last_state(cell: str, inside: str, *handed: tuple[str, float, str]) -> go.Figure:
    colour = theme.CELL_LINES[cell][1]
    return over_time(_WORDS, [inside] * 3, ("", "", "answer"), [colour] * 3, handed)


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
        over_time(_SENTENCE, ["LSTM"] * 3, ("", "answer", ""), [_LSTM] * 3, (("h", 0.0, _STATE),), height=260),
        "Three LSTM cells in a row read the words the, blank, mooed from left to right; the cell at the blank answers.",
    ),
    "both": lambda: (
        both_ways(_SENTENCE, "LSTM", ("", "answer", ""), _LSTM),
        "Two rows of LSTM cells, one reads from left to right, one from right to left; both answer at the blank.",
    ),
}
