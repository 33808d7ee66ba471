"""Every hostile upload is refused in one sentence, quickly, and without much memory."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from lstm_core.errors import ModelError
from lstm_core.inference import check_upload, upload_worker
from lstm_core.library.store import FILES
from tests.hostile.corpus import Attack, attacks

SECONDS = 2.0  # the corpus is small; an attack that works takes for ever, or all memory
# Those that once took a core or the memory of the server, through the worker process as on the page.
WORST = ("a bomb", "sizes beyond 64 bits", "hard links in circles", "4,000 layers", "LSTM with {'units': 1000000000}")


@pytest.fixture(scope="module")
def corpus(tiny_folder: Path) -> list[Attack]:
    return list(attacks({name: (tiny_folder / name).read_bytes() for name in FILES}))


def test_every_attack_is_refused_in_one_sentence(corpus: list[Attack], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras.saving.load_model", pytest.fail)
    wrong = []
    for name, data, words in corpus:
        start = time.process_time()
        sentence = upload_worker.refusal(data) or "accepted"
        seconds = time.process_time() - start
        right = re.search(words, sentence) and sentence != "accepted" and "\n" not in sentence
        if not right or seconds > SECONDS or not sentence.endswith((".", ".'")):
            wrong.append(f"{name} ({seconds:.2f} s): {sentence}; expected {words}")
    assert not wrong, "\n".join(wrong)
    assert len(corpus) > 100
    assert len({name for name, _, _ in corpus}) == len(corpus)


def test_the_worst_cost_the_worker_little(corpus: list[Attack]) -> None:
    worst = [(data, words) for name, data, words in corpus if name in WORST]
    assert len(worst) == len(WORST)
    for data, words in worst:  # within the limits of `upload_worker`, or the sentence would be another one
        with pytest.raises(ModelError, match=words):
            check_upload(data)
