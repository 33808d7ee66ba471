"""The latency of reading a text while another visitor trains: from "Read" to the last chart, with and without a run.

Beside it the processor time that the web process takes for it, which says whether a reader waits for a core, or whether
the cores have become slower by what they share.

One server, two visitors in one browser. One trains a lesson in the studio, the other reads questions. Each round
reads without a run, starts one, reads again while it trains, and stops it. Run it from the root:
`python -m benchmarks.load`.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence

import psutil
from playwright.sync_api import Page

from benchmarks import timing
from benchmarks.browser import chromium, server, tab
from benchmarks.page import CHARTS, CHARTS_EXPECTED, Question

LESSON, EPOCHS = "counting_60s", "100"  # without a download, and longer than a round
READINGS = 5  # in each half of a round
AIM = 1.25
JOB = "new URLSearchParams(location.search).get('job')"


def begin(studio: Page) -> None:
    """Start a run and wait for its first step."""
    studio.bring_to_front()
    before = studio.evaluate(JOB)
    studio.get_by_role("button", name="Train", exact=True).click()
    studio.wait_for_function(f"before => ({JOB}) !== before", arg=before)
    studio.get_by_text(re.compile("Running$")).first.wait_for()
    studio.get_by_text(re.compile(r"Epoch \d+ of \d+, loss")).first.wait_for()


def end(studio: Page) -> None:
    """Stop the run and wait for its end."""
    studio.bring_to_front()
    studio.get_by_role("button", name="Stop", exact=True).click()
    for state in ("Running", "Stopping"):
        studio.get_by_text(re.compile(f"{state}$")).first.wait_for(state="detached")


def one_round(studio: Page, questions: dict[str, Question], web: psutil.Process, times: dict[str, list[float]]) -> None:
    """Read without a run and with one; adds the medians, and the web process's time for each reading, to `times`."""
    for when in ("quiet", "training"):
        if when == "training":
            begin(studio)
        for name, question in questions.items():
            before = sum(web.cpu_times()[:2])
            times[f"{name}, {when}"].append(statistics.median(question() for _ in range(READINGS)))
            times[f"{name}, processor, {when}"].append((sum(web.cpu_times()[:2]) - before) / READINGS)
    end(studio)


def measure(repeats: int) -> list[timing.Comparison]:
    """Compare reading while somebody trains with reading without, after one round that doesn't count."""
    with (
        chromium() as browser,
        server("run", "app.py") as app,
        tab(browser, f"{app.url}/training_studio?lesson={LESSON}") as studio,
        tab(browser, f"{app.url}/question_tags") as reader,
    ):
        reader.locator(CHARTS).nth(CHARTS_EXPECTED - 1).wait_for()
        studio.get_by_role("button", name="Train", exact=True).wait_for()
        studio.get_by_text("Hyperparameters").click()
        epochs = studio.get_by_role("spinbutton", name="Epochs", exact=True)
        epochs.fill(EPOCHS)
        epochs.press("Enter")
        questions = {f"read {tokens} tokens": Question(reader, tokens) for tokens in (15, 400)}
        times: dict[str, list[float]] = defaultdict(list)
        one_round(studio, questions, app.process, defaultdict(list))  # a warm-up
        for _ in range(repeats):
            one_round(studio, questions, app.process, times)
    rows = [(name, aim) for name in questions for name, aim in ((name, AIM), (f"{name}, processor", None))]
    return [timing.compare(times, f"{name}, training", f"{name}, quiet", aim) for name, aim in rows]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = timing.parser(__doc__, repeats=5).parse_args(arguments)
    timing.show("load", measure(options.repeats), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
