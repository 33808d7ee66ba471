"""Trains a race: a plain RNN, a GRU and an LSTM take turns on the same batches until they pass or time is up."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from lstm_core.arrays import Array
from lstm_core.memory_tasks import config, tasks
from lstm_core.memory_tasks.batch import Batch
from lstm_core.memory_tasks.config import Race
from lstm_core.memory_tasks.network import GymNetwork, measure_network
from lstm_core.nn.weights import Kind, weights_of
from lstm_core.training.architectures import CELLS
from lstm_core.training.batches import Rows
from lstm_core.training.trainer import Fitting, Stage, Trainer

KINDS: tuple[Kind, ...] = ("rnn", "gru", "lstm")
BATCH, ROUND = 32, 25  # sequences a step; steps until the next cell's turn
ALWAYS_OPEN = 30.0  # the bias of a forget gate that isn't one
CLIP = 1.0  # the common norm of all gradients is at most this (Pascanu, Mikolov & Bengio 2013)
VALIDATION = 300  # fresh sequences that every measurement is made on; see `tasks.validation` for counting
LONGEST = 300.0  # seconds; a slow machine ends there
BETWEEN = 0.25  # seconds between two reports

Report = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]


def block_of(race: Race, number: int) -> Rows:
    """The batches of one turn, in order: sequences, targets and, where every step is asked, weights of the steps."""
    block = race.of.batch(race.length, ROUND * BATCH, (race.seed + 1) * 1_000_003 + number)
    if race.of.every_step:
        return Rows(block.x, block.targets, BATCH, seed=None, weights=block.mask)
    return Rows(block.x, block.targets[:, -1], BATCH, seed=None)


class Runner:
    """One cell in the race: its network under training, and how it has done so far."""

    def __init__(self, race: Race, kind: Kind, first: Rows, trainer: Trainer) -> None:
        """`first` are the batches of the first turn; all cells of a race have the same trainer."""
        self.kind, self.task = kind, race.of
        self.layer, self.readout, self.model = _build(race, kind, first[0][0].shape[1])
        self._fitting = Fitting(trainer, Stage(self.model, first, race.steps // ROUND, chance=math.inf))
        self.score: list[float] = []
        self.error: list[float] = []
        self.seconds, self.steps = 0.0, 0
        self.passed: int | None = None
        self.diverged = False

    @property
    def done(self) -> bool:
        """Whether it needs no more turns."""
        return self.passed is not None or self.diverged

    def turn(self, block: Rows, validation: Batch) -> None:
        """Learn from a block of batches, then be measured."""
        began = time.perf_counter()
        self._fitting.run(1, block)
        self.steps += len(block)
        self.seconds += time.perf_counter() - began
        score, error = measure_network(self.task, self.network(), validation)
        self.diverged = not math.isfinite(error)
        self.score.append(score)
        self.error.append(error if not self.diverged else -1.0)
        if score >= self.task.mark and not self.diverged:
            self.passed = self.steps

    def network(self) -> GymNetwork:
        """What it is now, in NumPy."""
        kernel, bias = (np.asarray(each, np.float32) for each in self.readout.get_weights())
        return GymNetwork(weights_of(self.layer), kernel, bias)

    @property
    def state(self) -> dict[str, Any]:
        """How it has done, as plain values: `score` and `error` after each turn, `passed` at which step or None."""
        return {
            "score": [round(value, 4) for value in self.score],
            "error": [round(value, 5) for value in self.error],
            "steps": self.steps,
            "seconds": round(self.seconds, 2),
            "passed": self.passed,
            "diverged": self.diverged,
        }


def work(arguments: dict[str, Any], report: Report, should_stop: ShouldStop) -> dict[str, Any]:
    """Run a race to its end; the function of a job.

    Args:
        arguments: of a `Race`, as plain values.
        report: called a few times a second with the whole state so far: `cells`, kind → `Runner.state`; `turn`, whose
            turn it is; `seconds` since the start; `round`, steps between two measurements; and the race's settings.
        should_stop: asked several times a second.

    Returns:
        the last state, and `weights`, kind → what `network.from_bytes` reads.

    Raises:
        LabError: if the settings are out of range.
    """
    race = config.race_from_arguments(arguments)
    task = race.of
    validation = validation_of(race)
    about = {
        "race": race.arguments, "round": ROUND, "batch": BATCH, "mark": task.mark,
        "baseline": task.baseline(validation), "backend": keras.backend.backend(),
    }  # fmt: skip
    trainer, first = Trainer(should_stop=should_stop), block_of(race, 0)
    runners: list[Runner] = []

    def state(turn: str) -> dict[str, Any]:
        cells = {runner.kind: runner.state for runner in runners}
        return about | {"cells": cells, "turn": turn, "seconds": round(trainer.seconds, 2)}

    report(state(KINDS[0]))
    runners += [Runner(race, kind, first, trainer) for kind in KINDS]
    ended = _take_turns(race, runners, validation, lambda turn: report(state(turn)), trainer)
    return state("") | {"ended": ended, "weights": {runner.kind: runner.network().to_bytes() for runner in runners}}


def _take_turns(
    race: Race, runners: list[Runner], validation: Batch, report: Callable[[str], None], trainer: Trainer
) -> str:
    """Rounds until all have passed, the steps or the time are used up, or the run is stopped; returns which."""
    reported = 0.0
    for number in range(race.steps // ROUND):
        block = block_of(race, number)
        for runner in runners:
            if runner.done:
                continue
            if trainer.should_stop():
                return "stopped"
            if trainer.seconds > LONGEST:
                return "time"
            if number == 0 or trainer.seconds - reported > BETWEEN:
                reported = trainer.seconds
                report(runner.kind)
            runner.turn(block, validation)
        if all(runner.done for runner in runners):
            return "all"
    return "steps"


def validation_of(race: Race) -> Batch:
    """The fresh sequences on which every cell of a race is measured."""
    return tasks.validation(race.of, race.length, VALIDATION, seed=2_000_000_000 + race.seed)  # no block has that seed


def _build(race: Race, kind: Kind, steps: int) -> tuple[Any, Any, Any]:
    """A layer, its readout and the compiled model; the same seed draws the same weights again."""
    task, initial = race.of, keras.initializers
    layer = CELLS[kind](
        race.units,
        return_sequences=task.every_step,
        kernel_initializer=initial.GlorotUniform(race.seed),
        recurrent_initializer=initial.Orthogonal(seed=race.seed),
    )
    readout = keras.layers.Dense(task.outputs, kernel_initializer=initial.GlorotUniform(race.seed + 1))
    model = keras.Sequential([keras.Input((steps, task.features)), layer, readout])
    layer.cell.bias.assign(_bias(kind, race))
    if kind == "lstm" and not race.forget_gate:
        _without_forget_gate(layer)
    losses = {
        "mse": keras.losses.MeanSquaredError(),
        "categorical_crossentropy": keras.losses.CategoricalCrossentropy(from_logits=True),
        "binary_crossentropy": keras.losses.BinaryCrossentropy(from_logits=True),
    }
    model.compile(
        optimizer=keras.optimizers.Adam(race.rate, global_clipnorm=CLIP),
        loss=losses[task.loss],
        jit_compile=keras.backend.backend() == "jax",  # TensorFlow's own loops are slower when compiled
    )
    return layer, readout, model


def _without_forget_gate(layer: Any) -> None:
    """Let f be 1 for good: σ(`ALWAYS_OPEN`) is exactly 1 in float32, and has no gradient that would change it."""
    units = layer.units
    for weights, value in ((layer.cell.kernel, 0), (layer.cell.recurrent_kernel, 0), (layer.cell.bias, ALWAYS_OPEN)):
        values = np.array(weights)
        values[..., units : 2 * units] = value  # Keras's order is i, f, candidate, o
        weights.assign(values)


def _bias(kind: Kind, race: Race) -> Array:
    """Zeros, but for the gate that keeps the old state: f of an LSTM, z of a GRU."""
    units = race.units
    if kind == "rnn":
        return np.zeros(units, np.float32)
    if kind == "lstm":
        return np.repeat(np.array([0, race.keep_bias, 0, 0], np.float32), units)
    return np.repeat(np.array([[race.keep_bias, 0, 0], [0, 0, 0]], np.float32), units, axis=1)
