"""The settings of a race in the memory gym, their ranges, and presets, which `benchmarks/memory.py` measures."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from lstm_core.errors import LabError
from lstm_core.memory_tasks import tasks
from lstm_core.memory_tasks.tasks import Task
from lstm_core.paths import ASSETS, read_tables

MEASURED = ASSETS / "memory_gym.json"
LEARNING_RATES = (0.001, 0.003, 0.01, 0.03)
# The lowest and highest value of each setting.
RACE_RANGES: dict[str, tuple[float, float]] = {
    "units": (2, 64),
    "seed": (0, 9999),
    "keep_bias": (-2.0, 6.0),
    "steps": (25, 4000),
}


@dataclass(frozen=True)
class Race:
    """A plain RNN, a GRU and an LSTM of the same size, trained on the same sequences of one task.

    Attributes:
        length: of the sequences, as in `Task.length_name`.
        keep_bias: initial bias of the gate that keeps the old state: f of an LSTM (Gers, Schmidhuber & Cummins 2000;
            Jozefowicz, Zaremba & Sutskever 2015), z of a GRU; a plain RNN has none.
        steps: the largest number of training batches.
        forget_gate: whether the LSTM has one; without it f = 1, as in Hochreiter & Schmidhuber (1997).

    Raises:
        LabError: naming the setting that is out of range.
    """

    task: str = "adding"
    length: int = 50
    units: int = 32
    seed: int = 1
    keep_bias: float = 3.0
    rate: float = 0.01
    steps: int = 1000
    forget_gate: bool = True

    def __post_init__(self) -> None:
        task, (shortest, longest) = self.of, self.of.lengths
        if not isinstance(self.length, int) or not shortest <= self.length <= longest:
            raise LabError(f"{task.title} takes a length from {shortest} to {longest}; received {self.length}.")
        for name, (low, high) in RACE_RANGES.items():
            value = getattr(self, name)
            whole = isinstance(low, int)
            if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
                raise LabError(f"{_said(name)} must be a {'whole ' if whole else ''}number; received '{value}'.")
            if not low <= value <= high:
                raise LabError(f"{_said(name)} can be from {low:g} to {high:g}; received {value:g}.")
        if not isinstance(self.forget_gate, bool):
            raise LabError(f"A race has a forget gate or none, true or false; received '{self.forget_gate}'.")
        if self.rate not in LEARNING_RATES:
            raise LabError(f"The learning rate can be {', '.join(map(str, LEARNING_RATES))}; received {self.rate}.")

    @property
    def of(self) -> Task:
        """The task itself."""
        return tasks.find_task(self.task)

    @property
    def arguments(self) -> dict[str, Any]:
        """The settings as plain values, the arguments of a job."""
        return asdict(self)


def race_from_arguments(arguments: Mapping[str, Any]) -> Race:
    """The race with these settings; LabError if one is unknown or out of range."""
    unknown = set(arguments) - {field.name for field in fields(Race)}
    if unknown:
        raise LabError(f"A race has no setting '{min(unknown)}'.")
    return Race(**arguments)


def _said(name: str) -> str:
    return {"keep_bias": "The forget-gate bias", "steps": "The number of batches"}.get(name, f"The number of {name}")


@dataclass(frozen=True)
class Preset:
    """A suggested race.

    Attributes:
        question: for the class before it starts.
        passes, fails: the cells that solve the task, or don't, with most of five seeds; none before it was measured.
    """

    title: str
    race: Race
    question: str
    passes: tuple[str, ...]
    fails: tuple[str, ...]


def _preset(race: dict[str, Any], **about: Any) -> Preset:
    return Preset(race=Race(**race), **about)


PRESETS: dict[str, Preset] = {name: _preset(**about) for name, about in read_tables("races.toml").items()}


def measured_races() -> dict[str, Any]:
    """Preset → results of `benchmarks/memory.py`, as in `assets/memory_gym.json`; empty before its first run."""
    try:
        return json.loads(MEASURED.read_text(encoding="utf-8"))["presets"]
    except (OSError, ValueError, KeyError):
        return {}
