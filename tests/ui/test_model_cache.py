"""The shelf of loaded models: each loaded once, and the one that somebody waits for first."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

import lstm_core
from ui.common import model_cache


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> dict[str, Future]:
    """A shelf with nothing on it, beside the real one."""
    loading: dict[str, Future] = {}
    monkeypatch.setattr(model_cache, "_loading", loading)
    return loading


def test_a_model_that_is_asked_for_comes_before_those_that_are_not(
    monkeypatch: pytest.MonkeyPatch, empty: dict[str, Future]
) -> None:
    order, begun, asked = [], threading.Event(), threading.Event()

    def load(name: str) -> str:
        order.append(name)
        if name == "a":
            begun.set()
            assert asked.wait(30)
        return f"model {name}"

    monkeypatch.setattr(lstm_core, "load", load)
    monkeypatch.setattr(lstm_core, "list_models", lambda folder: [SimpleNamespace(name=name) for name in "abcd"])
    model_cache.warm_up()
    assert begun.wait(30)
    wanted = model_cache._begin("d")  # a visitor comes while the first model is loading
    asked.set()
    assert wanted.result(30) == "model d"
    for name in "bc":
        assert model_cache._begin(name).result(30) == f"model {name}"
    assert order[:2] == ["a", "d"]
    assert sorted(order) == ["a", "b", "c", "d"]  # each once


def test_a_model_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch, empty: dict[str, Future]) -> None:
    answers = iter([lstm_core.ModelError("damaged"), "mended"])

    def load(name: str) -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(lstm_core, "load", load)
    with pytest.raises(lstm_core.ModelError, match="damaged"):
        model_cache._begin("a").result(30)
    assert model_cache._begin("a").result(30) == "mended"
