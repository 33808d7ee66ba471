"""The grammar of blanks, and the two networks that fill them: nothing leaks, limits hold, Keras agrees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lstm_core
from lstm_core import Clamp, TextError
from lstm_core.datasets import cloze_grammar
from lstm_core.datasets.cloze_grammar import Sentence
from lstm_core.evaluation import speed
from lstm_core.inference import cloze, registry
from lstm_core.inference.cloze import BlankFiller
from lstm_core.library import store
from lstm_core.nn.trace import BidirectionalTrace
from lstm_core.text.encoder import BLANK
from lstm_core.training.recipes import RECIPES

NAMES = [name for name, recipe in RECIPES.items() if recipe.task == "blank filler"]
AFTER = "this morning the ___ of our old neighbour whistled on the stove"


@pytest.fixture(scope="module")
def forward() -> BlankFiller:
    return lstm_core.load("blank_forward")


@pytest.fixture(scope="module")
def both() -> BlankFiller:
    return lstm_core.load("blank_both")


class TestGrammar:
    def test_probabilities_sum_to_one_and_every_sentence_has_one_blank(self) -> None:
        every = cloze_grammar.every_sentence()
        assert sum(each.probability for each in every) == pytest.approx(1)
        assert all(each.text.count(BLANK) == 1 and each.answer in cloze_grammar.ANSWERS for each in every)
        assert len({(each.text, each.answer) for each in every}) == len(every)

    def test_no_held_out_sentence_is_trained_on_or_chosen_by(self) -> None:
        texts = {part: {each.text for each in cloze_grammar.sentences(part)} for part in cloze_grammar.PARTS}
        assert not texts["test"] & texts["training"]
        assert not texts["test"] & texts["validation"]
        assert not texts["validation"] & texts["training"]
        assert sum(map(len, texts.values())) == len({each.text for each in cloze_grammar.every_sentence()})
        assert 0.08 < len(texts["test"]) / sum(map(len, texts.values())) < 0.12

    def test_draws_repeat_and_stay_in_their_part(self) -> None:
        drawn = cloze_grammar.sample("training", 300, 7)
        assert drawn == cloze_grammar.sample("training", 300, 7) != cloze_grammar.sample("training", 300, 8)
        assert {cloze_grammar.part_of(each.text) for each in drawn} == {"training"}

    def test_what_decides_stands_before_the_blank_as_often_as_is_said(self) -> None:
        early = sum(each.probability for each in cloze_grammar.every_sentence() if each.clue_first)
        assert early == pytest.approx(cloze_grammar.BEFORE)


class TestLimits:
    def test_by_hand(self) -> None:
        these = [
            Sentence("the ___ barked", "dog", 0.3),
            Sentence("the ___ mewed", "cat", 0.2),
            Sentence("it mewed: the ___", "cat", 0.3),
            Sentence("the ___ slept", "dog", 0.1),
            Sentence("the ___ slept", "cat", 0.1),
        ]
        found = cloze_grammar.limits(these)
        assert found["chance"] == pytest.approx(0.6)  # always the cat
        assert found["before"] == pytest.approx(0.4 + 0.3)  # the dog after "the", the cat after "mewed"
        assert found["all"] == pytest.approx(0.9)  # only the sleeper stays open

    def test_all_answers_are_as_likely_in_the_whole_grammar(self) -> None:
        every = cloze_grammar.every_sentence()
        assert cloze_grammar.best_possible(every, lambda each: None) == pytest.approx(1 / len(cloze_grammar.ANSWERS))
        plain = [each for each in every if each.before == "the "]
        assert cloze_grammar.best_possible(plain, lambda each: each.before) == pytest.approx(
            1 / len(cloze_grammar.ANSWERS)
        )
        # A place leaves four of twelve.
        placed = [each for each in every if each.before == "on the farm the "]
        assert cloze_grammar.best_possible(placed, lambda each: each.before) == pytest.approx(1 / 4)

    def test_nobody_beats_them(self, forward: BlankFiller, both: BlankFiller) -> None:
        for model in (forward, both):
            limits = model.card.measured["limits"]
            assert limits == pytest.approx(cloze_grammar.limits(cloze_grammar.sentences("test")))
            assert limits["chance"] < model.card.measured["accuracy"] <= limits["all"]
        assert forward.card.measured["accuracy"] <= forward.card.measured["limits"]["before"]
        assert both.card.measured["accuracy"] > forward.card.measured["limits"]["before"]


class TestNetworks:
    @pytest.mark.parametrize("name", NAMES)
    def test_each_reaches_the_figure_in_its_card(self, name: str) -> None:
        model = lstm_core.load(name)
        found = cloze.blank_figures(model)
        assert found["accuracy"] == pytest.approx(model.card.measured["accuracy"], abs=2e-3)
        assert found["examples"] == model.card.measured["examples"]

    @pytest.mark.parametrize("name", NAMES)
    def test_reading_gives_what_keras_predicts(self, name: str) -> None:
        model = lstm_core.load(name)
        texts = [each.text for each in cloze_grammar.sample("test", 20, 1)] + ["Emoji 👍 and <script> ___ !"]
        rows = model.predict(texts)  # padded to one length
        for text, row in zip(texts, rows, strict=True):
            filled = model.read(text)
            np.testing.assert_allclose(filled.probabilities, row, atol=1e-4)
            assert filled.probabilities.sum() == pytest.approx(1, abs=1e-5)
            assert filled.encoded.tokens[filled.place] == BLANK

    def test_the_forward_network_has_seen_nothing_of_what_comes_after(
        self, forward: BlankFiller, both: BlankFiller
    ) -> None:
        other = AFTER.replace("whistled on the stove", "needed a new bulb")
        assert np.array_equal(forward.read(AFTER).probabilities, forward.read(other).probabilities)
        assert (both.read(AFTER).ranked[0][0], both.read(other).ranked[0][0]) == ("kettle", "lamp")

    def test_both_directions_are_traced(self, both: BlankFiller) -> None:
        trace = both.read(AFTER).trace
        assert isinstance(trace, BidirectionalTrace)
        assert trace.forward.signals["h"].shape == trace.backward.signals["h"].shape == (len(AFTER.split()), 16)
        assert trace.backward.timesteps[0] == len(AFTER.split()) - 1

    def test_a_clamp_holds_in_both_directions(self, both: BlankFiller) -> None:
        held = both.read(AFTER, clamps=[Clamp("o", 0.0)])
        assert isinstance(held.trace, BidirectionalTrace)
        assert not held.trace.forward.signals["h"].any()
        assert not held.trace.backward.signals["h"].any()
        assert held.ranked[0][1] < 0.5 < both.read(AFTER).ranked[0][1]

    def test_the_words_that_decide_are_those_that_say_it(self, both: BlankFiller) -> None:
        lost = speed.what_decides(both, AFTER, "kettle")
        words = AFTER.split()
        assert words[int(lost.argmax())] in ("whistled", "stove")
        assert lost[words.index(BLANK)] == 0
        with pytest.raises(ValueError, match="There is no answer 'dog'"):
            speed.what_decides(both, AFTER, "dog")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "There is no text to read"),
            ("👍 <> !", "There is no blank"),
            ("the cow mooed", "There is no blank"),
            ("a ___ and a _____", "There are 2 blanks"),
            ("___", "nothing but a blank"),
            ("word " * 60 + "___", "There is no blank among the first 40 words"),
        ],
    )
    def test_what_cant_be_read_is_one_sentence(self, both: BlankFiller, text: str, words: str) -> None:
        with pytest.raises(TextError, match=words):
            both.read(text)

    def test_unknown_words_are_named_as_they_were_written(self, both: BlankFiller) -> None:
        assert both.read("Yesterday the ____ Purred, and purred <script>").unknown == ("Purred", "purred", "script")


def test_a_small_run_of_the_recipe_can_be_saved_and_loaded(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from lstm_core.training.cloze import BlankTask
    from lstm_core.training.trainer import Trainer

    reports: list[Any] = []
    recipe = replace(RECIPES["blank_both"], sentences_per_epoch=128, validation=32, epochs=2, batch=32)
    made = BlankTask(recipe).train(Trainer(reports.append))
    assert [each.epoch for each in reports if each.whole_epoch] == [1, 2]
    assert len(made.card.training["curves"]["validation_loss"]) == 2
    store.save(*made, tmp_path / "tried")
    model = registry.load(tmp_path / "tried")
    assert isinstance(model, BlankFiller)
    assert model.read(AFTER).probabilities.shape == (len(cloze_grammar.ANSWERS),)


def test_files_that_dont_belong_together_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from shutil import copytree

    folder = copytree(store.SHIPPED / "blank_both", tmp_path / "mixed")
    card = (folder / "card.json").read_text("utf-8").replace('"cow",', "", 1)
    (folder / "card.json").write_text(card, encoding="utf-8")
    with pytest.raises(lstm_core.ModelError, match="don't belong together"):
        registry.load(folder)
    (folder / "vocabulary.json").write_text("{}", encoding="utf-8")
    with pytest.raises(lstm_core.ModelError, match=r"vocabulary\.json is damaged"):
        registry.load(folder)
