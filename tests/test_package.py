"""The package as a whole: what importing it costs, what it offers, who may import whom, and docstrings."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import lstm_core
from lstm_core.training.recipes import registry

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"streamlit", "plotly", "tensorflow", "keras", "jax", "torch", "pandas"}
FORBIDDEN = {
    "lstm_core": {"streamlit", "plotly", "ui", "pages", "app"},
    "ui": {"pages", "app"},
    "pages": {"keras", "tensorflow", "app"},
}
CORE = sorted((ROOT / "lstm_core").glob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    """The top-level names of all packages that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_importing_the_core_brings_in_nothing_heavy() -> None:
    code = "import json, sys, lstm_core; print(json.dumps(sorted(name.split('.')[0] for name in sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert "lstm_core" in json.loads(run.stdout)
    assert not HEAVY & set(json.loads(run.stdout))
    assert run.stderr == ""


def test_what_is_offered_is_what_is_declared() -> None:
    public = {
        name
        for name, value in vars(lstm_core).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(lstm_core.__all__)
    assert lstm_core.__all__ == sorted(lstm_core.__all__)


@pytest.mark.parametrize("wing", FORBIDDEN)
def test_imports_go_one_way(wing: str) -> None:
    for path in (ROOT / wing).rglob("*.py"):
        assert not FORBIDDEN[wing] & set(imported(ast.parse(path.read_text("utf-8")))), path


def test_nobody_imports_the_entry() -> None:
    assert (ROOT / "app.py").is_file()
    for path in [ROOT / "app.py", *CORE]:
        assert "app" not in set(imported(ast.parse(path.read_text("utf-8")))), path


def public_names(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions and classes at the top of a file, and public methods of those classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    inner
                    for inner in node.body
                    if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_")
                )


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_every_file_and_public_name_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), path
    assert [node.name for node in public_names(tree) if not ast.get_docstring(node)] == []


def test_every_recipe_is_found_by_its_name_and_knows_what_runs_it() -> None:
    for name in registry.recipe_names():
        assert registry.find_recipe(name).name == name
    for _, where in registry.KINDS:
        module, function = where.split(":")
        assert callable(getattr(import_module(module), function))
