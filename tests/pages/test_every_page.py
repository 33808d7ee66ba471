"""Every page by AppTest: it runs, says what it should, and a mistake is one plain sentence."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import lstm_core
from lstm_core.datasets import registry
from lstm_core.jobs import queue
from lstm_core.library import ModelCard, store
from tests.pages.conftest import AtOnce
from ui.classifier.quality import sign_test
from ui.common import job_panel, model_cache
from ui.common.examples import Texts
from ui.home import path as lab

QUESTIONS = Texts.load("questions.json").examples

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in (ROOT / "pages").glob("*.py") if path.name != "navigation.py")


FRAMED = {"home", "glossary", "check_yourself"}  # they link to other pages, which needs the frame


def opened(name: str, **parameters: str) -> AppTest:
    """A page with an address's parameters: alone, or in the frame if it needs that."""
    if name in FRAMED:
        return framed(name, **parameters)
    return run_with(AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=120), parameters)


def framed(name: str, **parameters: str) -> AppTest:
    """A page in the frame, with its menu and what else is around it."""
    page = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=120)
    if name != "home":
        page._page_hash = calc_hash(name)
    return run_with(page, parameters)


def run_with(page: AppTest, parameters: dict[str, str]) -> AppTest:
    for key, value in parameters.items():
        page.query_params[key] = value
    return page.run()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_page_opens_with_one_title_no_error_and_figures_that_are_described(path: Path) -> None:
    page = opened(path.stem)
    assert not page.exception
    assert not page.error
    assert len(page.title) == 1
    for chart in page.get("plotly_chart"):
        assert chart.proto.alt
        traces = [each for each in json.loads(chart.proto.spec)["data"] if each.get("hoverinfo") != "skip"]
        assert any(each.isdigit() for each in chart.proto.alt) or not traces, chart.proto.alt


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_stay_short(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= 125


def test_the_menu_names_every_page_once() -> None:
    names = [name for section in lab.SECTIONS.values() for name in section]
    listed = [each for each in PAGES if each.stem != "operators"]  # nobody else gets there
    assert sorted(names) == sorted(each.stem.replace("_", " ").capitalize() for each in listed)
    in_menu = [f"{name.lower().replace(' ', '_')}.py" for name in names]
    assert sorted(lab.PATH, key=in_menu.index) == list(lab.PATH)  # the menu has the order of the path


def test_the_foot_of_a_page_leads_along_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    links: list[tuple[str, str]] = []
    monkeypatch.setattr(lab, "_page_of", lambda file: file)
    monkeypatch.setattr(st, "page_link", lambda file, label, icon: links.append((file, label)))
    lab.foot("gradient_lab.py")
    assert [file for file, _ in links] == ["cell_microscope.py", "recurrent_family.py"]
    assert [label.split(":")[0] for _, label in links] == ["**Back", "**Next"]
    links.clear()
    lab.foot("home.py")
    lab.foot("check_yourself.py")
    lab.foot("forecasting.py")  # is not on it
    assert [file for file, _ in links] == ["question_tags.py", "training_studio.py"]


def test_a_link_wins_over_what_the_session_holds_and_a_fragment_keeps_its_own() -> None:
    page = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=120)

    def go(name: str, **parameters: str) -> None:
        page._page_hash = calc_hash(name)
        page.query_params.clear()
        for key, value in parameters.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception

    go("question_tags", text="def f(x): return x", clamps="f=1", view="surgery")
    go("gradient_lab")
    page.slider(key="lab_bias").set_value(1.0).run()
    go("question_tags", text="int x = 1;", clamps="f=0", view="why", spot="tags_preset")
    assert page.text_area(key="tags_text").value == "int x = 1;"
    assert page.session_state["tags_clamps"] == "f=0"
    assert page.segmented_control(key="tags_view").value == "why"
    assert "spot" not in page.query_params  # a reload or a copied address does not scroll again
    page.text_area(key="tags_text").set_value("x = 2").run()
    assert page.text_area(key="tags_text").value == "x = 2"
    go("gradient_lab", spot="lab_preset")
    assert page.slider(key="lab_bias").value == 1.0  # the link says nothing about it
    go("home")
    go("gradient_lab", bias="0")
    assert page.slider(key="lab_bias").value == 0.0


