"""The project as a whole: what importing the core costs, what it offers, who may import whom, and docstrings."""

from __future__ import annotations

import ast
import graphlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grimp
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

import lstm_core
from lstm_core import paths
from lstm_core.inference.registry import TASKS, function_of
from lstm_core.training import registry

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"streamlit", "plotly", "tensorflow", "keras", "jax", "torch", "pandas", "dask", "distributed"}
PARTS = ("lstm_core", "ui", "pages")
CORE = sorted((ROOT / "lstm_core").rglob("*.py"))


def test_importing_the_packages_of_the_core_brings_in_nothing_heavy() -> None:
    packages = sorted({".".join(path.relative_to(ROOT).parts[:-1]) for path in CORE})
    assert {"lstm_core", "lstm_core.nn", "lstm_core.training"} <= set(packages)
    code = f"import json, sys, {', '.join(packages)}; print(json.dumps([name.split('.')[0] for name in sys.modules]))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert "lstm_core" in json.loads(run.stdout)
    assert not HEAVY & set(json.loads(run.stdout))
    assert run.stderr == ""


def test_what_is_offered_is_what_is_declared() -> None:
    assert all(hasattr(lstm_core, name) for name in lstm_core.__all__)  # some are imported when they are asked for
    public = {
        name
        for name, value in vars(lstm_core).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(lstm_core.__all__)
    assert lstm_core.__all__ == sorted(lstm_core.__all__)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The Python files of the three parts, with the contracts that hold for them."""
    for part in PARTS:
        for path in (ROOT / part).rglob("*.py"):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


WRONG = {
    "lstm_core/nn/cells.py": "from lstm_core.inference import registry",
    "lstm_core/text/encoder.py": "from lstm_core.nn import Network",
    "lstm_core/errors.py": "import streamlit",
    "lstm_core/library/card.py": "import app",
    "ui/common/theme.py": "import pages.home",
    "ui/common/figure.py": "from lstm_core.nn import cells",
}


def test_wrong_imports_break_their_contracts(copied: Path) -> None:
    for module, wrong in WRONG.items():
        with (copied / module).open("a", encoding="utf-8") as file:
            file.write(f"\n\ndef hidden():\n    {wrong}\n")
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=copied, capture_output=True, text=True, timeout=120)
    assert run.returncode == 1
    assert {line.removesuffix(" BROKEN") for line in run.stdout.splitlines() if line.endswith(" BROKEN")} == {
        "app → pages → ui → lstm_core",
        "Nothing imports the entry, app.py",
        "The core knows nothing of the app",
        "The app imports the core's packages, not the modules inside",
        "The floors of the core",
        "No circles between siblings",
    }, run.stdout
    for module in WRONG:
        assert f"{module.removesuffix('.py').replace('/', '.')} ->" in run.stdout, run.stdout


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph(*PARTS, cache_dir=None)  # sees the imports inside functions, too
    assert "lstm_core.training" in graph.modules
    graphlib.TopologicalSorter(
        {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    ).prepare()  # raises CycleError


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


def test_every_file_and_public_name_has_a_docstring() -> None:
    trees = {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in CORE}
    assert [path for path, tree in trees.items() if not ast.get_docstring(tree)] == []
    named = [(path, node) for path, tree in trees.items() for node in public_names(tree)]
    assert [f"{path}:{node.lineno} {node.name}" for path, node in named if not ast.get_docstring(node)] == []


def test_every_recipe_has_a_task_and_every_task_its_functions() -> None:
    for name in registry.recipe_names():
        recipe = registry.find_recipe(name)
        assert recipe.name == name
        assert recipe.task in TASKS
    for task in TASKS.values():
        assert all(callable(function_of(where)) for where in (task.load, task.train, task.evaluate))


def test_a_library_that_is_not_installed_is_one_line() -> None:
    hidden = "import sys; sys.modules['keras'] = None"  # importing it raises ModuleNotFoundError
    code = f"{hidden}; from lstm_core.__main__ import main; sys.exit(main(['train', 'blank_forward']))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert "keras" in line
    assert "train" in line


def test_ranges_of_dependencies_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    web, rest = (
        {line for line in (ROOT / name).read_text("utf-8").splitlines() if line[:1].isalpha()}
        for name in ("requirements-web.txt", "requirements.txt")
    )
    assert web == {*project["dependencies"], *extras["web"]}
    assert web | rest == web | {*extras["train"]}
    assert {re.split("[~>]", name)[0] for name in rest} == {"tensorflow", "keras", "jax", "scipy"}
    assert extras["app"] == ["lstm-lab[train]", "lstm-lab[web]"]


def test_the_extras_ask_for_what_the_requirements_ask_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert [line.partition("~")[0].partition(">")[0] for line in project["dependencies"]] == ["numpy", "h5py"]
    pinned = {}
    for name in ("requirements-web.txt", "requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text("utf-8").splitlines():
            if found := re.match(r"([a-z0-9-]+)[~=>]", line):
                pinned[found[1]] = line.partition("#")[0].strip()
    for extra in ("keras", "notebook"):
        wanted = project["optional-dependencies"][extra]
        assert wanted
        for line in wanted:
            name = re.split("[~=>]", line)[0]
            assert pinned.get(name, line) == line


@pytest.mark.parametrize(("system", "peer"), [("linux", Unix), ("darwin", MacOS)])
@pytest.mark.parametrize("chosen", ["", "somewhere"])
def test_without_platformdirs_the_folders_of_the_user_are_the_same(
    system: str, peer: Any, chosen: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, chosen and str(tmp_path / chosen))
    folders = peer("lstm-lab", appauthor=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("sys.platform", system)
    assert paths.user_folder("data") == folders.user_data_path
    assert paths.user_folder("cache") == folders.user_cache_path


def test_without_platformdirs_windows_has_its_own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert paths._usual_folder("data", "win32") == tmp_path / "lstm-lab"
    assert paths._usual_folder("cache", "win32") == tmp_path / "lstm-lab" / "Cache"
