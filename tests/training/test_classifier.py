"""Training, from made-up questions to a card: two short runs of one recipe, and the parts on their own.

What the numbers of the shipped models are is in their cards; here it is whether training does what
a recipe says.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from lstm_core.datasets import registry, splits
from lstm_core.datasets.splits import LabelledTexts, Split
from lstm_core.inference import registry as model_registry
from lstm_core.inference.classifier import TextClassifier
from lstm_core.library import store
from lstm_core.nn.activations import softmax
from lstm_core.nn.calibration import Calibration
from lstm_core.nn.network import Network
from lstm_core.text.encoder import PAD, UNKNOWN, Bigrams, Encoder, Vocabulary
from lstm_core.training import architectures, trainer
from lstm_core.training.classifier import ClassifierTask, ConsistentModel, divergence
from lstm_core.training.distillation import Start, neighbour_embeddings, out_of_fold
from lstm_core.training.optimizers import adam
from lstm_core.training.progress import Progress
from lstm_core.training.recipes import RECIPES, TextRecipe
from lstm_core.training.task import Trained
from lstm_core.training.text_batches import Augmentation, Prefixes, TextBatches
from lstm_core.training.trainer import Fit, Trainer
from tests.witness import with_keras

LABELS = ("csharp", "java", "python")
TELLING = (("linq", "string", "console"), ("jvm", "swing", "bean"), ("pandas", "tuple", "pip"))
CHATTER = ("how", "do", "i", "use", "the", "a", "this", "of")


def made_up(count: int, seed: int = 0) -> Split:
    """Questions in which "blank" and two words tell the label and the rest is chatter."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for number in range(count):
        label = number % len(LABELS)
        words = ["blank", *random.choice(TELLING[label], 2), *random.choice(CHATTER, random.integers(2, 9))]
        texts.append(" ".join(random.permutation(words)))
        labels.append(label)
    return Split(tuple(texts), np.array(labels))


DATA = LabelledTexts(made_up(120), made_up(60, seed=1), LABELS)


def small_network(vocabulary: int, classes: int, pairs: int) -> keras.Model:
    return architectures.pooled_lstm(
        vocabulary, classes, pairs=pairs, width=8, units=8, channel_dropout=0.1, output_dropout=0.1
    )


def mean_of_words(vocabulary: int, classes: int, pairs: int, width: int = 4) -> keras.Model:
    """The quickest network there is."""
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(vocabulary, width, mask_zero=True)(tokens))
    return keras.Model(tokens, keras.layers.Dense(classes, activation="softmax" if classes > 1 else "sigmoid")(x))


RECIPE = TextRecipe(
    name="small",
    title="Small",
    dataset="stackoverflow",
    summary="Made up.",
    notes=("A note.",),
    tokenizer="code",
    vocabulary=40,
    length=8,
    build=small_network,
    optimizer=lambda steps: keras.optimizers.Adam(0.03),
    batch=16,
    epochs=5,
    validation=0.25,
    pairs=30,
    word_dropout=0.1,
    restored_names=0.3,
    ema_momentum=0.8,
    seed=3,
)


def train(recipe: TextRecipe, report: Callable[[Progress], Any] = lambda progress: None) -> Trained:
    return ClassifierTask(recipe).train(Trainer(report))


