"""The step of CI that asks pip-audit, with a pip-audit that answers what each test says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / ".ci" / "audit.py"
GOOD = {"name": "numpy", "version": "2.3.0", "vulns": []}
SKIPPED = {"name": "keras", "skip_reason": "not found on PyPI"}
BAD = {
    "name": "h5py",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"], "description": "x"}],
}


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ([GOOD, SKIPPED], 0, "0 vulnerabilities in 1 of 2 packages"),
        ([GOOD, BAD], 1, "h5py 1.0: PYSEC-1, fixed in 1.1"),
        ([SKIPPED], 0, "not audited, no vulnerability service can be reached"),
        (None, 0, "no vulnerability service can be reached (no route to host)"),
    ],
    ids=["nothing found", "a vulnerability", "all packages unknown", "no service"],
)
def test_the_answer_decides(answer: list[dict[str, Any]] | None, status: int, said: str, tmp_path: Path) -> None:
    stand_in = tmp_path / "pip-audit"
    printed = f"print({json.dumps({'dependencies': answer})!r})" if answer else "sys.exit('no route to host')"
    stand_in.write_text(f"#!{sys.executable}\nimport sys\n{printed}\n")
    stand_in.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, said in done.stdout) == (status, True), done
