"""Where Keras and its backends can't be imported, every page answers, and what workers have trained is opened."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lstm_core.jobs.job import Job
from lstm_core.jobs.worker import find
from lstm_core.timeseries import series
from lstm_core.training import FORECAST_JOB, forecast_arguments, forecast_recipe_for

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "navigation")
VIEWS = {"question_tags": ("why", "surgery", "pairs", "moments", "quality"), "movie_reviews": ("why",)}
SCRIPT = """
import json, pickle, sys, traceback
for name in ("keras", "tensorflow", "jax"):
    sys.modules[name] = None  # importing it raises ModuleNotFoundError
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from lstm_core.inference import load_bundle
from lstm_core.jobs import FINISHED, queue
from lstm_core.jobs.job import Job

class Noted(queue.JobQueue):
    def submit(self, work, arguments, owner, title, address=""):
        self._jobs["begun"] = job = Job("begun", owner, title, work, arguments)
        return job

def opened(page, **query):
    framed = page in ("home", "glossary", "check_yourself")
    found = AppTest.from_file(f"{sys.argv[1]}/{'navigation' if framed else page}.py", default_timeout=120)
    if framed and page != "home":
        found._page_hash = calc_hash(page)
    for name, value in query.items():
        found.query_params[name] = value
    return without_errors(found.run())

def without_errors(found):
    assert not found.exception, found.exception[0].stack_trace
    assert not found.error, found.error[0].value
    return found

def answer(page, view):
    found = opened(page, **({"view": view} if view else {}))
    assert found.title
    assert found.main.children
    return "answered"

def trained(page, button):
    work, arguments, events, result = runs[page]
    without_errors(opened(page).button(key=button).click().run())
    assert kept._jobs["begun"].work == work
    kept._jobs["over"] = Job("over", "somebody", "A run", work, arguments, FINISHED, events, result=result)
    return [each.value for each in opened(page, job="over").header]

def tried(function, *arguments):
    try:
        return function(*arguments)
    except Exception:
        return traceback.format_exc()

queue._shared = kept = Noted()
views, runs = pickle.load(sys.stdin.buffer)
print(json.dumps({
    "pages": {page: [tried(answer, page, view) for view in names] for page, names in views.items()},
    "training_studio": tried(trained, "training_studio", "studio_train"),
    "memory_gym": tried(trained, "memory_gym", "gym_start"),
    "forecasting": tried(lambda: type(load_bundle(runs["forecasting"][-1]["model"])).__name__),
}))
"""
Run = tuple[str, dict[str, Any], list[dict[str, Any]], dict[str, Any]]  # its work, arguments, events and result


def forecast() -> Run:
    wave, events = series.seasons(80), list[dict[str, Any]]()
    arguments = forecast_arguments(wave, replace(forecast_recipe_for(wave, epochs=1), forms=("level",)))
    return FORECAST_JOB, arguments, events, find(FORECAST_JOB)(arguments, events.append, lambda: False)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory, trained: Job, counted: Job) -> dict[str, Any]:
    """What became of each page and of each kind of run, all in one process."""
    script = tmp_path_factory.mktemp("without_keras") / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    jobs = {"training_studio": trained, "memory_gym": counted}
    runs = {page: (job.work, job.arguments, job.events, job.result) for page, job in jobs.items()}
    runs["forecasting"] = forecast()
    found = subprocess.run(
        [sys.executable, str(script), str(ROOT / "pages")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input=pickle.dumps(({page: VIEWS.get(page, ("",)) for page in PAGES}, runs)),
        capture_output=True,
        check=False,
    )
    assert found.stdout, found.stderr.decode()[-2000:]
    answers: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return answers


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers(page: str, said: dict[str, Any]) -> None:
    assert set(said["pages"][page]) == {"answered"}


@pytest.mark.parametrize(
    ("page", "part"), [("training_studio", "Time machine"), ("memory_gym", "Which unit stores it?")]
)
def test_a_run_is_started_and_its_network_opened(page: str, part: str, said: dict[str, Any]) -> None:
    assert part in said[page]


def test_a_trained_forecaster_is_opened(said: dict[str, Any]) -> None:
    assert said["forecasting"] == "Forecaster"
