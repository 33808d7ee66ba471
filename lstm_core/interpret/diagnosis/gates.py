"""The gates: the bias of the gate that keeps the state, and gates that are saturated."""

from __future__ import annotations

import numpy as np

from lstm_core.interpret.diagnosis.finding import Finding, NotCheckedError, Severity
from lstm_core.interpret.diagnosis.observed import GATE_NAMES, GATES, KEEPING, Observed, number, of_units, share

# A sigmoid beyond has a fifth of its largest derivative or less; Karpathy et al. (2016) call a gate saturated below 0.1
# and above 0.9 already, where it is a third.
CLOSED, OPEN = 0.05, 0.95
ALWAYS = 0.99  # of the steps: such a gate is a constant
HALF, QUARTER = 0.5, 0.25  # of the units
MOSTLY = 0.7  # of all values of a gate: the share in trained character models is well below (Karpathy et al. 2016)
FORGETTING = 0.1  # a keeping gate of this mean leaves a hundredth of the state after two steps
LOW_BIAS = -2.0  # the gate begins at 0.12
USUAL_BIAS, USUAL_MEAN = 0.5, 0.6  # below both, half of the state is gone after a step or two, as at bias 0
# What a gate that is a constant at one end does, where that is a fault.
HARMFUL = {
    ("lstm", "i", "closed"): "write nothing to their cell state",
    ("lstm", "o", "closed"): "output nothing",
    ("lstm", "f", "closed"): "forget everything at each step",
    ("gru", "z", "closed"): "keep nothing of their state",
    ("gru", "z", "open"): "keep their first state and take in nothing",
}
HARMLESS = {("lstm", "f", "open")}  # it only remembers
ENDS = ("closed", "open")
DRIVERS = {"bias": "its bias", "inputs": "the inputs", "recurrent": "the recurrent sums U·h"}


def forget_bias(layer: Observed) -> Finding:
    """The bias of the keeping gate (f of an LSTM, z of a GRU) and the gate's mean value, by unit.

    Arrays: `bias` (units,), `mean` (units,).
    """
    if layer.kind not in KEEPING:
        raise NotCheckedError("A plain RNN has no gate that keeps its state.")
    gate = KEEPING[layer.kind]
    bias, mean = layer.bias(gate), layer.signal(gate).mean(axis=0)
    numbers = {"bias": float(np.median(bias)), "mean": float(np.median(mean))}
    severity: Severity = "fine"
    advice = ""
    sentence = (
        f"The {GATE_NAMES[gate]}'s bias is {number(numbers['bias'])} and its mean value {number(numbers['mean'])} "
        "(medians over the units)"
    )
    if numbers["bias"] < LOW_BIAS and numbers["mean"] < FORGETTING:
        severity = "fault"
        sentence += f": {share(1 - numbers['mean'])} of the state is forgotten at every step"
        advice = "Initialize this bias with 1 or more (in Keras unit_forget_bias=True, the default) and train again."
    elif layer.kind == "lstm" and numbers["bias"] < USUAL_BIAS and numbers["mean"] < USUAL_MEAN:
        severity = "worth a look"
        sentence += ": a cell state is halved after a step or two"
        advice = "Initialize the forget gate's bias with 1 if the task needs a longer memory."
    arrays = {"bias": bias, "mean": mean}
    source = "Gers, Schmidhuber & Cummins 2000; Jozefowicz, Zaremba & Sutskever 2015"
    return Finding("forget bias", layer.trace.name, severity, f"{sentence}.", advice, source, numbers, arrays)


