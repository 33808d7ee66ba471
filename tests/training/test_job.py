"""Lessons, from their data to what a job hands back: curves, weights of each epoch, stopping, diverging.

All lessons here read data that is made up on the spot; how settings are checked is in `test_lesson_recipes.py`.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

import lstm_core
import lstm_core.evaluation.evaluate
from lstm_core import __main__ as command_line
from lstm_core.datasets import toy
from lstm_core.errors import LabError
from lstm_core.library import bundle, store
from lstm_core.timeseries import series
from lstm_core.training import registry, trainer
from lstm_core.training.batches import Rows, TextWindows
from lstm_core.training.job import work
from lstm_core.training.lessons import checkpoints
from lstm_core.training.lessons import texts as lesson_data
from lstm_core.training.lessons.presets import LESSONS, PRESETS
from lstm_core.training.lessons.recipe import HYPERPARAMETERS, OWN, LessonRecipe, parameter_count
from lstm_core.training.lessons.task import LessonTask, network, set_forget_bias
from lstm_core.training.optimizers import NormKeepingAdam
from lstm_core.training.progress import Pace

READER = LessonRecipe(
    name="tiny_lesson",
    title="A tiny lesson",
    summary="For tests.",
    task="classifier",
    dataset="negation",
    units=6,
    embedding=5,
    learning_rate=0.02,
    length=12,
    epochs=3,
    examples=320,
    seed=4,
)
WRITER = replace(READER, name="tiny_writer", task="generator", dataset="counting", units=12, length=20, examples=4000)


def never() -> bool:
    return False


def run(recipe: LessonRecipe, stopped: Any = never, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the work hands back, and all that it told."""
    events: list[dict[str, Any]] = []
    found = work({"lesson": recipe.to_json(), **more}, events.append, stopped)
    return found, events


@pytest.fixture(scope="module")
def read() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "REPORT_EVERY", 0.0)
        return run(READER)


@pytest.fixture(scope="module")
def written() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return run(WRITER)


# --- what is told and handed back -----------------------------------------------------------


def test_the_work_tells_its_stages_and_then_its_steps_and_epochs(read: Any) -> None:
    found, events = read
    assert [event["stage"] for event in events if "stage" in event] == ["data", "network", "training"]
    assert json.loads(json.dumps(events)) == events
    described = next(event for event in events if "summary" in event)
    assert described["parameters"] == found["parameters"]
    assert "lstm (LSTM)" in described["summary"]
    steps = [event for event in events if "step" in event]
    places = [(event["epoch"], event["step"]) for event in steps]
    assert places == sorted(places)
    whole = [event for event in steps if event["whole_epoch"]]
    assert [event["epoch"] for event in whole] == [1, 2, 3]
    for event in whole:
        assert {"validation_loss", "validation_accuracy", "example", "gradient_norm", "left"} <= set(event)
        assert math.isclose(sum(event["example"]["probabilities"].values()), 1, abs_tol=1e-3)
    assert steps[-1]["left"] == 0
    assert all(event["samples_per_second"] > 0 for event in steps[2:])


def test_curves_examples_and_settings_are_handed_back(read: Any) -> None:
    found, _ = read
    assert (found["ended"], found["diverged"], found["task"]) == ("finished", None, "classifier")
    assert set(found["epochs"]) == {"loss", "accuracy", "validation_loss", "validation_accuracy"}
    assert {len(curve) for curve in found["epochs"].values()} == {3}
    assert found["steps"]["step"] == list(range(1, 31))  # 320 examples, 32 a batch, three times
    assert {len(curve) for curve in found["steps"].values()} == {30}
    assert min(found["steps"]["gradient_norm"]) > 0
    assert len(found["examples"]) == 4
    assert found["settings"] == READER.to_json()
    assert found["parameters"] == found["card"]["training"]["parameters"]
    assert found["epochs"]["loss"][-1] < found["epochs"]["loss"][0]


def test_the_curve_by_step_and_the_curve_by_epoch_agree(read: Any) -> None:
    found, _ = read
    for name in ("loss", "accuracy"):
        means = np.array(found["steps"][name]).reshape(3, 10).mean(axis=1)
        np.testing.assert_allclose(means, found["epochs"][name], atol=1e-4)


