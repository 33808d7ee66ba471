"""The command line, called in this process; one test starts a real one.

Whatever a user can mend is one line on standard error and exit status 2; whatever a text holds, it
is read.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_core import __main__ as command_line
from lstm_core.datasets import registry
from lstm_core.datasets.splits import LabelledTexts, Split
from lstm_core.errors import DatasetError
from lstm_core.inference import registry as model_registry
from lstm_core.inference.classifier import TextClassifier
from lstm_core.library import store
from lstm_core.library.store import CARD, WEIGHTS, ModelCard
from lstm_core.nn import keras_backend
from lstm_core.training.recipes import TextRecipe
from lstm_core.training.registry import ALL_RECIPES

ROOT = Path(__file__).resolve().parent.parent
HOSTILE = {
    "NUL": "sort\0a\0list",
    "a script": "<script>alert('sort')</script>",
    "Arabic": "كيف أرتب قائمة",
    "emoji": "👩🏽‍💻 sort 🐍",
    "a lone surrogate": "sort \udcff \ud800",
    "control signs": "\x1b[31msort\x07\x7f",
    "a giant number": f"&#{'9' * 5000};",
    "very long": "sort a list " * 20_000,
}


@dataclass
class Ended:
    """How a command ended; `err` in lines."""

    status: int
    out: str
    err: list[str]

    @property
    def json(self) -> Any:
        assert len(self.out.splitlines()) == 1
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command with some bytes on standard input; there are no data sets."""
    monkeypatch.setenv("LSTM_LAB_DATA", str(tmp_path / "data"))

    def call(*arguments: str, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "ascii"))
        try:
            status = command_line.main(arguments)
        except SystemExit as ended:
            status = int(ended.code or 0)
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err.splitlines())

    return call


@pytest.fixture
def name(tiny_folder: Path) -> str:
    return str(tiny_folder)


def fails(ended: Ended) -> str:
    """The one line of a command that failed as it should."""
    assert ended.status == 2
    assert ended.out == ""
    assert len(ended.err) == 1, ended.err
    assert ended.err[0].startswith("lstm_core: ")
    return ended.err[0]


# --- inspect --------------------------------------------------------------------------------


def test_inspect(run: Run, tiny_folder: Path) -> None:
    found = run("inspect", str(tiny_folder))
    assert found.out.startswith("tiny/model.keras: Keras file (.keras), Keras, ")
    assert run("inspect", str(tiny_folder / WEIGHTS), "--json").json["framework"] == "Keras"
    assert run("inspect", "macbeth").status == 0
    assert "There is no model 'oracle'" in fails(run("inspect", "oracle"))
    assert "nothing.pt can't be read" in fails(run("inspect", "nothing.pt"))


# --- list -----------------------------------------------------------------------------------


