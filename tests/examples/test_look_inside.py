"""The notebook runs from its first cell to its last in a fresh kernel, with Keras and without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "look_inside.ipynb"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:traitlets")


def run(folder: Path, before: str = "") -> tuple[str, list[str]]:
    """The text that its cells print, and the kinds of what they show."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    root = str(NOTEBOOK.parents[1])
    prelude = f"import sys; sys.path.insert(0, {root!r})\n{before}"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(prelude))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    outputs: list[Any] = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    return printed, [kind for output in outputs for kind in output.get("data", {})]


def test_it_runs_without_keras(tmp_path: Path) -> None:
    printed, kinds = run(tmp_path, "sys.modules['keras'] = None")
    assert "Keras isn't installed" in printed
    assert kinds.count("application/vnd.jupyter.widget-view+json") == 1
    assert kinds.count("application/vnd.plotly.v1+json") == 1
    assert kinds.count("text/html") >= 2
    assert (tmp_path / "look_inside.html").stat().st_size > 100_000
    assert "python" in printed


def test_it_traces_a_network_that_it_trains(tmp_path: Path) -> None:
    pytest.importorskip("keras")
    printed, kinds = run(tmp_path)
    assert kinds.count("application/vnd.jupyter.widget-view+json") == 2
    accuracy = int(printed.partition("accuracy ")[2].partition("%")[0])
    assert accuracy >= 85
    assert float(printed.partition("largest difference from Keras: ")[2].split()[0]) < 1e-5


def test_it_is_committed_without_outputs() -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert cells
    assert not any(cell.outputs or cell.execution_count for cell in cells)