def test_the_model_in_the_bytes_is_a_stock_one_that_answers_like_the_last_example(read: Any, tmp_path: Any) -> None:
    found, _ = read
    bundle.unpack_bundle_into(found["model"], tmp_path / "tiny_lesson")
    model = lstm_core.load(tmp_path / "tiny_lesson")
    last = found["examples"][-1]
    answers = dict(zip(model.labels, model.predict([last["text"]])[0], strict=True))
    assert answers == pytest.approx(last["probabilities"], abs=2e-4)
    data = toy.negation().train
    _, held = lesson_data.splits.validation_split(data, lesson_data.VALIDATION, READER.seed)
    p = model.predict(held.texts[:400])[np.arange(400), held.labels[:400]]
    assert -np.log(p).mean() == pytest.approx(found["epochs"]["validation_loss"][-1], rel=1e-3)
    assert type(model.keras().layers[-1].activation).__name__ == "function"
    assert model.keras().layers[-1].activation is keras.activations.softmax


def test_a_writer_writes_a_line_after_each_epoch(written: Any, tmp_path: Any) -> None:
    found, _ = written
    assert [len(example["text"]) for example in found["examples"]] == [lesson_data.WRITTEN] * 4
    assert len({example["prompt"] for example in found["examples"]}) == 1
    assert found["epochs"]["validation_loss"][-1] < found["epochs"]["validation_loss"][0]
    bundle.unpack_bundle_into(found["model"], tmp_path / "tiny_writer")
    model = lstm_core.load(tmp_path / "tiny_writer")
    last = found["examples"][-1]
    again = model.stream(last["prompt"], lesson_data.WRITTEN, temperature=lesson_data.TEMPERATURE, seed=WRITER.seed)
    assert "".join(each.character for each in again) == last["text"]


@pytest.mark.parametrize(("dataset", "cell", "length"), [("seasons", "lstm", 20), ("stocks", "gru", 12)])
def test_a_forecaster_forecasts_after_each_epoch(dataset: str, cell: str, length: int, tmp_path: Any) -> None:
    changes = {"dataset": dataset, "cell": cell, "length": length, "batch": 64, "epochs": 2}
    found, events = run(replace(READER, task="forecaster", **changes))
    assert found["epochs"]["loss"][1] < found["epochs"]["loss"][0]
    assert "accuracy" not in found["steps"]
    assert json.loads(json.dumps(events)) == events
    last = found["examples"][-1]
    assert np.shape(last["quantiles"]) == (len(last["truth"]), len(last["levels"]))
    bundle.unpack_bundle_into(found["model"], tmp_path / "model")
    model = lstm_core.load(tmp_path / "model")
    known = series.load_series(last["series"])
    origins, scaling = known.parts.validation_origins(model.settings.horizon), model.scaling(known)
    middle = origins[len(origins) // 2 :][:1]
    np.testing.assert_allclose(model.forecast(known.values, middle, scaling)[0], last["quantiles"], rtol=1e-3)
    then = checkpoints.model_at_epoch(model, found["snapshots"], 2)
    np.testing.assert_allclose(then.forecast(known.values, middle, scaling)[0], last["quantiles"], rtol=1e-2)
    assert model.memory(known.values, origins[:2], scaling).shape == (2, READER.units)
    assert lstm_core.evaluation.evaluate.evaluate(model)["mase"] > 0


@pytest.mark.parametrize(
    "change", [{"cell": "gru", "layers": 2}, {"cell": "rnn", "pooling": "strongest", "clipping": "value"}]
)
def test_other_cells_can_be_read_too(change: dict[str, Any], tmp_path: Any) -> None:
    found, _ = run(replace(READER, epochs=1, examples=64, **change))
    bundle.unpack_bundle_into(found["model"], tmp_path / "other")
    reading = lstm_core.load(tmp_path / "other").read("the soup was not bad .")
    assert [trace.kind for trace in reading.layers] == [change["cell"]] * change.get("layers", 1)


# --- the same seed, the same curve ----------------------------------------------------------


def test_the_same_seed_gives_the_same_curve_and_another_seed_another(read: Any) -> None:
    again, _ = run(READER)
    for curve in ("steps", "epochs", "examples"):
        assert again[curve] == read[0][curve]
    assert again["snapshots"] == read[0]["snapshots"]
    assert run(replace(READER, seed=5, epochs=1))[0]["steps"]["loss"] != read[0]["steps"]["loss"][:10]


def test_the_command_line_runs_the_same_lesson(
    read: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(registry.ALL_RECIPES, READER.name, READER)
    monkeypatch.setenv("LSTM_LAB_TRAINING_BACKEND", keras.backend.backend())
    monkeypatch.setenv("KERAS_BACKEND", keras.backend.backend())  # which the command sets
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path))
    assert command_line.main(["train", READER.name]) == 0
    assert "epoch 3/3" in capsys.readouterr().out
    card = lstm_core.load(READER.name).card
    assert card.training["curves"] == read[0]["epochs"]
    assert card.training["settings"] == READER.to_json()
    assert command_line.main(["train", READER.name]) == 2  # it is never written over
    assert "--into" in capsys.readouterr().err
    assert command_line.main(["evaluate", READER.name, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["examples"] == 1000


# --- stopping -------------------------------------------------------------------------------


def test_a_run_that_is_stopped_keeps_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "CHECK_EVERY", 0.0)
    monkeypatch.setattr(trainer, "REPORT_EVERY", 0.0)
    events: list[dict[str, Any]] = []
    lesson = {"lesson": replace(READER, epochs=50).to_json()}
    found = work(lesson, events.append, lambda: (events[-1].get("epoch"), events[-1].get("step")) == (2, 3))
    assert found["ended"] == "stopped"
    assert len(found["epochs"]["loss"]) == 1
    assert 10 < found["steps"]["step"][-1] < 20
    assert len(found["snapshots"]["epochs"]) == 2
    assert bundle.unpack_bundle(found["model"])
    assert found["card"]["training"]["ended"] == "stopped"


def test_a_recipe_of_the_book_can_be_run_and_stopped_as_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.ALL_RECIPES, READER.name, replace(READER, epochs=1))
    found = work({"recipe": READER.name, "seed": 9}, lambda event: None, never)
    assert found["settings"]["seed"] == 9
    with pytest.raises(LabError, match="no recipe 'nothing'"):
        work({"recipe": "nothing"}, lambda event: None, never)


