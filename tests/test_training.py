"""Training, from made-up questions to a card: two short runs of one recipe, and the parts on their own.

What the numbers of the shipped models are is in their cards; here it is whether training does what
a recipe says.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from lstm_core import datasets, library, networks, splits, training
from lstm_core.classify import TextClassifier
from lstm_core.forward import Network
from lstm_core.recipes import RECIPES, TextRecipe
from lstm_core.splits import LabelledTexts, Split
from lstm_core.text import PAD, UNKNOWN, Encoder, Pairs, Vocabulary
from lstm_core.training import Progress, TextBatches, Trained, train_classifier

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
    return networks.pooled_lstm(
        vocabulary, classes, pairs=pairs, width=8, units=8, embedding_dropout=0.1, output_dropout=0.1
    )


def mean_of_words(vocabulary: int, classes: int, pairs: int) -> keras.Model:
    """The quickest network there is."""
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(vocabulary, 4, mask_zero=True)(tokens))
    return keras.Model(tokens, keras.layers.Dense(classes, activation="softmax")(x))


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
    average=0.8,
    seed=3,
)


@pytest.fixture(scope="module")
def runs() -> Iterator[list[tuple[Trained, list[Progress]]]]:
    """The recipe, trained twice; the clock makes every step worth a report."""
    clock = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load_labelled", lambda name: {"stackoverflow": DATA}[name])
        patch.setattr(training, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
        found = []
        for _ in range(2):
            events: list[Progress] = []
            found.append((train_classifier(RECIPE, events.append), events))
        yield found


@pytest.fixture(scope="module")
def trained(runs: list[tuple[Trained, list[Progress]]]) -> Trained:
    return runs[0][0]


@pytest.fixture(scope="module")
def events(runs: list[tuple[Trained, list[Progress]]]) -> list[Progress]:
    return runs[0][1]


# --- a whole run ----------------------------------------------------------------------------


def test_a_small_network_learns_a_small_task(trained: Trained) -> None:
    model = TextClassifier(trained.card, trained.encoder, trained.model, Network(trained.model))
    right = model.predict(DATA.test.texts).argmax(axis=1) == DATA.test.labels
    assert right.mean() > 0.8  # chance is a third
    assert model.read("how do i use linq in c#").answer == "csharp"


def test_the_same_seed_gives_the_same_weights(runs: list[tuple[Trained, list[Progress]]]) -> None:
    (first, _), (second, _) = runs
    assert first.encoder == second.encoder
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
    model = TextClassifier(trained.card, trained.encoder, trained.model, Network(trained.model))
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
    library.save(trained.model, trained.encoder, trained.card, tmp_path / "small")
    loaded = library.load(tmp_path / "small")
    assert (loaded.card, loaded.encoder) == (trained.card, trained.encoder)
    for one, other in zip(loaded.model.get_weights(), trained.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


# --- what is trained on ---------------------------------------------------------------------


def test_vocabulary_and_pairs_hold_what_training_questions_hold(trained: Trained) -> None:
    words = set(trained.encoder.vocabulary.tokens)
    assert {"linq", "swing", "tuple", "blank"} <= words
    assert {"c#", "java", "python"} <= words  # restored
    assert trained.encoder.pairs is not None
    assert len(trained.encoder.pairs) == RECIPE.pairs


def test_no_film_is_trained_on_and_validated_with(monkeypatch: pytest.MonkeyPatch) -> None:
    films = [f"film{number}" for number in "aaabbcddddeeffg"]
    reviews = Split(
        tuple(f"review of {film}" for film in films),
        np.arange(len(films)) % 2,
        films=tuple(films),
        ratings=np.ones(len(films)),
    )
    monkeypatch.setattr(
        datasets, "load_labelled", lambda name: LabelledTexts(reviews, reviews, ("negative", "positive"))
    )
    recipe = replace(
        RECIPE, build=mean_of_words, epochs=1, validation=0.3, pairs=0, restored_names=0.0, average=0.0, keep_best=True
    )
    found = train_classifier(recipe)
    sizes = found.card.training["examples"]
    known = [film for film in films if film in found.encoder.vocabulary.ids]
    # Each film's own word is known from training reviews alone: all of a film's or none.
    assert len(known) == sizes["training"] < len(films)
    assert sizes["training"] + sizes["validation"] == len(films)


# --- batches --------------------------------------------------------------------------------


def batches(texts: list[str], named: list[str] | None = None, **options: Any) -> TextBatches:
    words = Vocabulary(tuple("abcdefghij"))
    encoder = Encoder("code", words, length=6, pairs=options.pop("pairs", None))
    readings = [[encoder.encode(text) for text in variant] for variant in (texts, named) if variant is not None]
    options = {"batch": 4, "length": 6, "seed": 1} | options
    return TextBatches(readings, np.arange(len(texts)), **options)


def rows(found: TextBatches) -> dict[int, list[int]]:
    """label → the ids of its text, without pads."""
    return {
        int(label): [int(number) for number in row if number != PAD]
        for index in range(len(found))
        for ids, labels in [found[index]]
        for row, label in zip(ids, labels, strict=True)
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
        orders.append([first[index][1].tolist() for index in range(len(first))])
        first.on_epoch_end()
        second.on_epoch_end()
    assert orders[0] != orders[1]
    assert sorted(itertools.chain(*orders[0])) == sorted(itertools.chain(*orders[1])) == list(range(60))


def test_validation_draws_nothing() -> None:
    plain = batches(LETTERS, seed=None, word_dropout=0.9)
    before = [plain[index] for index in range(len(plain))]
    plain.on_epoch_end()
    for index, (ids, labels) in enumerate(before):
        np.testing.assert_array_equal(plain[index][0], ids)
        np.testing.assert_array_equal(plain[index][1], labels)
    assert UNKNOWN not in itertools.chain(*rows(plain).values())


def test_word_dropout_makes_tokens_unknown_and_leaves_pads_alone() -> None:
    found = batches(LETTERS * 40, word_dropout=0.3, batch=60)
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
    found = batches(["a b c d"] * 20, word_dropout=0.5, pairs=Pairs(((2, 3), (3, 4), (4, 5))))
    for index in range(len(found)):
        (ids, pairs), _ = found[index]
        np.testing.assert_array_equal(pairs == PAD, ids == PAD)
        assert (pairs[ids == UNKNOWN] == UNKNOWN).all()
        assert (pairs[:, 1:4][ids[:, 1:4] > UNKNOWN] > UNKNOWN).all()


def test_a_share_of_the_questions_is_read_with_its_name() -> None:
    found = batches(["a"] * 400, ["b"] * 400, second_share=0.25, batch=100)
    drawn = [row[0] for row in rows(found).values()]
    assert set(drawn) == {2, 3}
    assert 0.18 < drawn.count(3) / 400 < 0.32
    assert [row[0] for row in rows(batches(["a"] * 9, ["b"] * 9, seed=None, second_share=0.9)).values()] == [2] * 9


def test_the_second_reading_has_the_name_that_was_blanked() -> None:
    split = Split(("a blank b", "blank c"), np.array([0, 2]))
    encoder = Encoder("code", Vocabulary(("a", "b", "c", "blank", "c#", "python")), 6)
    found = TextBatches.of(replace(RECIPE, restored_names=1.0, word_dropout=0.0), encoder, split, LABELS)
    assert rows(found) == {0: [2, 6, 3], 2: [7, 4]}


# --- the best epoch -------------------------------------------------------------------------


class Counter:
    """Stands in for a model: its weights are the number of the epoch."""

    weights = 0

    def get_weights(self) -> int:
        return self.weights

    def set_weights(self, weights: int) -> None:
        self.weights = weights


@pytest.mark.parametrize(
    ("losses", "kept"),
    [([0.9, 0.5, 0.7], 2), ([0.9, 0.5, 0.5], 2), ([0.1, 0.2, 0.3], 1), ([3, 2, 1], 3), ([float("nan")] * 2, 2)],
)
def test_the_epoch_with_the_lowest_validation_loss_is_put_back(losses: list[float], kept: int) -> None:
    keeper, model = training._KeepBest(), Counter()
    keeper.set_model(model)
    keeper.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.weights = epoch + 1
        keeper.on_epoch_end(epoch, {"val_loss": loss})
    keeper.on_train_end()
    assert model.weights == kept


def test_the_card_names_the_epoch_that_was_kept_and_not_one_that_rounds_alike() -> None:
    losses = [0.9, 0.50004, 0.50001]
    history = {"val_loss": losses} | dict.fromkeys(("loss", "accuracy", "val_accuracy"), losses)
    parameters = SimpleNamespace(count_params=lambda: 7)
    card = training._card(replace(RECIPE, keep_best=True), LABELS, parameters, history, {}, 1.0)
    assert card.training["curves"]["validation_loss"] == [0.9, 0.5, 0.5]
    assert card.training["kept_epoch"] == 3


# --- the recipes that are shipped -----------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_builds_a_network_that_can_be_followed(name: str) -> None:
    recipe = RECIPES[name]
    labels = datasets.dataset(recipe.dataset).labels
    model = recipe.build(50, len(labels), 20 if recipe.pairs else 0)
    assert model.output_shape == (None, len(labels))
    assert len(Network(model).inputs) == (2 if recipe.pairs else 1)
    assert isinstance(recipe.optimizer(1000), keras.optimizers.Optimizer)
    assert (recipe.name, recipe.command) == (name, f"python -m lstm_core train {name}")
