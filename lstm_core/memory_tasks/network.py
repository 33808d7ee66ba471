"""A small trained network of the memory gym in NumPy: its answers, its score, and what its units remember."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.memory_tasks.batch import Batch
from lstm_core.memory_tasks.string_tasks import counting_of
from lstm_core.memory_tasks.tasks import Task
from lstm_core.nn.trace import PARTS, LayerTrace, run_cell
from lstm_core.nn.unit_probe import ProbedUnit, probe_units
from lstm_core.nn.weights import CellWeights, Kind

ARRAYS = ("kernel", "recurrent", "bias", "recurrent_bias", "readout", "readout_bias")


@dataclass(frozen=True)
class GymNetwork:
    """A recurrent layer and a linear readout: `readout` (units, outputs), `readout_bias` (outputs,)."""

    cell: CellWeights
    readout: Array
    readout_bias: Array

    @property
    def kind(self) -> Kind:
        """Which cell it has."""
        return self.cell.kind

    @property
    def parameters(self) -> int:
        """How many weights it has; the two biases of a GRU count as Keras counts them."""
        cell = self.cell
        arrays = [cell.kernel, cell.recurrent, cell.bias, self.readout, self.readout_bias]
        return sum(array.size for array in arrays) + (cell.recurrent_bias.size if self.kind == "gru" else 0)

    def read(self, x: Array) -> tuple[LayerTrace, Array]:
        """(count, T, features) → the trace, signals (T, count, units), and the readout's sums (count, T, outputs)."""
        trace = run_cell(self.cell, np.swapaxes(x, 0, 1))
        return trace, np.swapaxes(trace.h @ self.readout + self.readout_bias, 0, 1)

    def to_bytes(self) -> bytes:
        """All weights as an uncompressed .npz, float32."""
        held = io.BytesIO()
        arrays: dict[str, Any] = {"kind": np.array(self.kind)}
        for name in ARRAYS:
            arrays[name] = np.asarray(getattr(self if name.startswith("readout") else self.cell, name), np.float32)
        np.savez(held, **arrays)
        return held.getvalue()


def from_bytes(data: bytes) -> GymNetwork:
    """The network that `to_bytes` wrote; ModelError if the bytes are missing or damaged."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            kind, arrays = str(kept["kind"]), {name: kept[name] for name in ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ModelError("The weights of this run are missing or damaged; run the race again.") from error
    if kind not in PARTS:
        raise ModelError(f"A run holds a cell of kind '{kind}', which is unknown; run the race again.")
    cell = CellWeights(kind, kind, *(arrays[name] for name in ARRAYS[:4]))  # type: ignore[arg-type]
    return GymNetwork(cell, arrays["readout"], arrays["readout_bias"])


def measure_network(task: Task, network: GymNetwork, batch: Batch) -> tuple[float, float]:
    """The share of sequences answered rightly, and the error (see `Task.error`)."""
    answers = task.answers(network.read(batch.x)[1])
    return float(task.right(batch, answers).mean()), task.error(batch, answers)


def counts_to(task: Task, network: GymNetwork, most: int) -> Array:
    """(most,) of bool: whether aⁿbⁿ or aⁿbⁿcⁿ is predicted to the end without a mistake, for n = 1, 2, … `most`."""
    batch = counting_of(range(1, most + 1), most, task.counted)
    return task.right(batch, task.answers(network.read(batch.x)[1]))


def carrier_unit(network: GymNetwork, choose_on: Batch, measure_on: Batch) -> ProbedUnit:
    """The unit whose state, c of an LSTM and h of the others, correlates best with the quantity to remember.

    Args:
        network: a trained network.
        choose_on: the sequences that the unit is chosen on.
        measure_on: other sequences, for its reported correlation.
    """

    def live(batch: Batch) -> tuple[Array, Array]:
        trace, _ = network.read(batch.x)
        states = np.swapaxes(trace.signals.get("c", trace.h), 0, 1)  # (count, T, units)
        return states[batch.live].astype(float), batch.memory[batch.live].astype(float)

    return probe_units(live(choose_on), live(measure_on))


def networks_from_weights(weights: Mapping[str, bytes]) -> dict[str, GymNetwork]:
    """All networks of a finished race, by kind of cell."""
    return {kind: from_bytes(data) for kind, data in weights.items()}