# --- diverging ------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_ends_the_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HYPERPARAMETERS, "learning_rate", replace(HYPERPARAMETERS["learning_rate"], high=1e38))
    monkeypatch.setattr(trainer, "DIVERGED", math.inf)
    found, events = run(replace(READER, learning_rate=1e37, clipping="none"))
    assert found["ended"] == "diverged"
    assert "smaller learning rate" in found["diverged"]["why"]
    told = [event for event in events if "diverged" in event]
    assert [event["diverged"] for event in told] == [found["diverged"]]
    assert found["diverged"]["step"] < 10
    assert all(math.isfinite(value) for curve in found["steps"].values() for value in curve)
    assert json.loads(json.dumps(found["steps"])) == found["steps"]
    for block in found["snapshots"]["weights"]:
        assert np.isfinite(np.frombuffer(block, "<f2")).all()
    assert bundle.unpack_bundle(found["model"])


@pytest.mark.parametrize("clipping", ["none", "norm"])
def test_a_rate_from_the_sliders_end_diverges_too(clipping: str) -> None:
    found, _ = run(replace(READER, learning_rate=HYPERPARAMETERS["learning_rate"].high, clipping=clipping))
    assert found["ended"] == "diverged"
    assert found["diverged"]["loss"] > trainer.DIVERGED * 0.5
    assert "times that of a network that knows nothing" in found["diverged"]["why"]


# --- the time machine -----------------------------------------------------------------------


