"""Diagrams of the networks of the family, unrolled over time: boxes and arrows, from left to right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui.common import plotting, theme
from ui.common.figure import Figure

INPUT, ANSWER = "#888888", "#0072B2"
_STATE, _MEMORY, _LSTM = theme.SIGNALS["h"].colour, theme.SIGNALS["c"].colour, theme.CELL_LINES["lstm"][1]
_WIDE, _HIGH = 0.66, 0.5  # of a box


@dataclass(frozen=True)
class Box:
    """A box around (x, y) with a text and a colour."""

    x: float
    y: float
    text: str
    colour: str = INPUT


@dataclass(frozen=True)
class Arrow:
    """An arrow from one point to another, with an optional text beside it."""

    start: tuple[float, float]
    end: tuple[float, float]
    text: str = ""
    colour: str = INPUT


def draw(boxes: Iterable[Box], arrows: Iterable[Arrow], height: int = 190) -> Figure:
    """Boxes and arrows without axes; x and y are counted in boxes, y upwards."""
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
            font = {"size": 14, "color": ink}
            labels.append(_label((x0 + x1) / 2, (y0 + y1) / 2 + 0.17, f"<i>{arrow.text}</i>", font))
    figure = Figure().update_layout(shapes=shapes, annotations=labels)
    xs, ys = [box.x for box in boxes], [box.y for box in boxes]
    figure.update_xaxes(visible=False, range=[min(xs) - 0.6, max(xs) + 0.6], fixedrange=True)
    figure.update_yaxes(visible=False, range=[min(ys) - 0.4, max(ys) + 0.4], fixedrange=True)
    return figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False)


def _label(x: float, y: float, text: str, font: dict[str, Any]) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": font}


def over_time(
    inputs: Sequence[str],
    cells: Sequence[str],
    outputs: Sequence[str],
    colours: Sequence[str],
    states: Sequence[tuple[str, float, str]] = (("h", 0.0, INPUT),),
    height: int = 190,
) -> Figure:
    """Cells side by side, one for each timestep, with the input below and the output above.

    Args:
        inputs: the input at each timestep; "" for none.
        cells: the text in each cell.
        outputs: the output at each timestep; "" for none.
        colours: of each cell.
        states: what passes from each cell to the next: its name, how far above the middle, its colour.
        height: in pixels.
    """
    steps, half = range(len(cells)), _HIGH / 2
    boxes = [Box(t, 0, inputs[t]) for t in steps if inputs[t]]
    boxes += [Box(t, 1, cells[t], colours[t]) for t in steps]
    boxes += [Box(t, 2, outputs[t], ANSWER) for t in steps if outputs[t]]
    arrows = [Arrow((t, half), (t, 1 - half)) for t in steps if inputs[t]]
    arrows += [Arrow((t, 1 + half), (t, 2 - half)) for t in steps if outputs[t]]
    for t in steps[1:]:
        for name, above, colour in states:
            arrows.append(Arrow((t - 1 + _WIDE / 2, 1 + above), (t - _WIDE / 2, 1 + above), name, colour))
    return draw(boxes, arrows, height)


def _bidirectional(inputs: Sequence[str], cell: str, outputs: Sequence[str], colour: str) -> Figure:
    """Two rows of cells, one that reads forward and one that reads backward; an output "" is none."""
    half, apart, aside = _HIGH / 2, 1.5, 0.6
    places = [t * apart for t in range(len(inputs))]
    boxes = [Box(x + aside * 0.65, 0, text) for x, text in zip(places, inputs, strict=True)]
    boxes += [Box(x, 1, cell, colour) for x in places] + [Box(x + aside, 2, cell, colour) for x in places]
    boxes += [Box(x + aside * 0.35, 3, text, ANSWER) for x, text in zip(places, outputs, strict=True) if text]
    arrows = []
    for x, text in zip(places, outputs, strict=True):
        arrows += [Arrow((x + 0.2, half), (x, 1 - half)), Arrow((x + aside, half), (x + aside, 2 - half))]
        if text:
            arrows += [Arrow((x, 1 + half), (x, 3 - half)), Arrow((x + aside, 2 + half), (x + 0.4, 3 - half))]
    for x in places[1:]:
        arrows.append(Arrow((x - apart + _WIDE / 2, 1), (x - _WIDE / 2, 1), "h", _STATE))
        arrows.append(Arrow((x + aside - _WIDE / 2, 2), (x + aside - apart + _WIDE / 2, 2), "h", _STATE))
    return draw(boxes, arrows, height=260)


_WORDS = ("x₁", "x₂", "x₃")
_SENTENCE = ("the", "___", "mooed")


def show(network: str, key: str) -> None:
    """Draw the diagram of a network; `network` is a key of `WIRINGS`."""
    figure, alt = WIRINGS[network]()
    st.plotly_chart(plotting.fitted(figure), config=plotting.STATIC, key=key, alt=alt)


def _last_state(kind: str, inside: str, gates: str, *states: tuple[str, float, str]) -> tuple[Figure, str]:
    colour, names = theme.CELL_LINES[kind][1], " and ".join(name for name, *_ in states)
    alt = f"Three cells in a row, each with {gates}; {names} from each to the next; the last gives the answer."
    return over_time(_WORDS, [inside] * 3, ("", "", "answer"), [colour] * 3, states), alt


# A network's short name → its diagram, and what it shows in words.
WIRINGS = {
    "rnn": lambda: _last_state("rnn", "tanh", "one tanh", ("h", 0.0, _STATE)),
    "gru": lambda: _last_state("gru", "r · z", "gates r and z", ("h", 0.0, _STATE)),
    "lstm": lambda: _last_state("lstm", "f · i · o", "gates f, i and o", ("c", 0.13, _MEMORY), ("h", -0.17, _STATE)),
    "forward": lambda: (
        over_time(_SENTENCE, ["LSTM"] * 3, ("", "answer", ""), [_LSTM] * 3, (("h", 0.0, _STATE),), height=260),
        "Three LSTM cells in a row read the words the, blank, mooed from left to right; the cell at the blank outputs.",
    ),
    "both": lambda: (
        _bidirectional(_SENTENCE, "LSTM", ("", "answer", ""), _LSTM),
        "Two rows of LSTM cells, one reads forward, one backward; both answer at the blank.",
    ),
}
