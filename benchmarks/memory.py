"""The presets of the memory gym: whether each passes and fails as stated, with five seeds and three cells.

    python -m benchmarks.memory [--presets adding …] [--seeds 1 2 3 4 5] [--json] [--update]

The races run in this process with the code of the page. The statement of a preset holds if the cells in `passes` pass
with most seeds, those in `fails` fail with most, and no race takes longer than two minutes. `--update` writes the
table to `benchmarks/MEMORY.md` and the results to `assets/memory_gym.json` for the page. Networks are evaluated on
validation sequences, and for aⁿbⁿ on every n up to twice the longest of training.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from dataclasses import replace

from lstm_core.memory_tasks import config
from lstm_core.memory_tasks.config import PRESETS, Preset

TABLE = Path(__file__).resolve().parent / "MEMORY.md"
NAMES = {"rnn": "plain RNN", "gru": "GRU", "lstm": "LSTM"}
MOST_SECONDS = 120.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Race every preset with each seed; returns 1 if the statement of one doesn't hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", choices=list(PRESETS), default=list(PRESETS), metavar="PRESET")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5], metavar="SEED")
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update", action="store_true", help=f"write {TABLE.name} and {config.MEASURED.name}")
    options = parser.parse_args(arguments)
    from lstm_core.nn import keras_backend

    keras_backend.choose()
    found = {name: measure(PRESETS[name], options.seeds) for name in options.presets}
    if options.update:
        kept = {name: figures for name, figures in config.measured_races().items() if name in PRESETS} | found
        ordered = {name: kept[name] for name in PRESETS if name in kept}
        contents = {"command": "python -m benchmarks.memory --update", "backend": _backend(), "presets": ordered}
        config.MEASURED.write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")
        TABLE.write_text(page(ordered), encoding="utf-8")
    print(json.dumps(found) if options.json else table(found))
    return 0 if all(figures["holds"] for figures in found.values()) else 1


def measure(preset: Preset, seeds: Sequence[int]) -> dict[str, Any]:
    """Race a preset with each seed.

    Returns:
        `runs`, one for each seed; `cells`, kind → the number that passed, the median of sequences and seconds until
        then, the median of the last score; `baseline`, `mark`, the `longest` race in seconds; and whether the
        statement `holds`.
    """
    from lstm_core.training import race_job

    runs = []
    for seed in seeds:
        began = time.perf_counter()
        result = race_job.work(replace(preset.race, seed=seed).arguments, lambda event: None, lambda: False)
        took = round(time.perf_counter() - began, 1)
        cells = {
            kind: {"passed": of["passed"], "seconds": of["seconds"], "score": of["score"][-1]}
            for kind, of in result["cells"].items()
        }
        runs.append({"seed": seed, "took": took, "baseline": result["baseline"], "cells": cells})
        print(f"{preset.title}, seed {seed}: {took} s", file=sys.stderr, flush=True)
    return summary(preset, runs, race_job.BATCH)


def summary(preset: Preset, runs: Sequence[dict[str, Any]], batch: int) -> dict[str, Any]:
    """The result of `measure` from its runs with so many sequences in a batch."""
    cells = {kind: _cell([run["cells"][kind] for run in runs], batch) for kind in NAMES}
    longest, most = max(run["took"] for run in runs), len(runs) / 2
    holds = (
        all(cells[kind]["passed"] > most for kind in preset.passes)
        and all(len(runs) - cells[kind]["passed"] > most for kind in preset.fails)
        and longest < MOST_SECONDS
    )
    return {
        "runs": list(runs),
        "cells": cells,
        "baseline": round(statistics.mean(run["baseline"] for run in runs), 3),
        "mark": preset.race.of.mark,
        "longest": longest,
        "holds": holds,
    }


def _cell(runs: Sequence[dict[str, Any]], batch: int) -> dict[str, Any]:
    passed = [run for run in runs if run["passed"] is not None]
    return {
        "passed": len(passed),
        "sequences": round(statistics.median(run["passed"] * batch for run in passed)) if passed else None,
        "seconds": round(statistics.median(run["seconds"] for run in passed), 1) if passed else None,
        "score": round(statistics.median(run["score"] for run in runs), 3),
    }


def table(found: dict[str, dict[str, Any]]) -> str:
    """The results as a Markdown table with a row for each preset and cell."""
    rows = [
        "| preset | cell | passed | sequences until then | its seconds until then | last score | guessing | mark |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, figures in found.items():
        for kind, cell in figures["cells"].items():
            sequences = "–" if cell["sequences"] is None else f"{cell['sequences']:,}"
            seconds = "–" if cell["seconds"] is None else f"{cell['seconds']:.1f}"
            first = f"{PRESETS[name].title} (at most {figures['longest']:.0f} s a race)" if kind == "rnn" else ""
            rows.append(
                f"| {first} | {NAMES[kind]} | {cell['passed']} of {len(figures['runs'])} | {sequences} | {seconds} | "
                f"{cell['score']:.1%} | {figures['baseline']:.1%} | {figures['mark']:.0%} |"
            )
    return "\n".join(rows)


def page(found: dict[str, dict[str, Any]]) -> str:
    """`MEMORY.md`: the table, how it came about, and whether each claim holds."""
    claims = [f"- {PRESETS[name].title}: {claim(PRESETS[name])} {_verdict(of)}" for name, of in found.items()]
    seeds = len(next(iter(found.values()))["runs"])
    return "\n".join(
        [
            "# The memory gym, measured",
            "",
            f"Every preset from {seeds} seeds, by `python -m benchmarks.memory --update`; this file is what that "
            "command writes. Of runs that passed, medians; the last score is the median of all runs. Sequences and "
            "seconds are those that the cell itself learned from and needed; the seconds include compiling. The "
            "longest race is from start to end, all three cells.",
            "",
            f"Machine: {os.cpu_count()} cores of a shared server, no accelerator, other work on it at the same time; "
            f"Keras on {_backend()}, one thread at a time.",
            "",
            table(found),
            "",
            "What each preset claims, of most seeds:",
            "",
            *claims,
            "",
        ]
    )


def claim(preset: Preset) -> str:
    """The statement of a preset in words."""
    parts = []
    if preset.passes:
        parts.append(f"passed by the {' and the '.join(NAMES[kind] for kind in preset.passes)}")
    if preset.fails:
        parts.append(f"not passed by the {' and the '.join(NAMES[kind] for kind in preset.fails)}")
    return f"{', '.join(parts)}."


def _verdict(figures: dict[str, Any]) -> str:
    return "Holds." if figures["holds"] else "**Does not hold.**"


def _backend() -> str:
    import keras

    return {"jax": "JAX", "tensorflow": "TensorFlow", "torch": "PyTorch"}[keras.backend.backend()]


if __name__ == "__main__":
    sys.exit(main())
