"""Trains a lesson and tells of it: loss, gradient, speed and time left, and what the network makes of one example.

Backend-neutral. The same seed gives the same curves on one machine and backend. What is learnt from is in
`training/lessons/data.py`; the job around it, and what is left when it ends, in `training/lessons/job.py`.
"""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_core.arrays import Array
from lstm_core.nn.jax_lstm import faster
from lstm_core.training.lessons.architectures import answering_with_logits, network, optimizer, set_forget_bias
from lstm_core.training.lessons.batches import batches
from lstm_core.training.lessons.material import TrainingData
from lstm_core.training.lessons.recipe import LessonRecipe, chance

POINTS = 400  # of the curve by step, at most
TELL_EVERY, ASK_EVERY = 0.2, 0.1  # seconds between two events, and between two looks at the stop
KEPT_SMALL = 300_000  # parameters up to which weights are kept at each epoch
BLOWN_UP = 30.0  # times the loss of guessing, or a forecaster's first: a run that got there learns nothing any more


@dataclass(frozen=True)
class LessonProgress:
    """Where a lesson stands.

    `loss` and `accuracy` are means over the steps since the last point of the curve; of a whole epoch they are the
    means of that epoch. `left` is None until some steps were timed; validation figures come with whole epochs.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    seconds: float
    loss: float
    accuracy: float | None = None
    gradient_norm: float | None = None
    samples_per_second: float | None = None
    left: float | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    example: dict[str, Any] | None = None
    diverged: dict[str, Any] | None = None

    @property
    def whole_epoch(self) -> bool:
        """Whether an epoch has just ended."""
        return self.validation_loss is not None

    @property
    def line(self) -> str:
        """Where the run stands, for a person to read."""
        if self.diverged:
            return str(self.diverged["why"])
        line = f"epoch {self.epoch}/{self.epochs}  step {self.step}/{self.steps}  {self.seconds:4.0f} s  "
        line += f"loss {self.loss:.3f}" + ("" if self.accuracy is None else f"  accuracy {self.accuracy:.3f}")
        if self.validation_loss is not None:
            line += f"  validation {self.validation_loss:.3f}"
            return line + ("" if self.validation_accuracy is None else f" {self.validation_accuracy:.3f}")
        return line + ("" if self.left is None else f"  {self.left:.0f} s left")

    @property
    def event(self) -> dict[str, Any]:
        """What a job tells: all that is known, without what isn't."""
        return {key: value for key, value in asdict(self).items() if value is not None} | {
            "whole_epoch": self.whole_epoch
        }


Tell = Callable[[LessonProgress], None]


@dataclass
class Run:
    """What a training leaves.

    Attributes:
        model: the stock network, with its last finite weights.
        steps: curves by step: `step` from 1 over the whole run, `loss`, `accuracy`, `gradient_norm`.
        epochs: curves by epoch: `loss`, `accuracy`, `validation_loss`, `validation_accuracy`.
        examples: what the network made of the fixed example, untrained and after each epoch.
        kept: weights, untrained and after each epoch; empty for a large network.
        ended: "finished", "stopped" or "diverged".
        diverged: where and why, if it did.
        seconds: of the training alone.
    """

    model: keras.Model
    steps: dict[str, list[float]] = field(default_factory=dict)
    epochs: dict[str, list[float]] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)
    kept: list[list[Array]] = field(default_factory=list)
    ended: str = "finished"
    diverged: dict[str, Any] | None = None
    seconds: float = 0.0


def train(
    recipe: LessonRecipe,
    material: TrainingData,
    loaded: Callable[[keras.Model], Any],
    tell: Tell,
    stopped: Callable[[], bool],
    loss: Any = None,
) -> Run:
    """Train a lesson's network on its material.

    Args:
        recipe: how.
        material: on what.
        loaded: stock network → the loaded model that reads the fixed example.
        tell: hears of it several times a second at most, and after each epoch.
        stopped: asked several times a second; once true, the run ends within a step and keeps what it has.
        loss: of a forecaster; others have cross-entropy.
    """
    leave_tensorflow_out()
    keras.utils.set_random_seed(recipe.seed)
    model = network(recipe, material.size, material.outputs)
    set_forget_bias(model, recipe.forget_bias)
    run = Run(keras.models.clone_model(model))
    training, held = batches(recipe, material)
    # A first step can be the one that is too long, so what it left is no measure where guessing is.
    known = chance(material.outputs) if recipe.task != "forecaster" else math.nan
    watch = _Watch(recipe, run, loaded, material.example, tell, stopped, len(training), training.rows, known)
    watch.look(model)
    metrics = []
    if loss is None:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    steps = optimizer(recipe)
    steps.build(model.trainable_variables)  # here, because TensorFlow would do it in the middle of its first step
    with faster(model), _bare_answer(recipe, model):
        model.compile(optimizer=steps, loss=loss, metrics=metrics)
        model.fit(training, validation_data=held, epochs=recipe.epochs, callbacks=[watch], verbose=0, shuffle=False)
    watch.leave(model)
    return run


