"""What a run has told so far, put in order: curves, the fixed example, and where it stands. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

POINT = ("step", "loss", "accuracy", "gradient_norm")
EPOCH = ("step", "epoch", "loss", "validation_loss", "accuracy", "validation_accuracy")
STAGES = {
    "data": "Reading the data …",
    "network": "Building the network …",
    "training": "Compiling the first step …",
}


@dataclass
class RunState:
    """A run's story, from its events.

    Attributes:
        stage: what it is doing before its first step, in words.
        last: the newest report of progress, empty before the first.
        points: curves by step: `step` over the whole run, `loss`, `accuracy`, `gradient_norm`; None where unknown.
        epochs: curves by epoch: `step` at its end, `epoch`, `loss`, `validation_loss`, `accuracy`,
            `validation_accuracy`.
        examples: what the network made of the fixed example, with the epoch of each.
        summary: the network as Keras summarises it.
        parameters: how many; 0 if not known yet.
        diverged: why it ended, if it diverged.
    """

    stage: str = "Waiting for a worker …"
    last: dict[str, Any] = field(default_factory=dict)
    points: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in POINT})
    epochs: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in EPOCH})
    examples: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    summary: str = ""
    parameters: int = 0
    diverged: str = ""

    @property
    def done(self) -> float:
        """The share of all steps that is behind it, 0…1."""
        if not self.last:
            return 0.0
        if "share" in self.last:
            return (self.last["epoch"] - 1 + self.last["share"]) / self.last["epochs"]
        return ((self.last["epoch"] - 1) * self.last["steps"] + self.last["step"]) / (
            self.last["epochs"] * self.last["steps"]
        )


def of(events: Sequence[dict[str, Any]]) -> RunState:
    """Put events in order; a stage that begins again, such as a second network's, begins new curves."""
    told, network = RunState(), None
    for event in tuple(events):
        told.stage = STAGES.get(event.get("stage", ""), told.stage)
        told.summary = event.get("summary", told.summary)
        told.parameters = event.get("parameters", told.parameters)
        if "loss" not in event:
            continue
        if network is not None and event.get("stage", "") != network:
            told.points, told.epochs = {name: [] for name in POINT}, {name: [] for name in EPOCH}
        network = event.get("stage", "")
        told.last = event
        _add(told, event)
    return told


def _add(told: RunState, event: dict[str, Any]) -> None:
    if event.get("diverged"):
        told.diverged = event["diverged"]["why"]
    steps = event.get("steps", 1000)
    within = event.get("step", round(event.get("share", 1.0) * steps))
    step = (event["epoch"] - 1) * steps + within
    validation = event.get("validation_loss", event.get("validation"))
    if validation is None and not event.get("diverged"):
        for name, value in {**event, "step": step}.items():
            if name in POINT:
                told.points[name].append(value)
        for name in POINT:
            if len(told.points[name]) < len(told.points["step"]):
                told.points[name].append(None)
    if validation is not None:
        found = {**event, "step": step, "validation_loss": validation}
        for name in EPOCH:
            told.epochs[name].append(found.get(name))
    if event.get("example"):
        told.examples.append((event["epoch"], event["example"]))


def in_words(story: RunState) -> str:
    """Where a run stands, in one sentence."""
    if not story.last:
        return story.stage
    words = f"Epoch {story.last['epoch']} of {story.last['epochs']}, loss {story.last['loss']:.3f}"
    losses = [value for value in story.epochs["validation_loss"] if value is not None]
    return words + (f", validation loss {losses[-1]:.3f}." if losses else ".")
