"""The one trainer: it fits every network of the lab, each described by a task as a `Stage`.

Shared are progress events, stopping within a step, divergence, curves, the best weights, and the time that is left.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_core.arrays import Array
from lstm_core.jobs.checkpoint import Checkpoint
from lstm_core.nn.jax_lstm import faster
from lstm_core.training.progress import Pace, Progress

POINTS = 400  # of the curve by step, at most
REPORT_EVERY, CHECK_EVERY = 0.2, 0.1  # seconds between two reports, and between two looks at the stop
SMALL = 300_000  # parameters up to which finite weights are kept while an epoch runs, and weights of each epoch
SAVE_SHARE = 0.05  # of the time, at most, in which checkpoints are written
DIVERGED = 30.0  # times the loss of guessing, or of the first steps: such a run learns nothing any more


Report = Callable[[Progress], Any]
ShouldStop = Callable[[], bool]


@dataclass
class Stage:
    """One network to fit, as a task describes it.

    Attributes:
        model: the compiled model that learns.
        batches: a `keras.utils.PyDataset`; each epoch goes through all of it. `sizes`, if it has them, are their rows.
        epochs: how many.
        validation: batches that Keras evaluates after each epoch, with the loss and metrics of `model`.
        measure: (a copy of `network`) → further figures of an epoch, such as `validation_loss`.
        network: the stock network that is kept and saved; it shares its layers with `model`. None for `model` itself.
        name: of the stage, where a task has several.
        keep_best: keep the weights of the epoch with the lowest `validation_loss`, or else the last ones.
        keep_epochs: keep the weights of each epoch of a small network.
        example: (a copy of `network`) → what it makes of a fixed example; also called before the first step.
        chance: the loss of guessing, by which a diverging run is known; None for the loss of the first steps.
        logits: leave a final softmax to the loss while the network learns. Keras clips probabilities before it takes
            their logarithm, so that a diverging network would look as if its loss stopped at 16 nats.
        unit: of `validation_loss`, where it isn't that of the loss.
        callbacks: further ones of Keras, called before the trainer's own.
    """

    model: keras.Model
    batches: keras.utils.PyDataset
    epochs: int
    validation: keras.utils.PyDataset | None = None
    measure: Callable[[keras.Model], Mapping[str, float]] | None = None
    network: keras.Model | None = None
    name: str = ""
    keep_best: bool = False
    keep_epochs: bool = False
    example: Callable[[keras.Model], dict[str, Any]] | None = None
    chance: float | None = None
    logits: bool = False
    unit: str = ""
    callbacks: tuple[keras.callbacks.Callback, ...] = ()


@dataclass
class Fit:
    """What one stage leaves.

    Attributes:
        network: a stock network with the weights that are kept: the best or the last finite ones.
        steps: curves by step: `step` from 1 over the whole stage, `loss`, `accuracy`, `gradient_norm`.
        epochs: curves by epoch: `loss`, `accuracy`, `validation_loss`, `validation_accuracy` and what was measured.
        examples: what the network made of the fixed example, untrained and after each epoch.
        weights: those of each epoch, untrained first; empty for a large network.
        kept_epoch: the epoch, from 1, of which the weights are kept; 0 if none was whole.
        diverged: where and why, if it did.
        seconds: of the stage.
    """

    network: keras.Model
    steps: dict[str, list[float]] = field(default_factory=dict)
    epochs: dict[str, list[float]] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)
    weights: list[list[Array]] = field(default_factory=list)
    kept_epoch: int = 0
    diverged: dict[str, Any] | None = None
    seconds: float = 0.0


class Trainer:
    """Fits the stages of one training with one clock and stop; `ended` is "finished", "stopped" or "diverged"."""

    def __init__(
        self,
        report: Report = lambda progress: None,
        should_stop: ShouldStop = lambda: False,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Begin the clock.

        Args:
            report: called several times a second at most and after each epoch.
            should_stop: asked as often.
            checkpoint: where each stage is kept after its epochs, and goes on from if there is something.
        """
        if keras.backend.backend() == "jax":
            # To serialize a layer, Keras on JAX imports TensorFlow if it is installed: seconds and 400 MB for nothing.
            sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]  # Python's "can't be imported"
        self.report, self.should_stop, self.checkpoint = report, should_stop, checkpoint
        self.ended = "finished"
        self.stages = 0  # that have begun
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the training began."""
        return time.monotonic() - self.began

    def fit(self, stage: Stage) -> Fit:
        """Fit a stage's network from its first epoch to its last; ends early where the run was stopped or diverges."""
        fitting = Fitting(self, stage)
        fitting.run(stage.epochs)
        return fitting.finish()