def test_links_to_a_spot_name_elements_of_their_page() -> None:
    tour, glossary, questions = (
        tomllib.loads((ROOT / "assets" / f"{name}.toml").read_text("utf-8"))
        for name in ("tour", "glossary", "check_yourself")
    )
    links = [(step["file"], step["settings"]) for step in tour["ten_minutes"]]
    links += [(stop["file"], {"spot": stop["spot"]}) for stop in tour["stops"] if stop["spot"]]
    links += [(each["file"], each["settings"]) for each in questions["questions"]]
    links += [
        (f"{each['page'].lower().replace(' ', '_')}.py", each.get("settings", {}))
        for each in glossary["terms"].values()
    ]
    source = "".join(path.read_text("utf-8") for folder in ("ui", "pages") for path in (ROOT / folder).rglob("*.py"))
    prefixes = {"question_tags.py": "tags", "movie_reviews.py": "reviews", "text_generation.py": "gen"}
    for file, settings in links:
        assert (ROOT / "pages" / file).exists()
        spot = settings.get("spot", "")
        own = spot.removeprefix(prefixes.get(file, "")).removeprefix("guess_").removesuffix("_box")
        assert spot.startswith("guess_") or own in source or f"{{key}}{own}" in source, spot


def test_the_glossary_finds_terms_and_names_pages_that_exist() -> None:
    terms = tomllib.loads((ROOT / "assets" / "glossary.toml").read_text("utf-8"))["terms"]
    assert {entry["page"] for entry in terms.values()} <= {name for names in lab.SECTIONS.values() for name in names}
    assert [term.lower() for term in terms] == sorted(term.lower() for term in terms)
    page = opened("glossary")
    assert sum(line.value.startswith("**") for line in page.markdown) == len(terms)
    page.text_input(key="glossary_search").set_value("Forget").run()
    assert any(line.value.startswith("**forget gate f**") for line in page.markdown)
    assert not any(line.value.startswith("**softmax**") for line in page.markdown)
    page.text_input(key="glossary_search").set_value("<script>").run()
    assert "No term" in page.info[0].value


class TestHome:
    def test_the_memory_counts_the_brackets_that_are_typed(self) -> None:
        page = opened("home")
        page.text_input(key="brackets").set_value("((x)(").run()
        assert any("**2**" in text.value for text in page.markdown)

    def test_without_brackets_it_asks_for_some(self) -> None:
        page = opened("home")
        page.text_input(key="brackets").set_value("").run()
        assert not page.exception
        assert "brackets" in page.info[0].value


