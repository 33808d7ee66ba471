"""A trace as compact bytes for the browser: one JSON header and fixed-point arrays.

The payload holds the two sums of every gate, W·x + b and U·h, and the states; the browser applies σ and tanh itself.
A clamped signal doesn't follow from its sums, so it is sent too. Of a layer with other activations all signals are
sent, and the group "computed": what the equations give where a clamp replaces it, and "tanh_c", the activation of c.
400 tokens × 128 units of an LSTM are 1.4 MB.

Layout: 4 bytes, the header's length (little-endian); the header, UTF-8 JSON; the arrays. Each entry of
`header["arrays"]` has `group`, `letter`, `at` (bytes from the end of the header), `count`, `width` and `step`:
little-endian integers of `width` bytes; a value is integer × step. Arrays are (T, units), row by row.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.exhibit.cell_trace import CellTrace, ClampLike, derived_signals, function_name, is_share
from lstm_core.exhibit.signals import LETTERS, SIGNALS, diverging_colours

MOST_ANSWERS = 4  # that stand side by side
MAX_INTEGER = 2**23 - 1  # of three bytes
TOLERANCE = 1e-4  # a signal that differs more from the value given by its sums is clamped
EXACT, ROUGH = 3, 2  # bytes of a number: five or more decimals; enough to draw a line


@dataclass(frozen=True)
class View:
    """What the browser shows."""

    tokens: Sequence[str]  # length T, in the order in which the layer read them
    trace: CellTrace  # of one layer; every array (T, units)
    unknown: Sequence[int] = ()  # indices of tokens outside the vocabulary
    place: str = ""  # identifies network and text; while it stays the same, so does the selected token
    layer: int = 0  # from 0; while it stays the same as well, so does the selected unit
    t: int = 0  # the initial token, from 0
    unit: int = 0  # the initial unit
    reset_after: bool = True  # of a GRU: whether the reset gate multiplies U·h (see `cells.gru_step`)
    before: Mapping[str, Array] = field(default_factory=dict)  # signals without clamps, drawn in grey
    clamps: Sequence[ClampLike] = ()  # those of the trace; their timesteps are positions in the text
    answers: Mapping[str, Any] = field(default_factory=lambda: answers("", (), np.zeros((0, 0))))  # see `answers`
    present: bool = False  # whether it fills a wall
    sides: tuple[str, str] = field(default_factory=diverging_colours)  # the colours above and below zero


def answers(
    title: str,
    labels: Sequence[str],
    values: Array,
    before: Array | None = None,
    *,
    shares: bool = True,
    colours: Sequence[str] = (),
    note: str = "",
) -> dict[str, Any]:
    """What the network answers at each token, for the browser.

    Args:
        title: what the values are.
        labels: K names.
        values: (T, K); (1, K) if there is only the answer to the whole text.
        before: the same without clamps.
        shares: whether the values are probabilities.
        colours: K, of classes; none for characters.
        note: a sentence behind them.

    Returns:
        `rows` holds for each token the index of a label, its value, and the value without clamps: all labels in their
        order if there are few, else the `MOST_ANSWERS` largest values.
    """
    top = np.argsort(-values, axis=1, kind="stable")[:, :MOST_ANSWERS]
    if len(labels) <= MOST_ANSWERS:
        top = np.sort(top, axis=1)
    columns = [top, *(np.take_along_axis(each, top, 1).round(4) for each in (values, before) if each is not None)]
    rows = [list(zip(*(column.tolist() for column in row), strict=True)) for row in zip(*columns, strict=True)]
    settings = {"title": title, "note": note, "labels": list(labels), "shares": shares, "colours": list(colours)}
    return settings | {"rows": rows}


def pack(view: View) -> bytes:
    """The bytes that `assets/microscope/data.js` unpacks.

    Raises:
        ValueError: if the number of tokens differs from that of timesteps.
    """
    trace = view.trace
    if len(view.tokens) != len(trace):
        raise ValueError(f"A trace of {len(trace)} steps needs as many tokens; received {len(view.tokens)}.")
    letters = LETTERS[trace.kind]
    arrays: list[tuple[str, str, Array, int]] = []
    arrays += [("inputSums", letter, sums, EXACT) for letter, sums in trace.input_sums.items()]
    arrays += [("recurrentSums", letter, sums, EXACT) for letter, sums in trace.recurrent_sums.items()]
    derived = derived_signals(trace, view.reset_after)
    replaced = [letter for letter in derived if _differs(derived[letter], trace.signals[letter])]
    plain = trace.activations == ("sigmoid", "tanh")
    sent = [letter for letter in letters if not plain or letter not in derived or letter in replaced]
    arrays += [("signals", letter, trace.signals[letter], EXACT) for letter in sent]
    if not plain:
        arrays += [("computed", letter, derived[letter], EXACT) for letter in replaced]
        if trace.kind == "lstm":
            arrays.append(("computed", "tanh_c", trace.activate(trace.signals["c"], gate=False), EXACT))
    arrays += [("before", letter, view.before[letter], ROUGH) for letter in letters if letter in view.before]
    states = zip(("h", "c"), trace.initial_state, strict=False)
    arrays += [("initial", letter, state, EXACT) for letter, state in states if state.any()]
    described, body = [], b""
    for group, letter, values, width in arrays:
        data, step = fixed_point(values, width)
        entry = {"group": group, "letter": letter, "at": len(body), "count": values.size, "width": width, "step": step}
        described.append(entry)
        body += data
    header = {
        "kind": trace.kind,
        "units": trace.units,
        "tokens": list(view.tokens),
        "unknown": [int(t) for t in view.unknown],
        "place": view.place,
        "layer": view.layer,
        "start": {"t": min(max(view.t, 0), len(trace) - 1), "unit": min(max(view.unit, 0), trace.units - 1)},
        "resetAfter": view.reset_after,
        "functions": [function_name(activation) for activation in trace.activations],
        "palette": [asdict(SIGNALS[letter]) | {"gate": is_share(letter, trace.signals[letter])} for letter in letters],
        "sides": view.sides,
        "answers": view.answers,
        "present": view.present,
        "clamps": [_clamped(clamp, trace) for clamp in view.clamps],
        "arrays": described,
    }
    return _join(header, body)


def _join(header: dict[str, Any], body: bytes) -> bytes:
    """Length, header, arrays; the header gets an `id` by which the browser recognizes an unchanged payload."""
    fingerprint = zlib.crc32(body, zlib.crc32(json.dumps(header).encode()))
    # A lone surrogate can't be encoded as UTF-8; it becomes a question mark.
    text = json.dumps({"id": f"{fingerprint:08x}", **header}, ensure_ascii=False).encode("utf-8", "replace")
    return len(text).to_bytes(4, "little") + text + body


def _clamped(clamp: ClampLike, trace: CellTrace) -> dict[str, Any]:
    """A clamp as the browser needs it: `rows` of the trace and `units`, both from 0; None means all of them."""
    rows = None if clamp.timesteps is None else np.flatnonzero(np.isin(trace.timesteps, clamp.timesteps)).tolist()
    units = None if clamp.units is None else np.atleast_1d(clamp.units).tolist()
    return {"letter": clamp.gate, "value": float(clamp.value), "rows": rows, "units": units}


def fixed_point(values: Array, width: int) -> tuple[bytes, float]:
    """An array as signed integers of 3 or 2 bytes, and the step: value = integer × step.

    The step is a power of two, so the browser's product is exact; the error is at most half a step: 2⁻²⁴ of the
    largest value (3 bytes) or 2⁻¹⁶ (2 bytes).
    """
    values = np.nan_to_num(np.asarray(values, np.float64))
    largest = float(np.abs(values).max(initial=0.0))
    step = 2.0 ** np.ceil(np.log2(max(largest, 1e-6) / (MAX_INTEGER - 128)))
    unit = step if width == EXACT else step * 256
    whole = np.rint(values / unit).astype("<i4").reshape(-1)
    return whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes(), float(unit)


def _differs(derived: Array, values: Array) -> bool:
    """Whether a signal isn't what its equation gives: then it is clamped."""
    with np.errstate(invalid="ignore"):
        return bool(np.abs(derived - values).max(initial=0.0) > TOLERANCE * max(1.0, np.abs(values).max(initial=0.0)))
