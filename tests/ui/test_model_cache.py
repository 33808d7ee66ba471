"""Loaded models: each is loaded once, also when many visitors come at once, and a failure is not kept."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path

import pytest

import lstm_core
from ui.common import model_cache


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded."""
    monkeypatch.setattr(model_cache, "_loaded", {})
    monkeypatch.setattr(model_cache, "_own", OrderedDict())
    monkeypatch.setattr(model_cache, "model_path", lambda name: model_cache.SHIPPED / name)


def test_many_visitors_load_a_model_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads, found, begin = [], [], threading.Barrier(5)

    def load(path: Path) -> str:
        loads.append(path.name)
        threading.Event().wait(0.02)
        return f"model {path.name}"

    def visit() -> None:
        begin.wait(30)
        found.append(model_cache.any_model("a"))

    monkeypatch.setattr(lstm_core, "load", load)
    visitors = [threading.Thread(target=visit) for _ in range(5)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(30)
    assert found == ["model a"] * 5
    assert loads == ["a"]


def test_a_model_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([lstm_core.ModelError("damaged"), "mended"])

    def load(path: Path) -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(lstm_core, "load", load)
    with pytest.raises(lstm_core.ModelError, match="damaged"):
        model_cache.any_model("a")
    assert model_cache.any_model("a") == "mended"


def test_of_the_users_own_models_those_used_last_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    monkeypatch.setattr(model_cache, "model_path", lambda name: tmp_path / name)
    monkeypatch.setattr(lstm_core, "load", lambda path: loads.append(path.name) or path.name)
    names = [f"own{number}" for number in range(model_cache.MOST_OWN + 1)]
    for name in names:
        (tmp_path / name).touch()
        assert model_cache.any_model(name) == name
    assert model_cache.any_model(names[-1]) == names[-1]
    assert loads == names
    model_cache.any_model(names[0])
    assert loads == [*names, names[0]]
    os.utime(tmp_path / names[0], (1, 1))  # replaced
    model_cache.any_model(names[0])
    assert loads == [*names, names[0], names[0]]


def test_a_deleted_model_names_no_other_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_cache, "model_path", lambda name: None)
    with pytest.raises(lstm_core.ModelError, match="deleted") as caught:
        model_cache.any_model("gone")
    assert "stackoverflow" not in str(caught.value)