@pytest.fixture(scope="module")
def runs() -> Iterator[list[tuple[Trained, list[Progress]]]]:
    """The recipe, trained twice; the clock makes every step worth a report."""
    clock = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load_labelled", lambda name: {"stackoverflow": DATA}[name])
        patch.setattr(trainer, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
        found = []
        for _ in range(2):
            events: list[Progress] = []
            found.append((train(RECIPE, events.append), events))
        yield found


@pytest.fixture(scope="module")
def trained(runs: list[tuple[Trained, list[Progress]]]) -> Trained:
    return runs[0][0]


@pytest.fixture(scope="module")
def events(runs: list[tuple[Trained, list[Progress]]]) -> list[Progress]:
    return runs[0][1]


# --- a whole run ----------------------------------------------------------------------------


def test_a_small_network_learns_a_small_task(trained: Trained) -> None:
    model = with_keras(TextClassifier(trained.card, trained.vocabulary, Network(trained.model)), trained.model)
    right = model.predict(DATA.test.texts).argmax(axis=1) == DATA.test.labels
    assert right.mean() > 0.8  # chance is a third
    assert model.read("how do i use linq in c#").answer == "csharp"


def test_the_same_seed_gives_the_same_weights(runs: list[tuple[Trained, list[Progress]]]) -> None:
    (first, _), (second, _) = runs
    assert first.vocabulary == second.vocabulary
    for one, other in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.card.training["curves"] == second.card.training["curves"]


def test_progress_arrives_in_order(events: list[Progress]) -> None:
    steps = -(-90 // RECIPE.batch)
    places = [(event.epoch, event.step) for event in events]
    assert places == sorted(places)
    assert set(places) == {(epoch, step) for epoch in range(1, 6) for step in range(1, steps + 1)}
    assert all((event.epochs, event.steps) == (5, steps) for event in events)
    assert all(before.seconds < after.seconds for before, after in itertools.pairwise(events))
    assert all(event.loss > 0 and 0 <= event.accuracy <= 1 for event in events)
    assert events[-1].loss < events[0].loss


def test_validation_figures_come_at_the_end_of_each_epoch(events: list[Progress]) -> None:
    last = [event for event, after in itertools.zip_longest(events, events[1:]) if not after or after.step == 1]
    assert [event.epoch for event in last] == [1, 2, 3, 4, 5]
    for event in events:
        assert (event.validation_loss is None) == (event.validation_accuracy is None) == (event not in last)


def test_what_was_validated_is_what_is_kept(trained: Trained, events: list[Progress]) -> None:
    _, validation = splits.validation_split(DATA.train, RECIPE.validation, RECIPE.seed)
    model = with_keras(TextClassifier(trained.card, trained.vocabulary, Network(trained.model)), trained.model)
    chances = model.predict(validation.texts)[np.arange(30), validation.labels]
    assert events[-1].validation_loss == pytest.approx(-np.log(chances).mean(), rel=1e-3)


def test_the_card_says_what_was_done(trained: Trained) -> None:
    card, record = trained.card, trained.card.training
    assert (card.name, card.title, card.task, card.dataset) == ("small", "Small", "classifier", "stackoverflow")
    assert (card.labels, card.notes, card.summary, card.measured) == (LABELS, ("A note.",), "Made up.", {})
    assert record["command"] == "python -m lstm_core train small"
    assert record["examples"] == {"training": 90, "validation": 30}
    assert (record["seed"], record["batch"], record["epochs"], record["kept_epoch"]) == (3, 16, 5, 5)
    assert record["parameters"] == trained.model.count_params()
    assert record["backend"] == keras.backend.backend()
    assert set(record["versions"]) == {"keras", "numpy", "python"}
    assert {name: len(curve) for name, curve in record["curves"].items()} == dict.fromkeys(
        ("loss", "accuracy", "validation_loss", "validation_accuracy"), 5
    )
    assert json.loads(json.dumps(asdict(card)))["training"] == record


def test_a_trained_model_can_be_saved_and_loaded(trained: Trained, tmp_path: Any) -> None:
    store.save(trained.model, trained.vocabulary, trained.card, tmp_path / "small")
    loaded = model_registry.load(tmp_path / "small")
    assert (loaded.card, loaded.encoder) == (trained.card, trained.vocabulary)
    for one, other in zip(loaded.keras().get_weights(), trained.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


# --- what is trained on ---------------------------------------------------------------------


def test_vocabulary_and_pairs_hold_what_training_questions_hold(trained: Trained) -> None:
    words = set(trained.vocabulary.vocabulary.tokens)
    assert {"linq", "swing", "tuple", "blank"} <= words
    assert {"c#", "java", "python"} <= words  # restored
    assert trained.vocabulary.pairs is not None
    assert len(trained.vocabulary.pairs) == RECIPE.pairs


def test_no_film_is_trained_on_and_validated_with(monkeypatch: pytest.MonkeyPatch) -> None:
    films = [f"film{number}" for number in "aaabbcddddeeffg"]
    reviews = Split(
        tuple(f"review of {film}" for film in films),
        np.arange(len(films)) % 2,
        groups=tuple(films),
        ratings=np.ones(len(films)),
    )
    monkeypatch.setattr(
        registry, "load_labelled", lambda name: LabelledTexts(reviews, reviews, ("negative", "positive"))
    )
    recipe = replace(
        RECIPE,
        build=mean_of_words,
        epochs=1,
        validation=0.3,
        pairs=0,
        restored_names=0.0,
        ema_momentum=0.0,
        keep_best=True,
    )
    found = train(recipe)
    sizes = found.card.training["examples"]
    known = [film for film in films if film in found.vocabulary.vocabulary.ids]
    # Each film's own word is known from training reviews alone: all of a film's or none.
    assert len(known) == sizes["training"] < len(films)
    assert sizes["training"] + sizes["validation"] == len(films)


# --- batches --------------------------------------------------------------------------------


DRAWN = ("named", "unknown", "deleted", "anywhere", "prefixes")


def batches(texts: list[str], second: list[str] | None = None, **options: Any) -> TextBatches:
    words = Vocabulary(tuple("abcdefghij"))
    encoder = Encoder("code", words, length=6, pairs=options.pop("pairs", None))
    readings = [[encoder.encode(text).inputs for text in variant] for variant in (texts, second) if variant is not None]
    options = {"batch": 4, "length": 6, "seed": 1} | options
    draw = Augmentation(**{name: options.pop(name) for name in tuple(options) if name in DRAWN})
    return TextBatches(readings, np.eye(len(texts), dtype=np.float32), augmentation=draw, **options)


def rows(found: TextBatches) -> dict[int, list[int]]:
    """label → the ids of its text, without pads."""
    return {
        int(target.argmax()): [int(number) for number in row if number != PAD]
        for index in range(len(found))
        for ids, targets in [found[index]]
        for row, target in zip(ids, targets, strict=True)
    }


LETTERS = ["a", "a b", "a b c", "a b c d", "a b c d e", "a b c d e f", "b", "b c", "c d e"]


def test_every_text_comes_once_with_its_label() -> None:
    found = batches(LETTERS)
    expected = {number: [2 + "abcdef".index(letter) for letter in text.split()] for number, text in enumerate(LETTERS)}
    assert rows(found) == expected
    assert len(found) == 3
    assert sum(len(found[index][1]) for index in range(3)) == len(LETTERS)
    assert all(found[index][0].dtype == np.int32 for index in range(3))


def test_each_epoch_has_another_order_and_the_same_seed_the_same_orders() -> None:
    many = ["a"] * 60
    first, second = batches(many), batches(many)
    orders = []
    for _ in range(2):
        assert [found[0][1].tolist() for found in (first, second)] == [first[0][1].tolist()] * 2
        orders.append([first[index][1].argmax(axis=1).tolist() for index in range(len(first))])
        first.on_epoch_end()
        second.on_epoch_end()
    assert orders[0] != orders[1]
    assert sorted(itertools.chain(*orders[0])) == sorted(itertools.chain(*orders[1])) == list(range(60))


def test_validation_draws_nothing() -> None:
    plain = batches(LETTERS, seed=None, unknown=0.9)
    before = [plain[index] for index in range(len(plain))]
    plain.on_epoch_end()
    for index, (ids, labels) in enumerate(before):
        np.testing.assert_array_equal(plain[index][0], ids)
        np.testing.assert_array_equal(plain[index][1], labels)
    assert UNKNOWN not in itertools.chain(*rows(plain).values())


def test_word_dropout_makes_tokens_unknown_and_leaves_pads_alone() -> None:
    found = batches(LETTERS * 40, unknown=0.3, batch=60)
    plain = batches(LETTERS * 40, batch=60)
    dropped = tokens = 0
    for index in range(len(found)):
        (ids, labels), (whole, same) = found[index], plain[index]
        np.testing.assert_array_equal(labels, same)
        np.testing.assert_array_equal(ids == PAD, whole == PAD)
        changed = ids != whole
        assert (ids[changed] == UNKNOWN).all()
        dropped, tokens = dropped + changed.sum(), tokens + (whole != PAD).sum()
    assert 0.25 < dropped / tokens < 0.35


def test_a_dropped_token_takes_its_pair_with_it() -> None:
    found = batches(["a b c d"] * 20, unknown=0.5, pairs=Bigrams(((2, 3), (3, 4), (4, 5))))
    for index in range(len(found)):
        (ids, pairs), _ = found[index]
        np.testing.assert_array_equal(pairs == PAD, ids == PAD)
        assert (pairs[ids == UNKNOWN] == UNKNOWN).all()
        assert (pairs[:, 1:4][ids[:, 1:4] > UNKNOWN] > UNKNOWN).all()


def test_a_share_of_the_questions_is_read_with_its_name() -> None:
    found = batches(["a"] * 400, ["b"] * 400, named=0.25, batch=100)
    drawn = [row[0] for row in rows(found).values()]
    assert set(drawn) == {2, 3}
    assert 0.18 < drawn.count(3) / 400 < 0.32
    assert [row[0] for row in rows(batches(["a"] * 9, ["b"] * 9, seed=None, named=0.9)).values()] == [2] * 9


def test_a_text_may_be_read_with_the_name_that_was_blanked(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[TextBatches] = []
    monkeypatch.setattr(registry, "load_labelled", lambda name: DATA)
    monkeypatch.setattr(Trainer, "fit", lambda self, stage: found.append(stage.batches) or Fit(stage.model))
    recipe = replace(RECIPE, restored_names=1.0, word_dropout=0.0, pairs=0, ema_momentum=0.0, vocabulary=200)
    encoder = train(recipe).vocabulary
    read = [encoder.vocabulary.tokens[token - 2] for ids, _ in (found[0][0],) for row in ids for token in row if token]
    assert "blank" not in read
    assert set(read) & {"c#", "java", "python"}


def test_pieces_of_texts_come_from_anywhere_with_tokens_left_out() -> None:
    found = batches(["a b c d e f g h i j"] * 200, length=3, anywhere=True, deleted=0.25)
    read = list(rows(found).values())
    assert all(1 <= len(ids) <= 3 and ids == sorted(ids) for ids in read)
    assert {ids[0] for ids in read} >= {2, 4, 5}
    assert any(later - earlier > 1 for ids in read for earlier, later in itertools.pairwise(ids))
    assert all(row[0] == 2 for row in rows(batches(["a b c d e f g h i j"] * 20, length=3)).values())


def test_prefixes_name_a_language_and_that_is_their_target() -> None:
    pairs = Bigrams(((2, 5), (2, 6)))
    prefixes = Prefixes(1.0, blank=4, names=(5, 6), pairs=pairs)
    encoder = Encoder("code", Vocabulary(("a", "b", "blank", "java", "python")), 80, pairs=pairs)
    texts = [encoder.encode(text).inputs for text in ("a blank b", "a " * 70 + "blank", "b")]
    assert prefixes.among(texts) == [texts[0]]
    drawn = [prefixes.sample(prefixes.among(texts), np.random.default_rng(seed)) for seed in range(20)]
    for (ids, pair_ids), target in drawn:
        label = int(target.argmax())
        assert ids.tolist() == [2, (5, 6)[label], 3]
        assert pair_ids.tolist() == encoder.pairs.encode(ids.tolist())
        assert target.tolist() == pytest.approx([0.97, 0.03] if label == 0 else [0.03, 0.97])
    assert {int(target.argmax()) for _, target in drawn} == {0, 1}
    assert texts[0][0].tolist() == [2, 4, 3]


def test_a_text_is_read_twice_with_other_words_dropped() -> None:
    found = batches(LETTERS * 20, unknown=0.4, twice=True, batch=12)
    for index in range(len(found)):
        ids, labels = found[index]
        first, second = np.split(ids, 2)
        np.testing.assert_array_equal(*np.split(labels, 2))
        both = (first != UNKNOWN) & (second != UNKNOWN)
        np.testing.assert_array_equal(first[both], second[both])
        assert (first != second).any()
    assert sum(len(found[index][1]) for index in range(len(found))) == 2 * len(LETTERS * 20)


def test_the_divergence_by_hand() -> None:
    three = np.array([[0.5, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3], [0.25, 0.5, 0.25], [1 / 3, 1 / 3, 1 / 3]], np.float32)
    # Both KL of the first pair are ½ ln 2 - ¼ ln 2, and the second pair agrees.
    assert float(divergence(three)) == pytest.approx(np.log(2) / 8, abs=1e-6)
    one = np.array([[0.2], [0.4]], np.float32)
    there = 0.2 * np.log(0.2 / 0.4) + 0.8 * np.log(0.8 / 0.6)
    back = 0.4 * np.log(0.4 / 0.2) + 0.6 * np.log(0.6 / 0.8)
    assert float(divergence(one)) == pytest.approx((there + back) / 2, abs=1e-6)
    assert np.isfinite(float(divergence(np.array([[0.0, 1.0], [1.0, 0.0]], np.float32))))


def test_a_consistent_model_adds_the_divergence_in_training_alone() -> None:
    tokens = keras.Input((2,))
    network = keras.Model(tokens, keras.layers.Dense(3, activation="softmax")(tokens))
    model = ConsistentModel(network, weight=5.0)
    model.compile(loss=keras.losses.CategoricalCrossentropy())
    x, y = np.array([[0.0, 1.0], [2.0, 0.0]], np.float32), np.eye(3, dtype=np.float32)[[1, 1]]
    answers = model(x)
    np.testing.assert_array_equal(answers, network(x))
    plain = float(model.compute_loss(x, y, answers, training=False))
    assert plain == pytest.approx(float(-np.log(np.asarray(answers)[:, 1]).mean()), abs=1e-6)
    extra = float(model.compute_loss(x, y, answers)) - plain
    assert extra == pytest.approx(5 * float(divergence(answers)), abs=1e-5)
    assert extra > 0.01


def test_a_recipe_with_consistency_trains_a_stock_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(registry, "load_labelled", lambda name: DATA)
    found = train(replace(RECIPE, consistency=1.0))
    assert found.card.training["curves"]["validation_accuracy"][-1] > 0.6
    assert not isinstance(found.model, ConsistentModel)
    store.save(found.model, found.vocabulary, found.card, tmp_path / "small")
    model = model_registry.load(tmp_path / "small")
    np.testing.assert_allclose(model.predict(["jvm"]), with_keras(model, found.model).predict(["jvm"]), atol=1e-4)


# --- teachers and the start of embeddings ---------------------------------------------------


def test_each_text_is_answered_by_the_teacher_that_did_not_see_it() -> None:
    films = tuple(f"film {number // 3}" for number in range(30))
    split = Split(tuple(map(str, range(30))), np.zeros(30), films, np.ones(30))
    others = Split(("98", "99"), np.zeros(2), ("film x", "film y"), np.ones(2))
    seen: dict[int, Split] = {}

    def teach(texts: Split, asked: Split, number: int) -> np.ndarray:
        seen[number] = texts
        assert not set(texts.groups) & set(asked.groups)
        assert len(texts) + len(asked) == 32
        return np.array([[number, int(text)] for text in asked.texts])

    found, elsewhere = out_of_fold(split, others, folds=3, seed=1, teach=teach)
    assert found[:, 1].tolist() == list(range(30))
    for text, (number, _) in zip(split.texts, found, strict=True):
        assert text not in seen[int(number)].texts
    assert sorted(seen) == [0, 1, 2]
    np.testing.assert_allclose(elsewhere[:, 0], 1)


def test_a_taught_network_is_trained_on_everything_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load_labelled", lambda name: DATA)
    stages: list[str] = []
    recipe = replace(
        RECIPE,
        build=mean_of_words,
        epochs=1,
        pairs=0,
        teachers=2,
        refit=True,
        prefix_share=0.2,
        whole_words=2,
        min_count=1,
    )
    found = train(recipe, lambda progress: stages.append(progress.stage))
    assert list(dict.fromkeys(stages)) == ["teacher 1 of 2", "teacher 2 of 2", "network", "all texts"]
    assert len(found.card.training["curves"]["validation_loss"]) == 1
    assert found.vocabulary.cut_words


@pytest.mark.parametrize(("weight", "read_by_a_teacher"), [(0.7, 45), (0.0, 90)])
def test_texts_without_a_label_are_answered_by_teachers_and_read_by_the_network(
    monkeypatch: pytest.MonkeyPatch, weight: float, read_by_a_teacher: int
) -> None:
    monkeypatch.setattr(registry, "load_labelled", lambda name: DATA)
    more = made_up(45, seed=9).texts
    monkeypatch.setattr(registry, "load_unlabelled", lambda name: more)
    read: dict[str, tuple[Split, Any, int]] = {}
    fit = ClassifierTask._fit

    def watched(task: ClassifierTask, *about: Any, **settings: Any) -> Fit:
        _, _, _, texts, targets, *_ = about
        read[settings.get("name", "network")] = texts, targets, len(settings.get("nearby", ()))
        return fit(task, *about, **settings)

    monkeypatch.setattr(ClassifierTask, "_fit", watched)
    recipe = replace(RECIPE, build=mean_of_words, epochs=1, pairs=0, teachers=2, refit=True, unlabelled=True)
    found = train(replace(recipe, distillation_weight=weight))
    assert found.card.training["examples"] == {"training": 90, "validation": 30, "unlabelled": 45}
    assert [len(texts) for texts, _, _ in read.values()] == [read_by_a_teacher] * 2 + [90 + 45, 120 + 45]
    assert [nearby for _, _, nearby in read.values()] == [45, 45, 0, 0]  # elsewhere they are among the texts
    for name in ("network", "all texts"):
        texts, targets, _ = read[name]
        assert texts.texts[-45:] == more
        assert len(targets) == len(texts)
        assert ((targets[-45:] > 0.01) & (targets[-45:] < 0.99)).all()  # answers, no labels
        np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(read["network"][1][-45:], read["all texts"][1][-45:])
    assert np.isin(read["network"][1][:90], (0, 1)).all() == (weight == 0)


def test_a_network_answers_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load_labelled", lambda name: DATA)
    monkeypatch.setattr(registry, "load_unlabelled", lambda name: made_up(45, seed=9).texts)
    fits: dict[str, tuple[Any, Fit, Any]] = {}
    fit = ClassifierTask._fit

    def watched(task: ClassifierTask, *about: Any, **settings: Any) -> Fit:
        found = fit(task, *about, **settings)
        encoder, _, targets = about[2:5]
        answers = task._plain_batches(encoder, task.unlabelled).answers(found.network)
        fits[settings.get("name", "network")] = targets[-45:], found, answers
        return found

    monkeypatch.setattr(ClassifierTask, "_fit", watched)
    recipe = replace(RECIPE, build=mean_of_words, epochs=1, pairs=0, teachers=1, unlabelled=True, rounds=2, refit=True)
    train(replace(recipe, distillation_weight=0.0, earlier_build=partial(mean_of_words, width=3)))
    assert list(fits) == ["teacher 1 of 1", "round 1 of 2", "network", "all texts"]
    assert [fit.network.layers[1].output_dim for _, fit, _ in fits.values()] == [3, 3, 4, 4]
    taught = {name: targets for name, (targets, _, _) in fits.items()}
    np.testing.assert_allclose(taught["round 1 of 2"], fits["teacher 1 of 1"][2], atol=1e-6)
    np.testing.assert_allclose(taught["network"], fits["round 1 of 2"][2], atol=1e-6)
    np.testing.assert_array_equal(taught["all texts"], taught["network"])
    assert len(fits["round 1 of 2"][1].epochs["validation_loss"]) == 1


@pytest.mark.parametrize("classes", [1, 3])
def test_calibration_finds_the_scale_and_the_shifts_of_an_overconfident_network(classes: int) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(20_000, classes)) * 1.5
    honest = 1 / (1 + np.exp(-logits)) if classes == 1 else np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    cumulative = np.hstack([1 - honest, honest]).cumsum(axis=1) if classes == 1 else honest.cumsum(axis=1)
    labels = (random.random((20_000, 1)) > cumulative[:, :-1]).sum(axis=1)
    targets = labels[:, None] if classes == 1 else np.eye(3)[labels]
    offsets = [0.5] if classes == 1 else [0.5, 0.0, -0.5]
    features = keras.Input((classes,))
    network = keras.Model(
        features,
        keras.layers.Dense(classes, activation="sigmoid" if classes == 1 else "softmax", name="answer")(features),
    )
    network.get_layer("answer").set_weights([2 * np.eye(classes), np.array(offsets)])
    found = Calibration.fit(network.predict(logits, verbose=0), targets)
    assert found.scale == pytest.approx(0.5, abs=0.03)
    np.testing.assert_allclose(found.shifts, np.array(offsets) / -2, atol=0.05)
    found.put_into(network)
    np.testing.assert_allclose(network.predict(logits, verbose=0), honest, atol=0.03)


def test_a_scale_alone_is_found_where_nothing_is_shifted() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(20_000, 3))
    labels = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)  # sampled from the softmax (Gumbel 1954)
    found = Calibration.fit(softmax(logits / 0.8), np.eye(3)[labels], shifted=False)
    assert found.scale == pytest.approx(0.8, abs=0.02)
    assert found.shifts == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("refit", [False, True])
def test_a_calibrated_recipe_scales_the_network_that_is_kept(monkeypatch: pytest.MonkeyPatch, refit: bool) -> None:
    monkeypatch.setattr(registry, "load_labelled", lambda name: DATA)
    recipe = replace(RECIPE, build=small_network, epochs=2, refit=refit)
    plain, found = (train(replace(recipe, calibrated=calibrated)) for calibrated in (False, True))
    scale = found.card.training["calibration"]["scale"]
    assert "calibration" not in plain.card.training
    assert scale != 1
    before, after = (each.model.get_layer("answer").get_weights() for each in (plain, found))
    np.testing.assert_allclose(after[0], before[0] * scale, rtol=1e-4)
    np.testing.assert_allclose(after[1], before[1] * scale + found.card.training["calibration"]["shifts"], rtol=1e-3)


def test_targets_mix_labels_ratings_and_teachers(monkeypatch: pytest.MonkeyPatch) -> None:
    reviews = Split(("a", "b"), np.array([1, 0]), ("f", "g"), np.array([7, 1]))
    data = LabelledTexts(reviews, reviews, ("negative", "positive"))
    monkeypatch.setattr(registry, "load_labelled", lambda name: data)
    task = ClassifierTask(replace(RECIPE, rating_weight=0.5, distillation_weight=0.25, validation=0.5))
    assert task.outputs == 1
    np.testing.assert_allclose(task.targets(reviews)[:, 0], [0.825, 0.025], atol=1e-6)
    np.testing.assert_allclose(task.targets(reviews, np.array([[1.0], [1.0]]))[:, 0], [0.86875, 0.26875], atol=1e-6)


def test_words_that_stand_in_like_places_start_alike() -> None:
    pytest.importorskip("scipy")
    random = np.random.default_rng(0)
    texts = [(np.array([2 + place % 2, 4 + 2 * place + random.integers(2)], np.int32),) for place in [0, 1] * 200]
    found = neighbour_embeddings(texts, [8], width=3, window=1, seed=0)  # 4 and 5 follow 2; 6 and 7 follow 3
    assert found.shape == (8, 3)
    nearness = found @ found.T
    assert nearness[4, 5] > 0.9 * nearness[4, 4] > abs(nearness[4, 6]) * 5
    assert abs(found[:2]).max() < 1e-6


def test_a_start_sets_both_embeddings_to_its_scale() -> None:
    pytest.importorskip("scipy")
    random = np.random.default_rng(0)
    texts = [tuple(random.integers(2, 8, 30).astype(np.int32) for _ in range(2)) for _ in range(20)]
    model = architectures.pooled_lstm(8, 2, pairs=8, width=4, pair_width=3, units=2)
    Start(scale=0.3, window=2, even=False, pairs=True).put_into(model, texts, seed=1)
    for name in ("embedding", "pair_embedding"):
        values = np.asarray(model.get_layer(name).get_weights()[0])
        assert np.sqrt((values**2).mean()) == pytest.approx(0.3, rel=1e-4)


def test_embeddings_learn_at_their_share_of_the_rate() -> None:
    model = architectures.bag_of_words(5)
    optimizer = adam(100, learning_rate=0.1, embeddings=0.25)
    before = [np.array(weight) for weight in model.get_weights()]
    for _ in range(3):
        optimizer.apply([keras.ops.ones(weight.shape) for weight in before], model.trainable_variables)
    moved = [abs(now - then).mean() for now, then in zip(model.get_weights(), before, strict=True)]
    assert moved[0] == pytest.approx(0.25 * moved[1], rel=1e-3)  # the embedding, the kernel


# --- the recipes that are shipped -----------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.task == "classifier"])
def test_a_shipped_recipe_builds_a_network_that_can_be_followed(name: str) -> None:
    recipe = RECIPES[name]
    labels = registry.find_dataset(recipe.dataset).labels
    outputs = len(labels) if len(labels) > 2 else 1
    model = recipe.build(50, outputs, 20 if recipe.pairs else 0)
    assert model.output_shape == (None, outputs)
    assert len(Network(model).inputs) == (2 if recipe.pairs else 1)
    assert isinstance(recipe.optimizer(1000), keras.optimizers.Optimizer)
    assert (recipe.name, recipe.command) == (name, f"python -m lstm_core train {name}")
