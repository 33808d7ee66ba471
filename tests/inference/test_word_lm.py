"""The word model against Keras and by hand: surprises, many orders in one pass, frequencies alone, and its files."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.words import witten_bell_nats
from lstm_core.datasets import registry, sentences, splits
from lstm_core.errors import ModelError, TextError
from lstm_core.evaluation import word_lm
from lstm_core.evaluation.evaluate import evaluate
from lstm_core.inference import registry as model_registry
from lstm_core.inference.word_lm import CountedWords, WordModel
from lstm_core.library import store
from lstm_core.nn.network import Network
from lstm_core.text.encoder import PAD, UNKNOWN, Vocabulary
from lstm_core.training.progress import Progress
from lstm_core.training.recipes import RECIPES
from lstm_core.training.trainer import Trainer
from lstm_core.training.word_lm import SentenceBatches, WordTask, word_network
from tests.witness import with_keras

LINES = ["the cat sat down", "a dog sat on the cat", "the dog ran", "a cat ran down the hill"]
TRAINING = [line.split() for line in LINES]
RECIPE = replace(
    RECIPES["everyday_words"], name="tiny_words", vocabulary=14, width=4, units=5, projection=3, held_out=60,
    training=2000, batch=64, num_sampled=6, learning_rate=5e-2, epochs=6, epochs_per_pass=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> CountedWords:
    return CountedWords.of(TRAINING, sentences.vocabulary_of(TRAINING, 12), 8)


@pytest.fixture(scope="module")
def model(encoder: CountedWords, randomised) -> WordModel:  # type: ignore[no-untyped-def]
    network = randomised(word_network(len(encoder.vocabulary), RECIPE), 3)
    return with_keras(WordModel(RECIPE.card(), encoder, Network(network)), network)


def by_keras(model: WordModel, words: list[str]) -> np.ndarray:
    """(T + 1,) surprises from the Keras model's own probabilities; no word is a pad, so the others share its part."""
    ids = model.encoder.vocabulary.encode(words)
    p = np.asarray(model.keras().predict(np.array([[model.end, *ids]]), verbose=0))[0]  # (T + 1, vocabulary)
    return -np.log([row[word] / (1 - row[PAD]) for row, word in zip(p, [*ids, model.end], strict=True)])


@pytest.mark.parametrize("sentence", ["the", "the cat sat down", "down the the zebra ran cat", "zebra zebra zebra"])
def test_surprisal_is_that_of_keras(model: WordModel, sentence: str) -> None:
    words = sentence.split()
    score = model.score(words)
    np.testing.assert_allclose(score.surprisal, by_keras(model, words), atol=1e-4)
    assert score.nats == pytest.approx(by_keras(model, words).sum(), abs=1e-3)
    assert score.nats_per_word == pytest.approx(score.nats / (len(words) + 1))
    assert score.known == tuple(word != "zebra" for word in words)


def test_what_it_expected_is_the_likeliest_word(model: WordModel) -> None:
    score = model.score(["the", "dog"])
    ids = [model.end, *model.encoder.vocabulary.encode(["the", "dog"])]
    p = np.asarray(model.keras().predict(np.array([ids]), verbose=0))[0]
    p[:, PAD] = 0
    p /= p.sum(axis=1, keepdims=True)
    assert score.expected == tuple(model.names[row.argmax()] for row in p)
    np.testing.assert_allclose(score.confidence, p.max(axis=1), atol=1e-4)


def test_many_orders_in_one_pass_are_each_of_them_alone(model: WordModel) -> None:
    orders = list(permutations(["the", "cat", "zebra", "down"]))
    together = model.surprisals(orders)
    assert together.shape == (24, 5)
    for order, surprise in zip(orders, together, strict=True):
        np.testing.assert_allclose(surprise, model.score(order).surprisal, atol=1e-5)


def test_sentences_of_any_length_keep_their_order(model: WordModel) -> None:
    found = model.surprisal_of_each(TRAINING)
    for words, surprise in zip(TRAINING, found, strict=True):
        np.testing.assert_allclose(surprise, model.score(words).surprisal, atol=1e-5)
    assert model.nats_per_word(TRAINING) == pytest.approx(np.concatenate(found).mean(), rel=1e-5)


def test_frequencies_alone_by_hand_are_the_same_in_every_order(model: WordModel) -> None:
    # 19 words and four ends, and "unknown", which was never read: "the" four times, "cat" three times.
    expected = -np.log(np.array([4, 3, 4]) / 24)
    np.testing.assert_allclose(model.unigram_surprisal(["the", "cat"]), expected)
    sums = {
        round(float(model.unigram_surprisal(order).sum()), 9) for order in permutations(["the", "cat", "sat", "zebra"])
    }
    assert len(sums) == 1


def test_no_word_and_too_many_are_one_sentence(model: WordModel) -> None:
    for text in ("", " \x00 ", "😀 !? …"):
        with pytest.raises(TextError, match="no word to read"):
            model.words(text)
    with pytest.raises(TextError, match=r"200 words.*at most 8"):
        model.words("the " * 200)
    with pytest.raises(TextError, match="no word"):
        model.score([])
    with pytest.raises(ValueError, match="same number"):
        model.surprisals([["the"], ["the", "cat"]])


def test_its_files_bring_it_back(model: WordModel, tmp_path: Path) -> None:
    store.save(model.keras(), model.encoder, model.card, tmp_path / "words")
    loaded = model_registry.load(tmp_path / "words")
    assert isinstance(loaded, WordModel)
    assert loaded.encoder == model.encoder
    np.testing.assert_allclose(loaded.score(["a", "dog"]).surprisal, model.score(["a", "dog"]).surprisal, atol=1e-6)


