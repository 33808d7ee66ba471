"""Every hostile file of PyTorch's formats is refused in one sentence, quickly, and nothing in it is run."""

from __future__ import annotations

import builtins
import os
import re
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from lstm_core.errors import ModelError
from lstm_core.inference import check_network_upload
from lstm_core.tracing import inspect_bytes, read_network
from tests.hostile.torch_corpus import Attack, attacks

SECONDS, MEMORY = 2.0, 32 * 2**20
GOOD = Path(__file__).parents[1] / "tracing/files/classifier.pt"


@pytest.fixture(scope="module")
def corpus() -> list[Attack]:
    return list(attacks(GOOD.read_bytes()))


def refusal(data: bytes, filename: str) -> str:
    try:
        read_network(data, filename)
    except ModelError as error:
        return str(error)
    return "accepted"


def test_every_attack_is_refused_in_one_sentence(corpus: list[Attack], monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[Any] = []
    for module, name in ((os, "system"), (builtins, "eval"), (builtins, "print")):
        monkeypatch.setattr(module, name, lambda *args: run.append(args))
    wrong = []
    for name, filename, data, words in corpus:
        start = time.process_time()
        sentence = refusal(data, filename)
        seconds = time.process_time() - start
        right = re.search(words, sentence) and sentence.isprintable() and len(sentence) < 500
        if not right or seconds > SECONDS or not sentence.endswith("."):
            wrong.append(f"{name} ({seconds:.2f} s): {sentence}; expected {words}")
    monkeypatch.undo()
    assert not wrong, "\n".join(wrong)
    assert not run
    assert len({name for name, *_ in corpus}) == len(corpus) > 70


@pytest.mark.parametrize(
    ("name", "words"),
    [("a million values", "steps to describe"), ("", "")],
)
def test_the_worker_opens_files_of_networks(name: str, words: str, corpus: list[Attack]) -> None:
    if not name:
        check_network_upload(GOOD.read_bytes(), "net.pt")
        return
    (data,) = (data for each, _, data, _ in corpus if each == name)
    with pytest.raises(ModelError, match=words):
        check_network_upload(data, "net.pt")


def test_a_file_that_can_be_described_alone_is_no_refusal_but_a_problem(corpus: list[Attack]) -> None:
    (data,) = (data for each, _, data, _ in corpus if each == "a storage of 2**47 elements")
    check_network_upload(data, "net.pt")
    report = inspect_bytes(data, "net.pt")
    assert not report.traceable
    assert "fewer bytes" in report.problem


@pytest.mark.parametrize("name", ["a bomb", "a storage of 2**47 elements", "one element many times", "20,000 tensors"])
def test_sizes_cost_no_memory(name: str, corpus: list[Attack]) -> None:
    (data,) = (data for each, _, data, _ in corpus if each.endswith(name))
    tracemalloc.start()
    refusal(data, "net.pt")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < MEMORY