class Fitting(keras.callbacks.Callback):
    """One stage under way; `Trainer.fit` runs all of its epochs at once, a race runs those of three in turn."""

    def __init__(self, trainer: Trainer, stage: Stage) -> None:
        super().__init__()
        self._trainer, self._stage, self._steps = trainer, stage, len(stage.batches)
        self._network = stage.network or stage.model
        self.result = Fit(type(self._network).from_config(self._network.get_config()))  # uncompiled
        self._began, self._epoch, self._step = time.monotonic(), 0, 0
        self._stride = max(1, self._steps * stage.epochs // POINTS)
        self._pace = Pace(self._steps, stage.epochs, getattr(stage.batches, "rows", 0))
        self._sums: dict[str, float] = {}  # of this epoch, up to the last point of the curve
        self._last_point, self._reported, self._checked = 0, 0.0, 0.0
        self._batches, self._seen = stage.batches, np.zeros(1)
        self._chance, self._ending = stage.chance, trainer.ended != "finished"
        self._small = self._network.count_params() <= SMALL
        self._kept = self._network.get_weights()
        if not stage.model.optimizer.built:  # TensorFlow would trace a step that makes variables a second time
            stage.model.optimizer.build(stage.model.trainable_variables)
        self._best = math.inf
        self._planned, self._next_save = 0, 0.0
        trainer.stages += 1
        self._part = f"stage-{trainer.stages}"  # of the checkpoint
        if not self._resume() and (stage.example or stage.keep_epochs):
            self._look()

    def run(self, epochs: int, batches: keras.utils.PyDataset | None = None) -> None:
        """Go through so many more epochs, or fewer if the run ends; of other batches than the stage's, if given."""
        stage, batches = self._stage, batches or self._stage.batches
        self._planned += epochs
        epochs, done = min(epochs, self._planned - self._epoch), epochs - (self._planned - self._epoch)
        if self._ending or epochs <= 0:
            return
        for _ in range(done):  # by the worker that was lost
            batches.on_epoch_end()
        self._batches, self._steps = batches, len(batches)
        with faster(stage.model), _softmax_in_the_loss(stage.model if stage.logits else None):
            stage.model.fit(
                batches,
                validation_data=stage.validation,
                initial_epoch=self._epoch,
                epochs=self._epoch + epochs,
                callbacks=[*stage.callbacks, self],
                shuffle=False,
                verbose=0,
            )

    def finish(self) -> Fit:
        """After the last step: put the weights that are kept into the network of the result."""
        if not self.result.kept_epoch and not self.result.diverged:
            self._keep_finite()
        if not self._stage.keep_best:
            self.result.kept_epoch = len(self.result.epochs.get("loss", []))
        self._save()
        self.result.network.set_weights(self._kept)
        self.result.seconds = time.monotonic() - self._began
        return self.result

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Count epochs from 1, and begin their sums; all variables are now what the step after the last one needs."""
        if epoch:
            self._save()
        self._epoch, self._last_point, self._sums = epoch + 1, 0, {}
        self._seen = np.cumsum([0, *getattr(self._batches, "sizes", [1] * self._steps)])
        self._pace.epoch_begins()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A point of the curve now and then, a report, and a look at the stop."""
        self._step += 1
        self._pace.step_ends()
        if not math.isfinite(float(logs["loss"])):  # the mean of this epoch so far
            self._diverge(float(logs["loss"]), "became infinite, or no number at all,")
            return
        now, last = time.monotonic(), batch + 1 == self._steps
        due = now - self._reported >= REPORT_EVERY and not last
        if (on_curve := self._step % self._stride == 0 or last) or due:
            figures = self._figures(batch + 1, logs, on_curve)
            if self._has_diverged(figures["loss"]):
                return
            if due:
                self._report(batch + 1, figures)
        if now - self._checked >= CHECK_EVERY:
            self._check(now)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Nobody waits for the validation of a run that is ending."""
        if (now := time.monotonic()) - self._checked >= CHECK_EVERY:
            self._check(now)
        if self._ending:
            self.model.stop_evaluating = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """A point of the curves by epoch, the example, and the weights, if they are better."""
        if self._ending:
            return
        figures = {_NAMES[key]: float(value) for key, value in logs.items() if key in _NAMES}
        example = self._look() if self._stage.example or self._stage.keep_epochs else None
        if self._stage.measure is not None:
            self.result.network.set_weights(self._network.get_weights())
            figures |= {name: float(value) for name, value in self._stage.measure(self.result.network).items()}
        loss = figures.get("validation_loss", 0.0)
        if not math.isfinite(loss):
            self._diverge(loss, "became infinite, or no number at all,")
            return
        for name, value in figures.items():
            self.result.epochs.setdefault(name, []).append(_rounded(value))
        if self._stage.keep_best and loss < self._best:
            self._best, self._kept, self.result.kept_epoch = loss, self._network.get_weights(), epoch + 1
        elif not self._stage.keep_best:
            self._keep_finite()
        self._pace.epoch_ends()
        known = {name: value for name, value in figures.items() if name in _NAMES.values()}
        norm = self.result.steps.get("gradient_norm", [None])[-1]
        self._report(self._steps, known, gradient_norm=norm, example=example, whole_epoch=True)
        self._check(time.monotonic())

    def _save(self) -> None:
        """Keep what another worker needs to go on after the last whole epoch, unless that would take too much time."""
        began, fit = time.monotonic(), self.result
        if self._trainer.checkpoint is None or began < self._next_save or self._trainer.ended != "finished":
            return
        variables = [ops.convert_to_numpy(variable) for variable in self._variables()]
        arrays = [*variables, *self._kept, *(array for weights in fit.weights for array in weights)]
        state = {name: getattr(fit, name) for name in _FIT} | {name: getattr(self, name) for name in _FITTING}
        self._trainer.checkpoint.write(self._part, state | {"seconds": self._trainer.seconds}, arrays)
        now = time.monotonic()
        self._next_save = now + (now - began) * (1 / SAVE_SHARE - 1)

    def _resume(self) -> bool:
        """Go on with what a lost worker has kept, if it belongs to this network; report it again."""
        found = self._trainer.checkpoint and self._trainer.checkpoint.read(self._part)
        if not found:
            return False
        state, arrays = found
        variables = self._variables()
        if [array.shape for array in arrays[: len(variables)]] != [tuple(each.shape) for each in variables]:
            return False  # of another version
        for variable, array in zip(variables, arrays, strict=False):
            variable.assign(array)
        size, rest = len(self._kept), arrays[len(variables) :]
        self._kept, *self.result.weights = (rest[at : at + size] for at in range(0, len(rest), size))
        for name in _FIT:
            setattr(self.result, name, state[name])
        for name in _FITTING:
            setattr(self, name, state[name])
        self._trainer.began = time.monotonic() - state["seconds"]
        self._report_again()
        return True

    def _variables(self) -> list[Any]:
        """All that the next step depends on: weights, the states of dropout, and the optimizer's."""
        model = self._stage.model
        return [*model.variables, *model.optimizer.variables]

    def _report_again(self) -> None:
        """Report the curves up to now, for those who only know what this worker says."""
        fit, last = self.result, self._epoch
        for number, step in enumerate(fit.steps.get("step", [])):
            self._epoch = (int(step) - 1) // self._steps + 1
            figures = {name: curve[number] for name, curve in fit.steps.items() if name != "step"}
            self._report((int(step) - 1) % self._steps + 1, figures)
        for self._epoch in range(1, last + 1):
            known = {name: curve[self._epoch - 1] for name, curve in fit.epochs.items() if name in _NAMES.values()}
            example = fit.examples[self._epoch] if fit.examples else None
            self._report(self._steps, known, example=example, whole_epoch=True)

    def _look(self) -> dict[str, Any] | None:
        """Let a copy of the network read the fixed example, and keep its weights if it is small."""
        weights = self._network.get_weights()
        if self._stage.keep_epochs and self._small:
            self.result.weights.append(weights)
        if self._stage.example is None:
            return None
        self.result.network.set_weights(weights)
        found = self._stage.example(self.result.network)
        self.result.examples.append(found)
        return found

    def _figures(self, batch: int, logs: Any, on_curve: bool) -> dict[str, float]:
        """Means over the rows since the last point of the curve; a new point of it, if one is due."""
        seen, span = self._seen[batch], max(self._seen[batch] - self._seen[self._last_point], 1)
        totals = {_NAMES[key]: float(value) * seen for key, value in logs.items() if key in _NAMES}
        figures = {name: _rounded((total - self._sums.get(name, 0.0)) / span) for name, total in totals.items()}
        if hasattr(self.model.optimizer, "gradient_norm"):
            self._sync()
            figures["gradient_norm"] = float(ops.convert_to_numpy(self.model.optimizer.gradient_norm.value))
        if on_curve:
            self._sums, self._last_point = totals, batch
            for name, value in {"step": self._step, **figures}.items():
                self.result.steps.setdefault(name, []).append(_rounded(value))
            if self._small and not self._stage.keep_best:
                self._sync()
                self._keep_finite()
        return figures

    def _sync(self) -> None:
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()  # while it trains, JAX's values aren't in the variables

    def _keep_finite(self) -> None:
        weights = self._network.get_weights()
        if all(np.isfinite(each).all() for each in weights):
            self._kept = weights

    def _check(self, now: float) -> None:
        self._checked = now
        if not self._ending and self._trainer.should_stop():
            self._end("stopped")

    def _end(self, how: str) -> None:
        self._trainer.ended, self._ending = how, True
        self.model.stop_training = True

    def _has_diverged(self, loss: float) -> bool:
        if self._chance is None:
            self._chance = max(loss, 0.1)
        if loss > DIVERGED * self._chance:
            self._diverge(loss, f"is at least {DIVERGED:.0f} times that of a network that knows nothing,")
        return self._ending

    def _diverge(self, loss: float, what: str) -> None:
        why = (
            f"It diverged at step {self._step}: the loss {what} because steps were too long. Try a smaller learning "
            "rate."
        )
        shown = loss if math.isfinite(loss) else str(loss)
        self.result.diverged = {"epoch": self._epoch, "step": self._step, "loss": shown, "why": why}
        self._end("diverged")
        finite = loss if math.isfinite(loss) else self.result.steps.get("loss", [0.0])[-1]
        self._report((self._step - 1) % self._steps + 1, {"loss": finite}, diverged=self.result.diverged)

    def _report(self, step: int, figures: Mapping[str, Any], **more: Any) -> None:
        self._reported = time.monotonic()
        more = {
            "samples_per_second": self._pace.samples_per_second, "left": self._pace.left(self._step), **figures, **more,
        }  # fmt: skip
        place = self._epoch, self._stage.epochs, step, self._steps, round(self._trainer.seconds, 3)
        self._trainer.report(Progress(*place, stage=self._stage.name, unit=self._stage.unit, **more))


# What a checkpoint holds of a fit, and of a stage under way.
_FIT, _FITTING = ("steps", "epochs", "examples", "kept_epoch"), ("_epoch", "_step", "_chance", "_best")
# The figures of a step or an epoch: Keras's name → ours.
_NAMES = {
    "loss": "loss", "accuracy": "accuracy", "categorical_accuracy": "accuracy",
    "val_loss": "validation_loss", "val_accuracy": "validation_accuracy",
    "val_categorical_accuracy": "validation_accuracy",
}  # fmt: skip


@contextmanager
def _softmax_in_the_loss(model: keras.Model | None) -> Iterator[None]:
    """Within the block, the last layer of a model has no activation; nothing happens without a model."""
    if model is None:
        yield
        return
    answer = model.layers[-1]
    activation, answer.activation = answer.activation, keras.activations.linear
    try:
        yield
    finally:
        answer.activation = activation


def _rounded(value: float) -> float:
    """Six significant digits, as a curve needs them."""
    return float(f"{value:.6g}")
