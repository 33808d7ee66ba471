"""What a unit or a gate is worth: how far the network's output moves when it is clamped, and the network runs again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lstm_core.arrays import Array
from lstm_core.interpret.diagnosis.finding import Finding, NotCheckedError, Severity
from lstm_core.interpret.diagnosis.observed import GATE_NAMES, GATES, Observed, share
from lstm_core.nn.clamps import Clamp

OutputOf = Callable[[tuple[Clamp, ...]], Array]  # the network's output on the same data with clamps, (sequences, …)

MOST_UNITS = 24  # that are clamped one by one in a layer; the network runs once for each
UNUSED = 0.01  # the output moves less than that when the whole layer is clamped
RELIED_ON, LEAST_UNITS = 1.0, 8  # one unit of several moves the output as much as one sequence differs from others
NO_PART = 0.001  # such a unit counts as of no effect
SOURCE = "Morcos, Barrett, Rabinowitz & Botvinick 2018"


def ablation(layer: Observed, output_of: OutputOf | None) -> Finding:
    """Clamp h of each unit to its mean, each gate to 0, and h of all units to their means; 1 + gates + units runs.

    A change is the root mean square of the output's change over that of the output's deviation from its mean over the
    sequences: at 1 the output moves as much as sequences differ from each other. Of more than `MOST_UNITS` units, so
    many are clamped, evenly chosen by the standard deviation of h.

    Arrays: `units` (k,) those that were clamped; `change` (k,); `gates` (gates,) as indices of the kind's gates;
    `gate_change` (gates,).
    """
    if output_of is None:
        raise NotCheckedError("Ablation needs to run the network again, which a trace alone can't.")
    before = np.asarray(output_of(()), np.float64)
    scale = _size(before - before.mean(axis=0)) if len(before) > 1 else _size(before)
    if not scale > 0:
        raise NotCheckedError("The output is the same for every sequence, so there is no change to compare with.")

    def change(*clamps: Clamp) -> float:
        return _size(np.asarray(output_of(clamps), np.float64) - before) / scale

    rows = layer.signal("h")
    means, by_size = rows.mean(axis=0, dtype=np.float64), np.argsort(-rows.std(axis=0))
    chosen = np.sort(by_size[np.unique(np.linspace(0, layer.units - 1, min(MOST_UNITS, layer.units)).astype(int))])

    def held(unit: int) -> Clamp:
        return Clamp("h", float(means[unit]), units=unit, layer=layer.number)

    whole = change(*map(held, range(layer.units)))
    units = np.array([change(held(unit)) for unit in chosen])
    gates = np.array([change(Clamp(gate, 0.0, layer=layer.number)) for gate in GATES[layer.kind]])
    numbers = {"whole": whole, "largest": float(units.max()), "unit": float(chosen[units.argmax()])}
    numbers |= {"no part": float((units < NO_PART).mean())}
    numbers |= {f"{gate} = 0": float(value) for gate, value in zip(GATES[layer.kind], gates, strict=True)}
    severity, sentence, advice = _judged(layer, numbers, len(chosen))
    arrays = {"units": chosen, "change": units, "gates": np.arange(len(gates)), "gate_change": gates}
    return Finding("ablation", layer.trace.name, severity, sentence, advice, SOURCE, numbers, arrays)


def _size(values: Array) -> float:
    return float(np.sqrt(np.square(values).mean())) if values.size else 0.0


def _judged(layer: Observed, numbers: dict[str, float], count: int) -> tuple[Severity, str, str]:
    if numbers["whole"] < UNUSED:
        sentence = "The output stays the same when the whole layer's h is clamped to its mean: the network ignores it."
        return "fault", sentence, "Check how the layer is connected, and whether the network has learned anything yet."
    unit, largest = int(numbers["unit"]), numbers["largest"]
    of = f"of the {count} clamped units" if count < layer.units else "of all units"
    sentence = f"Unit {unit} has the largest effect {of}: clamped to its mean, it moves the output by {share(largest)}"
    sentence += " of the difference between sequences"
    gates = {gate: numbers[f"{gate} = 0"] for gate in GATES[layer.kind]}
    if gates:
        gate = max(gates, key=gates.__getitem__)
        sentence += f"; the {GATE_NAMES[gate]} at 0 by {share(gates[gate])}"
    if largest > RELIED_ON and layer.units >= LEAST_UNITS:
        advice = "Train with recurrent dropout, so that the output doesn't depend on single units."
        return "worth a look", f"{sentence}.", advice
    return "fine", f"{sentence}.", ""
