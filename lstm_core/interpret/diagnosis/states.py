"""The states: whether they grow without bound, units that are dead or constant, and units that repeat each other."""

from __future__ import annotations

import numpy as np

from lstm_core.arrays import Array
from lstm_core.interpret.diagnosis.finding import Finding, NotCheckedError, Severity
from lstm_core.interpret.diagnosis.observed import Observed, number, of_units, share
from lstm_core.nn.trace import STATES

GROWTH, LARGE = 10.0, 10.0  # how many times larger the last quarter's state is than the first's, and its size
STEADY = 1.02  # growth per step that goes on in the second half: tenfold in 116 steps
STATE_SATURATED, MOSTLY = 3.0, 0.5  # tanh(3) = 0.995: h shows only the sign of such a cell state
LEAST_STEPS = 8  # for a growth
DEAD, RELATIVE = 1e-3, 0.01  # a standard deviation below the first, or below this share of the median unit's
SETTLING = 0.25  # of the steps, in which every unit leaves its initial state
DEAD_FAULT = 0.25  # of the units: a quarter of the layer's weights does nothing
ALIKE = 0.95  # |r| from which one unit is much like another: they share 90% of their variance
SAME = 0.999  # |r| from which one unit is a copy of another: 99.8%; units of a small task that is solved reach 0.99
COPIES_FAULT, ALIKE_LOOK = 0.5, 0.25  # of the units: twice too many; a quarter
LEAST_UNITS, MOST_ROWS = 4, 20_000
MOST_SHOWN = 256  # units of the picture of all correlations


