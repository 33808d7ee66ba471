"""Synthetic tasks that test the memory of recurrent networks: data, presets of races, and small trained networks."""

from lstm_core.memory_tasks.config import (
    LEARNING_RATES,
    PRESETS,
    RACE_RANGES,
    Race,
    measured_races,
    race_from_arguments,
)
from lstm_core.memory_tasks.examples import Example, task_example
from lstm_core.memory_tasks.network import (
    GymNetwork,
    carrier_unit,
    counts_to,
    measure_network,
    networks_from_weights,
)
from lstm_core.memory_tasks.symbol_tasks import BITS
from lstm_core.memory_tasks.tasks import TASKS, Task, find_task

__all__ = [
    "BITS",
    "LEARNING_RATES",
    "PRESETS",
    "RACE_RANGES",
    "TASKS",
    "Example",
    "GymNetwork",
    "Race",
    "Task",
    "carrier_unit",
    "counts_to",
    "find_task",
    "measure_network",
    "measured_races",
    "networks_from_weights",
    "race_from_arguments",
    "task_example",
]
