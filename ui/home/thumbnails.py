"""Small pictures for the home page, made from arrays, as SVG: six charts would take a browser's first two seconds."""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from lstm_core.arrays import Array
from ui.common import theme

WIDTH, HEIGHT = 290, 120  # of a picture; it grows with its card
LARGE = 400, 250  # of the picture beside the brackets
TEXT = 15  # font size
TOP, BOTTOM = 22, 26  # height of a legend and of the labels below a picture
# A line's dashes by Plotly's names, in widths of the line.
DASHES = {
    "solid": (), "dash": (3, 3), "dot": (1, 1), "dashdot": (3, 1, 1, 1), "longdash": (5, 5), "longdashdot": (5, 2, 1, 2)
}  # fmt: skip
LINE = 4  # width


def image(drawing: str, alt: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
    """An SVG document as an HTML image with a description; it reaches over the whole width of its place."""
    source = base64.b64encode(drawing.encode()).decode("ascii")
    shape = f"width:100%;aspect-ratio:{size[0]}/{size[1]}"  # so that nothing moves when it is there
    return f'<img src="data:image/svg+xml;base64,{source}" alt="{escape(alt)}" style="{shape}">'


def strip(tokens: Sequence[str], signals: Mapping[str, Array]) -> str:
    """A row for each signal, (T,) values in its own colours, and a cell for each of T tokens."""
    left, high = 18, (HEIGHT - BOTTOM) / len(signals)
    wide = (WIDTH - left) / len(tokens)
    parts = [_labels(tokens, left)]
    for row, (letter, values) in enumerate(signals.items()):
        parts += _row(letter, values, left, row * high, wide, high - 4)
    return _drawing(parts)


def one_unit(tokens: Sequence[str], signals: Mapping[str, Array]) -> str:
    """The cell state c of one unit as steps and its gates i and f below it, each (T,), over T tokens."""
    width, height = LARGE
    left, top, foot, high = 30, 34, height - 92, 26
    wide, c = (width - left) / len(tokens), signals["c"]
    low, top_value = min(0.0, float(c.min())), max(1.0, float(c.max()))

    def y(value: float) -> float:
        return foot - (foot - top) * (value - low) / (top_value - low)

    parts = [_text("cell state c", 0, 16, TEXT + 1, "start"), _labels(tokens, left, LARGE)]
    between = max(1, math.ceil((top_value - low) / 5))
    for value in range(round(low), round(top_value) + 1, between):
        parts.append(_rule(left, y(value), width))
        parts.append(_text(str(value).replace("-", "−"), left - 8, y(value) + 5, TEXT + 1, "end"))
    steps = "".join(f"V{y(float(value)):.1f}h{wide:.2f}" for value in c)
    colour = theme.SIGNALS["c"].colour
    parts.append(f'<path d="M{left} {y(0):.1f}{steps}V{y(0):.1f}Z" fill="{colour}" fill-opacity=".35"/>')
    parts.append(f'<path d="M{left} {y(float(c[0])):.1f}{steps}" fill="none" stroke="{colour}" stroke-width="3"/>')
    for row, letter in enumerate("if"):
        parts += _row(letter, signals[letter], left, foot + 10 + row * (high + 4), wide, high)
    return _drawing(parts, LARGE)


def _row(letter: str, values: Array, left: float, y: float, wide: float, high: float) -> list[str]:
    """A signal's letter, and its (T,) values as cells in its colours."""
    gate = theme.SIGNALS[letter].gate
    limit = 1.0 if gate else max(float(np.abs(values).max()), 1e-6)
    shares = values if gate else values / (2 * limit) + 0.5
    box = f'y="{y:.1f}" width="{max(wide - 2, 1):.1f}" height="{high:.1f}"'
    cells = [
        f'<rect x="{left + at * wide:.1f}" {box} fill="{colour}"/>'
        for at, colour in enumerate(_colours(theme.colour_scale(letter), shares))
    ]
    return [_text(letter, left - 8, y + high / 2 + 6, TEXT + 3, "end"), *cells]


def gradient_norms(shares: Mapping[str, Array]) -> str:
    """For each kind of cell, the (T,) norms of the gradient relative to the last timestep, above 0, on a log axis."""
    logs = {kind: np.log10(values) for kind, values in shares.items()}
    lowest = min(float(values.min()) for values in logs.values())
    step = max(1, math.ceil(-lowest / 2))
    ticks = {float(power): _power(power) for power in range(0, math.floor(lowest) - 1, -step)}
    return _lines(((values, *theme.CELL_LINES[kind]) for kind, values in logs.items()), ticks)


def cells(probabilities: Mapping[str, Array]) -> str:
    """For each kind of cell, the (T,) probabilities of one class after each token, 0…1."""
    return _lines(((values, *theme.CELL_LINES[kind]) for kind, values in probabilities.items()), _PROBABILITY)


def answers(labels: Sequence[str], probabilities: Array) -> str:
    """The (T, classes) probabilities of the labelled classes after each token."""
    names = [theme.class_name(label) for label in labels]
    lines = zip(probabilities.T, names, theme.class_colours(labels), theme.CLASS_DASHES, strict=False)
    return _lines(lines, _PROBABILITY)


_PROBABILITY = {0.0: "0%", 1.0: "100%"}


def two_sums(sums: Mapping[str, Array]) -> str:
    """For each of two names, (T,) values that grow from 0."""
    largest = max(float(values.max()) for values in sums.values())
    step = 10 ** math.floor(math.log10(max(largest, 1e-6)))
    step *= next(times for times in (1, 2, 5) if largest < 3 * times * step)
    looks = zip(theme.CLASS_COLOURS, theme.CLASS_DASHES, strict=True)
    lines = ((values, name, *look) for (name, values), look in zip(sums.items(), looks, strict=False))
    return _lines(lines, {count * step: f"{count * step:g}" for count in range(int(largest / step) + 1)})


def surprisals(text: str, nats: Array) -> str:
    """The (T,) surprisal of each character as a bar, with the character below it."""
    wide, foot = WIDTH / len(text), HEIGHT - BOTTOM
    heights = foot * nats / max(float(nats.max()), 1e-6)
    bars = [
        f'<rect x="{place * wide + 0.5:.1f}" y="{foot - high:.1f}" width="{wide - 1:.1f}" height="{high:.1f}"/>'
        for place, high in enumerate(heights)
    ]
    shown = ["·" if each.isspace() else each for each in text]
    return _drawing([f'<g fill="{theme.SIGNALS["h"].colour}">', *bars, "</g>", _labels(shown, 0)])


def _lines(lines: Iterable[tuple[Array, str, str, str]], ticks: Mapping[float, str]) -> str:
    """A line for each (T,) values, name, colour and dash, with a legend; `ticks` are values and their labels."""
    given = list(lines)
    ends = [*ticks, *(float(end(values)) for values, *_ in given for end in (np.min, np.max))]
    low, high = min(ends), max(ends)
    left, top, foot = max(_width(each, TEXT) for each in ticks.values()) + 8, TOP + LINE + 4, HEIGHT - LINE - 4

    def heights(values: Array) -> Array:
        return foot - (foot - top) * (values - low) / ((high - low) or 1.0)

    parts = []
    for value, label in ticks.items():
        y = float(heights(np.array(value)))
        parts.append(_rule(left, y, WIDTH))
        parts.append(_text(label, left - 6, y + 5, TEXT - 1, "end"))
    beside = 0.0
    for values, name, colour, dash in given:
        along = np.linspace(left, WIDTH - LINE, len(values)) if len(values) > 1 else [left]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(along, heights(values), strict=True))
        dashes = " ".join(f"{LINE * each}" for each in DASHES[dash])
        look = f'fill="none" stroke="{colour}" stroke-width="{LINE}" stroke-dasharray="{dashes or "none"}"'
        parts.append(f'<polyline points="{points}" {look} stroke-linejoin="round"/>')
        parts.append(f'<path d="M{beside:.1f} {TOP / 2 - 1}h22" {look}/>')
        parts.append(_text(name, beside + 26, TOP / 2 + 4, TEXT - 1, "start"))
        beside += 33 + _width(name, TEXT - 1)
    return _drawing(parts)


