"""What an SVM knows that a network doesn't: sums by hand, names of the columns, and which features are listed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks import baselines
from benchmarks.disagreement import __main__ as command
from benchmarks.disagreement import features
from lstm_core.library import store
from lstm_core.library.store import ModelCard


def test_contributions_are_summed_by_hand() -> None:
    weights = np.array([[1.0, 0.0, 5.0], [0.0, -2.0, 0.0]])  # (classes, columns)
    rows = [csr_matrix([[0.5, 0.25, 1.0]]), csr_matrix([[2.0, 0.0, 0.0]])]
    known = [{0: "blank", 1: "var"}, {0: "blank"}]  # nothing has a name in the last column
    sums = features.contributions(iter(rows), iter(known), [(0, 1), (0, 1)], weights)
    assert sums == {("blank", 0, 1): (0.5 * 1 + 2 * 1, 2), ("var", 0, 1): (0.25 * 2, 1)}


def test_every_column_of_a_text_has_a_name() -> None:
    pytest.importorskip("sklearn", reason="a peer of requirements-bench.txt")
    texts = ["var x = blank", "def blank : pass", "var y", "def z : pass"]
    union, found, unseen = baselines.vectorized(r"\w+|[^\w\s]", (2, 3), texts, texts[:1])
    named = features.names(union, texts[0])
    assert set(unseen.indices.tolist()) <= set(named)
    assert {"var", "blank", "= ", "bla"} <= set(named.values())
    assert found.shape[1] == unseen.shape[1]


def test_of_features_within_one_another_the_first_is_listed() -> None:
    sums = {
        ("blank", 0, 1): (3.0, 9),
        ("lan", 0, 1): (2.9, 9),  # within "blank"
        (" blank p", 0, 1): (2.8, 9),  # has it within
        ("blank", 1, 0): (2.0, 9),  # for other classes
        ("rare", 0, 1): (1.9, 2),
        ("an", 0, 1): (1.8, 9),
        ("against", 0, 1): (-1.0, 9),
    }
    listed = features.strongest(sums, ("java", "csharp"))
    assert [(each["text"], each["supports"], each["opposes"]) for each in listed] == [
        ("blank", "java", "csharp"),
        ("blank", "csharp", "java"),
    ]


def test_the_figures_are_written_to_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card = ModelCard("stackoverflow", "S", "classifier", "stackoverflow", "", training={"seed": 1})
    store.save_card(card, tmp_path)
    feature = {"text": "blank", "supports": "java", "opposes": "csharp", "texts": 74}
    figures: dict[str, Any] = {"peer": "SVM", "both": 7, "peer_alone": 2, "network_alone": 1, "features": [feature]}
    monkeypatch.setattr(command, "measure", lambda: figures)
    monkeypatch.setattr(command.model_registry, "find_model", lambda name: tmp_path)
    command.main(["--update-card", "--json"])
    assert json.loads(capsys.readouterr().out) == figures
    kept = ModelCard.read(tmp_path)
    assert kept == replace(card, name=tmp_path.name, training={"seed": 1, "disagreement": figures})
    command.main([])
    assert "'blank'" in capsys.readouterr().out
