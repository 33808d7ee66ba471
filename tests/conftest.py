"""What several tests share: a tiny classifier, in a folder and loaded. Its weights are random but fixed.

Keras is brought in by the fixtures, so that tests which don't need it stay quick.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The networks of the tests are small: threads of a matrix product would wait for each other longer than they compute.
os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
)
# The models that somebody trained on this machine are none of the tests' business.
os.environ["LSTM_LAB_MODELS"] = os.path.join(tempfile.gettempdir(), f"lstm-lab-tests-{os.getpid()}")

import numpy as np
import pytest

from lstm_core import storage
from lstm_core.inference import registry
from lstm_core.inference.classifier import TextClassifier
from lstm_core.library import store
from lstm_core.library.store import ModelCard
from lstm_core.text.encoder import Encoder, Vocabulary
from tests.s3 import Store, server

HERE = Path(__file__).parent
WAITING = {"browser", "jobs", "pages", "topology"}  # for a browser, for processes, for threads of a page
UNMEASURED = {"browser", "training", "tracing", "benchmarks", "hostile", "interpret"}
LABELS = ("csharp", "java", "python")
WORDS = ("how", "do", "i", "sort", "a", "list", "of", "in", "blank", "java", "(", ")", ".", "the", "loop")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run again what may fail because a machine is busy, and measure what is quick enough."""
    for item in items:
        if (reruns := int(os.environ.get("LSTM_LAB_RERUNS", 0))) and folder_of(item) in WAITING:
            item.add_marker(pytest.mark.flaky(reruns=reruns))
    measure_less(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why a test was run again: its name alone doesn't help to mend it."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"run again: {report.nodeid}")
        terminalreporter.line(report.longreprtext)


def folder_of(item: pytest.Item) -> str:
    return Path(item.path).relative_to(HERE).parts[0]


def measure_less(items: list[pytest.Item]) -> None:
    """Where measuring coverage slows Python down by a third and more, measure one case of each quick test.

    The other cases run nearly the same lines, a page in a browser runs in another process, and where networks are built
    by the dozen nearly all lines are Keras's.
    """
    if os.environ.get("COVERAGE_CORE") != "ctrace":
        return
    measured = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if test in measured or folder_of(item) in UNMEASURED:
            item.add_marker("no_cover")
        measured.add(test)


@pytest.fixture(autouse=True)
def quick_collections() -> Iterator[None]:
    """Do as `ui.common.model_cache` does: don't search TensorFlow for garbage after every run of a page."""
    yield
    if len(gc.get_objects(generation=2)) > 100_000:
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def graphs_as_they_are() -> None:
    """Let TensorFlow run a compiled function as it was traced: to rewrite it takes longer than a test runs it."""
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(scope="session", autouse=True)
def one_search_for_components() -> Iterator[None]:
    """Let Streamlit look for components in all packages of the machine once, and not for every page of a test."""
    if "streamlit" not in sys.modules:
        yield
        return
    from streamlit.components.v2 import manifest_scanner

    found = cache(manifest_scanner.scan_component_manifests)
    with patch.object(manifest_scanner, "scan_component_manifests", found):
        yield


@pytest.fixture(scope="session")
def card() -> ModelCard:
    """A card with everything in it."""
    return ModelCard(
        name="tiny",
        title="A tiny classifier",
        task="classifier",
        dataset="stackoverflow",
        summary="Random weights, for tests.",
        labels=LABELS,
        notes=("One.", "Two."),
        measured={"accuracy": 0.5, "examples": 10},
        training={"seed": 1, "curves": {"loss": [1.0, 0.5]}},
    )


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """Reads 12 tokens of prose and code."""
    return Encoder("code", Vocabulary(WORDS), length=12)


@pytest.fixture(scope="session")
def randomised() -> Callable[[Any, int], Any]:
    """Puts numbers of some size into all weights of a Keras model, so that answers differ clearly."""

    def fill(model: Any, seed: int = 0) -> Any:
        random = np.random.default_rng(seed)
        model.set_weights([random.normal(0, 0.6, weight.shape) for weight in model.get_weights()])
        return model

    return fill


@pytest.fixture(scope="session")
def tiny_folder(
    tmp_path_factory: pytest.TempPathFactory, card: ModelCard, encoder: Encoder, randomised: Callable[..., Any]
) -> Path:
    """A saved model; not to be written to."""
    from lstm_core.training import architectures

    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = randomised(architectures.pooled_lstm(len(encoder.vocabulary), len(LABELS), width=4, units=5))
    store.save(network, encoder, card, folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> TextClassifier:
    """The same model, loaded."""
    return registry.load(tiny_folder)


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the model's folder that may be damaged."""
    return shutil.copytree(tiny_folder, tmp_path / "broken")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Store]:
    with server() as found:
        yield found


@pytest.fixture
def s3(s3_server: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A real S3 server, which is the store of this test."""
    for name, value in s3_server.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(storage, "_refused", 0.0)
    return s3_server
