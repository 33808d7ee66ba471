"""Damaged uploads: each is refused, or answers as Keras does. `python -m benchmarks.damaged --files 1000`

Every file goes through the worker process of the upload, whose time and memory are measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.damaged.damage import (
    CRASHED,
    EQUAL,
    KINDS,
    REFUSED,
    TEXTS,
    UNCHANGED,
    WRONG,
    bundles,
    damaged,
    verdict,
)
from lstm_core.inference import check_upload, load_bundle, upload_check, upload_worker


def main(arguments: list[str] | None = None) -> int:
    """Damage, check and compare; 1 if a file crashed its worker, took too long or too much, or gave a wrong number."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args(arguments)
    random = np.random.default_rng(chosen.seed)
    good = [(bundle, load_bundle(bundle).predict(TEXTS)) for bundle in bundles()]
    counts: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        peaks = Path(folder) / "peaks"
        peaks.touch()
        upload_check.COMMAND = [sys.executable, "-c", _WORKER.format(path=str(peaks))]

        def check(data: bytes) -> None:
            nonlocal slowest
            start = time.perf_counter()
            try:
                check_upload(data)
            finally:
                slowest = max(slowest, time.perf_counter() - start)

        for number in range(chosen.files):
            kind = KINDS[number % len(KINDS)]
            bundle, answers = good[number // len(KINDS) % len(good)]
            outcome = verdict(damaged(bundle, kind, lambda n: int(random.integers(n))), answers, check)
            counts[kind, outcome] += 1
            if outcome in (CRASHED, WRONG):
                print(f"file {number}, {kind}: {outcome}")
        measured = [tuple(map(float, line.split())) for line in peaks.read_text().splitlines()]
    memory, seconds = max(each[0] for each in measured) / 1024, max(each[1] for each in measured)
    _print(counts, memory)
    print(f"slowest file {seconds:.2f} s of computing, {slowest:.2f} s by the clock with the start of its process")
    bad = sum(count for (_, outcome), count in counts.items() if outcome in (CRASHED, WRONG))
    return int(bool(bad) or seconds > upload_worker.SECONDS or memory > upload_worker.MEMORY / 2**20)


# The worker, which then adds its largest memory in KiB and the seconds of computing after its start to a file.
_WORKER = """
import time
from pathlib import Path
from lstm_core.inference import upload_worker
start = time.process_time()
upload_worker.main()
seconds = time.process_time() - start
lines = Path("/proc/self/status").read_text().splitlines()
with open({path!r}, "a") as out:
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), seconds, file=out)
"""


def _print(counts: Counter[tuple[str, str]], memory: float) -> None:
    outcomes = (REFUSED, EQUAL, UNCHANGED, CRASHED, WRONG)
    print("| damaged | " + " | ".join(outcomes) + " |")
    print("|---" * (1 + len(outcomes)) + "|")
    for kind in KINDS:
        print(f"| {kind} | " + " | ".join(str(counts[kind, outcome]) for outcome in outcomes) + " |")
    print(f"largest memory {memory:.0f} MiB")


if __name__ == "__main__":
    sys.exit(main())
