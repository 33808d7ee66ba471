"""Where a training run stands, and how fast it goes."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        epoch, step: from 1, of `epochs` and, within the epoch, of `steps`.
        seconds: since the trainer began.
        loss, accuracy: over the steps since the last point of the curve; for a whole epoch, over that epoch.
        gradient_norm: before clipping; where the optimizer keeps it.
        samples_per_second: over the last hundred steps.
        left: seconds that the rest of the stage will take.
        example: what the network makes of the fixed example, after a whole epoch.
        diverged: `epoch`, `step`, `loss` and `why`, if the run has just ended that way.
        stage: its name; "" where there is only one.
        unit: of the validation loss, where it isn't that of the loss.
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
    whole_epoch: bool = False
    stage: str = ""
    unit: str = ""

    @property
    def share(self) -> float:
        """The share of the stage's steps that is done, 0…1."""
        return ((self.epoch - 1) * self.steps + self.step) / (self.epochs * self.steps)

    @property
    def line(self) -> str:
        """Where the run stands, for a person to read."""
        if self.diverged:
            return str(self.diverged["why"])
        line = f"{self.stage}: " if self.stage else ""
        line += f"epoch {self.epoch}/{self.epochs}  step {self.step}/{self.steps}  {self.seconds:4.0f} s  "
        line += f"loss {self.loss:.3f}" + ("" if self.accuracy is None else f"  accuracy {self.accuracy:.3f}")
        if self.whole_epoch:
            known = (each for each in (self.validation_loss, self.validation_accuracy) if each is not None)
            figures = " ".join(f"{each:.3f}" for each in known)
            return f"{line}  validation {figures} {self.unit}".rstrip() if figures else line
        return line + ("" if self.left is None else f"  {self.left:.0f} s left")

    @property
    def event(self) -> dict[str, Any]:
        """What a job reports: all that is known, without what isn't."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}


class Pace:
    """How fast steps go, and how long the rest will take; the first step, which compiles, isn't counted."""

    def __init__(self, steps: int, epochs: int, batch: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`steps` an epoch of `batch` examples each."""
        self._steps, self._epochs, self._batch, self._clock = steps, epochs, batch, clock
        self._recent: deque[float] = deque(maxlen=100)  # seconds of the last steps
        self._last, self._between, self._compiled = clock(), math.inf, False

    def epoch_begins(self) -> None:
        """The time between two epochs is no step's."""
        self._last = self._clock()

    def step_ends(self) -> None:
        """One more step."""
        now = self._clock()
        if self._compiled:
            self._recent.append(now - self._last)
        self._compiled, self._last = True, now

    def epoch_ends(self) -> None:
        """After validation and the example; the shortest time that they took is taken for the next ones."""
        self._between = min(self._between, self._clock() - self._last)

    @property
    def samples_per_second(self) -> float | None:
        """Over the last hundred steps; None before there are any."""
        total = sum(self._recent)
        return round(self._batch * len(self._recent) / total, 1) if total > 0 and self._batch else None

    def left(self, done: int) -> float | None:
        """Seconds that the rest will take after so many steps; None before any was timed."""
        if not self._recent:
            return None
        each = sum(self._recent) / len(self._recent)
        breaks = self._epochs - done // self._steps if math.isfinite(self._between) else 0
        return round((self._steps * self._epochs - done) * each + breaks * (self._between if breaks else 0.0), 1)
