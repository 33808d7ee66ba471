"""The worker process that opens uploads: what it lets pass, what it refuses, and its limits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lstm_core.errors import ModelError
from lstm_core.inference import check_upload, upload_check, upload_worker
from lstm_core.library.bundle import bundle_folder
from lstm_core.library.card import CARD
from lstm_core.library.store import SHIPPED, VOCABULARY

Edit = Callable[[dict[str, Any]], Any]


def edited(folder: Path, name: str, edit: Edit) -> bytes:
    """The bundle of a model with one of its JSON files changed."""
    data = json.loads((folder / name).read_text())
    edit(data)
    (folder / name).write_text(json.dumps(data))
    return bundle_folder(folder)


def test_a_good_model_passes(tiny_folder: Path) -> None:
    check_upload(bundle_folder(tiny_folder))


@pytest.mark.parametrize("folder", sorted(SHIPPED.iterdir()), ids=lambda folder: folder.name)
def test_every_shipped_model_would_be_accepted(folder: Path) -> None:
    assert upload_worker.refusal(bundle_folder(folder)) is None


def to_lone_surrogate(card: dict[str, Any]) -> None:
    card["training"] = {"note": "\ud800"}


@pytest.mark.parametrize(
    ("name", "edit", "sentence"),
    [
        (CARD, lambda card: card.clear(), "title is not a text"),
        (CARD, lambda card: card.update(title="half \udc00"), "half a character"),
        (CARD, to_lone_surrogate, "half a character"),
        (CARD, lambda card: card.update(summary="line\nline"), "can't be shown"),
        (CARD, lambda card: card.update(task="oracle"), "'oracle', which this version doesn't know"),
        (CARD, lambda card: card.update(task="generator"), "damaged"),
        (CARD, lambda card: card.update(labels=["a", "b"]), "2 labels"),
        (CARD, lambda card: card.update(labels=["a", "a", "b"]), "there twice"),
        (CARD, lambda card: card.update(labels=["a", "b", "c" * 81]), "81 characters"),
        (CARD, lambda card: card.update(title=" "), "empty title"),
        (CARD, lambda card: card.update(measured={"x": "y" * 300_000}), "too much"),
        (VOCABULARY, lambda vocabulary: vocabulary.clear(), "damaged"),
        (VOCABULARY, lambda vocabulary: vocabulary["tokens"].pop(), "the vocabulary has"),
        (VOCABULARY, lambda vocabulary: vocabulary.update(length="12"), "length is"),
    ],
)
def test_cards_and_vocabularies_that_do_not_fit_are_one_sentence(
    name: str, edit: Edit, sentence: str, folder: Path
) -> None:
    refusal = upload_worker.refusal(edited(folder, name, edit))
    assert refusal is not None
    assert sentence in refusal
    assert "\n" not in refusal


def test_long_texts_of_a_card_are_cut(card: Any) -> None:
    own = replace(card, title="t" * 81, summary="s" * 201, notes=("n" * 900,) * 40).for_user()
    assert len(own.title) == 80
    assert {len(text) for text in (own.summary, *own.notes)} == {200}
    assert len(own.notes) == 10


@pytest.mark.parametrize(
    ("answer", "sentence"), [([[0.5, float("nan")]], "isn't a number"), ([[0.5, 2.0]], "aren't probabilities")]
)
def test_a_model_without_an_answer_is_refused(
    answer: Any, sentence: str, monkeypatch: pytest.MonkeyPatch, tiny: Any
) -> None:
    monkeypatch.setitem(upload_worker._QUESTIONS, "classifier", lambda model: answer)
    with pytest.raises(ModelError, match=sentence):
        upload_worker.ask(tiny)


def test_a_model_is_asked_to_read_as_much_as_it_says(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = type(tiny).read
    monkeypatch.setattr(type(tiny), "read", lambda self, text: read.append(text) or original(self, text))
    upload_worker.ask(tiny)
    assert len(read[0].split()) == tiny.encoder.length


# --- The process ----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("while True: pass", -signal.SIGPROF),
        ("bytearray(600 * 2**20)", 1),
        ("open('x', 'wb').write(bytes(65 * 2**20))", 1),
    ],
    ids=["time", "memory", "file"],
)
def test_the_worker_limits_itself(code: str, status: int, tmp_path: Path) -> None:
    code = f"from lstm_core.inference import upload_worker; upload_worker.limit()\n{code}"
    environment = os.environ | {"PYTHONPATH": str(upload_check.ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, timeout=120)
    assert done.returncode == status


def test_a_worker_that_does_not_end_is_ended(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_check, "LONGEST", 0.0)
    with pytest.raises(ModelError, match="too long"):
        check_upload(bundle_folder(tiny_folder))


def test_a_worker_that_crashes_is_one_sentence(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upload_check, "COMMAND", [sys.executable, "-m", "lstm_core.no_such_module"])
    with pytest.raises(ModelError, match="damaged"):
        check_upload(bundle_folder(tiny_folder))
    assert "no_such_module" in caplog.text


def test_the_worker_gets_neither_passwords_nor_keras(monkeypatch: pytest.MonkeyPatch, tiny_folder: Path) -> None:
    seen = {}

    class Recorder(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **options: Any) -> None:
            seen.update(options.get("env", {}))
            super().__init__(*args, **options)

    monkeypatch.setenv("LSTM_LAB_DATABASE", "postgresql://somebody:secret@host")
    monkeypatch.setattr(subprocess, "Popen", Recorder)
    check_upload(bundle_folder(tiny_folder))
    assert "secret" not in str(seen)
    code = "import sys, lstm_core.inference.upload_worker; print({'keras', 'pandas', 'streamlit'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=upload_check.ROOT).stdout == b"set()\n"