def test_list(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SHIPPED", folder.parent)
    assert run("list").out.split() == ["broken", "accuracy", "50.00%", "A", "tiny", "classifier"]
    found = run("list", "--json")
    assert (found.status, found.err) == (0, [])
    assert found.json == [
        {"name": "broken", "title": "A tiny classifier", "measured": {"accuracy": 0.5, "examples": 10}}
    ]


def test_list_says_how_surprised_a_writer_is(
    run: Run, folder: Path, card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SHIPPED", folder.parent)
    store.save_card(replace(card, measured={"nats_per_character": 1.234}), folder)
    assert "1.234 nats per character  A tiny" in run("list").out


@pytest.mark.parametrize("measured", [{}, {"accuracy": None}, {"accuracy": "high"}, {"auc": 0.9}], ids=repr)
def test_list_a_model_that_was_not_measured(
    run: Run, folder: Path, card: ModelCard, measured: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_card(replace(card, measured=measured), folder)
    monkeypatch.setattr(store, "SHIPPED", folder.parent)
    assert run("list").out.split() == ["broken", "A", "tiny", "classifier"]


# --- predict --------------------------------------------------------------------------------


def test_predict(run: Run, name: str, tiny: TextClassifier) -> None:
    texts = ["sort a list", "the loop"]
    expected = tiny.predict(texts)
    answers = [tiny.labels[row.argmax()] for row in expected]
    plain = run("predict", name, *texts)
    assert (plain.status, plain.err) == (0, [])
    assert plain.out.splitlines() == [f"{tag}\t{row.max():.3f}" for tag, row in zip(answers, expected, strict=True)]
    found = run("predict", name, *texts, "--json").json
    assert found["model"] == "tiny"
    assert [each["answer"] for each in found["answers"]] == answers
    for each, row in zip(found["answers"], expected, strict=True):
        assert tuple(each["probabilities"]) == tiny.labels
        np.testing.assert_allclose(list(each["probabilities"].values()), row, atol=1e-6)


def test_predict_reads_standard_input(run: Run, name: str) -> None:
    text = "sort a list\nin the loop: größer"
    assert run("predict", name, stdin=text.encode()).out == run("predict", name, text).out
    assert run("predict", name, stdin=b"sort \xff\xfe list").status == 0


# --- read -----------------------------------------------------------------------------------


def test_read(run: Run, name: str, tiny: TextClassifier) -> None:
    reading = tiny.read("Sort a thing")
    plain = run("read", name, "Sort a thing")
    assert (plain.status, plain.err) == (0, [])
    head, *rows = [line.split() for line in plain.out.splitlines()]
    assert head == ["token", *tiny.labels]
    assert [row[0] for row in rows] == ["sort", "a", "thing"]
    np.testing.assert_allclose([list(map(float, row[1:])) for row in rows], reading.probabilities, atol=6e-4)

    found = run("read", name, "--json", stdin=b"Sort a thing").json
    np.testing.assert_allclose(found.pop("probabilities"), reading.probabilities, atol=1e-6)
    assert found == {
        "model": "tiny",
        "answer": reading.answer,
        "labels": list(tiny.labels),
        "tokens": ["sort", "a", "thing"],
        "unknown": 1,
        "cut": 0,
        "masked": [],
    }


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("command", ["predict", "read"])
def test_hostile_texts_are_read(
    run: Run, tiny: TextClassifier, command: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_registry, "load", {"tiny": tiny}.get)  # loading it anew takes longer than reading
    piped = text.encode("utf-8", errors="surrogateescape" if "\ud800" not in text else "replace")
    for found in (run(command, "tiny", text), run(command, "tiny", text, "--json"), run(command, "tiny", stdin=piped)):
        assert (found.status, found.err) == (0, [])


@pytest.mark.parametrize(
    "raw", [b"\xff", b"\xc3(", b"\xed\xa0\x80", bytes(range(255, -1, -1))], ids=lambda raw: repr(raw[:3])
)
def test_bytes_that_are_no_text_are_read_as_signs(run: Run, name: str, raw: bytes) -> None:
    found = run("read", name, "--json", stdin=raw)
    assert found.status == 0
    assert "\ufffd" in found.json["tokens"]


def test_a_terminal_that_lacks_a_sign_gets_its_number(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii"))
    assert command_line.main(["read", name, "größe"]) == 0
    sys.stdout.flush()
    assert b"gr\\xf6\\xdfe" in shown.getvalue()


# --- mistakes -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["predict"], ["read"], ["evaluate"]])
@pytest.mark.parametrize("unknown", ["nothing", "a\nb", "x" * 5000, ""], ids=lambda unknown: repr(unknown)[:12])
def test_an_unknown_model(run: Run, command: list[str], unknown: str) -> None:
    assert "There is no model" in fails(run(*command, unknown))


def test_a_damaged_model(run: Run, folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"PK")
    assert f"{WEIGHTS} is damaged" in fails(run("predict", str(folder), "sort"))
    (folder / CARD).unlink()
    assert "incomplete" in fails(run("read", str(folder), "sort"))


@pytest.mark.parametrize("stdin", [b"", b"\n", b" \t\r\n \n", "\u2003\n".encode()], ids=repr)
@pytest.mark.parametrize("command", ["predict", "read"])
def test_nothing_to_read(run: Run, name: str, command: str, stdin: bytes) -> None:
    assert "to read" in fails(run(command, name, stdin=stdin))
    assert "to read" in fails(run(command, name, stdin.decode(), "--json"))


def test_one_empty_text_among_several(run: Run, name: str) -> None:
    assert "Text 2 of 3" in fails(run("predict", name, "sort", " ", "loop"))


def test_an_unknown_recipe_or_data_set(run: Run) -> None:
    assert "There is no recipe 'nothing'. Recipes: " in fails(run("train", "nothing"))
    assert "no data set called 'nothing'" in fails(run("download", "nothing"))


def test_a_data_set_that_is_not_here(run: Run, name: str) -> None:
    assert "isn't here yet" in fails(run("evaluate", name, "--json"))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["predict"],
        ["list", "--jsn"],
        ["train", "stackoverflow", "--seed", "-1"],
        ["train", "x", "--seed", "y"],
    ],
    ids=repr,
)
def test_a_command_that_is_not_understood(run: Run, arguments: list[str]) -> None:
    assert "--help" in fails(run(*arguments))


def test_help_is_no_mistake(run: Run) -> None:
    found = run("--help")
    assert (found.status, found.err) == (0, [])
    for command in ("list", "predict", "read", "train", "evaluate", "download"):
        assert command in found.out


def test_stopping_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(folder: Path | None = None) -> list[ModelCard]:
        raise KeyboardInterrupt

    monkeypatch.setattr(model_registry, "list_models", stop)
    found = run("list")
    assert (found.status, found.out, found.err) == (130, "", ["lstm_core: stopped."])


# --- train, then evaluate -------------------------------------------------------------------

WORDS = {"no": ["dull", "slow"], "yes": ["fine", "great"]}
REVIEWS = Split(
    tuple(f"a {word} film, number {number}" for number in range(20) for words in WORDS.values() for word in words),
    np.array([0, 0, 1, 1] * 20),
)
DATA = LabelledTexts(REVIEWS, REVIEWS.take(range(11)), tuple(WORDS))


def build(vocabulary: int, classes: int, pairs: int) -> Any:
    import keras

    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(vocabulary, 4, mask_zero=True)(tokens))
    return keras.Model(tokens, keras.layers.Dense(classes, activation="softmax" if classes > 1 else "sigmoid")(x))


def adam(steps: int) -> Any:
    import keras

    return keras.optimizers.Adam(0.1)


RECIPE = TextRecipe(
    name="reviews",
    title="Reviews",
    dataset="imdb",
    summary="Made up.",
    notes=(),
    tokenizer="code",
    vocabulary=30,
    length=8,
    build=build,
    optimizer=adam,
    batch=20,
    epochs=4,
    validation=0.25,
)


@pytest.fixture
def lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe is there, and its data; training stays with the backend of this process."""
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", backend)  # so that what the command sets is undone
    monkeypatch.setenv("LSTM_LAB_TRAINING_BACKEND", backend)
    monkeypatch.setitem(ALL_RECIPES, "reviews", RECIPE)
    monkeypatch.setattr(registry, "load_labelled", lambda name: {"imdb": DATA}[name])


@pytest.mark.usefixtures("lesson")
def test_train_then_evaluate_then_predict(run: Run, tmp_path: Path) -> None:
    into = str(tmp_path / "new" / "reviews")
    found = run("train", "reviews", "--seed", "5", "--into", into)
    assert (found.status, found.err) == (0, [])
    assert "epoch 4/4" in found.out
    assert found.out.count("validation") == 4
    assert found.out.splitlines()[-1] == f"Saved in {into}. Measure it: python -m lstm_core evaluate {into}"

    stored = ModelCard.read(Path(into))
    assert stored.training["seed"] == 5
    assert stored.measured == {}
    figures = run("evaluate", into, "--json", "--update-card").json
    assert figures["model"] == "reviews"
    assert figures["examples"] == 11
    assert figures["accuracy"] == figures["auc"] == 1
    assert ModelCard.read(Path(into)).measured == figures
    plain = run("evaluate", into).out
    assert "accuracy 100.00% on 11 " in plain
    assert "ROC curve 1.0000" in plain
    assert run("predict", into, "a great film").out.startswith("yes\t")


@pytest.mark.usefixtures("lesson")
def test_a_folder_that_cannot_be_written_is_said_before_training(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setitem(ALL_RECIPES, "reviews", replace(RECIPE, build=None))
    assert "can't be saved in" in fails(run("train", "reviews", "--into", str(tmp_path / "file")))
    assert "can't be saved in" in fails(run("train", "reviews", "--into", str(tmp_path / "file" / "below")))


@pytest.mark.parametrize(("chosen", "said"), [("abacus", "can be jax"), ("torch", "isn't installed")])
@pytest.mark.usefixtures("lesson")
def test_a_backend_that_is_not_there(
    run: Run, tmp_path: Path, chosen: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSTM_LAB_TRAINING_BACKEND", chosen)
    monkeypatch.setattr(keras_backend.importlib.util, "find_spec", lambda package: None)
    assert said in fails(run("train", "reviews", "--into", str(tmp_path)))


def test_evaluate_shows_a_class_that_was_never_given(
    run: Run, name: str, tiny: TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ("sort a list",) * 3
    test = Split(texts, np.array([0, 1, 2]))
    monkeypatch.setattr(registry, "load_labelled", lambda name: LabelledTexts(test, test, tiny.labels))
    found = run("evaluate", name)
    assert (found.status, found.err) == (0, [])
    rows = {line.split()[0]: line.split()[1] for line in found.out.splitlines()[2:]}
    assert sorted(rows[label] for label in tiny.labels) == ["33.3%", "–", "–"]


# --- download -------------------------------------------------------------------------------


def test_download(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(name: str, progress: Callable[[int, int | None], None], *, again: bool) -> Path:
        asked.append((name, again))
        progress(2**20, 2**21)
        progress(2**20, None)
        return Path("somewhere")

    monkeypatch.setattr(registry, "download_dataset", download)
    found = run("download", "imdb", "--again")
    assert (found.status, found.err, asked) == (0, [], [("imdb", True)])
    assert "1.0 MiB  50%" in found.out
    assert found.out.splitlines()[-1] == "imdb: somewhere"


def test_a_download_that_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **options: Any) -> Path:
        raise DatasetError("No network.\nAt all.")

    monkeypatch.setattr(registry, "download_dataset", fail)
    assert fails(run("download", "imdb")) == "lstm_core: No network. At all."


# --- a process of its own -------------------------------------------------------------------


def test_in_a_process_of_its_own(tiny_folder: Path, tiny: TextClassifier) -> None:
    text = "sort a list <script> 👍 \0 größer"
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    ended = subprocess.run(
        [sys.executable, "-m", "lstm_core", "predict", str(tiny_folder)],
        input=text.encode(),
        capture_output=True,
        cwd=ROOT,
        env=quiet,
        check=False,
        timeout=240,
    )
    row = tiny.predict([text])[0]
    assert ended.returncode == 0
    assert ended.stdout.decode() == f"{tiny.labels[row.argmax()]}\t{row.max():.3f}\n"
    assert ended.stderr.decode() == ""


def test_the_checkup_of_a_model(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "texts.txt"
    data.write_text("how do I sort a list of strings in place\n\nwhy does this pointer crash\n", "utf-8")
    ended = run("checkup", "family_lstm", "--data", str(data), "--json")
    assert (ended.status, ended.json["sequences"], ended.json["severity"] != "fault") == (0, 2, True)
    assert "[fine] input scale, layer" in run("checkup", "family_lstm", "--data", str(data)).out
    missing = run("checkup", "family_lstm", "--data", str(tmp_path / "none.txt"))
    assert (missing.status, len(missing.err)) == (2, 1)