def test_each_epoch_can_be_replayed_and_equals_keras(read: Any, tmp_path: Any) -> None:
    found, _ = read
    bundle.unpack_bundle_into(found["model"], tmp_path / "model")
    loaded = lstm_core.load(tmp_path / "model")
    trained = loaded.saved.weights
    text = found["examples"][0]["text"]
    for epoch, example in enumerate(found["examples"]):
        then = checkpoints.model_at_epoch(loaded, found["snapshots"], epoch)
        answers = then.read(text).probabilities[-1]
        np.testing.assert_allclose(answers, then.predict([text])[0], atol=1e-4)  # NumPy against Keras
        np.testing.assert_allclose(answers, list(example["probabilities"].values()), atol=5e-3)  # 16 bits a weight
        assert then.read(text).layers[0].f.shape == (len(then.read(text).tokens), READER.units)
    for one, other in zip(loaded.saved.weights, trained, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_writer_can_be_replayed(written: Any, tmp_path: Any) -> None:
    found, _ = written
    bundle.unpack_bundle_into(found["model"], tmp_path / "model")
    loaded = lstm_core.load(tmp_path / "model")
    untrained, trained = (checkpoints.model_at_epoch(loaded, found["snapshots"], epoch) for epoch in (0, 3))
    text = toy.counting()[-300:]
    assert untrained.score(text).nats_per_character == pytest.approx(math.log(len(loaded.alphabet)), abs=0.2)
    assert trained.score(text).nats_per_character == pytest.approx(loaded.score(text).nats_per_character, abs=5e-3)


def test_what_was_not_kept_is_one_sentence(read: Any, tiny: Any) -> None:
    snapshots = read[0]["snapshots"]
    with pytest.raises(LabError, match="No weights were kept of epoch 9; there are 0, 1, 2, 3"):
        checkpoints.weights_at_epoch(snapshots, 9)
    with pytest.raises(LabError, match="another network"):
        checkpoints.model_at_epoch(tiny, snapshots, 0)
    with pytest.raises(LabError, match="damaged"):
        checkpoints.weights_at_epoch(snapshots | {"weights": [b"12"] * 4}, 0)


def test_large_networks_keep_no_weights_and_many_epochs_only_some(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [[np.full((3, 2), float(epoch)), np.array([1e9])] for epoch in range(10)]
    monkeypatch.setattr(checkpoints, "MOST_BYTES", 14 * 4)
    found = checkpoints.pack_checkpoints(kept)
    assert found is not None
    assert found["epochs"] == [0, 3, 6, 9]
    first, second = checkpoints.weights_at_epoch(found, 6)
    np.testing.assert_array_equal(first, kept[6][0])
    assert np.isfinite(second).all()
    assert checkpoints.pack_checkpoints([]) is None


# --- data -----------------------------------------------------------------------------------


def test_own_texts_can_be_learnt_and_say_that_they_have_no_test_part(tmp_path: Any) -> None:
    data = "text,label\n" + "".join(
        f"{word} {n},{label}\n" for n in range(20) for word, label in (("a b", "x"), ("c d", "y"))
    )
    found, _ = run(replace(READER, dataset=OWN, epochs=1), data=data.encode())
    assert found["card"]["labels"] == ("x", "y")
    bundle.unpack_bundle_into(found["model"], tmp_path / "own")
    with pytest.raises(LabError, match=r"your own data.*no test part") as caught:
        lstm_core.evaluation.evaluate.evaluate(lstm_core.load(tmp_path / "own"))
    assert "\n" not in str(caught.value)


def test_an_own_corpus_can_be_learnt(tmp_path: Any) -> None:
    text = "Ärger mit Öl. " * 900
    found, _ = run(replace(WRITER, dataset=OWN, epochs=1, examples=0), data=text.encode())
    assert found["card"]["dataset"] == OWN
    assert found["card"]["training"]["examples"]["training"] == int(len(text) * 0.95)
    bundle.unpack_bundle_into(found["model"], tmp_path / "own")
    with pytest.raises(LabError, match="no test part"):
        lstm_core.evaluation.evaluate.evaluate(lstm_core.load(tmp_path / "own"))


@pytest.mark.parametrize(
    ("recipe", "data", "why"),
    [
        (replace(READER, dataset=OWN), None, "Choose a file"),
        (READER, b"text,label\n", "reads no file"),
        (replace(READER, dataset=OWN), b"text,label\n", "fewer than 2 labels"),
        (replace(WRITER, dataset=OWN), b"short", "5 bytes"),
        (replace(WRITER, dataset=OWN, length=600), b"abcdefghi\n" * 1000, "too short for windows of 600"),
        (replace(READER, dataset="nowhere"), None, "no data set called"),
        (replace(WRITER, dataset="imdb"), None, "many labelled texts"),
        (replace(READER, task="forecaster", dataset="weather"), None, "no series 'weather' to learn from"),
        (replace(READER, task="forecaster", dataset="stocks", length=90), None, "doesn't fit into this series"),
        (replace(READER, task="forecaster", dataset=OWN), b"1,2", "forecasting page"),
    ],
)
def test_data_that_cannot_be_learnt_from_is_one_sentence(recipe: LessonRecipe, data: bytes | None, why: str) -> None:
    with pytest.raises(LabError, match=why) as caught:
        run(recipe, **({"data": data} if data else {}))
    assert "\n" not in str(caught.value)


def test_no_test_text_stands_in_the_made_up_training_part() -> None:
    data = toy.negation()
    assert not set(data.train.texts) & set(data.test.texts)
    assert 0.4 < data.train.labels.mean() < 0.6


@pytest.mark.parametrize(
    ("value", "words"),
    [(1, "one"), (13, "thirteen"), (19, "nineteen"), (20, "twenty"), (42, "forty-two"), (99, "ninety-nine")],
)
def test_numbers_in_words(value: int, words: str) -> None:
    assert toy.number(value) == words


# --- parts ----------------------------------------------------------------------------------


def test_rows_come_in_equal_batches_and_in_another_order_each_time() -> None:
    rows = Rows(np.arange(10), np.arange(10) * 2, 3, seed=1)
    seen = []
    for _ in range(2):
        found = [rows[index] for index in range(len(rows))]
        assert [len(x) for x, _ in found] == [3, 3, 3]
        assert all((y == 2 * x).all() for x, y in found)
        seen.append(np.concatenate([x for x, _ in found]).tolist())
        rows.on_epoch_end()
    assert seen[0] != seen[1]
    assert len(set(seen[0])) == 9


def test_stretches_are_followed_by_what_comes_next() -> None:
    stretches = TextWindows(np.arange(100), 7, 4, seed=1)
    starts = set()
    for _ in range(6):
        for index in range(len(stretches)):
            x, y = stretches[index]
            assert x.shape == (4, 7)
            np.testing.assert_array_equal(y, x + 1)
        starts.add(int(stretches[0][0][:, 0].min()) % 7)
        stretches.on_epoch_end()
    assert len(starts) > 1
    plain = TextWindows(np.arange(100), 7, 4, seed=None)
    np.testing.assert_array_equal(plain[0][0][:, 0], [0, 7, 14, 21])


def test_the_norm_is_that_of_the_gradients_before_clipping() -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    optimizer = NormKeepingAdam(0.1, global_clipnorm=0.5)
    optimizer.build(model.trainable_variables)
    optimizer.apply([keras.ops.convert_to_tensor([[3.0], [4.0]])])
    assert float(keras.ops.convert_to_numpy(optimizer.gradient_norm)) == pytest.approx(5.0)


def test_the_forget_bias_is_put_where_keras_keeps_it() -> None:
    model = network(READER, 10, 2)
    set_forget_bias(model, -2.5)
    layer = model.get_layer("lstm")
    biases = layer.get_weights()[2].reshape(4, READER.units)
    np.testing.assert_array_equal(biases, [[0] * 6, [-2.5] * 6, [0] * 6, [0] * 6])


def test_the_pace_leaves_out_what_compiles_and_counts_the_breaks() -> None:
    times = iter([0, 0, 50, 52, 54, 60, 60, 62, 64])
    pace = Pace(steps=3, epochs=4, batch=10, clock=lambda: float(next(times)))
    assert pace.left(0) is None
    pace.epoch_begins()
    pace.step_ends()  # 50 seconds, most of them for compiling
    assert pace.samples_per_second is None
    pace.step_ends()
    pace.step_ends()
    assert (pace.samples_per_second, pace.left(3)) == (5.0, 18.0)
    pace.epoch_ends()  # validation took six seconds
    assert pace.left(3) == 18.0 + 3 * 6.0


def test_every_preset_can_be_found_in_the_book() -> None:
    for name, recipe in LESSONS.items():
        assert registry.find_recipe(name) is recipe
        assert not (store.SHIPPED / name).exists()


OWN_TABLE = b"text,label\n" + b"".join(b"word%d here,%s\n" % (n % 7, (b"up", b"down")[n % 2]) for n in range(60))


@pytest.mark.parametrize("name", [*(name for name, preset in PRESETS.items() if preset.offline), "own"])
def test_the_size_of_a_network_is_known_before_it_is_made(name: str) -> None:
    own = OWN_TABLE if name == "own" else None
    recipe = replace(LESSONS["negation_15s"], dataset=OWN) if own else LESSONS[name]
    found = lesson_data.network_size(recipe, own)
    material = LessonTask(recipe, own).data
    assert found == (material.size, material.outputs)
    assert parameter_count(recipe, *found) == network(recipe, *found).count_params()
