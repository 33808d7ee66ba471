"""The recurrent family by AppTest: each view's computed sentences, its presets, bad input and the link."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import lstm_core
from lstm_core.evaluation import speed as family
from lstm_core.inference.classifier import TextClassifier
from lstm_core.library import ModelCard
from tests.pages.test_every_page import opened
from ui.common import assets
from ui.recurrent_family import cells, cloze, diagrams
from ui.recurrent_family import table as family_table

NOTHING = "There is no text to read: type or paste some words first."


def said(page: AppTest, words: str) -> bool:
    return any(words in text.value for text in page.markdown)


def errors(page: AppTest) -> list[str]:
    assert not page.exception
    return [error.value for error in page.error]


class TestGates:
    def test_the_sentence_is_what_the_three_say(self) -> None:
        page = opened("recurrent_family")
        assert not errors(page)
        models: dict[str, TextClassifier] = {name[7:]: lstm_core.load(name) for name in family.CELL_MODELS}
        text = next(iter(cells.TEXTS.examples.values()))
        readings = {kind: model.read(text) for kind, model in models.items()}
        assert said(page, cells.answers_in_words(readings))
        moved = {kind: family.moved_by_beginning(models[kind], readings[kind], 10) for kind in models}
        assert said(page, cells.masking_in_words(moved, 10))

    def test_each_example_is_read(self) -> None:
        page = opened("recurrent_family")
        for name, text in cells.TEXTS.examples.items():
            page.button(key=f"family_example_{name}").click().run()
            assert not errors(page)
            assert page.text_area(key="family_text").value == text

    def test_the_first_tokens_can_be_masked(self) -> None:
        page = opened("recurrent_family", text="how do i sort a list", first="3")
        assert said(page, "Masking the first 3 tokens")
        page.slider(key="family_first").set_value(30).run()
        assert said(page, "Masking the first 6 tokens")
        assert page.query_params["first"] in ("6", ["6"])

    @pytest.mark.parametrize("text", ["", "  ", "\n"])
    def test_nothing_to_read_is_one_sentence(self, text: str) -> None:
        page = opened("recurrent_family")
        page.text_area(key="family_text").set_value(text).run()
        assert errors(page) == [NOTHING]
        assert page.text_area(key="family_text").value == text

    @pytest.mark.parametrize("text", ["list", "<script>alert(1)</script>", "👍", "жщъ", "word " * 2000, "\x00"])
    def test_odd_texts_are_read(self, text: str) -> None:
        page = opened("recurrent_family", text=text)
        assert not errors(page)
        assert said(page, "Answers after")

    def test_sentences_for_ties_and_for_nothing(self) -> None:
        assert "None of the last answers depends" in cells.masking_in_words({"rnn": 0.0, "gru": 0.01, "lstm": 0.0}, 1)
        assert "to the same extent" in cells.masking_in_words({"rnn": 0.5, "gru": 0.51, "lstm": 0.5}, 5)
        assert "The GRU keeps most" in cells.masking_in_words({"rnn": 0.0, "gru": 0.8, "lstm": 0.1}, 5)


class TestBlanks:
    @pytest.mark.parametrize("preset", list(cloze.PRESETS))
    def test_each_preset_says_what_both_networks_say(self, preset: str) -> None:
        page = opened("recurrent_family", view="blanks")
        page.pills(key="blank_text_preset").set_value(preset).run()
        assert not errors(page)
        text, question = cloze.PRESETS[preset]
        assert page.text_input(key="blank_text").value == text
        forward, both = (lstm_core.load(name).read(text) for name in cloze.MODELS)
        assert said(page, cloze.in_a_sentence(forward, both))
        assert any(question in caption.value for caption in page.caption)

    def test_the_story(self) -> None:
        first, second, *_ = (text for text, _ in cloze.PRESETS.values())
        forward, both = (lstm_core.load(name) for name in cloze.MODELS)
        assert forward.read(first).ranked[0][1] < 0.2 < 0.9 < both.read(first).ranked[0][1]
        assert forward.read(second).ranked[0][0] == both.read(second).ranked[0][0] == "clock"

    def test_unknown_words_are_said_so(self) -> None:
        page = opened("recurrent_family", view="blanks", blank="the ___ purred <b>loudly</b>")
        assert not errors(page)
        assert any("Not in the vocabulary" in text.value and "purred" in text.value for text in page.caption)

    @pytest.mark.parametrize(
        ("sentence", "words"),
        [
            ("", NOTHING),
            (" ", NOTHING),
            ("👍", "There is no blank"),
            ("cow", "There is no blank"),
            ("<script>alert(1)</script>", "There is no blank"),
            ("a ___ and a ___", "There are 2 blanks"),
            ("___", "nothing but a blank"),
        ],
    )
    def test_what_cant_be_filled_is_one_sentence_and_stays(self, sentence: str, words: str) -> None:
        page = opened("recurrent_family", view="blanks")
        page.text_input(key="blank_text").set_value(sentence).run()
        found = errors(page)
        assert len(found) == 1
        assert words in found[0]
        assert page.text_input(key="blank_text").value == sentence


class TestPage:
    def test_the_table_says_what_the_cards_say(self) -> None:
        page = opened("recurrent_family")
        table = page.dataframe[0].value
        assert list(table["Network"]) == [member.name for member in family.FAMILY_MEMBERS]
        cards = [lstm_core.load(member.model).card for member in family.FAMILY_MEMBERS]
        assert list(table["Parameters"]) == [card.training["parameters"] for card in cards]
        assert list(table["Test accuracy"]) == [100 * card.measured["accuracy"] for card in cards]
        assert table["RNN = 1"][0] == 1
        assert (table["RNN = 1"] > 0).all()
        assert said(page, "times the speed of the plain RNN")
        assert said(page, family_table.why_in_words(*(lstm_core.load(name).card for name in family.CELL_MODELS[1:])))

    def test_the_better_cell_is_named_first_and_said_to_be_faster_only_if_it_was(self) -> None:
        def card(kind: str, accuracy: float, losses: list[float]) -> ModelCard:
            measured = {"accuracy": accuracy, "by_length": {"accuracy": [accuracy, accuracy, 0.5]}}
            return ModelCard(f"family_{kind}", "", "", "", "", measured=measured, training={"curves": {"loss": losses}})

        slow, fast = card("gru", 0.7, [0.9, 0.6, 0.5]), card("lstm", 0.8, [0.8, 0.4, 0.3])
        said = family_table.why_in_words(slow, fast)
        assert said == family_table.why_in_words(fast, slow)
        assert said.startswith("The LSTM is more accurate than the GRU in 2 of 3 groups")
        assert "below the GRU's last one after 2 of 3 epochs" in said
        level = family_table.why_in_words(slow, card("lstm", 0.8, [0.9, 0.7, 0.6]))
        assert "epochs" not in level
        kept = json.loads(assets.read("family.json"))["long_questions"]["kept"]
        assert all(f"{of['tokens']:.0f} tokens" in level for of in kept.values())

    def test_what_several_seeds_reach_is_said_where_both_have_them(self) -> None:
        def card(kind: str, accuracy: float, **training: Any) -> ModelCard:
            measured = {"accuracy": accuracy, "by_length": {"accuracy": [accuracy]}}
            return ModelCard(f"family_{kind}", "", "", "", "", measured=measured, training=training)

        curves, runs = {"loss": [0.5]}, [{"seed": 1, "accuracy": 0.8}, {"seed": 2, "accuracy": 0.82}]
        gru = card("gru", 0.8, curves=curves, seeds={"runs": runs, "mean": 0.81, "deviation": 0.014})
        lstm = card("lstm", 0.7, curves=curves, seeds={"runs": runs, "mean": 0.712, "deviation": 0.03})
        said = family_table.why_in_words(lstm, gru)
        assert said.endswith(" In validation, over 2 seeds, the GRU has 81.0% ± 1.4% and the LSTM has 71.2% ± 3.0%.")
        assert "seeds" not in family_table.why_in_words(gru, card("lstm", 0.7, curves=curves))

    def test_a_busy_machine_is_said_to_be_one(self) -> None:
        speed = {name: family.Speed(100.0, 90.0) for name in family.CELL_MODELS}
        assert "busy" not in family_table.in_a_sentence(speed)
        assert "took 4.0 times" in family_table.in_a_sentence(
            speed | {family.CELL_MODELS[0]: family.Speed(100.0, 25.0)}
        )

    def test_a_shape_opens_its_view(self) -> None:
        page = opened("recurrent_family")
        page.button(key="family_open_blanks").click().run()
        assert not errors(page)
        assert said(page, "A word is missing")
        assert page.query_params["view"] in ("blanks", ["blanks"])

    @pytest.mark.parametrize("bad", ["", "nan", "-1e999", "9" * 30, "<b>", "\x00"])
    @pytest.mark.parametrize("view", ["gates", "blanks", "nothing"])
    def test_nonsense_in_the_link_is_no_crash(self, view: str, bad: str) -> None:
        page = opened("recurrent_family", view=view, first=bad)
        assert not errors(page)

    def test_a_missing_network_is_a_sentence(self, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
        from lstm_core.library import store
        from ui.common import model_cache

        monkeypatch.setattr(store, "SHIPPED", tmp_path)
        monkeypatch.setattr(model_cache, "_loaded", {})
        page = opened("recurrent_family", text="my text")
        assert r"There is no model 'family\_rnn'" in errors(page)[0]
        assert page.text_area(key="family_text").value == "my text"

    @pytest.mark.parametrize("name", list(diagrams.WIRINGS))
    def test_every_diagram_has_boxes_arrows_and_words(self, name: str) -> None:
        figure, alt = diagrams.WIRINGS[name]()
        assert len(figure.layout.shapes) >= 7
        assert any(note.showarrow for note in figure.layout.annotations)
        assert alt.endswith(".")

    def test_going_from_view_to_view_leaves_no_text_in_the_wrong_box(self) -> None:
        page = opened("recurrent_family")
        for view in ("blanks", "tree", "rewriting", "gates", "blanks"):
            page.segmented_control(key="family_view").set_value(view).run()
            assert not errors(page)