def leave_tensorflow_out() -> None:
    """Keep Keras on JAX from bringing TensorFlow in, as it does to serialise a layer: seconds and 400 MB for nothing.

    Keras runs on JAX without TensorFlow being installed at all; here it looks as if it weren't. Nothing happens where
    TensorFlow is the backend or is there already.
    """
    if keras.backend.backend() == "jax":
        sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]  # Python's way to say "not to be had"


@contextmanager
def _bare_answer(recipe: LessonRecipe, model: keras.Model) -> Iterator[None]:
    if recipe.task == "forecaster":
        yield
        return
    with answering_with_logits(model):
        yield


class _Watch(keras.callbacks.Callback):
    """Follows one training: curves, weights, the example, events; ends it when told to, or when it diverges."""

    def __init__(
        self,
        recipe: LessonRecipe,
        run: Run,
        loaded: Callable[[keras.Model], Any],
        example: Callable[[Any], dict[str, Any]],
        tell: Tell,
        stopped: Callable[[], bool],
        steps: int,
        rows: int,
        harmless: float,
    ) -> None:
        super().__init__()
        self._recipe, self._run, self._loaded, self._example = recipe, run, loaded, example
        self._tell, self._stopped, self._steps = tell, stopped, steps
        self._stride = max(1, steps * recipe.epochs // POINTS)
        self._pace = Pace(steps, recipe.epochs, rows)
        self._epoch, self._step, self._told, self._asked = 0, 0, 0.0, 0.0
        self._sums = {"loss": 0.0, "accuracy": 0.0}  # of this epoch, up to the last point
        self._at, self._harmless, self._ending = 0, harmless, False
        self._finite: list[Array] = []
        self._began = time.monotonic()

    def look(self, model: keras.Model) -> dict[str, Any]:
        """Let the network read the fixed example, and keep its weights if it is small."""
        weights = model.get_weights()
        self._finite = weights
        self._run.model.set_weights(weights)
        found = self._example(self._loaded(self._run.model))
        self._run.examples.append(found)
        if model.count_params() <= KEPT_SMALL:
            self._run.kept.append(weights)
        return found

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Keep count."""
        self._epoch, self._at = epoch + 1, 0
        self._sums = dict.fromkeys(self._sums, 0.0)
        self._pace.epoch_begins()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A point of the curve now and then; and is it time to end?"""
        self._step += 1
        self._pace.step_ends()
        loss = float(logs["loss"])  # the mean of this epoch so far
        if not math.isfinite(loss):
            self._diverge(loss, "became infinite, or no number at all,")
            return
        if self._step % self._stride == 0 or batch + 1 == self._steps:
            self._point(batch + 1, logs)
        now = time.monotonic()
        if now - self._asked >= ASK_EVERY:
            self._asked = now
            if self._stopped():
                self._end("stopped")

    def _point(self, batch: int, logs: Any) -> None:
        """One point of the curve by step; the figures are means over the steps since the last one."""
        span, means = batch - self._at, {}
        for name in self._sums:
            if name in logs:
                total = float(logs[name]) * batch
                means[name] = (total - self._sums[name]) / span
                self._sums[name] = total
        self._at = batch
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()  # while it trains, JAX's values aren't in the variables
        norm = float(ops.convert_to_numpy(self.model.optimizer.gradient_norm.value))
        for name, value in {"step": self._step, **means, "gradient_norm": norm}.items():
            self._run.steps.setdefault(name, []).append(_short(value))
        if math.isnan(self._harmless):
            self._harmless = max(means["loss"], 0.1)
        if means["loss"] > BLOWN_UP * self._harmless:
            self._diverge(means["loss"], f"is {BLOWN_UP:.0f} times that of a network that knows nothing, or more,")
            return
        if self.model.count_params() <= KEPT_SMALL:
            self._keep_finite()
        now = time.monotonic()
        if now - self._told >= TELL_EVERY:
            self._told = now
            self._tell(self._progress(batch, means, gradient_norm=norm))

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Nobody waits for the validation part of a run that is ending."""
        if self._ending:
            self.model.stop_evaluating = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """A point of the curves by epoch, and the example."""
        if self._ending:
            return
        names = {"loss": "loss", "accuracy": "accuracy"}
        names |= {f"val_{name}": f"validation_{name}" for name in names}
        found = {names[key]: float(value) for key, value in logs.items() if key in names}
        if not math.isfinite(found["validation_loss"]):
            self._diverge(found["validation_loss"], "became infinite, or no number at all,")
            return
        for name, value in found.items():
            self._run.epochs.setdefault(name, []).append(_short(value))
        norm = self._run.steps["gradient_norm"][-1]
        example = self.look(self.model)
        self._pace.epoch_ends()
        self._told = time.monotonic()
        self._tell(self._progress(self._steps, found, gradient_norm=norm, example=example))
        if self._stopped():
            self._end("stopped")

    def leave(self, model: keras.Model) -> None:
        """After the last step: the weights that are kept."""
        if self._run.ended != "diverged":
            self._finite = model.get_weights()
        self._run.model.set_weights(self._finite)
        self._run.seconds = time.monotonic() - self._began

    def _keep_finite(self) -> None:
        weights = self.model.get_weights()
        if all(np.isfinite(each).all() for each in weights):
            self._finite = weights

    def _end(self, how: str) -> None:
        self._run.ended, self._ending = how, True
        self.model.stop_training = True

    def _diverge(self, loss: float, what: str) -> None:
        why = (
            f"It diverged at step {self._step}: the loss {what} because steps were too long. Try a smaller learning "
            "rate."
        )
        shown = loss if math.isfinite(loss) else str(loss)
        self._run.diverged = {"epoch": self._epoch, "step": self._step, "loss": shown, "why": why}
        self._end("diverged")
        finite = loss if math.isfinite(loss) else self._run.steps.get("loss", [0.0])[-1]
        at = (self._step - 1) % self._steps + 1
        self._tell(self._progress(at, {"loss": finite}, diverged=self._run.diverged))

    def _progress(self, step: int, figures: dict[str, float], **more: Any) -> LessonProgress:
        return LessonProgress(
            epoch=self._epoch,
            epochs=self._recipe.epochs,
            step=step,
            steps=self._steps,
            seconds=round(time.monotonic() - self._began, 3),
            **figures,  # type: ignore[arg-type]
            samples_per_second=self._pace.samples_per_second,
            left=self._pace.left(self._step),
            **more,
        )


class Pace:
    """How fast steps go, and how long the rest will take; the first step, which compiles, isn't counted."""

    def __init__(self, steps: int, epochs: int, batch: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`steps` an epoch of `batch` examples each."""
        self._steps, self._epochs, self._batch, self._clock = steps, epochs, batch, clock
        self._recent: deque[float] = deque(maxlen=100)  # seconds of the last steps
        self._last, self._between, self._compiled = clock(), math.inf, False

    def epoch_begins(self) -> None:
        """What lies between two epochs isn't a step's."""
        self._last = self._clock()

    def step_ends(self) -> None:
        """One more step."""
        now = self._clock()
        if self._compiled:
            self._recent.append(now - self._last)
        self._compiled, self._last = True, now

    def epoch_ends(self) -> None:
        """After validation and the example: the shortest time that they took is what they take."""
        self._between = min(self._between, self._clock() - self._last)

    @property
    def samples_per_second(self) -> float | None:
        """Over the last hundred steps; None before there are any."""
        total = sum(self._recent)
        return round(self._batch * len(self._recent) / total, 1) if total > 0 else None

    def left(self, done: int) -> float | None:
        """Seconds that the rest will take after so many steps; None before any was timed."""
        if not self._recent:
            return None
        each = sum(self._recent) / len(self._recent)
        breaks = self._epochs - done // self._steps if math.isfinite(self._between) else 0
        return round((self._steps * self._epochs - done) * each + breaks * (self._between if breaks else 0.0), 1)


def _short(value: float) -> float:
    """Six digits are plenty for a curve."""
    return float(f"{value:.6g}")
