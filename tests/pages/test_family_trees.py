"""The recurrent family's encoder–decoder and its tree by AppTest: their stories, links, and bad input."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

import lstm_core
from lstm_core.datasets import number_words, sentiment_trees
from tests.pages.test_every_page import opened
from ui.recurrent_family import seq2seq
from ui.recurrent_family import tree as family_tree

PAGE = "recurrent_family"


def said(page: AppTest, words: str) -> bool:
    return any(words in text.value for text in page.markdown)


def one_error(page: AppTest, words: str) -> bool:
    assert not page.exception
    return len(page.error) == 1 and words in page.error[0].value.replace("\\", "")


class TestRewriting:
    def test_the_default_number_is_written_out(self) -> None:
        page = opened(PAGE, view="rewriting")
        assert not page.exception
        assert not page.error
        truth = number_words.spelled_backwards(seq2seq.PRESETS["As in training"])
        assert said(page, f"Written: {truth}")
        assert said(page, "characters are right")

    @pytest.mark.parametrize("preset", list(seq2seq.PRESETS))
    def test_every_preset_is_what_the_model_says(self, preset: str) -> None:
        page = opened(PAGE, view="rewriting", number="1")
        page.pills(key="s2s_number_preset").set_value(preset).run()
        found = lstm_core.load("number_words").rewrite(seq2seq.PRESETS[preset])  # type: ignore[union-attr]
        assert said(page, seq2seq.verdict(found))
        assert page.text_input(key="s2s_number").value == found.number
        assert found.is_right == (len(found.number) <= number_words.LONGEST_TRAINED)
        assert any(text.value.startswith("True: ") for text in page.markdown) != found.is_right

    def test_it_fails_on_longer_numbers_and_the_figure_says_so(self) -> None:
        page = opened(PAGE, view="rewriting")
        measured = lstm_core.load("number_words").card.measured["by_length"]
        beyond = measured["accuracy"][measured["digits"].index(number_words.LONGEST_TRAINED + 1)]
        assert said(page, f"With one digit more it is **{beyond:.1%}**")

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("", "no number to read"),
            ("forty", "character 1 is"),
            ("7😀", "character 2 is '😀'"),
            ("9" * 500, "500 digits"),
        ],
    )
    def test_what_is_no_number_is_one_sentence_and_stays(self, typed: str, words: str) -> None:
        page = opened(PAGE, view="rewriting")
        page.text_input(key="s2s_number").set_value(typed).run()
        assert one_error(page, words)
        assert page.text_input(key="s2s_number").value == typed
        assert said(page, "Accuracy by length")

    def test_a_bad_other_number_leaves_the_rest(self) -> None:
        page = opened(PAGE, view="rewriting", handed="c", other="x")
        assert one_error(page, "The other number: Only the digits")
        assert said(page, "characters are right")

    @pytest.mark.parametrize("handed", list(seq2seq.CHANGES))
    def test_each_change_of_the_state_changes_the_output(self, handed: str) -> None:
        page = opened(PAGE, view="rewriting", handed=handed, other="986", factor="1.5", wiped="20")
        assert not page.exception
        (written,) = (text.value for text in page.markdown if text.value.startswith("The decoder writes: "))
        assert "three one two seven zero four" not in written

    def test_nothing_changed_changes_nothing(self) -> None:
        for link in ({"handed": "scaled", "factor": "1"}, {"handed": "wiped", "wiped": "0"}):
            page = opened(PAGE, view="rewriting", **link)
            assert said(page, "The decoder writes: **three one two seven zero four**")
            assert said(page, "6 of its 6 words agree")

    def test_the_link_brings_everything_back(self) -> None:
        link = {"number": "0055", "signal": "f", "handed": "wiped", "wiped": "11", "other": "3", "factor": "0.5"}
        page = opened(PAGE, view="rewriting", **link)
        assert page.segmented_control(key="s2s_signal").value == "f"
        assert page.slider(key="s2s_wiped").value == 11
        kept = {key: value if isinstance(value, str) else value[0] for key, value in page.query_params.items()}
        assert kept == {"view": "rewriting", **link}


class TestTree:
    def test_the_default_sentence_is_read_as_the_rules_have_it(self) -> None:
        page = opened(PAGE, view="tree")
        assert not page.exception
        assert not page.error
        assert said(page, "Prediction: good")
        assert said(page, "The rules agree, and 5 of 5 nodes are right.")

    @pytest.mark.parametrize("preset", list(family_tree.PRESETS))
    def test_every_preset_is_what_the_model_says(self, preset: str) -> None:
        page = opened(PAGE, view="tree", sentence="good")
        page.pills(key="tree_text_preset").set_value(preset).run()
        reading = lstm_core.load("negation_tree").read(family_tree.PRESETS[preset])  # type: ignore[union-attr]
        assert said(page, family_tree.verdict(reading))
        assert page.text_input(key="tree_text").value == family_tree.PRESETS[preset]

    def test_the_same_words_in_other_brackets_get_another_answer(self) -> None:
        one, other = (
            sentiment_trees.parse_tree(family_tree.PRESETS[name])
            for name in ("One order of words", "Same words, other brackets")
        )
        assert one.words == other.words
        page = opened(PAGE, view="tree", sentence=str(one))
        assert said(page, "Prediction: bad")
        page.text_input(key="tree_text").set_value(str(other)).run()
        assert said(page, "Prediction: good")
        page.session_state["tree_try"] = True
        page.run()
        assert said(page, "2 trees have these words in this order, with 2 different meanings: bad, good.")

    def test_a_hard_sentence_is_wrong_and_deeper_than_any_in_training(self) -> None:
        tree = sentiment_trees.parse_tree(family_tree.PRESETS["A hard one"])
        assert tree.depth > sentiment_trees.TRAINED_DEPTH
        page = opened(PAGE, view="tree", sentence=str(tree))
        assert said(page, f"By the rules: {family_tree.label(sentiment_trees.meaning(tree))}.")

    def test_a_node_is_chosen_and_shown(self) -> None:
        page = opened(PAGE, view="tree")
        (box,) = (each for each in page.selectbox if each.label == "Node")
        box.set_value(2).run()  # (not bad)
        assert any("The answer at '(not bad)'" in text.value for text in page.caption)
        (box,) = (each for each in page.selectbox if each.label == "Node")
        box.set_value(0).run()  # the word not
        assert said(page, "**not** has no meaning of its own")
        kept = page.query_params["node"]
        assert kept in ("0", ["0"])
        page.text_input(key="tree_text").set_value("(good and bad)").run()
        assert any("The answer at '(good and bad)'" in text.value for text in page.caption)

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("", "no sentence to read"),
            ("(good and", "missing after 'and' at the end"),
            ("(good and nice)", "'nice' at character 11 isn't known"),
            ("(" * 20 + "good", "More than 12 brackets"),
            ("good 😀", "'😀' at character 6"),
            ("good and " * 500, "characters; at most 400"),
            ("<b>good</b>", "isn't known here"),
        ],
    )
    def test_what_does_not_parse_is_one_sentence_and_stays(self, typed: str, words: str) -> None:
        page = opened(PAGE, view="tree")
        page.text_input(key="tree_text").set_value(typed).run()
        assert one_error(page, words)
        assert page.text_input(key="tree_text").value == typed
        assert said(page, "Accuracy by depth")


@pytest.mark.parametrize("view", ["rewriting", "tree"])
@pytest.mark.parametrize("bad", ["", "nan", "-1e999", "99999999999999999999999999", "<b>", "\x00"])
def test_nonsense_in_the_link_gives_a_view_all_the_same(view: str, bad: str) -> None:
    names = ("number", "signal", "handed", "other", "factor", "wiped", "sentence", "node")
    page = opened(PAGE, view=view, **dict.fromkeys(names, bad))
    assert not page.exception
    assert len(page.error) == 1  # of what can't be read
    assert said(page, "Accuracy by")


def test_a_missing_model_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, view in ((seq2seq, "rewriting"), (family_tree, "tree")):
        monkeypatch.setattr(module, "MODEL", "imdb_bag")
        assert one_error(opened(PAGE, view=view), "The model 'imdb_bag' is a classifier")
