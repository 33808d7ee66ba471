"""The state of a run, computed from its events: curves, the example of each epoch, and the progress. Draws nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

POINT = ("step", "loss", "accuracy", "gradient_norm")
EPOCH = ("step", "epoch", "loss", "validation_loss", "accuracy", "validation_accuracy")
STAGES = {"data": "Reading the data …", "network": "Building the network …", "training": "Compiling the first step …"}


@dataclass
class RunState:
    """What the events of a run have reported so far; the curves of `POINT` and `EPOCH` have None where unknown."""

    stage: str = "Waiting for a worker …"  # what the run does before its first step
    last: dict[str, Any] = field(default_factory=dict)  # the newest report of progress, empty before the first
    points: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in POINT})
    epochs: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in EPOCH})
    examples: list[tuple[int, dict[str, Any]]] = field(default_factory=list)  # epoch, and output for the fixed example
    summary: str = ""  # of the network, by Keras
    parameters: int = 0  # how many; 0 if not known yet
    diverged: str = ""  # why the run ended, if it diverged

    @property
    def done(self) -> float:
        """The share of all steps that are done, 0…1."""
        if not self.last:
            return 0.0
        share = self.last["share"] if "share" in self.last else self.last["step"] / self.last["steps"]
        return (self.last["epoch"] - 1 + share) / self.last["epochs"]

    def newest(self, name: str) -> float | None:
        """The last known value of a curve by epoch; None if there is none."""
        return next((value for value in reversed(self.epochs[name]) if value is not None), None)


def of(events: Sequence[dict[str, Any]]) -> RunState:
    """The state after these events; a new stage, such as a second network's, begins new curves."""
    state, network = RunState(), None
    for event in tuple(events):
        state.stage = STAGES.get(event.get("stage", ""), state.stage)
        state.summary = event.get("summary", state.summary)
        state.parameters = event.get("parameters", state.parameters)
        if "loss" not in event:
            continue
        if network is not None and event.get("stage", "") != network:
            state.points, state.epochs = {name: [] for name in POINT}, {name: [] for name in EPOCH}
        network = event.get("stage", "")
        state.last = event
        _add(state, event)
    return state


def _add(state: RunState, event: dict[str, Any]) -> None:
    """Add a report of progress to the curves."""
    if event.get("diverged"):
        state.diverged = event["diverged"]["why"]
    steps = event.get("steps", 1000)
    step = (event["epoch"] - 1) * steps + event.get("step", round(event.get("share", 1.0) * steps))
    validation = event.get("validation_loss", event.get("validation"))
    values = event | {"step": step, "validation_loss": validation}
    curves = state.epochs if validation is not None else state.points
    if validation is not None or not event.get("diverged"):
        for name, curve in curves.items():
            curve.append(values.get(name))
    if event.get("example"):
        state.examples.append((event["epoch"], event["example"]))


def in_words(state: RunState) -> str:
    """The progress of a run, in one sentence."""
    if not state.last:
        return state.stage
    words = f"Epoch {state.last['epoch']} of {state.last['epochs']}, loss {state.last['loss']:.3f}"
    validation = state.newest("validation_loss")
    return words + (f", validation loss {validation:.3f}." if validation is not None else ".")


def half_learned(losses: Sequence[float]) -> tuple[int | None, str]:
    """When the training loss had fallen half of its way (0 first tenth, 1 first half, 2 second half), and a sentence.

    `losses` are those of the steps that were reported, in their order; a moving mean smooths them here.
    """
    known = np.array([value for value in losses if value is not None], float)
    width = max(1, len(known) // 20)
    if len(known) < 2 * width or not np.isfinite(known).all():
        return None, "This run has too few steps to say."
    smooth = np.convolve(known, np.full(width, 1 / width), "valid")
    lowest = float(smooth.min())
    if smooth[0] - lowest <= 0.01 * abs(smooth[0]):
        return None, "The training loss of this run has not fallen."
    share = int(np.argmax(smooth <= (smooth[0] + lowest) / 2)) / max(len(smooth) - 1, 1)
    words = f"The training loss of your run goes from {smooth[0]:.3f} to {lowest:.3f}; half of it after {share:.0%} of "
    return (0 if share <= 0.1 else 1 if share <= 0.5 else 2), words + "the steps."
