"""A trace as compact bytes for the browser: one JSON header and fixed-point arrays. No Streamlit here.

What is sent are the two sums behind every gate, W·x + b and U·h, and the states; the browser squashes the sums
itself, so the steps on its screen are computed, not copied. A signal that does not follow from its sums, because a
clamp holds it, is sent too. 400 tokens × 128 units of an LSTM are 1.4 MB.

Layout: 4 bytes, the header's length (little-endian); the header, UTF-8 JSON; the arrays. Each entry of
`header["arrays"]` says `group`, `letter`, `at` (bytes from the end of the header), `count`, `width` and `step`: whole
numbers of `width` bytes, little end first; a value is number × step. Arrays are (T, units), row by row.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from lstm_core.nn import Array, Clamp, LayerTrace, sigmoid
from ui.common import theme

# In the order of the articles; a cell shows those that it has.
LETTERS = {"lstm": ("f", "i", "g", "o", "c", "h"), "gru": ("z", "r", "g", "h"), "rnn": ("h",)}
LARGEST = 2**23 - 1  # the largest number of three bytes
HELD = 1e-4  # a signal that is farther than this from what its sums give is held by a clamp
EXACT, ROUGH = 3, 2  # bytes a number: five or more decimals; enough to draw a line


@dataclass(frozen=True)
class View:
    """What the browser is to show.

    Attributes:
        tokens: length T, in the order in which the layer read them.
        trace: of one layer; every array (T, units).
        unknown: which tokens the network doesn't know, from 0.
        place: what stays the same while only weights, clamps or the layer change: then the token stays, too.
        layer: which layer, from 0; where this stays the same as well, so does the unit.
        t: the token to begin with, from 0.
        unit: the unit to begin with.
        reset_after: of a GRU: whether the reset gate multiplies U·h (see `cells.gru_step`).
        before: signals of another trace of the same shape, drawn behind this one.
        clamps: those under which the trace was made; their timesteps are positions in the text.
    """

    tokens: Sequence[str]
    trace: LayerTrace
    unknown: Sequence[int] = ()
    place: str = ""
    layer: int = 0
    t: int = 0
    unit: int = 0
    reset_after: bool = True
    before: Mapping[str, Array] = field(default_factory=dict)
    clamps: Sequence[Clamp] = ()


def pack(view: View) -> bytes:
    """The bytes that `assets/microscope/data.js` unpacks.

    Raises:
        ValueError: if there is not one token a row of the trace.
    """
    trace = view.trace
    if len(view.tokens) != len(trace):
        raise ValueError(f"A trace of {len(trace)} steps needs as many tokens; received {len(view.tokens)}.")
    letters = LETTERS[trace.kind]
    arrays: list[tuple[str, str, Array, int]] = []
    arrays += [("inputSums", letter, sums, EXACT) for letter, sums in trace.input_sums.items()]
    arrays += [("recurrentSums", letter, sums, EXACT) for letter, sums in trace.recurrent_sums.items()]
    arrays += [("signals", letter, trace.signals[letter], EXACT) for letter in _sent(view)]
    arrays += [("before", letter, view.before[letter], ROUGH) for letter in letters if letter in view.before]
    states = zip(("h", "c"), trace.initial_state, strict=False)
    arrays += [("initial", letter, state, EXACT) for letter, state in states if state.any()]
    described, body = [], b""
    for group, letter, values, width in arrays:
        data, step = fixed_point(values, width)
        described.append(
            {"group": group, "letter": letter, "at": len(body), "count": values.size, "width": width, "step": step}
        )
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
        "palette": [asdict(theme.SIGNALS[letter]) for letter in letters],
        "sides": theme.diverging_colours(),
        "clamps": [_clamped(clamp, trace) for clamp in view.clamps],
        "arrays": described,
    }
    return _join(header, body)


def _join(header: dict[str, Any], body: bytes) -> bytes:
    """Length, header, arrays; the header gets an `id` by which the browser knows these bytes again."""
    fingerprint = zlib.crc32(body, zlib.crc32(json.dumps(header).encode()))
    # What can't be UTF-8 (half of a pair) becomes a question mark, as everywhere on the way to a browser.
    text = json.dumps({"id": f"{fingerprint:08x}", **header}, ensure_ascii=False).encode("utf-8", "replace")
    return len(text).to_bytes(4, "little") + text + body


def _clamped(clamp: Clamp, trace: LayerTrace) -> dict[str, Any]:
    """A clamp as the browser needs it: `rows` of the trace and `units`, both from 0; None means all of them."""
    rows = None if clamp.timesteps is None else np.flatnonzero(np.isin(trace.timesteps, clamp.timesteps)).tolist()
    units = None if clamp.units is None else np.atleast_1d(clamp.units).tolist()
    return {"letter": clamp.gate, "value": float(clamp.value), "rows": rows, "units": units}


def fixed_point(values: Array, width: int) -> tuple[bytes, float]:
    """An array as signed whole numbers of 3 or 2 bytes, and what one step of such a number is worth.

    The step is a power of two, so the browser's product is exact; the error is at most half a step: 2⁻²⁴ of the
    largest value (3 bytes) or 2⁻¹⁶ (2 bytes).
    """
    values = np.nan_to_num(np.asarray(values, np.float64))
    largest = float(np.abs(values).max(initial=0.0))
    step = 2.0 ** np.ceil(np.log2(max(largest, 1e-6) / (LARGEST - 128)))
    unit = step if width == EXACT else step * 256
    whole = np.rint(values / unit).astype("<i4").reshape(-1)
    return whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes(), float(unit)


def _sent(view: View) -> list[str]:
    """The signals that the browser can't derive: an LSTM's c, a GRU's h, and whatever a clamp holds."""
    trace = view.trace
    derived = _derived(view)
    return [
        letter
        for letter in LETTERS[trace.kind]
        if letter not in derived or np.abs(derived[letter] - trace.signals[letter]).max(initial=0.0) > HELD
    ]


def _derived(view: View) -> dict[str, Array]:
    """What the browser will compute from the sums; each (T, units)."""
    trace = view.trace
    wx, uh = trace.input_sums, trace.recurrent_sums
    if trace.kind == "rnn":
        return {"h": np.tanh(wx["h"] + uh["h"])}
    gates = {letter: sigmoid(wx[letter] + uh[letter]) for letter in wx if letter != "g"}
    if trace.kind == "gru":
        seen = trace.signals["r"] * uh["g"] if view.reset_after else uh["g"]
        return {**gates, "g": np.tanh(wx["g"] + seen)}
    h = trace.signals["o"] * np.tanh(trace.signals["c"])
    return {**gates, "g": np.tanh(wx["g"] + uh["g"]), "h": h}
