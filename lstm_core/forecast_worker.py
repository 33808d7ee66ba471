"""Trains a forecaster on somebody's own series in a process of its own, so that nobody else has to wait.

`Training` is the side of the app: start, ask, stop. `main` is the side of the worker: it reads the series from a
folder, writes how far it is, and leaves a model's folder there. The two share nothing but that folder and a pipe that
tells the worker when the app is gone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.errors import LabError
from lstm_core.forecast_recipes import ForecastRecipe
from lstm_core.intake import replacing
from lstm_core.series import Series

LIMIT = 300.0  # seconds that a training may take
MOST_WORKERS = 2  # at a time, of everybody together
PROGRESS, FAILURE, SERIES, RECIPE, MODEL = "progress.json", "failure.json", "series.npz", "recipe.json", "model"
# The training of this app's visitors runs beside pages that should stay quick: one thread, and the last in line.
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
_places = threading.BoundedSemaphore(MOST_WORKERS)


def recipe_for(series: Series, epochs: int = 30) -> ForecastRecipe:
    """A small network that a series of this length can bear: window and horizon grow with it, up to a point."""
    length = len(series)
    horizon = min(max(length // 25, 2), 12)
    window = min(max(length // 10, 4), max(2 * series.season, 32), 64)
    return ForecastRecipe(
        name=series.name,
        title=series.title,
        dataset=series.name,
        summary=f"An LSTM that was trained just now, on the first {series.parts.training:,} values of your series.",
        window=window,
        horizon=horizon,
        units=16 if length < 400 else 24,
        dropout=0.2 if length < 400 else 0.0,
        epochs=epochs,
        batch=32 if length < 400 else 64,
        command="on the page “Forecasting”",
    )


@dataclass(frozen=True)
class State:
    """Where a training stands.

    Attributes:
        share: 0…1 of it that is done.
        line: the same in words.
        failure: why it ended without a network, a sentence; empty if it didn't.
        done: whether a network lies in `Training.model`.
    """

    share: float = 0.0
    line: str = "The worker is starting and loading TensorFlow …"
    failure: str = ""
    done: bool = False

    @property
    def over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.done or bool(self.failure)


class Training:
    """A training in a process of its own. Every method returns at once."""

    def __init__(self, series: Series, recipe: ForecastRecipe | None = None, limit: float = LIMIT) -> None:
        """Start it.

        Raises:
            LabError: if as many as may be are running, or no process can be started.
        """
        if not _places.acquire(blocking=False):
            raise LabError(f"{MOST_WORKERS} other networks are being trained at the moment; try again in a minute.")
        self._stopped = False
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="lstm-lab-", ignore_cleanup_errors=True)
            self._process = self._start(series, recipe or recipe_for(series))
        except OSError as error:
            _places.release()
            raise LabError(f"The training can't be started ({error.strerror}); try again later.") from error
        # Whatever becomes of the visitor, the place is given back and no process outlives its limit.
        self._deadline = time.monotonic() + limit
        threading.Thread(target=self._watch, args=(limit,), name="training-watch", daemon=True).start()

    @property
    def model(self) -> Path:
        """The folder of the finished model; it is there as long as this object is."""
        return Path(self._folder.name) / MODEL

    def state(self) -> State:
        """How far it is."""
        if self._stopped:
            return State(failure="The training was stopped; nothing was kept.")
        ended = self._process.poll()
        if ended == 0:
            return State(1.0, "", done=True)
        if ended is None:
            progress = _read(self._path(PROGRESS))
            return State(float(progress["share"]), str(progress["line"])) if progress else State()
        said = _read(self._path(FAILURE))
        if said:
            return State(failure=str(said["failure"]))
        if time.monotonic() > self._deadline:
            return State(failure="The training took too long and was ended; try a shorter series.")
        return State(failure="The training ended before it was done; the machine may be short of memory. Try again.")

    def stop(self) -> None:
        """End it now."""
        if self._process.poll() is None:
            self._stopped = True
            self._process.kill()

    def _path(self, name: str) -> Path:
        return Path(self._folder.name) / name

    def _start(self, series: Series, recipe: ForecastRecipe) -> subprocess.Popen[bytes]:
        np.savez(self._path(SERIES), dates=series.dates, values=series.values)
        words = {"name": series.name, "title": series.title, "season": series.season, "step": series.step}
        self._path(RECIPE).write_text(json.dumps({"recipe": asdict(recipe), "series": words}), encoding="utf-8")
        environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"} | _THREADS
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(Path(__file__).resolve().parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        with self._path("errors.txt").open("wb") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "lstm_core.forecast_worker", self._folder.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=environment,
            )

    def _watch(self, limit: float) -> None:
        try:
            self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            _places.release()
            if self._process.stdin is not None:
                self._process.stdin.close()


def _read(path: Path) -> dict[str, Any] | None:
    """A small JSON file that is always whole; None before there is one."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


# --- In the worker ------------------------------------------------------------------------------


def main(folder: Path) -> int:
    """Train what lies in a folder; returns the exit status, 0 if a model lies there now."""
    from lstm_core import library

    threading.Thread(target=_end_with_the_app, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)
    library.quiet_tensorflow()
    try:
        given = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
        recipe = ForecastRecipe(**{key: _tuples(value) for key, value in given["recipe"].items()})
        with np.load(folder / SERIES) as arrays:
            series = Series(**given["series"], dates=arrays["dates"], values=arrays["values"], about="")
        from lstm_core.forecast_training import ForecastProgress, train_forecaster

        def report(progress: ForecastProgress) -> None:
            _write(folder / PROGRESS, {"share": progress.share, "line": progress.line})

        made = train_forecaster(replace(recipe, dataset=series.name), report, [series])
        library.save(*made, folder / MODEL)
    except LabError as error:
        _write(folder / FAILURE, {"failure": str(error)})
        return 1
    return 0


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _write(path: Path, data: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(data), encoding="utf-8")


def _end_with_the_app() -> None:
    """The pipe to the app ends when the app does, however it ends."""
    while os.read(0, 1):  # not by way of sys.stdin, whose lock would be in the way when Python ends
        continue
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
