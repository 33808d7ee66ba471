"""Small drawings as SVG, for paper: a heat map, lines and bars, in the app's colours on white."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.exhibit import SIGNALS, colour_limit, colour_scale, is_share, similarity_order

WIDTH, LEFT, RIGHT = 480.0, 44.0, 84.0  # points; the labels on the left, the legend on the right
LEVELS = 32  # of colours in a heat map: neighbours of one level are one rectangle
MOST_UNITS, MOST_LABELS = 32, 60
DASHES = ("", "5 2", "1.5 2", "6 2 1.5 2", "8 3", "8 2 2 2")
INK, FAINT = "#333333", "#CCCCCC"
Line = tuple[Array, str]  # (T,) values and their colour


def heat_map(tokens: Sequence[str], letter: str, values: Array) -> str:
    """A signal of the units that vary most, (T, units) in all, over the tokens; similar units are neighbours."""
    varying = np.argsort(-np.ptp(values, axis=0), kind="stable")[:MOST_UNITS]
    shown = values[:, varying]
    shown = shown[:, similarity_order(shown)]
    share = is_share(letter, values)
    limit = 1.0 if share else colour_limit(values)
    scaled = shown if share else (shown / limit + 1) / 2
    levels = np.clip(np.rint(scaled * (LEVELS - 1)), 0, LEVELS - 1).astype(int)  # (T, shown)
    colours = [_blend(colour_scale(letter, False, share), level / (LEVELS - 1)) for level in range(LEVELS)]
    wide, high = (WIDTH - LEFT - RIGHT) / len(tokens), 4.0
    parts = []
    for row, line in enumerate(levels.T):
        ends = [*np.flatnonzero(np.diff(line)), len(line) - 1]
        begin = 0
        for end in ends:
            x, length = LEFT + begin * wide, (end - begin + 1) * wide
            parts.append(_rect(x, row * high, length, high, colours[line[end]]))
            begin = end + 1
    height = levels.shape[1] * high
    parts.append(_text(LEFT - 4, height / 2 + 2.5, f"{levels.shape[1]} units", 7, "end"))
    top, low = ("1", "0") if share else (f"{limit:.1f}", f"−{limit:.1f}")
    parts += [_rect(WIDTH - RIGHT + 8, 3 + 3 * step, 8, 3, colours[LEVELS - 1 - 2 * step]) for step in range(16)]
    parts += [_text(WIDTH - RIGHT + 20, 8, top, 7), _text(WIDTH - RIGHT + 20, 51, low, 7)]
    parts.append(_text(WIDTH - RIGHT + 20, 29, f"{SIGNALS[letter].name}", 7))
    return _drawing(parts + _labels(tokens, height), height + _room(tokens))


def lines(
    places: Sequence[str], shown: Mapping[str, Line], *, lowest: float, highest: float, name: Callable[[float], str],
    height: float = 110.0,
) -> str:  # fmt: skip
    """Lines over places, such as tokens, with their names beside their ends; without lines, room to sketch them.

    Args:
        places: the name of each place; none for many timesteps without a name.
        shown: name → values and colour; a line has no point where its value is NaN.
        lowest: the value at the bottom.
        highest: the value at the top.
        name: writes a value at the axis.
        height: of the drawing, without the names of the places.
    """
    span, right = max(highest - lowest, 1e-12), WIDTH - RIGHT

    def y_of(value: float) -> float:
        return 4 + (height - 8) * (1 - (value - lowest) / span)

    parts = []
    ticks = np.arange(highest, lowest - 0.01, -np.rint(span / 4)) if span > 4 else np.linspace(lowest, highest, 3)
    for value in ticks:
        y = y_of(float(value))
        parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}" stroke-width=".5"/>')
        parts.append(_text(LEFT - 4, y + 2.5, name(float(value)), 7, "end"))
    ends: list[float] = []
    for number, (title, (values, colour)) in enumerate(shown.items()):
        wide = (right - LEFT) / len(values)
        there = np.flatnonzero(~np.isnan(values))
        kept = np.clip(values[there], lowest, highest)
        points = " ".join(
            f"{LEFT + (n + 0.5) * wide:.1f},{y_of(float(each)):.1f}" for n, each in zip(there, kept, strict=True)
        )
        dash = f' stroke-dasharray="{DASHES[number % len(DASHES)]}"' if number % len(DASHES) else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4"{dash}/>')
        y = y_of(float(kept[-1]))
        apart = 8 if y < height / 2 else -8  # always the same way, so that it ends
        while any(abs(y - other) < 8 for other in ends):
            y += apart
        ends.append(y)
        parts.append(_text(right + 4, y + 2.5, title, 7.5, colour=colour))
    if not shown:
        parts.append(_text((LEFT + right) / 2, height * 0.4, "Sketch your guess.", 9, "middle", "#999999"))
    return _drawing(parts + _labels(places, height), height + _room(places))


def columns(places: Sequence[str], values: Array, colours: Sequence[str], height: float = 80.0) -> str:
    """A column up or down from 0 for each place, (T,) values clipped to −1…1, in a colour of its own."""
    wide, middle = (WIDTH - RIGHT - LEFT) / len(values), height / 2
    parts = [
        _text(LEFT - 4, middle - place * (middle - 4) + 2.5, f"{place:+d}".replace("-", "−"), 7, "end")
        for place in (-1, 1)
    ]
    parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{middle}" y2="{middle}" stroke="{FAINT}"/>')
    for number, (value, colour) in enumerate(zip(values, colours, strict=True)):
        high = min(abs(float(value)), 1.0) * (middle - 4)
        parts.append(_rect(LEFT + (number + 0.15) * wide, middle - high * (value > 0), 0.7 * wide, high, colour))
    return _drawing(parts + _labels(places, height), height + _room(places))


def bars(shown: Mapping[str, float], colour: str, name: Callable[[float], str]) -> str:
    """Horizontal bars from 0, each with its name and its value."""
    high, left = 13.0, 90.0
    scale = (WIDTH - RIGHT - left) / max(*(abs(value) for value in shown.values()), 1e-12)
    parts = []
    for row, (title, value) in enumerate(shown.items()):
        y = row * high
        length = abs(value) * scale
        parts += [
            _text(left - 4, y + 9, _short(title, 18, " "), 7.5, "end"),
            _rect(left, y + 2, length, high - 4, colour),
        ]
        parts.append(_text(left + length + 4, y + 9, name(value), 7.5))
    return _drawing(parts, len(shown) * high + 2)


def _blend(scale: Sequence[tuple[float, str]], place: float) -> str:
    """The colour at a place from 0 to 1."""
    for (low, first), (high, second) in pairwise(scale):
        if place <= high:
            share = (place - low) / (high - low)
            ends = [[int(colour[n : n + 2], 16) for n in (1, 3, 5)] for colour in (first, second)]
            mixed = (round(a + (b - a) * share) for a, b in zip(*ends, strict=True))
            return "#" + "".join(f"{each:02x}" for each in mixed)
    return scale[-1][1]


def _labels(tokens: Sequence[str], height: float) -> list[str]:
    """The tokens below a drawing: every second, third … where there are many."""
    wide = (WIDTH - LEFT - RIGHT) / max(len(tokens), 1)
    size = min(7.0, max(5.0, wide))
    every = -(-len(tokens) // MOST_LABELS)
    parts = []
    for number in range(0, len(tokens), every or 1):
        x, y = LEFT + (number + 0.5) * wide, height + 6
        if _are_short(tokens):
            parts.append(_text(x, y + 3, _short(tokens[number], 2), size, "middle"))
            continue
        turned = f' transform="rotate(-60 {x:.1f} {y:.1f})"'
        parts.append(_text(x + size / 3, y, _short(tokens[number], 12), size, "end", turned=turned))
    return parts


def _are_short(tokens: Sequence[str]) -> bool:
    return max(map(len, tokens), default=0) <= 2


def _room(tokens: Sequence[str]) -> float:
    return 14 if _are_short(tokens) else 10 + 3.7 * max((min(len(token), 12) for token in tokens), default=0)


def _short(text: str, most: int, space: str = "␣") -> str:
    seen = "".join({" ": space, "\n": "⏎", "\t": "⇥"}.get(each, each if each.isprintable() else "�") for each in text)
    return seen if len(seen) <= most else seen[: most - 1] + "…"


def _text(
    x: float, y: float, text: str, size: float, anchor: str = "start", colour: str = INK, turned: str = ""
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{colour}"{turned} '
        f'font-family="DejaVu Sans Mono">{escape(text)}</text>'
    )


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{colour}"/>'


def _drawing(parts: Sequence[Any], height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:.1f}" width="{WIDTH:g}" '
        f'height="{height:.1f}">{"".join(parts)}</svg>'
    )
