"""The models folder: listing, loading, saving, and one sentence for whatever can be wrong with a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_core
from lstm_core import LabError, ModelError
from lstm_core.datasets import registry
from lstm_core.inference import registry as model_registry
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.inference.classifier import TextClassifier
from lstm_core.library import store
from lstm_core.library.store import CARD, VOCABULARY, WEIGHTS, ModelCard
from lstm_core.text.encoder import Encoder, Vocabulary

FILES = (WEIGHTS, VOCABULARY, CARD)


def complaint(folder: Any) -> str:
    """What `load` says about a folder; always one line."""
    with pytest.raises(ModelError) as caught:
        model_registry.load(folder)
    message = str(caught.value)
    assert message.splitlines() == [message]
    assert message.endswith(".")
    assert isinstance(caught.value, LabError)
    return message


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


# --- listing and loading --------------------------------------------------------------------


def test_a_model_comes_back_as_it_was_saved(tiny_folder: Path, card: ModelCard, encoder: Encoder) -> None:
    model = model_registry.load(tiny_folder)
    assert model.card == card
    assert model.encoder == encoder
    assert model.labels == card.labels
    assert sorted(path.name for path in tiny_folder.iterdir()) == sorted(FILES)


def test_models_are_found_by_name_and_by_path(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SHIPPED", tiny_folder.parent)
    monkeypatch.chdir(tiny_folder)
    for name in ("tiny", str(tiny_folder), tiny_folder, "../tiny", "."):
        assert model_registry.find_model(name).resolve() == tiny_folder


def test_a_shipped_model_goes_before_a_folder_of_the_same_name(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SHIPPED", tiny_folder.parent)
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    assert model_registry.find_model("tiny") == tiny_folder


def test_the_list_is_in_order_and_leaves_damaged_models_out(folder: Path) -> None:
    for name in ("b", "a", "damaged", "empty"):
        shutil.copytree(folder, folder.parent / name)
    (folder.parent / "damaged" / CARD).write_text("{")
    (folder.parent / "empty" / CARD).unlink()
    (folder.parent / "notes.txt").write_text("not a folder")
    assert [card.name for card in model_registry.list_models(folder.parent)] == ["a", "b", "broken"]


def test_a_model_is_listed_under_the_name_that_loads_it(folder: Path) -> None:
    assert json.loads((folder / CARD).read_text("utf-8"))["name"] == "tiny"
    assert ModelCard.read(folder).name == folder.name == "broken"


def test_no_folder_means_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_registry.list_models(tmp_path / "nowhere") == []
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "nowhere")
    assert complaint("stackoverflow") == "There is no model 'stackoverflow'. Models here: none."


@pytest.mark.parametrize(
    "name",
    ["nothing", "", "../nothing", "/nothing", "a\nb", "a\0b", "x" * 5000, "How do I …? " * 100, "…", Path("nothing")],
    ids=lambda name: repr(name)[:20],
)
def test_what_is_no_model_is_said_to_be_none(name: Any) -> None:
    message = complaint(name)
    assert message.startswith("There is no model '")
    assert len(message) < 600


def test_a_folder_that_holds_no_model_is_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in (tmp_path / "empty", "../empty", "..", "."):
        assert f"{CARD} is missing" in complaint(name)


# --- damage ---------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", FILES)
def test_a_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    message = complaint(folder)
    assert "incomplete" in message
    assert str(folder / missing) in message


@pytest.mark.parametrize("name", [VOCABULARY, CARD])
@pytest.mark.parametrize(
    "garbage",
    [b"", b"{", b"[]", b"7", b'"tiny"', b"null", b"\xff\xfe\0", b"{}", b"[" * 100_000, b'{"name": "a\\nb"}', None],
    ids=lambda garbage: repr(garbage)[:16],
)
def test_garbage_in_place_of_json_is_damage(folder: Path, name: str, garbage: bytes | None) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2] if garbage is None else garbage)
    assert f"{name} is damaged" in complaint(folder)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 7},
        {"title": None},
        {"task": ["classifier"]},
        {"dataset": {}},
        {"labels": "abc"},
        {"labels": {"a": 1}},
        {"labels": [1, 2, 3]},
        {"labels": None},
        {"notes": "one"},
        {"measured": [1]},
        {"measured": "0.9"},
        {"training": None},
    ],
    ids=repr,
)
def test_a_card_with_wrong_types_is_damaged(folder: Path, wrong: dict[str, Any]) -> None:
    change(folder / CARD, **wrong)
    assert f"{CARD} is damaged ({next(iter(wrong))} is not" in complaint(folder)


def test_what_a_later_version_adds_to_a_card_is_passed_over(folder: Path) -> None:
    change(folder / CARD, invented="later")
    assert model_registry.load(folder).card.title == "A tiny classifier"


def test_an_unknown_task_is_named(folder: Path) -> None:
    change(folder / CARD, task="clairvoyant")
    assert "'clairvoyant'" in complaint(folder)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9, 0.999])
def test_truncated_weights_are_damage(folder: Path, share: float) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: int(len(whole) * share)])
    assert f"{WEIGHTS} is damaged" in complaint(folder)


@pytest.mark.parametrize("seed", range(10))
def test_bytes_gone_wrong_in_the_weights_are_damage_or_nothing(folder: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    raw = np.frombuffer((folder / WEIGHTS).read_bytes(), np.uint8).copy()
    spots = random.integers(0, len(raw), 40)
    raw[spots] = random.integers(0, 256, 40)
    (folder / WEIGHTS).write_bytes(raw.tobytes())
    message = ""
    try:
        model_registry.load(folder)
    except ModelError as error:
        message = str(error)
    assert "\n" not in message


def test_code_in_a_model_is_not_run(folder: Path) -> None:
    import keras

    tokens = keras.Input((None,), dtype="int32")
    keras.Model(tokens, keras.layers.Lambda(lambda x: x)(tokens)).save(folder / WEIGHTS)
    assert "Lambda" in complaint(folder)


def save_network(folder: Path, width: int = 3, ids: int = 17, mask: bool = True, **options: Any) -> None:
    import keras

    tokens = keras.Input((options.get("steps"),), dtype="int32")
    x = keras.layers.Embedding(ids, 2, mask_zero=mask)(tokens)
    x = keras.layers.LSTM(2, return_sequences=options.get("sequences", False))(x)
    keras.Model(tokens, keras.layers.Dense(width, activation="softmax")(x)).save(folder / WEIGHTS)


@pytest.mark.parametrize(
    ("network", "vocabulary", "said"),
    [
        ({}, {"tokens": ["a", "b"]}, "the vocabulary has 4 ids, the network 17"),
        ({}, {"tokens": list("abcdefghijklmnopqrst")}, "the vocabulary has 22 ids"),
        ({}, {"pairs": [[2, 3]]}, "17 and 3 ids"),
        ({"width": 4}, {}, "the card has 3 labels"),
        ({"width": 1}, {}, "the card has 3 labels"),
        ({"sequences": True}, {}, "the card has 3 labels"),
        ({"steps": 24}, {}, "exactly 24 tokens"),
        ({"steps": 24}, {"padding": "back", "length": 23}, "exactly 24 tokens"),
        ({"mask": True}, {"padding": "back"}, "padded"),
    ],
    ids=repr,
)
def test_files_of_different_models_do_not_belong_together(
    folder: Path, network: dict[str, Any], vocabulary: dict[str, Any], said: str
) -> None:
    save_network(folder, **network)
    change(folder / VOCABULARY, **vocabulary)
    message = complaint(folder)
    assert "don't belong together" in message
    assert said in message


# --- saving ---------------------------------------------------------------------------------


def full_disk(model: Any, path: Path, *rest: Any, **options: Any) -> None:
    Path(path).write_bytes(b"half")
    raise OSError(28, "No space left on device")


def on_paper(model: Any, path: Path, *rest: Any, **options: Any) -> None:
    Path(path).write_bytes(b"new weights")


def test_a_failing_write_leaves_the_old_model(
    folder: Path, tiny: TextClassifier, card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)
    monkeypatch.setattr(type(tiny.keras()), "save", full_disk)
    with pytest.raises(OSError, match="No space"):
        store.save(tiny.keras(), tiny.encoder, replace(card, title="New"), folder)
    assert contents(folder) == before


@pytest.mark.parametrize("failing", [VOCABULARY, CARD])
def test_a_failure_at_a_later_file_leaves_all_old_ones(
    folder: Path, tiny: TextClassifier, card: ModelCard, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)
    write: Callable[..., None] = store.write_json

    def fail(path: Path, *rest: Any, **options: Any) -> None:
        if path.name == failing:
            raise OSError(28, "No space left on device")
        write(path, *rest, **options)

    monkeypatch.setattr(type(tiny.keras()), "save", on_paper)
    monkeypatch.setattr(store, "write_json", fail)
    with pytest.raises(OSError, match="No space"):
        store.save(tiny.keras(), tiny.encoder, replace(card, title="New"), folder)
    assert contents(folder) == before


def test_a_compact_file_has_the_weights_to_eleven_bits(tmp_path: Path, tiny: TextClassifier, card: ModelCard) -> None:
    keras = pytest.importorskip("keras")
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, keras.layers.Embedding(500, 64)(ids))
    odd = np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)
    odd[0, :5] = 0.0, -1.5, 1e-30, 1 / 3, 1 + 2.0**-11  # the last one is halfway between two
    model.set_weights([odd])
    store.save(model, tiny.encoder, card, tmp_path / "whole")
    store.save(model, tiny.encoder, card, tmp_path / "compact", compact=True)
    found = store.read_network(tmp_path / "compact").weights[0]
    np.testing.assert_array_equal(found, store.load_keras(tmp_path / "compact").get_weights()[0])
    np.testing.assert_allclose(found, odd, rtol=2.0**-11, atol=0)
    assert found[0, :5].tolist() == [0, -1.5, pytest.approx(1e-30, rel=1e-3), 1365 / 4096, 1 + 2.0**-10]
    sizes = [(tmp_path / name / WEIGHTS).stat().st_size for name in ("compact", "whole")]
    assert sizes[0] < 0.65 * sizes[1]


def test_saving_makes_the_folder_and_replaces_what_was_there(
    tmp_path: Path, tiny: TextClassifier, card: ModelCard
) -> None:
    target = tmp_path / "deep" / "down"
    store.save(tiny.keras(), tiny.encoder, card, target)
    store.save(tiny.keras(), Encoder("code", Vocabulary(("é", '"')), 3), replace(card, title="Neu: ä"), target)
    assert ModelCard.read(target).title == "Neu: ä"
    assert json.loads((target / VOCABULARY).read_text("utf-8"))["tokens"] == ["é", '"']
    assert set(contents(target)) == set(FILES)
    assert [card.name for card in model_registry.list_models(target.parent)] == ["down"]


def test_a_card_can_be_replaced_alone(folder: Path, card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(folder)
    store.save_card(replace(card, measured={"accuracy": 0.75}), folder)
    assert ModelCard.read(folder).measured == {"accuracy": 0.75}
    assert {name: raw for name, raw in contents(folder).items() if name != CARD}.items() <= before.items()

    def fail(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    before = contents(folder)
    monkeypatch.setattr(store, "write_json", fail)
    with pytest.raises(OSError, match="No space"):
        store.save_card(card, folder)
    assert contents(folder) == before


# --- the models that are shipped ------------------------------------------------------------

TEXTS = (
    "How do I reverse a list in Python without changing the original?",
    "x",
    "Zyxwv qwrtp 你好 👍 \0",
    "I have a list:\n\n    var items = new List<string>();\n\nWhy is items.Count() slow? " * 40,
    "word " * 3000,
)


def names(task: str) -> list[str]:
    return [card.name for card in lstm_core.list_models() if card.task == task]


@pytest.fixture(scope="module", params=names("classifier"))
def shipped(request: pytest.FixtureRequest) -> Iterator[TextClassifier]:
    return lstm_core.load(request.param)


@pytest.fixture(scope="module", params=names("generator"))
def writer(request: pytest.FixtureRequest) -> TextGenerator:
    return lstm_core.load(request.param)


def test_shipped_every_folder_is_listed() -> None:
    folders = sorted(path.name for path in store.SHIPPED.iterdir() if path.is_dir()) if store.SHIPPED.is_dir() else []
    assert [card.name for card in lstm_core.list_models()] == folders


def test_shipped_reading_gives_the_answer_of_predicting(shipped: TextClassifier) -> None:
    predicted = shipped.predict(TEXTS)
    for text, row in zip(TEXTS, predicted, strict=True):
        reading = shipped.read(text)
        np.testing.assert_allclose(reading.probabilities[-1], row, atol=1e-4)
        np.testing.assert_allclose(reading.probabilities.sum(axis=1), 1, atol=1e-5)
        assert reading.probabilities.shape == (len(reading.tokens), len(shipped.labels))


def check_card(card: ModelCard, model: Any) -> None:
    """What the card of any shipped model says of its training."""
    assert all([card.title, card.summary, card.notes])
    assert json.loads((store.SHIPPED / card.name / CARD).read_text("utf-8"))["name"] == card.name
    assert card.training["command"] == f"python -m lstm_core train {card.name}"
    assert len(card.training["curves"]["validation_loss"]) == card.training["epochs"]
    assert 1 <= card.training["kept_epoch"] <= card.training["epochs"]
    assert card.training["parameters"] == model.count_params()


def test_shipped_card_is_filled_in(shipped: TextClassifier) -> None:
    card = shipped.card
    spec = registry.find_dataset(card.dataset)
    check_card(card, shipped.keras())
    assert card.labels == spec.labels
    examples = dict(card.training["examples"])
    assert examples.pop("unlabelled", 0) <= spec.unlabelled
    assert set(examples) == {"training", "validation"}
    assert sum(examples.values()) == spec.per_folder * len(spec.labels)


def test_shipped_card_says_what_was_measured(shipped: TextClassifier) -> None:
    measured, count = shipped.card.measured, len(shipped.labels)
    spec = registry.find_dataset(shipped.card.dataset)
    assert measured["model"] == shipped.card.name
    assert measured["labels"] == list(shipped.labels)
    assert measured["examples"] == np.sum(measured["confusion"]) == spec.per_folder * count
    assert measured["accuracy"] == pytest.approx(np.trace(measured["confusion"]) / measured["examples"])
    assert 1.5 / count < measured["accuracy"] < 1
    assert 0 < measured["cross_entropy"] < np.log(count)
    assert list(measured["precision"]) == list(measured["recall"]) == list(shipped.labels)
    assert ("auc" in measured) == (count == 2)


def test_shipped_writer_writes_what_keras_predicts(writer: TextGenerator) -> None:
    prompt = "Is this a dagger which I see before me,\nThe handle toward my hand? "
    written = list(writer.stream(prompt, 30, seed=1))
    ids = writer.alphabet.encode(prompt + "".join(each.character for each in written))
    ends = np.arange(len(ids) - 30, len(ids))  # how much stood there when each character was drawn
    if writer.carries:
        expected = np.asarray(writer.keras().predict_on_batch(ids[None]))[0, ends - 1]
    else:
        windows = np.array([ids[end - writer.reader.memory : end] for end in ends]) / len(writer.alphabet)
        expected = np.asarray(writer.keras().predict_on_batch(windows[..., None].astype("float32")))
    np.testing.assert_allclose([each.distribution for each in written], expected, atol=1e-4)


def test_shipped_writer_has_a_card_with_its_figures(writer: TextGenerator) -> None:
    measured, training = writer.card.measured, writer.card.training
    check_card(writer.card, writer.keras())
    assert measured["model"] == writer.card.name
    assert 0 < measured["nats_per_character"] < np.log(len(writer.alphabet))
    assert measured["perplexity"] == pytest.approx(np.exp(measured["nats_per_character"]))
    read = sum(training["characters"].values())  # nine tenths of the text; the rest is the test part
    assert measured["examples"] + 1 == pytest.approx(read / 9, abs=1)
    assert 0 < training["baseline"]["nats_per_character"] < np.log(len(writer.alphabet))