@pytest.mark.parametrize("harm", ["counts", "words", "network", "end"])
def test_damaged_files_are_one_sentence(model: WordModel, tmp_path: Path, harm: str) -> None:
    network = model.keras()
    if harm == "network":
        x = keras.Input((None,), dtype="int32")
        y = keras.layers.Embedding(len(model.names), 3)(x)
        network = keras.Model(x, keras.layers.Dense(len(model.names), activation="softmax")(y))
    store.save(network, model.encoder, model.card, tmp_path)
    data = json.loads((tmp_path / store.VOCABULARY).read_text(encoding="utf-8"))
    if harm == "counts":
        data["counts"] = data["counts"][:-1]
    if harm == "words":
        data["tokens"], data["counts"] = data["tokens"][:-1], data["counts"][:-1]
    if harm == "end":
        data["tokens"][0] = "stop"
    (tmp_path / store.VOCABULARY).write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ModelError) as error:
        model_registry.load(tmp_path)
    assert "\n" not in str(error.value)


# --- Sentences and training -----------------------------------------------------------------------


def test_sentences_end_at_stops_and_breaks_but_not_at_titles() -> None:
    text = "Mr. Smith's film wasn't good... <br /><br />Was it? No! It cost 3.5 million (I'm told) – really.\nYes"
    assert list(sentences.sentences(text)) == [
        ["mr", "smith's", "film", "wasn't", "good"],
        ["was", "it"],
        ["it", "cost", "3", "5", "million", "i'm", "told", "really"],
    ]


@pytest.fixture
def reviews(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    films = [f"film {number}" for number in range(40)]
    texts = [". ".join(LINES[k] for k in random.integers(0, 4, 12)) + "." for _ in films]
    split = splits.Split(tuple(texts), np.arange(40) % 2, tuple(films))
    monkeypatch.setattr(
        registry, "load_labelled", lambda name: splits.LabelledTexts(split, split, ("negative", "positive"))
    )


@pytest.mark.usefixtures("reviews")
def test_it_learns_its_sentences_and_is_measured() -> None:
    seen: list[Progress] = []
    recipe = replace(RECIPE, units=12, width=8, projection=8, dropout=0.0)
    model, encoder, card = WordTask(recipe).train(Trainer(seen.append))
    words = with_keras(WordModel(card, encoder, Network(model)), model)
    seen = [progress for progress in seen if progress.whole_epoch]
    assert [progress.epoch for progress in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[-1].validation_loss < 0.75 * seen[0].validation_loss
    assert "nats per word" in seen[-1].line
    assert card.training["kept_epoch"] == 1 + int(np.argmin(card.training["curves"]["validation_loss"]))
    figures = evaluate(words)
    assert figures["nats_per_word"] < 1.5 < figures["unigram_nats_per_word"]
    assert figures["perplexity"] == pytest.approx(np.exp(figures["nats_per_word"]))
    assert figures["unknown"] == 0
    assert figures["order"]["shuffles"] == word_lm.SHUFFLES
    assert figures["order"]["first"] > 0.9 < figures["order"]["beaten"]


def test_batches_hold_every_sentence_and_pads_have_no_class() -> None:
    encoded = [np.array([2, *range(3, 3 + length), 2], np.int32) for length in (3, 4, 9, 3, 12)]
    batches = SentenceBatches(encoded, words=8, seed=0)
    found = []
    for (inputs, after), classes in (batches[k] for k in range(len(batches))):
        np.testing.assert_array_equal(inputs[:, 1:][after[:, :-1] != PAD], after[:, :-1][after[:, :-1] != PAD])
        np.testing.assert_array_equal(classes == -1, after == PAD)
        found += [tuple(row[row != PAD]) for row in after]
    assert sorted(found) == sorted(tuple(ids[1:]) for ids in encoded)


def test_an_epoch_is_a_share_and_a_pass_is_whole() -> None:
    encoded = [np.array([2, number, 2], np.int32) for number in range(10, 20)]
    batches = SentenceBatches(encoded, words=8, seed=0, shares=2)
    read = []
    for _ in range(2):
        read += [int(batches[k][0][0][0, 1]) for k in range(len(batches))]
        batches.on_epoch_end()
    assert sorted(read) == list(range(10, 20))
    with pytest.raises(ValueError, match="too few"):
        SentenceBatches(encoded, words=1000, seed=0)


def test_the_vocabulary_has_an_end_and_counts_everything(encoder: CountedWords) -> None:
    assert encoder.vocabulary.tokens[:2] == (sentences.END, "the")
    assert encoder.counts[PAD] == 0
    assert sum(encoder.counts) == sum(map(len, TRAINING)) + len(TRAINING)
    assert encoder.counts[UNKNOWN] == sum(word not in encoder.vocabulary.ids for line in TRAINING for word in line)
    assert isinstance(encoder.vocabulary, Vocabulary)


def test_the_n_gram_of_words_by_hand() -> None:
    # Counted in "‹end› a b ‹end›" with an alphabet of five ids: p(x) = (count + 3 / 5) / 7, 3 kinds in 4 places;
    # behind an end stood one a: p(a | end) = (1 + p(a)) / 2, and so for the others, each with its own p.
    encoder = CountedWords.of([["a", "b"]], Vocabulary((sentences.END, "a", "b")), 8)
    word, end = (1 + 3 / 5) / 7, (2 + 3 / 5) / 7
    expected = -np.log([(1 + word) / 2, (1 + word) / 2, (1 + end) / 2]).mean()
    assert witten_bell_nats([["a", "b"]], [["a", "b"]], encoder, 2) == pytest.approx(expected)