def state_size(layer: Observed) -> Finding:
    """Whether the state (c of an LSTM, else h) grows from step to step, and whether it is still finite.

    Arrays: `size` (T,) its root mean square at each step, over all sequences and units; `largest` (T,).
    """
    name = STATES[layer.kind][-1]
    state = np.abs(layer.in_order(layer.trace.signals[name]).astype(np.float64))
    taken = layer.taken[..., None]
    steps = int(layer.taken.any(axis=0).sum())
    infinite = int((~layer.finite & layer.in_order(layer.trace.mask) & layer.readable).any(axis=1).sum())
    with np.errstate(over="ignore"):
        total = np.square(state, where=taken, out=np.zeros_like(state)).sum(axis=(0, 2))
    size = np.sqrt(total / np.maximum(layer.taken.sum(axis=0) * layer.units, 1))[:steps]
    largest = np.where(taken, state, 0).max(axis=(0, 2))[:steps]
    quarter = max(1, steps // 4)
    early, late = float(size[:quarter].mean()) if steps else 0.0, float(size[-quarter:].mean()) if steps else 0.0
    rate = _rate(size[steps // 2 :]) if steps >= LEAST_STEPS else 1.0
    rows = np.abs(layer.signal(name))
    beyond = float((rows > STATE_SATURATED).mean()) if rows.size else 0.0
    numbers = {"early": early, "late": late, "rate": rate, "infinite": infinite, "beyond": beyond}
    severity, sentence, advice = _size_judged(layer, numbers, steps)
    source = "Le, Jaitly & Hinton 2015" if not layer.bounded else "Gers, Schmidhuber & Cummins 2000"
    arrays = {"size": size, "largest": largest}
    return Finding("state size", layer.trace.name, severity, sentence, advice, source, numbers, arrays)


def _rate(size: Array) -> float:
    """The growth per step: e to the slope of the logarithm."""
    if len(size) < 2 or not (size > 0).all():
        return 1.0
    return float(np.exp(np.polyfit(np.arange(len(size)), np.log(size), 1)[0]))


def _size_judged(layer: Observed, numbers: dict[str, float], steps: int) -> tuple[Severity, str, str]:
    name = "cell state" if layer.kind == "lstm" else "hidden state"
    early, late, rate = numbers["early"], numbers["late"], numbers["rate"]
    grows = f"The {name} grows from {number(early)} (root mean square, first quarter of the steps) to {number(late)}"
    advice = (
        "Use tanh in place of the unbounded activation, or initialize the recurrent kernel with the identity or a "
        "smaller scale, and clip gradients."
    )
    if numbers["infinite"]:
        sentence = f"The {name} becomes infinite or NaN in {int(numbers['infinite'])} of {len(layer.taken)} sequences."
        return "fault", sentence, advice
    growing = steps >= LEAST_STEPS and late > LARGE and late > GROWTH * early
    if growing and not layer.bounded and rate > STEADY:
        return "fault", f"{grows}, by a factor of {rate:.2f} per step: it explodes.", advice
    limit = f"{share(numbers['beyond'])} of its values lie beyond ±{STATE_SATURATED:g}"
    if layer.kind == "lstm" and layer.bounded and numbers["beyond"] > MOSTLY:
        sentence = f"{limit}: there tanh(c) is saturated, and h shows little more than the sign of c."
        return "worth a look", f"The {name} is large. {sentence}", "Check that the forget gate can fall below 1."
    if growing:
        sentence = f"{grows}: it goes on growing with the length of the sequence."
        return "worth a look", sentence, "Check that the state stays usable for the longest sequences that you expect."
    return "fine", f"The {name} has a root mean square of {number(early)} early and {number(late)} late.", ""


def deviations(layer: Observed) -> tuple[Array, Array]:
    """(units,) standard deviations of h after it has settled, and (units,) whether each unit is dead."""
    rows = _settled(layer)
    if len(rows) < 2:
        raise NotCheckedError("There is only one timestep to look at; give longer sequences, or more of them.")
    deviation = rows.std(axis=0, dtype=np.float64)
    limit = RELATIVE * float(np.median(deviation))
    return deviation, deviation < max(limit, DEAD if layer.bounded else 0.0, np.finfo(np.float32).tiny)


def _settled(layer: Observed) -> Array:
    """(rows, units) of h without the first quarter of each sequence's steps."""
    order = np.cumsum(layer.taken, axis=1)
    late = layer.taken & (order > np.floor(SETTLING * layer.lengths)[:, None])
    return layer.in_order(layer.trace.signals["h"])[late]


def dead_units(layer: Observed) -> Finding:
    """Units whose h doesn't vary: over timesteps and sequences, against the other units.

    Arrays: `deviation` (units,) the standard deviation of each unit's h; `mean` (units,).
    """
    deviation, dead = deviations(layer)
    mean = _settled(layer).mean(axis=0, dtype=np.float64)
    silent = int((dead & (np.abs(mean) < DEAD)).sum())
    count, units = int(dead.sum()), layer.units
    numbers = {"dead": count, "silent": silent, "units": units, "deviation": float(np.median(deviation))}
    severity: Severity = "fault" if count >= max(DEAD_FAULT * units, 1) else "worth a look" if count else "fine"
    found = f"{of_units(count, units)} {'is' if count == 1 else 'are'} the same at every timestep of every sequence"
    sentence = f"{found[0].upper()}{found[1:]}"
    if count:
        sentence += f" ({silent} at 0, {count - silent} at another value)"
    advice = ""
    if count:
        advice = (
            "Look for an input or output gate that is always closed, and for unscaled inputs; with relu use a smaller "
            "learning rate. If the units stay dead, train with fewer."
        )
    source = "Lu, Shin, Su & Karniadakis 2020"
    arrays = {"deviation": deviation, "mean": mean}
    return Finding("dead units", layer.trace.name, severity, f"{sentence}.", advice, source, numbers, arrays)


def redundant_units(layer: Observed) -> Finding:
    """Units that are like another one (|r| > `ALIKE`) or a copy (`SAME`), and how many dimensions h uses.

    Arrays: `correlations` (shown, shown) of the units that aren't dead, copies side by side, the first `MOST_SHOWN`;
    `order` (shown,) their units; `explained` (live units,) the share of the variance that the first principal
    components explain together.
    """
    _, dead = deviations(layer)
    live = np.flatnonzero(~dead)
    if len(live) < LEAST_UNITS:
        raise NotCheckedError(f"Only {len(live)} units vary; correlations need {LEAST_UNITS}.")
    rows = layer.signal("h")
    rows = rows[:: max(1, len(rows) // MOST_ROWS + 1), live]
    if len(rows) < 2 * len(live):
        raise NotCheckedError(
            f"{len(rows)} timesteps are too few for the correlations of {len(live)} units; give more."
        )
    centred = rows - rows.mean(axis=0)
    centred /= np.maximum(np.sqrt(np.square(centred).sum(axis=0)), 1e-30)
    r = centred.T @ centred  # (live, live)
    groups = _groups(np.abs(r) > ALIKE)
    spectrum = np.maximum(np.linalg.eigvalsh(r)[::-1], 0)
    explained = np.cumsum(spectrum) / spectrum.sum()
    alike, units = len(live) - len(groups), len(live)
    copies = len(live) - len(_groups(np.abs(r) > SAME))
    numbers = {
        "copies": copies,
        "alike": alike,
        "kinds": len(groups),
        "largest group": max(map(len, groups)),
        "participation": float(spectrum.sum() ** 2 / np.square(spectrum).sum()),
        "components": float(np.searchsorted(explained, 0.99) + 1),
        "live": units,
    }
    severity: Severity = "fine"
    if alike >= ALIKE_LOOK * units:
        severity = "fault" if copies >= COPIES_FAULT * units else "worth a look"
    components = int(numbers["components"])
    sentence = (
        f"{of_units(alike, units).capitalize()} {'follows' if alike == 1 else 'follow'} another one (|r| > {ALIKE}), "
        f"{copies} of them as a copy (|r| > {SAME}); "
        f"99% of the variance of h is in {components} principal component{'s' * (components != 1)}."
    )
    advice = "" if severity == "fine" else f"Train again with about {_enough(len(groups))} units."
    order = np.concatenate(groups)[:MOST_SHOWN]
    arrays = {"correlations": r[np.ix_(order, order)].astype(np.float32), "order": live[order], "explained": explained}
    source = "Gao & Ganguli 2015"
    return Finding("redundant units", layer.trace.name, severity, sentence, advice, source, numbers, arrays)


def _groups(near: Array) -> list[Array]:
    """Groups of units in which all are near the first one, which has the most neighbours; the largest group first."""
    near, left, groups = near.copy(), np.ones(len(near), bool), []
    counts = near.sum(axis=1)
    while left.any():
        leader = int(np.where(left, counts, -1).argmax())
        group = near[leader] & left
        groups.append(np.concatenate([[leader], np.flatnonzero(group & (np.arange(len(near)) != leader))]))
        left &= ~group
        left[leader] = False
        counts -= near[:, groups[-1]].sum(axis=1)
    return groups


def _enough(kinds: int) -> int:
    """The next power of two."""
    return 1 << max(kinds - 1, 1).bit_length()
