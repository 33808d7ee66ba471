"""The validation metrics and the training time of each preset lesson on this machine.

    python -m benchmarks.lessons [NAME …] [--seeds 1] [--json]

Writes `assets/lessons.json`, which the studio shows beside each lesson. Each lesson is trained in a process of its
own, as a job is: from the bare interpreter on, so that bringing Keras in and compiling count.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lstm_core.jobs.worker import ONE_THREAD
from lstm_core.training.lessons import presets
from lstm_core.training.lessons.presets import MEASURED, PRESETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the lessons and write their results; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lessons", description=__doc__.splitlines()[0])
    parser.add_argument("names", metavar="NAME", nargs="*", help="without one, all of them")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no table")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # in the processes that `main` starts
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(PRESETS)):
        parser.error(f"there is no lesson {unknown[0]}; there are {', '.join(PRESETS)}")
    if options.here:
        print(json.dumps(train(options.names[0])))
        return 0
    found: dict[str, Any] = {}
    for name in options.names or PRESETS:
        found[name] = in_a_process(name)
        keep(name, found[name])
        if not options.json:
            print(line(name, found[name]), flush=True)
    if options.json:
        print(json.dumps(found))
    return 0


def in_a_process(name: str) -> dict[str, Any]:
    """The results of a lesson in a new process; `wall_seconds` depends on the load of the machine."""
    began, busy = time.perf_counter(), os.getloadavg()[0]
    command = [sys.executable, "-m", "benchmarks.lessons", name, "--here"]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | ONE_THREAD)
    figures: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return figures | {"wall_seconds": round(time.perf_counter() - began, 1), "load_before": round(busy, 1)}


def train(name: str) -> dict[str, Any]:
    """Train a lesson in this process, and summarize its validation metrics.

    `seconds` are those of a processor core, from the bare interpreter on. A job's worker has one thread, so that is
    what it takes on a machine that does nothing else.
    """
    from lstm_core.library import store
    from lstm_core.nn import keras_backend

    keras_backend.choose()
    store.quiet_tensorflow()
    import keras

    from lstm_core.training.job import work

    recipe = PRESETS[name].recipe
    found = work({"lesson": recipe.to_json()}, lambda event: None, lambda: False)
    curves = {key: curve for key, curve in found["epochs"].items() if key.startswith("validation")}
    return {
        **{key: curve[-1] for key, curve in curves.items()},
        "by_epoch": curves,
        "example": found["examples"][-1],
        "parameters": found["parameters"],
        "seconds": round(time.process_time(), 1),
        "backend": keras.backend.backend(),
        "cores": os.cpu_count(),
        "date": datetime.now(UTC).date().isoformat(),
        "settings": found["settings"],
    }


def keep(name: str, figures: dict[str, Any]) -> None:
    """Add the results of one lesson to the file."""
    presets.measured_lessons.cache_clear()
    lessons = presets.measured_lessons() | {name: figures}
    ordered = {each: lessons[each] for each in PRESETS if each in lessons}
    kept = {"command": "python -m benchmarks.lessons", "lessons": ordered}
    MEASURED.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", "utf-8")


def line(name: str, figures: dict[str, Any]) -> str:
    """One row of the table."""
    reached = [
        f"{key} {figures[f'validation_{key}']:.3f}" for key in ("loss", "accuracy") if f"validation_{key}" in figures
    ]
    return (
        f"{name:18}{PRESETS[name].seconds:5} s wanted {figures['seconds']:7.1f} s of a core "
        f"{figures['wall_seconds']:7.1f} s by the clock  {figures['parameters']:9,} parameters  {'  '.join(reached)}"
    )


if __name__ == "__main__":
    sys.exit(main())
