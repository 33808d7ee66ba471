"""Loaded models: each is loaded once, also when many visitors come at once, and a failure is not kept."""

from __future__ import annotations

import threading

import pytest

import lstm_core
from ui.common import model_cache


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded."""
    monkeypatch.setattr(model_cache, "_loaded", {})


def test_many_visitors_load_a_model_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads, found, begin = [], [], threading.Barrier(5)

    def load(name: str) -> str:
        loads.append(name)
        threading.Event().wait(0.02)
        return f"model {name}"

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

    def load(name: str) -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(lstm_core, "load", load)
    with pytest.raises(lstm_core.ModelError, match="damaged"):
        model_cache.any_model("a")
    assert model_cache.any_model("a") == "mended"
