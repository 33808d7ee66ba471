"""A one-line syntax for clamps, for links and forms: `f=0`, `i=0@3-`, `o=1:3,7-9@2`, several with `;`.

After the signal and its value come the units after a colon and the timesteps after an at sign, as numbers and ranges;
either may be omitted and then means all. An open range goes on to the end.
"""

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np

from lstm_core.errors import LabError
from lstm_core.nn.clamps import Clamp

MOST_CLAMPS = 20
_CLAMP = re.compile(r"(?P<gate>[a-z])=(?P<value>[-+.\deE]+)(?::(?P<units>[\d,\s-]+))?(?:@(?P<timesteps>[\d,\s-]+))?")


class ClampError(LabError):
    """A clamp can't be parsed; the message says why."""


def parse_clamps(line: str, signals: Sequence[str], units: int, timesteps: int) -> tuple[Clamp, ...]:
    """The clamps of a line.

    Args:
        line: as in the module's text; units and timesteps count from 0.
        signals: those that the layer has.
        units: how many units it has.
        timesteps: how many timesteps there are.

    Raises:
        ClampError: naming the part that can't be parsed or doesn't exist.
    """
    parts = [part.strip() for part in line.split(";") if part.strip()]
    if len(parts) > MOST_CLAMPS:
        raise ClampError(f"{len(parts)} clamps are too many; at most {MOST_CLAMPS} are possible.")
    return tuple(_parse_one(part, signals, units, timesteps) for part in parts)


def _parse_one(part: str, signals: Sequence[str], units: int, timesteps: int) -> Clamp:
    match = _CLAMP.fullmatch(part)
    if match is None:
        raise ClampError(f"“{part[:40]}” is not a clamp; write for instance f=0, or i=0:3,7@2-5.")
    if match["gate"] not in signals:
        raise ClampError(f"There is no signal “{match['gate']}” here; there are {', '.join(signals)}.")
    try:
        value = float(match["value"])
    except ValueError:
        value = math.nan
    if not -10 <= value <= 10:
        raise ClampError(f"“{match['value'][:20]}” is not a value for a clamp; give a number from -10 to 10.")
    return Clamp(
        match["gate"],
        value,
        None if match["units"] is None else parse_indices(match["units"], units, "unit"),
        None if match["timesteps"] is None else parse_indices(match["timesteps"], timesteps, "timestep"),
    )


def parse_indices(text: str, count: int, what: str, first: int = 0) -> list[int]:
    """Numbers and ranges such as `3, 7-9, 20-`, as positions from 0.

    Args:
        text: what was typed.
        count: how many there are.
        what: "unit", "token" … for the error.
        first: the number of the first one.

    Raises:
        ClampError: if it isn't such a list, or a number is out of range.
    """
    chosen: set[int] = set()
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"(\d{1,6})(-(\d{0,6}))?", part)
        if match is None:
            raise ClampError(f"“{text[:40]}” is not a list of {what}s; write for instance 3, 7-9 or 5-.")
        start = int(match[1])
        stop = start if match[2] is None else int(match[3] or count - 1 + first)
        if not first <= start <= stop <= count - 1 + first:
            raise ClampError(f"There is no {what} {part}; they go from {first} to {count - 1 + first}.")
        chosen.update(range(start - first, stop + 1 - first))
    return sorted(chosen)


def format_clamps(clamps: Iterable[Clamp]) -> str:
    """The line that `parse_clamps` turns back into these clamps."""
    return ";".join(
        f"{clamp.gate}={clamp.value:g}"
        + ("" if clamp.units is None else f":{format_ranges(clamp.units)}")
        + ("" if clamp.timesteps is None else f"@{format_ranges(clamp.timesteps)}")
        for clamp in clamps
    )


def clamp_notes(clamps: Iterable[Clamp]) -> list[str]:
    """A note for each clamp: its layer, a colon, and its line, such as `0:f=0`."""
    return [f"{clamp.layer}:{format_clamps([clamp])}" for clamp in clamps]


def format_ranges(numbers: Sequence[int] | int, first: int = 0) -> str:
    """Positions from 0 as a short list with ranges; `first` is added to each."""
    rows = sorted({int(number) for number in np.atleast_1d(numbers)})
    spans: list[list[int]] = []
    for number in rows:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(a + first) if a == b else f"{a + first}-{b + first}" for a, b in spans)
