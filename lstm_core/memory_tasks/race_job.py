"""Trains a race: a plain RNN, a GRU and an LSTM take turns on the same batches until they pass or time is up.

Stock Keras layers, whatever the backend; nothing here draws or knows of pages. `work` is what a training
worker runs, and a plain function: it can be called in any process. What a race is, is in `memory_tasks/config.py`; what
became of the weights, in `memory_tasks/network.py`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import keras
import numpy as np

from lstm_core.arrays import Array
from lstm_core.memory_tasks import config, tasks
from lstm_core.memory_tasks.config import Race
from lstm_core.memory_tasks.network import GymNetwork, measure_network
from lstm_core.memory_tasks.tasks import Batch
from lstm_core.nn.jax_lstm import faster
from lstm_core.nn.weights import Kind, weights_of

KINDS: tuple[Kind, ...] = ("rnn", "gru", "lstm")
LAYERS = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
BATCH, ROUND = 32, 25  # sequences a step; steps until the next cell's turn
CLIP = 1.0  # the common norm of all gradients is at most this (Pascanu, Mikolov & Bengio 2013)
VALIDATION = 300  # fresh sequences that every measurement is made on; see `tasks.validation` for aⁿbⁿ
LONGEST = 300.0  # seconds; a slow machine ends there
BETWEEN = 0.25  # seconds between two reports

Tell = Callable[[dict[str, Any]], None]
Stopped = Callable[[], bool]


class Runner:
    """One cell in the race: its Keras network, and how it has done so far."""

    def __init__(self, race: Race, kind: Kind, steps: int) -> None:
        """Build the network.

        Args:
            race: its settings.
            kind: which cell.
            steps: timesteps of a training sequence.
        """
        self.kind, self.task = kind, race.of
        self.layer, self.readout, self.model = _build(race, kind, steps)
        self.score: list[float] = []
        self.error: list[float] = []
        self.seconds, self.steps = 0.0, 0
        self.passed: int | None = None
        self.diverged = False

    @property
    def done(self) -> bool:
        """Whether it needs no more turns."""
        return self.passed is not None or self.diverged

    def turn(self, block: Batch, validation: Batch) -> None:
        """Learn from a block of batches, then be measured."""
        began = time.perf_counter()
        every = self.task.every_step
        self.model.fit(
            block.x,
            block.targets if every else block.targets[:, -1],
            sample_weight=block.mask if every else None,
            batch_size=BATCH,
            epochs=1,
            verbose=0,
            shuffle=False,
        )
        self.steps += math.ceil(len(block) / BATCH)
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


def work(arguments: dict[str, Any], tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """Run a race to its end; the function of a job.

    Args:
        arguments: of a `Race`, as plain values.
        tell: called a few times a second with the whole state so far: `cells`, kind → `Runner.state`; `turn`, who is
            at work; `seconds` since the start; `round`, steps between two measurements; and what the race is about.
        stopped: asked between turns.

    Returns:
        the last state, and `weights`, kind → what `gym_networks.from_bytes` reads.

    Raises:
        LabError: if the race can't be.
    """
    race = config.race_from_arguments(arguments)
    task, began = race.of, time.perf_counter()
    validation = tasks.validation(task, race.length, VALIDATION, seed=_validation_seed(race))
    about = {
        "race": race.arguments, "round": ROUND, "batch": BATCH, "mark": task.mark,
        "baseline": task.baseline(validation), "backend": keras.backend.backend(),
    }  # fmt: skip
    runners: list[Runner] = []

    def state(turn: str) -> dict[str, Any]:
        cells = {runner.kind: runner.state for runner in runners}
        return about | {"cells": cells, "turn": turn, "seconds": round(time.perf_counter() - began, 2)}

    tell(state(KINDS[0]))
    with ExitStack() as stack:
        for kind in KINDS:
            runners.append(Runner(race, kind, _timesteps(race)))
            stack.enter_context(faster(runners[-1].model))
        ended = _take_turns(race, runners, validation, lambda turn: tell(state(turn)), stopped, began)
    return state("") | {"ended": ended, "weights": {runner.kind: runner.network().to_bytes() for runner in runners}}


def _take_turns(
    race: Race, runners: list[Runner], validation: Batch, tell: Callable[[str], None], stopped: Stopped, began: float
) -> str:
    """Rounds until all have passed, the steps are used up, the time is, or somebody presses stop; says which."""
    told = time.perf_counter()
    for number in range(race.steps // ROUND):
        block = race.of.batch(race.length, ROUND * BATCH, _block_seed(race, number))
        for runner in runners:
            if runner.done:
                continue
            if stopped():
                return "stopped"
            if time.perf_counter() - began > LONGEST:
                return "time"
            if number == 0 or time.perf_counter() - told > BETWEEN:
                told = time.perf_counter()
                tell(runner.kind)
            runner.turn(block, validation)
        if all(runner.done for runner in runners):
            return "all"
    return "steps"


def _timesteps(race: Race) -> int:
    """Timesteps of a training sequence."""
    return race.of.batch(race.length, 1, 0).x.shape[1]


def _block_seed(race: Race, number: int) -> int:
    return (race.seed + 1) * 1_000_003 + number


def _validation_seed(race: Race) -> int:
    return 2_000_000_000 + race.seed  # no block has it


def _build(race: Race, kind: Kind, steps: int) -> tuple[Any, Any, Any]:
    """A layer, its readout and the compiled model; the same seed draws the same weights again."""
    task, initial = race.of, keras.initializers
    layer = getattr(keras.layers, LAYERS[kind])(
        race.units,
        return_sequences=task.every_step,
        kernel_initializer=initial.GlorotUniform(race.seed),
        recurrent_initializer=initial.Orthogonal(seed=race.seed),
    )
    readout = keras.layers.Dense(task.outputs, kernel_initializer=initial.GlorotUniform(race.seed + 1))
    model = keras.Sequential([keras.Input((steps, task.features)), layer, readout])
    layer.cell.bias.assign(_bias(kind, race))
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


def _bias(kind: Kind, race: Race) -> Array:
    """Zeros, but for the gate that keeps the old state: f of an LSTM, z of a GRU."""
    units = race.units
    if kind == "rnn":
        return np.zeros(units, np.float32)
    if kind == "lstm":
        return np.repeat(np.array([0, race.keep_bias, 0, 0], np.float32), units)
    return np.repeat(np.array([[race.keep_bias, 0, 0], [0, 0, 0]], np.float32), units, axis=1)
