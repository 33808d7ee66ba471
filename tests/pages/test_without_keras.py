"""Every page answers in a process in which Keras and its backends can't be imported: only workers need them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "navigation")
VIEWS = {"question_tags": ("why", "surgery", "pairs", "moments", "quality"), "movie_reviews": ("why",)}
SCRIPT = """
import sys
for name in ("keras", "tensorflow", "jax"):
    sys.modules[name] = None  # importing it raises ModuleNotFoundError
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
page, views = sys.argv[1], sys.argv[2:] or [""]
for view in views:
    framed = page in ("home", "glossary", "check_yourself")
    opened = AppTest.from_file(f"pages/{'navigation' if framed else page}.py", default_timeout=120)
    if framed and page != "home":
        opened._page_hash = calc_hash(page)
    if view:
        opened.query_params["view"] = view
    opened.run()
    assert not opened.exception, opened.exception[0].stack_trace
    assert not opened.error, opened.error[0].value
    assert opened.title
    assert opened.main.children
print("answered")
"""


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers(page: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace('f"pages/', f'f"{ROOT}/pages/'), encoding="utf-8")
    found = subprocess.run(
        [sys.executable, str(script), page, *VIEWS.get(page, ())],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.strip().endswith("answered"), found.stderr[-2000:]
