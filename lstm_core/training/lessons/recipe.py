"""Lessons: trainings that are small enough for a class, as plain values without Keras, and their hyperparameters."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from lstm_core.errors import LabError
from lstm_core.paths import read_tables
from lstm_core.timeseries.scaling import Form
from lstm_core.training.recipes import Recipe

OWN = "own"  # the data set of a lesson that reads what somebody brought along
TASKS = {"classifier": "tells texts apart", "generator": "writes text", "forecaster": "forecasts a series"}
MOST_PARAMETERS = 5_000_000
MOST_VALUES = 20_000_000  # batch · length · units · layers: what one signal of a step may take in memory
BLOCKS = {"lstm": 4, "gru": 3, "rnn": 1}  # gates and candidate: how many kernels a cell has


@dataclass(frozen=True)
class Hyperparameter:
    """One setting of a lesson: its range, and what it means.

    Attributes:
        name: of the field in `LessonRecipe`.
        low, high: the range of a number.
        choices: the values that there are, with their names for people; for anything else.
        whole: whether only whole numbers will do.
        logarithmic: whether a slider should go by powers.
    """

    name: str
    title: str
    help: str
    low: float = 0.0
    high: float = 0.0
    choices: Mapping[str, str] | None = None
    whole: bool = True
    logarithmic: bool = False
    tasks: tuple[str, ...] = tuple(TASKS)

    def check(self, value: Any) -> None:
        """Raises LabError, in one sentence, for a value that this setting can't have."""
        if self.choices is not None:
            if value not in self.choices:
                raise LabError(f"{self.title} can be {', '.join(self.choices)}; received {_shown(value)}.")
            return
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not self.low <= value <= self.high or (self.whole and value != int(value)):
            kind = "a whole number" if self.whole else "a number"
            raise LabError(
                f"{self.title} must be {kind} from {self.low:,g} to {self.high:,g}; received {_shown(value)}."
            )


HYPERPARAMETERS: dict[str, Hyperparameter] = {
    name: Hyperparameter(name, **about) for name, about in read_tables("hyperparameters.toml").items()
}
_NOT_CHOSEN = {"notes", "labels"}  # the same for every lesson, or known from the data


# How far ahead, and in which form values are read, as in the recipes of the shipped forecasters.
PLANS: dict[str, tuple[int, Form]] = {
    "stocks": (4, "log_difference"),
    "seasons": (14, "level"),
    "sunspots": (12, "level"),
    "random_walk": (4, "log_difference"),
}


@dataclass(frozen=True, kw_only=True)
class LessonRecipe(Recipe):
    """One training, in plain values; the settings are explained in `HYPERPARAMETERS`.

    Attributes:
        task: a key of `TASKS`.
        dataset: a name from `datasets`, `toy` or `series`; `OWN` for an uploaded file.

    Raises:
        LabError: in one sentence, for any value that can't be.
    """

    notes: tuple[str, ...] = (
        "Trained in the studio, on a part of the data; what it reached on its validation part is in its curves.",
    )
    cell: str = "lstm"
    units: int = 32
    layers: int = 1
    embedding: int = 32
    pooling: str = "last"
    dropout: float = 0.2
    learning_rate: float = 3e-3
    batch: int = 32
    length: int = 100
    epochs: int = 5
    clipping: str = "norm"
    clip_at: float = 1.0
    forget_bias: float = 1.0
    examples: int = 0
    vocabulary: int = 5000

    def __post_init__(self) -> None:
        for name in ("name", "title", "summary", "task", "dataset"):
            if not isinstance(getattr(self, name), str) or len(getattr(self, name)) > 1000:
                raise LabError(f"A lesson's {name} must be a text of at most 1,000 characters.")
        if self.task not in TASKS:
            raise LabError(f"A lesson's task can be {', '.join(TASKS)}; received {_shown(self.task)}.")
        if not self.dataset:
            raise LabError("Choose what the network should read.")
        for setting in HYPERPARAMETERS.values():
            setting.check(getattr(self, setting.name))
            if setting.choices is None:  # 1 and 1.0 are the same lesson
                number = (int if setting.whole else float)(getattr(self, setting.name))
                object.__setattr__(self, setting.name, number)
        if self.task == "forecaster" and self.layers != 1:
            raise LabError("A forecaster has one layer here; set layers to 1.")
        if self.task == "generator" and self.cell != "lstm":
            raise LabError("A writer is made of LSTMs here, because its page shows their gates; choose the cell lstm.")
        if self.batch * self.length * self.units * self.layers > MOST_VALUES:
            raise LabError(
                f"A batch of {self.batch} times {self.length} steps of {self.units} units in {self.layers} layers "
                "takes too much memory; make one of them smaller."
            )
        vocabulary = self.vocabulary if self.task == "classifier" else 0
        if parameter_count(self, vocabulary) > MOST_PARAMETERS:
            raise LabError(f"That network has more than {MOST_PARAMETERS:,} parameters; take fewer units or words.")

    def to_json(self) -> dict[str, Any]:
        """Ready for JSON and for `from_json`."""
        return {name: value for name, value in asdict(self).items() if name not in _NOT_CHOSEN}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises LabError, in one sentence, for anything that is no lesson."""
        known = {each.name for each in fields(cls)} - _NOT_CHOSEN
        if unknown := sorted(set(data) - known):
            raise LabError(f"A lesson has no setting called {_shown(unknown[0])}.")
        if missing := [name for name in ("name", "title", "summary", "task", "dataset") if name not in data]:
            raise LabError(f"A lesson needs a {missing[0]}.")
        return cls(**data)


def hyperparameters(task: str) -> list[Hyperparameter]:
    """The settings that a lesson of this task has, in the order in which a page shows them."""
    return [setting for setting in HYPERPARAMETERS.values() if task in setting.tasks]


def parameter_count(recipe: LessonRecipe, vocabulary: int, outputs: int = 1) -> int:
    """How many weights the network of a lesson has, counted as Keras counts them.

    Args:
        recipe: of any task.
        vocabulary: ids that its embedding has: words or characters; ignored by a forecaster.
        outputs: labels, characters, or values that a forecaster answers with.
    """
    reads = recipe.embedding if recipe.task != "forecaster" else 1
    total = vocabulary * reads if recipe.task != "forecaster" else 0
    blocks, units = BLOCKS[recipe.cell], recipe.units
    biases = 2 if recipe.cell == "gru" else 1  # Keras's GRU keeps one bias for each product
    for _ in range(recipe.layers):
        total += blocks * (units * (reads + units) + biases * units)
        reads = units
    return total + (reads + 1) * outputs


def _shown(value: Any) -> str:
    return repr(value if isinstance(value, int | float) else str(value)[:60])
