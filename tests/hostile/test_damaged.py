"""Random damage to a good `.keras` file: it is refused, or answers as Keras does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.damaged.__main__ import main
from benchmarks.damaged.damage import (
    EQUAL,
    KINDS,
    REFUSED,
    TEXTS,
    UNCHANGED,
    bundles,
    damaged,
    keras_answers,
    verdict,
)
from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.inference import load_bundle, upload_check, upload_worker
from lstm_core.library.bundle import unpack_bundle
from lstm_core.library.store import WEIGHTS


@pytest.fixture(scope="module")
def good() -> list[tuple[bytes, Array]]:
    return [(bundle, load_bundle(bundle).predict(TEXTS)) for bundle in bundles()]


def check(bundle: bytes) -> None:
    """As the worker does, in this process."""
    if sentence := upload_worker.refusal(bundle):
        raise ModelError(sentence)


def test_the_good_ones_answer_as_keras_does(good: list[tuple[bytes, Array]]) -> None:
    for bundle, answers in good:
        model = load_bundle(bundle)
        inputs = [model.encoder.encode(text).inputs for text in TEXTS]
        np.testing.assert_allclose(answers, keras_answers(unpack_bundle(bundle)[WEIGHTS], inputs), atol=1e-5)
        assert verdict(bundle, answers, check) == EQUAL


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_damaged_is_refused_or_equals_keras(kind: str, good: list[tuple[bytes, Array]], data: Any) -> None:
    def choose(below: int) -> int:
        return int(data.draw(st.integers(0, below - 1)))

    bundle, answers = good[choose(len(good))]
    assert verdict(damaged(bundle, kind, choose), answers, check) in (EQUAL, REFUSED, UNCHANGED)


def test_the_benchmark_counts_each_file(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_check, "COMMAND", upload_check.COMMAND)  # which the benchmark changes
    assert main(["--files", "3"]) == 0
    table = capsys.readouterr().out
    rows = [
        line.split("|")[2:-1] for line in table.splitlines() if line.startswith(tuple(f"| {kind}" for kind in KINDS))
    ]
    assert sum(int(cell) for row in rows for cell in row) == 3