class TestQuestionTags:
    @pytest.mark.parametrize(
        ("example", "tag"),
        [
            ("Short", "Python"),
            ("JavaScript", "JavaScript"),
            ("C#", "C#"),
            ("Java", "Java"),
            ("Long", "Python"),
            ("Misleading", "Python"),
        ],
    )
    def test_the_examples_get_their_tag(self, example: str, tag: str) -> None:
        page = opened("question_tags")
        page.button(key=f"tags_example_{example}").click().run()
        assert page.text_area(key="tags_text").value == QUESTIONS[example]
        assert page.subheader[0].value.startswith(f"{tag} ·")

    def test_the_link_brings_back_text_signal_and_timestep(self) -> None:
        page = opened("question_tags", text="def f(x): return x", signal="o", t="3")
        assert page.text_area(key="tags_text").value == "def f(x): return x"
        assert page.session_state["tags_signal"] == "o"
        assert page.slider(key="tags_t").value == 3

    @pytest.mark.parametrize("t", ["0", "-5", "99999999999999999999", "1e3", "nan", "", "\x00"])
    def test_a_damaged_timestep_is_moved_into_range(self, t: str) -> None:
        page = opened("question_tags", text="def f(x): return x", signal="\x00", t=t)
        assert not page.exception
        assert page.session_state["tags_signal"] == "c"
        assert 1 <= page.slider(key="tags_t").value <= page.slider(key="tags_t").max

    def test_previous_and_next_walk(self) -> None:
        page = opened("question_tags", text="def f(x): return x", t="3")
        page.button(key="tags_next").click().run()
        assert page.slider(key="tags_t").value == 4
        page.button(key="tags_previous").click().run()
        page.button(key="tags_previous").click().run()
        assert page.slider(key="tags_t").value == 2

    def test_a_single_token_needs_no_slider(self) -> None:
        page = opened("question_tags", text="def")
        assert not page.exception
        assert len(page.slider) == 0

    def test_names_are_read_or_hidden_and_the_page_says_which(self) -> None:
        page = opened("question_tags", text=QUESTIONS["Short"])
        assert not any("Masked" in caption.value for caption in page.caption)
        page.toggle(key="tags_hide").set_value(True).run()
        assert any("“Python” was replaced by “blank”" in caption.value for caption in page.caption)

    @pytest.mark.parametrize("text", ["", "   ", "\n\n"])
    def test_nothing_to_read_is_one_sentence(self, text: str) -> None:
        page = opened("question_tags")
        page.text_area(key="tags_text").set_value(text).run()
        assert not page.exception
        assert [error.value for error in page.error] == ["There is no text to read: type or paste some words first."]

    def test_unknown_words_alone_are_called_that(self) -> None:
        page = opened("question_tags", text="жщъ ыэю")
        assert "None of these tokens is in" in page.warning[0].value

    @pytest.mark.parametrize("harm", ["missing", "truncated", "card"])
    def test_a_broken_model_is_one_sentence_and_the_text_stays(
        self, harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "stackoverflow"
        if harm != "missing":
            folder.mkdir()
            for part in (store.SHIPPED / "stackoverflow").iterdir():
                (folder / part.name).write_bytes(part.read_bytes())
        if harm == "truncated":
            weights = (folder / store.WEIGHTS).read_bytes()
            (folder / store.WEIGHTS).write_bytes(weights[: len(weights) // 2])
        if harm == "card":
            (folder / store.CARD).write_text('{"name": ', encoding="utf-8")
        monkeypatch.setattr(store, "SHIPPED", tmp_path)
        monkeypatch.setattr(model_cache, "_loaded", {})
        page = opened("question_tags", text="my text")
        assert not page.exception
        assert len(page.error) == 1
        assert "stackoverflow" in page.error[0].value
        assert "\n" not in page.error[0].value
        assert page.text_area(key="tags_text").value == "my text"


class TestMovieReviews:
    @pytest.mark.parametrize(("example", "verdict"), [("Warm", "Positive"), ("Cold", "Negative"), ("Long", "Positive")])
    def test_plain_reviews_get_their_verdict(self, example: str, verdict: str) -> None:
        page = opened("movie_reviews")
        page.button(key=f"reviews_example_{example}").click().run()
        assert page.subheader[0].value.startswith(f"{verdict} ·")

    def test_the_bag_of_words_stands_beside_it_without_a_memory(self) -> None:
        page = opened("movie_reviews", text="I liked it.")
        page.pills(key="reviews_peers").set_value(["imdb_bag", "imdb_article"]).run()
        assert not page.exception
        assert not page.error
        captions = [caption.value for caption in page.caption]
        assert "a bag of words" in captions
        assert any("baseline" in caption for caption in captions)


VIEWS = ("why", "surgery", "pairs", "moments", "quality", "mistakes")


class TestLookingCloser:
    @pytest.mark.parametrize("view", VIEWS)
    @pytest.mark.parametrize("name", ["question_tags", "movie_reviews"])
    def test_every_view_opens_on_both_pages(self, name: str, view: str, no_data: None) -> None:
        page = opened(name, view=view)
        assert not page.exception
        assert not page.error

    def test_simpler_models_stand_beside_ours_and_those_that_win_are_named(self) -> None:
        card = next(each for each in lstm_core.list_models() if each.name == "stackoverflow")
        page, training = opened("question_tags", view="quality"), card.training
        shown = {each.label: each.value for each in page.metric}
        best, (other,) = training["baseline"], training["other_baselines"]
        assert other["accuracy"] < best["accuracy"]
        assert all(shown[each["name"]] == f"{each['accuracy']:.2%}" for each in (best, other))
        winners = "; ".join(each["name"] for each in (other, best) if each["accuracy"] > card.measured["accuracy"])
        assert any(each.value.endswith(f"neighbours: {winners}.") for each in page.info) == bool(winners)

    def test_what_a_simpler_model_knows_stands_beside_it_where_it_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        about = {"peer": "linear SVM", "both": 7000, "peer_alone": 260, "network_alone": 240}
        feature = {"text": "blank", "supports": "java", "opposes": "csharp", "texts": 74}
        training = {"disagreement": {**about, "features": [feature]}}
        card = ModelCard("m", "M", "classifier", "stackoverflow", "", measured={"accuracy": 0.9, "examples": 8000})
        monkeypatch.setattr(ModelCard, "read", lambda folder: dataclasses.replace(card, training=training))
        assert not any("7,000" in each.value for each in opened("question_tags", view="quality").markdown)
        best = {"name": "linear SVM", "accuracy": 0.91}
        beaten = dataclasses.replace(card, training={**training, "baseline": best})
        monkeypatch.setattr(ModelCard, "read", lambda folder: beaten)
        page = opened("question_tags", view="quality")
        assert any(
            "it alone answers 260 correctly, this network alone 240, and both 7,000" in each.value
            for each in page.markdown
        )
        assert any("has a probability of 40% (McNemar's test)" in each.value for each in page.markdown)
        assert page.dataframe[0].value.iloc[0].tolist() == ["“blank”", "Java", "C#", 74]

    def test_the_chance_of_a_difference_is_that_of_a_fair_coin(self) -> None:
        assert sign_test(3, 3) == 1
        assert sign_test(5, 0) == sign_test(0, 5) == 2 / 32
        assert sign_test(4, 1) == 2 * (5 + 1) / 32

    def test_both_methods_explain_any_answer(self) -> None:
        page = opened("question_tags", view="why", text="def f(x): return x")
        assert any("add up to all but" in text.value for text in page.markdown)
        assert not page.dataframe  # a closed panel computes nothing
        page.session_state["tags_numbers"] = True
        table = page.run().dataframe[0].value
        assert list(table["token"][:1]) == ["def"] or "def" in set(table["token"][:3])
        page.session_state["tags_method"] = "leave"
        page.run()
        assert not page.exception
        assert any("Their sum is" in text.value for text in page.markdown)

    def test_two_texts_part_at_the_telling_line(self) -> None:
        page = opened("question_tags", view="pairs")
        assert any("The answers diverge at" in text.value for text in page.markdown)
        first = page.text_area[1]
        page.text_area[2].set_value(first.value).run()
        assert any("never diverge" in text.value for text in page.markdown)

    def test_an_empty_second_text_is_one_sentence(self) -> None:
        page = opened("question_tags", view="pairs")
        page.text_area[2].set_value(" ").run()
        assert not page.exception
        assert [error.value for error in page.error] == ["There is no text to read: type or paste some words first."]

    def test_mistakes_offer_the_download_where_the_data_is_missing(self, no_data: None) -> None:
        page = opened("question_tags", view="mistakes")
        assert any("part of this project nor on this machine" in text.value for text in page.markdown)
        assert page.button(key="tags_download").label == "Download it"

    def test_a_failed_download_is_one_sentence(self, no_data: None, monkeypatch: pytest.MonkeyPatch) -> None:
        spec = registry.DATASETS["stackoverflow"]
        nowhere = dataclasses.replace(spec, url="http://127.0.0.1:9/nothing.tar.gz")
        monkeypatch.setitem(registry.DATASETS, "stackoverflow", nowhere)
        jobs = AtOnce()
        monkeypatch.setattr(queue, "_shared", jobs)
        page = opened("question_tags", view="mistakes")
        page.button(key="tags_download").click().run()
        assert not page.exception
        assert len(page.error) == 1
        assert "can't be downloaded" in page.error[0].value
        assert [job.work for job in jobs._jobs.values()] == [job_panel.DOWNLOAD]  # not in the web process

    def test_visitors_of_a_shared_server_download_nothing(self, no_data: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LSTM_LAB_SHARED", "1")
        page = opened("question_tags", view="mistakes")
        assert not any("Download it" in button.label for button in page.button)
        assert any("visitors can't download data sets" in text.value for text in page.caption)


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_LAB_DATA", str(tmp_path / "data"))


class TestSurgery:
    def test_one_must_guess_before_the_answer_is_shown(self) -> None:
        page = opened("question_tags", view="surgery", text=QUESTIONS["Long"])
        page.pills(key="tags_preset").set_value("Output gate closed").run()
        assert not page.success
        guess = next(each for each in page.segmented_control if each.label == "Your prediction")
        guess.set_value("It stays the same").run()
        assert not page.exception
        assert "Correct" in page.success[0].value or "Not this time" in page.success[0].value
        assert any(each.value == "After" for each in page.subheader)

    @pytest.mark.parametrize(("name", "seen"), [("question_tags", "maximum"), ("movie_reviews", "maximum and mean")])
    def test_what_the_last_layer_sees_is_that_of_the_network(self, name: str, seen: str) -> None:
        page = opened(name, text="How do I sort a list?")
        assert any(f"'s {seen} over all tokens so far" in each.value for each in page.markdown)

    def test_an_answer_that_stays_with_a_closed_forget_gate_is_explained(self, monkeypatch: pytest.MonkeyPatch) -> None:
        links: list[dict[str, str]] = []
        monkeypatch.setattr(st, "page_link", lambda file, query_params, **options: links.append(query_params))
        page = opened("question_tags", view="surgery", text=QUESTIONS["Long"])
        page.pills(key="tags_preset").set_value("Forget gate closed").run()
        guess = next(each for each in page.segmented_control if each.label == "Your prediction")
        guess.set_value("It stays the same").run()
        assert "Correct" in page.success[0].value
        assert "this network pools: its last layer sees each unit's maximum over all tokens" in page.success[0].value
        assert links[-1]["model"] == "family_lstm"
        # The network beside it has nothing but its last state.
        model, text = lstm_core.load("family_lstm"), links[-1]["text"]
        closed = model.read(text, (lstm_core.Clamp("f", 0.0),))
        assert model.read(text).answer != closed.answer
        links.clear()
        page = opened("movie_reviews", view="surgery", text="A good film.")
        page.pills(key="reviews_preset").set_value("Forget gate closed").run()
        next(each for each in page.segmented_control if each.label == "Your prediction").set_value("It changes").run()
        assert page.success
        assert not links  # that network has learned other answers

    def test_the_link_brings_the_clamps_back_and_each_can_be_undone(self) -> None:
        page = opened("question_tags", view="surgery", text="def f(x): return x", clamps="f=1:3;i=0@2-")
        assert page.success  # own clamps need no guess
        assert page.query_params["clamps"] == "f=1:3;i=0@2-"
        undo = [button for button in page.button if button.key and button.key.startswith("tags_undo_")]
        assert [button.label for button in undo[:2]] == [
            "Forget gate f = 1, unit 3",
            "Input gate i = 0, token 3-",
        ]
        page.button(key="tags_undo_0").click().run()
        assert page.session_state["tags_clamps"] == "i=0@2-"
        page.button(key="tags_undo_0").click().run()
        assert not page.success

    def test_a_clamp_is_added_by_the_form_and_nonsense_is_one_sentence(self) -> None:
        page = opened("movie_reviews", view="surgery", text="A good film.")
        page.text_input[0].set_value("3, 7-9")
        page.text_input[1].set_value("2-")
        next(each for each in page.button if each.label == "Clamp").click().run()
        assert page.session_state["reviews_clamps"] == "f=0:3,7-9@1-3"
        page.text_input[0].set_value("four")
        next(each for each in page.button if each.label == "Clamp").click().run()
        assert "list of units" in page.error[0].value

    def test_nonsense_in_the_link_is_left_out_with_a_word(self) -> None:
        page = opened("question_tags", view="surgery", text="def f(x)", clamps="f=0@500;<script>;o=1")
        assert not page.exception
        assert len(page.warning) == 2
        assert page.success

    @pytest.mark.parametrize("what", ["units", "tokens"])
    def test_the_ablation_map_names_what_matters_most(self, what: str) -> None:
        page = opened("question_tags", view="surgery", text="def f(x): return x")
        page.segmented_control(key="tags_each").set_value(what)
        page.button(key="tags_ablate").click().run()
        assert not page.exception
        assert any("changes most" in each.value for each in page.markdown)
