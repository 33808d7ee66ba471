"""Bracketed praise and blame: the parser, the meaning, and the recursive network against Keras's layers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core import ModelError
from lstm_core.datasets import sentiment_trees
from lstm_core.datasets.sentiment_trees import Tree, meaning, parse_tree
from lstm_core.errors import TextError
from lstm_core.inference import registry
from lstm_core.inference.tree_rnn import MIDDLE, TreeReader, Words, forest_of, tree_figures
from lstm_core.library import store
from lstm_core.library.card import ModelCard
from lstm_core.nn.keras_config import saved_network
from lstm_core.training.recipes import RECIPES

CARD = ModelCard(
    "small", "Small", "tree reader", "bracketed", "Random weights, for tests.", labels=sentiment_trees.LABELS
)
SENTENCES = (
    "awful",
    "not good",
    "(good and bad)",
    "((not bad) but (very (good and great)))",
    "(not ((very ((not (bad and (not awful))) but (poor and great))) and (not fine)))",
)
WORDS = st.sampled_from([*sentiment_trees.VOCABULARY, "(", ")", "nice", "x"])
TREES = st.recursive(
    st.sampled_from(list(sentiment_trees.STRENGTH)).map(Tree),
    lambda parts: (
        st.builds(lambda word, part: Tree(word, (part,)), st.sampled_from(sentiment_trees.BEFORE), parts)
        | st.builds(lambda word, *two: Tree(word, two), st.sampled_from(sentiment_trees.BETWEEN), parts, parts)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, randomised: Callable[..., Any]) -> Path:
    """A saved model; not to be written to."""
    from lstm_core.training.tree_rnn import recursive_network

    path = tmp_path_factory.mktemp("models") / "small"
    store.save(randomised(recursive_network(Words(), units=5)), Words(), CARD, path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> TreeReader:
    found = registry.load(folder)
    assert isinstance(found, TreeReader)
    return found


@pytest.fixture(scope="module")
def shipped() -> TreeReader:
    return registry.load("negation_tree")  # type: ignore[return-value]


# --- grammar and meaning -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "value"),
    [
        ("great", 2), ("not great", -1), ("not awful", 1), ("not ordinary", 0), ("very good", 2), ("very poor", -2),
        ("very average", 0), ("(not (not great))", 1), ("great and fine", 1), ("great and awful", 0),
        ("good and bad", 0), ("bad and awful", -1), ("great and average", 1), ("awful but good", 1),
        ("(not (bad but good))", -1), ("((not bad) but good)", 1), ("(not (very good))", -1), ("(very (not good))", -2),
    ],
)  # fmt: skip
def test_what_a_sentence_means(sentence: str, value: int) -> None:
    assert meaning(parse_tree(sentence)) == value


@given(TREES)
def test_a_tree_is_parsed_back_from_its_own_text(tree: Tree) -> None:
    if (
        tree.depth <= sentiment_trees.MOST_DEPTH
        and len(str(tree)) <= sentiment_trees.MOST_CHARACTERS
        and len(tree.words) <= sentiment_trees.MOST_WORDS
    ):
        assert parse_tree(str(tree)) == tree
        assert parse_tree(f"  {str(tree).upper().replace('(', ' ( ')} ") == tree


@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=40))
def test_the_parser_gives_a_tree_or_one_sentence(text: str) -> None:
    try:
        tree = parse_tree(text)
    except TextError as error:
        said = str(error)
    else:
        said = f"{tree}."
        assert parse_tree(str(tree)) == tree
    assert said.splitlines() == [said]
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no sentence to read"),
        ("  ", "no sentence to read"),
        ("(good and nice)", "'nice' at character 11 isn't known"),
        ("good 😀", "'😀' at character 6 isn't known"),
        ("(good and bad", "opens at character 1 is never closed"),
        ("good and (bad", "after 'bad' at the end|After 'bad' at character 11"),
        ("good)", "closes at character 5 was never opened"),
        ("(good bad)", "After 'good' at character 2, 'and' or 'but' is missing"),
        ("(good)", "After 'good' at character 2, 'and' or 'but' is missing"),
        ("not very good", "'very' at character 5 needs brackets"),
        ("not good and bad", "isn't clear how far 'not' reaches before 'and' at character 10"),
        ("(not good and bad)", "isn't clear how far 'not' reaches before 'and' at character 11"),
        ("good and bad and great", "complete before 'and' at character 14"),
        ("(good and bad and great)", "'\\)' is missing before 'and' at character 15"),
        ("(and good)", "missing before 'and' at character 2"),
        ("()", "missing before '\\)' at character 2"),
        ("(good and", "missing after 'and' at the end"),
        ("not", "missing after 'not' at the end"),
        ("(" * 13 + "good", "More than 12 brackets are nested at character 13"),
        ("good " * 33, "33 words; at most 32"),
        ("(" * 5000, "5,000 characters; at most 400"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_place(text: str, words: str) -> None:
    with pytest.raises(TextError, match=words):
        parse_tree(text)


def test_a_sentence_with_two_parts_is_two_nodes() -> None:
    found = sentiment_trees.pieces(parse_tree("(good but (not bad))"))
    assert [piece.word for piece in found] == ["good", "but", "not", "bad", "", "", ""]
    assert [piece.value for piece in found] == [1, None, None, -1, 1, None, 1]
    assert [(piece.left, piece.right) for piece in found[4:]] == [(2, 3), (1, 4), (0, 5)]
    assert found[5].text == "but (not bad)"


@given(TREES)
def test_every_bracketing_has_the_same_words_and_the_tree_is_among_them(tree: Tree) -> None:
    words = tree.words[:9]
    found = sentiment_trees.bracketings(words, most=2000)
    assert {each.words for each in found} <= {words}
    assert len({str(each) for each in found}) == len(found)
    assert words != tree.words or tree in found


def test_bracketings_by_hand_and_no_more_than_asked_for() -> None:
    found = sentiment_trees.bracketings(("not", "bad", "but", "good"))
    assert {str(tree) for tree in found} == {"(not (bad but good))", "((not bad) but good)"}
    assert sentiment_trees.bracketings(("good", "bad")) == []
    long = ("good", *("and", "bad") * 15)
    assert len(sentiment_trees.bracketings(long, 50)) == 50


def test_a_training_tree_holds_no_tree_of_another_part() -> None:
    from lstm_core.training.tree_rnn import sample

    def inner(tree: Tree) -> set[str]:
        return {str(tree)}.union(*map(inner, tree.parts))

    rng = np.random.default_rng(1)
    trained = set().union(*map(inner, sample(300, rng)))
    for part in ("test", "validation"):
        for depth in (2, 3, 4):
            assert not trained & {str(tree) for tree in sentiment_trees.trees(part, depth, 12, rng)}
    assert all(tree.depth == 3 for tree in sentiment_trees.trees("test", 3, 5, rng))
    with pytest.raises(ValueError, match="Only 0 of 5"):
        sentiment_trees.trees("test", 1, 5, rng)


# --- equal to Keras ------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["model", "shipped"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_node_equals_the_keras_layers(which: str, sentence: str, request: pytest.FixtureRequest) -> None:
    reader: TreeReader = request.getfixturevalue(which)
    reading, network = reader.read(sentence), reader.keras()
    units = reading.vectors.shape[1]
    ids = [reader.words.words.index(piece.word) if piece.word else 0 for piece in reading.pieces]
    vectors: list[np.ndarray] = []
    for piece, word, vector, said in zip(reading.pieces, ids, reading.vectors, reading.probabilities, strict=True):
        children = [np.zeros(units)] * 2 if piece.word else [vectors[piece.left], vectors[piece.right]]
        inputs = [np.array([word]), *(np.asarray(child, np.float32)[None] for child in children)]
        leaf, bracket, at_leaf, at_bracket = (np.asarray(value)[0] for value in network(inputs))
        vectors.append(leaf if piece.word else bracket)
        np.testing.assert_allclose(vector, vectors[-1], atol=1e-5)
        np.testing.assert_allclose(said, at_leaf if piece.word else at_bracket, atol=1e-5)


def test_many_trees_are_read_as_one_by_one(model: TreeReader) -> None:
    many = [parse_tree(sentence) for sentence in SENTENCES]
    assert model.answers(many).tolist() == [model.read_tree(tree).answers[-1] for tree in many]


def test_training_runs_the_same_network_over_padded_forests(model: TreeReader) -> None:
    from lstm_core.training.tree_rnn import ForestNetwork, padded

    forest = forest_of([sentiment_trees.pieces(parse_tree(sentence)) for sentence in SENTENCES], model.words)
    sizes = np.array([len(forest.words), *map(len, forest.levels)])
    inputs, values, weights = padded(forest, np.append(sizes + 3, 2))  # and a level that none of them has
    found = np.asarray(ForestNetwork(model.keras())(inputs))[0]
    expected = model.probabilities(model.vectors(forest))[forest.values >= 0]
    np.testing.assert_allclose(found[weights[0] > 0], expected, atol=1e-5)
    assert values[0][weights[0] > 0].tolist() == forest.values[forest.values >= 0].tolist()
    assert found.shape == (values.shape[1], len(sentiment_trees.LABELS))


# --- what the shipped model reaches --------------------------------------------------------------


def test_the_shipped_card_says_what_is_measured_again(shipped: TreeReader) -> None:
    figures, measured = tree_figures(shipped), shipped.card.measured
    assert figures["accuracy"] == pytest.approx(measured["accuracy"], abs=0.005)
    assert figures["accuracy"] >= 0.97
    assert figures["examples"] == measured["examples"] > 1000
    assert figures["by_depth"]["accuracy"] == pytest.approx(measured["by_depth"]["accuracy"], abs=0.01)
    assert max(figures["by_depth"]["guessing"]) < 0.6


def test_figures_count_what_is_wrong(shipped: TreeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "answers", lambda many: np.zeros(len(many), int))  # always so-so
    figures = tree_figures(shipped, "validation")
    assert figures["by_depth"]["depth"] == [2, 3, 4]
    assert figures["by_depth"]["accuracy"] == figures["by_depth"]["guessing"]


def test_wrong_nodes_are_named(shipped: TreeReader) -> None:
    reading = shipped.read("((very (very (very (very (poor and great))))) and (average and great))")
    assert reading.wrong
    for place in reading.wrong:
        assert reading.pieces[place].value != reading.probabilities[place].argmax() - MIDDLE
    assert not shipped.read("(not (bad but good))").wrong


def test_a_recipe_is_trained_and_its_card_says_so() -> None:
    from lstm_core.training.trainer import Trainer
    from lstm_core.training.tree_rnn import TreeTask

    lines: list[str] = []
    recipe = replace(RECIPES["negation_tree"], units=6, batch=8, steps_per_epoch=2, epochs=1)
    model, words, card = TreeTask(recipe).train(Trainer(lambda progress: lines.append(progress.line)))
    assert lines[0].startswith("epoch 1/1")
    assert card.training["examples"] == {"training": 16}
    assert card.training["parameters"] == model.count_params()
    assert card.labels == sentiment_trees.LABELS
    assert TreeReader(card, words, saved_network(model)).embedding.shape == (len(sentiment_trees.VOCABULARY), 6)


# --- damage --------------------------------------------------------------------------------------


def complaint(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        registry.load(path)
    assert str(caught.value).splitlines() == [str(caught.value)]
    return str(caught.value)


@pytest.mark.parametrize("data", [{}, {"words": "good"}, {"words": [1]}, {"words": ["good"]}, {"words": ["good"] * 30}])
def test_a_damaged_vocabulary_is_one_sentence(folder: Path, tmp_path: Path, data: dict[str, Any]) -> None:
    path = shutil.copytree(folder, tmp_path / "broken")
    (path / store.VOCABULARY).write_text(json.dumps(data))
    assert "vocabulary.json is damaged" in complaint(path)


def test_files_that_do_not_belong_together_are_refused(folder: Path, tmp_path: Path) -> None:
    path = shutil.copytree(folder, tmp_path / "broken")
    (path / store.VOCABULARY).write_text(json.dumps({"words": [*sentiment_trees.VOCABULARY, "nice"]}))
    assert "don't belong together" in complaint(path)
    shutil.copy(store.SHIPPED / "number_words" / store.WEIGHTS, path / store.WEIGHTS)
    assert "no recursive network" in complaint(path)