def _drawing(parts: Iterable[str], size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
    font = "font-family:'Source Sans 3','Source Sans Pro',Arial,'Liberation Sans',sans-serif"
    shape = f'viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" height="{size[1]}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {shape} style="{font}">{"".join(parts)}</svg>'


def _labels(texts: Sequence[str], left: float, size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
    """Texts below T places from `left` to the right: each, or as many as there is room for."""
    wide = (size[0] - left) / len(texts)
    some = range(0, len(texts), math.ceil(6 / wide))
    large = TEXT + 1 if size == LARGE else TEXT - 1
    return "".join(_text(texts[at], left + (at + 0.5) * wide, size[1] - 8, large, "middle") for at in some)


def _rule(left: float, y: float, right: float) -> str:
    return f'<path d="M{left:.1f} {y:.1f}H{right}" stroke="{_ink()}" stroke-opacity=".2"/>'


def _text(text: str, x: float, y: float, size: int, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    shown = escape("".join(each if each.isprintable() else "·" for each in text))  # XML has no control characters
    return f'<text {place} fill="{_ink()}" xml:space="preserve">{shown}</text>'


def _width(text: str, size: int) -> float:
    """About the width of a text in most fonts."""
    wide = {**dict.fromkeys("iljtfrI .,()", 0.3), **dict.fromkeys("mwMW%", 0.86)}
    return size * sum(wide.get(each, 0.7 if each.isupper() else 0.56) for each in text)


def _ink() -> str:
    return "#E8ECF2" if theme.is_dark() else "#0C1118"  # as in .streamlit/config.toml


def _colours(scale: Sequence[tuple[float, str]], shares: Array) -> list[str]:
    """The colours of (T,) shares of a scale, 0…1."""
    ends = [at for at, _ in scale]
    codes = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for _, colour in scale])  # (ends, 3)
    mixed = np.rint(np.stack([np.interp(shares, ends, channel) for channel in codes.T], axis=-1)).astype(int)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in mixed]


def _power(exponent: int) -> str:
    """A power of ten, such as 10⁻³."""
    return "1" if exponent == 0 else "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
