"""Traces as HTML without scripts, for notebooks: headings, shapes, and heat maps as inline SVG.

All text is escaped. Zero is transparent and letters have the colour around them, so both a light and a dark background
are fine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.exhibit.cell_trace import CellTrace, colour_limit, in_text_order, is_share, similarity_order
from lstm_core.exhibit.signals import LETTERS, SIGNALS, diverging_colours, state_letter

MOST_COLUMNS, MOST_ROWS = 64, 24  # timesteps and units of a map; of more, every second, third … is drawn
LEVELS = 10  # shades of a colour
_WIDE, _HIGH = 320, 96  # pixels of a map
_LINE = "margin:.2em 0"


def cell_section(trace: CellTrace) -> str:
    """A layer's name and shape, and a heat map of each of its signals."""
    state = in_text_order(trace, trace.signals[state_letter(trace.kind)])  # (T, units)
    order = similarity_order(state)
    rows, columns = _chosen(trace.units, MOST_ROWS), _chosen(len(trace), MOST_COLUMNS)
    maps = [
        _heat_map(letter, in_text_order(trace, trace.signals[letter]), order[rows], columns)
        for letter in LETTERS[trace.kind]
    ]
    taken = int(np.count_nonzero(trace.mask))
    notes = [f"{len(trace)} timesteps × {trace.units} units"]
    notes += [f"{len(trace) - taken} of them masked"] if taken < len(trace) else []
    notes += [f"drawn: {len(rows)} units"] if len(rows) < trace.units else []
    notes += [f"drawn: {len(columns)} timesteps"] if len(columns) < len(trace) else []
    title = f"<b>{escape(trace.name)}</b> ({'plain RNN' if trace.kind == 'rnn' else trace.kind.upper()})"
    return (
        f'<div style="{_LINE}">{title}: {", ".join(notes)}; similar units are neighbours</div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:.6em 1em">{"".join(maps)}</div>'
    )


def _chosen(count: int, most: int) -> Array:
    """At most `most` of the positions 0 … count-1, evenly spaced."""
    return np.arange(0, count, max(1, -(-count // most)))


def _heat_map(letter: str, values: Array, rows: Array, columns: Array) -> str:
    """One signal of (T, units) as a figure; rows are units, columns timesteps."""
    signal = SIGNALS[letter]
    low, high = (float(f(values)) if values.size else 0.0 for f in (np.min, np.max))
    share = is_share(letter, values)
    limit = 1.0 if share else colour_limit(values)
    shown = np.nan_to_num(values[np.ix_(columns, rows)].T / limit)  # (units, T), -1…1
    colours = (signal.colour, signal.colour) if share else diverging_colours()
    paths = "".join(
        f'<path stroke="{colours[sign < 0]}" stroke-opacity="{level / LEVELS:g}" d="{line}"/>'
        for sign in (1, -1)
        for level in range(1, LEVELS + 1)
        if (line := _runs(np.rint(np.clip(sign * shown, 0, 1) * LEVELS) == level))
    )
    name = f"{signal.name} {letter}"
    label = f"{name}: {values.shape[1]} units by {len(values)} timesteps, from {low:.3g} to {high:.3g}"
    ends = "0 … 1" if share else f"−{limit:.2g} … {limit:.2g}"
    return (
        f'<figure style="margin:0"><figcaption style="font-size:90%"><b style="border-bottom:3px solid '
        f'{signal.colour}">{escape(letter)}</b> {escape(signal.name)}, {ends}</figcaption>'
        f'<svg role="img" aria-label="{escape(label, quote=True)}" width="{_WIDE}" height="{_HIGH}" '
        f'viewBox="0 0 {len(columns)} {len(rows)}" preserveAspectRatio="none" shape-rendering="crispEdges" '
        f'style="outline:1px solid #8888;max-width:100%">{paths}</svg></figure>'
    )


def _runs(cells: Array) -> str:
    """The path along the True cells of (rows, columns): one horizontal stroke a run."""
    edges = np.diff(cells.astype(np.int8), axis=1, prepend=0, append=0)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    return "".join(f"M{x} {y}.5h{end - x}" for (y, x), (_, end) in zip(starts.tolist(), ends.tolist(), strict=True))


def details(title: str, content: str, is_open: bool) -> str:
    """Something under a title that opens and closes it; the title is escaped, the content is HTML."""
    return f"<details{' open' if is_open else ''}><summary>{escape(title)}</summary>{content}</details>"


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and what is said of them, one below the other."""
    lines = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(words)}</td></tr>'
        for name, words in rows
    )
    return f"<table>{lines}</table>" if lines else ""


def paragraph(text: str) -> str:
    """A line of text."""
    return f'<div style="{_LINE}">{escape(text)}</div>'


def tinted(tokens: Sequence[str], colours: Sequence[str], strengths: Sequence[float], titles: Sequence[str]) -> str:
    """Tokens, each with a coloured ground and a tooltip; `strengths` are 0…1."""
    spans = " ".join(
        f'<span title="{escape(title, quote=True)}" style="border-radius:.2em;padding:0 .1em;'
        f'background:{colour}{round(200 * min(max(strength, 0.0), 1.0)):02x}">{escape(visible(token))}</span>'
        for token, colour, strength, title in zip(tokens, colours, strengths, titles, strict=True)
    )
    style = "font-family:monospace;line-height:1.7;max-height:16em;overflow-y:auto;overflow-wrap:anywhere"
    return f'<div role="region" aria-label="The tokens" tabindex="0" style="{style}">{spans}</div>'


def visible(text: str) -> str:
    """Control characters replaced by their symbols, such as ␀ for a NUL byte and ↵ for a line end."""
    return "".join("↵" if each == "\n" else chr(0x2400 + ord(each)) if ord(each) < 32 else each for each in text)


def shape_of(value: Any) -> str:
    """The shape of an array, or of each in a tuple."""
    if isinstance(value, list | tuple):
        return ", ".join(map(shape_of, value))
    return f"({', '.join(map(str, np.shape(value)))})"