def saturated_gates(layer: Observed) -> Finding:
    """How often each gate of each unit is below `CLOSED` or above `OPEN`, and what drives it there.

    Arrays: for each gate `GATE_closed` and `GATE_open`, (units,) shares of the steps. Of a plain RNN, h is looked at
    in place of a gate: -1…1 is taken as 0…1.
    """
    gates = GATES[layer.kind] or ("h",)
    if gates == ("h",) and not layer.bounded:
        raise NotCheckedError("The layer has no gates, and its activation doesn't saturate.")
    arrays, numbers, worst = {}, {}, (-1.0, "", "")  # severity and share, gate, end
    for gate in gates:
        values = layer.signal(gate)
        low, high = (CLOSED, OPEN) if gate != "h" else (2 * CLOSED - 1, 2 * OPEN - 1)
        at_ends = {"closed": (values < low).mean(axis=0), "open": (values > high).mean(axis=0)}
        numbers[f"{gate} saturated"] = float(sum(at_ends.values()).mean())
        for end in ENDS:
            arrays[f"{gate}_{end}"] = at_ends[end]
            stuck = float((at_ends[end] >= ALWAYS).mean())
            numbers[f"{gate} always {end}"] = stuck
            rank = _rank(layer.kind, gate, end, stuck)
            worst = max(worst, (rank + stuck / 2, gate, end))
        worst = max(worst, (float(numbers[f"{gate} saturated"] > MOSTLY) + numbers[f"{gate} saturated"] / 2, gate, ""))
    severity, sentence, advice = _judged(layer, worst, numbers)
    source = "Karpathy, Johnson & Fei-Fei 2016"
    return Finding("saturated gates", layer.trace.name, severity, sentence, advice, source, numbers, arrays)


def _rank(kind: str, gate: str, end: str, stuck: float) -> int:
    """2 for a fault, 1 for worth a look: a gate that is a constant at one end in a share of the units."""
    if (kind, gate, end) in HARMFUL:
        return 2 if stuck >= HALF else int(stuck >= QUARTER)
    return int(stuck >= HALF and (kind, gate, end) not in HARMLESS)


def _judged(layer: Observed, worst: tuple[float, str, str], numbers: dict[str, float]) -> tuple[Severity, str, str]:
    score, gate, end = worst
    if score < 1:
        shares = ", ".join(f"{each} {share(numbers[f'{each} saturated'])}" for each in GATES[layer.kind] or ("h",))
        return "fine", f"Share of saturated values (below {CLOSED} or above {OPEN}): {shares}.", ""
    name, driver = GATE_NAMES[gate], _driver(layer, gate, end)
    reason = f"It is driven there by {DRIVERS[driver]}."
    advice = {
        "bias": f"Check how the bias of the {name} is initialized; 0 is usual for all gates but the forget gate.",
        "inputs": "Scale the inputs, or use a smaller learning rate or weight decay on the kernel.",
        "recurrent": "Use an orthogonal recurrent initializer, a smaller learning rate, or weight decay.",
    }[driver]
    if not end:
        sentence = (
            f"The {name} is saturated in {share(numbers[f'{gate} saturated'])} of all values: it acts as a switch"
        )
        return "worth a look", f"{sentence}, and little gradient passes through it. {reason}", advice
    count = round(numbers[f"{gate} always {end}"] * layer.units)
    where = "at one end" if gate == "h" else end
    sentence = f"The {name} is always {where} in {of_units(count, layer.units)}"
    does = HARMFUL.get((layer.kind, gate, end), "" if gate == "h" else "make no use of it")
    severity: Severity = "fault" if score >= 2 else "worth a look"
    return severity, f"{sentence}{f', which {does}' if does else ''}. {reason}", advice


def _driver(layer: Observed, gate: str, end: str) -> str:
    """What contributes most to the preactivation where the gate is saturated."""
    low, high = (CLOSED, OPEN) if gate != "h" else (2 * CLOSED - 1, 2 * OPEN - 1)
    values = layer.signal(gate)
    side = np.where(values < low, -1.0, np.where(values > high, 1.0, 0.0)).astype(values.dtype)
    if end:
        side[side != (1.0 if end == "open" else -1.0)] = 0
    sums = layer.sums(gate)
    pushes = {name: float((side * part).sum()) for name, part in sums.items()}
    return max(pushes, key=pushes.__getitem__)
