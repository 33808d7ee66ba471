"""Every page answers in a process in which Keras and its backends can't be imported: only workers need them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "navigation")
VIEWS = {"question_tags": ("why", "surgery", "pairs", "moments", "quality"), "movie_reviews": ("why",)}
SCRIPT = """
import json, sys, traceback
for name in ("keras", "tensorflow", "jax"):
    sys.modules[name] = None  # importing it raises ModuleNotFoundError
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

def answer(page, view):
    framed = page in ("home", "glossary", "check_yourself")
    opened = AppTest.from_file(f"{sys.argv[1]}/{'navigation' if framed else page}.py", default_timeout=120)
    if framed and page != "home":
        opened._page_hash = calc_hash(page)
    if view:
        opened.query_params["view"] = view
    opened.run()
    assert not opened.exception, opened.exception[0].stack_trace
    assert not opened.error, opened.error[0].value
    assert opened.title
    assert opened.main.children

said = {}
for page, views in json.load(sys.stdin).items():
    try:
        for view in views:
            answer(page, view)
        said[page] = "answered"
    except Exception:
        said[page] = traceback.format_exc()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What became of each page, all of them in one process."""
    script = tmp_path_factory.mktemp("without_keras") / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    found = subprocess.run(
        [sys.executable, str(script), str(ROOT / "pages")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input=json.dumps({page: VIEWS.get(page, ("",)) for page in PAGES}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout, found.stderr[-2000:]
    answers: dict[str, str] = json.loads(found.stdout.splitlines()[-1])
    return answers


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers(page: str, said: dict[str, str]) -> None:
    assert said[page] == "answered"
