"""The training studio: a run's story from its events, the page around it, and what is refused in one sentence."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.jobs import queue
from lstm_core.jobs.job import FAILED, FINISHED, Job
from lstm_core.jobs.queue import JobError
from lstm_core.library import bundle, store, user_models
from lstm_core.training.lessons import texts
from lstm_core.training.lessons.presets import PRESETS, measured_lessons
from tests.hostile.corpus import zipped
from tests.pages.conftest import AtOnce, short_lesson
from ui.common import job_panel
from ui.common import visitor as visitors
from ui.training_studio import charts as studio_charts
from ui.training_studio import choice, run_state, upload

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> AtOnce:
    found = AtOnce()
    monkeypatch.setattr(queue, "_shared", found)
    return found


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


def opened(**parameters: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "training_studio.py"), default_timeout=120)
    for key, value in parameters.items():
        page.query_params[key] = value
    return page.run()


# --- the state of a run ---------------------------------------------------------------------


def test_a_story_begins_with_what_is_being_waited_for() -> None:
    assert run_state.of([]).stage == "Waiting for a worker …"
    assert run_state.of([{"begun": 1.0}, {"stage": "data"}]).stage == "Reading the data …"
    assert run_state.in_words(run_state.of([{"stage": "training"}])) == "Compiling the first step …"


def test_points_and_epochs_stand_at_their_steps() -> None:
    events = [
        {"epoch": 1, "epochs": 2, "step": 5, "steps": 10, "loss": 1.0, "gradient_norm": 2.0},
        {
            "epoch": 1,
            "epochs": 2,
            "step": 10,
            "steps": 10,
            "loss": 0.8,
            "validation_loss": 0.9,
            "example": {"text": "x"},
        },
        {"epoch": 2, "epochs": 2, "step": 5, "steps": 10, "loss": 0.5, "accuracy": 0.75},
    ]
    story = run_state.of(events)
    assert story.points == {
        "step": [5, 15],
        "loss": [1.0, 0.5],
        "accuracy": [None, 0.75],
        "gradient_norm": [2.0, None],
    }
    assert (story.epochs["step"], story.epochs["validation_loss"]) == ([10], [0.9])
    assert story.examples == [(1, {"text": "x"})]
    assert story.done == pytest.approx(0.75)
    assert run_state.in_words(story) == "Epoch 2 of 2, loss 0.500, validation loss 0.900."


def test_another_network_begins_new_curves() -> None:
    one = {"epoch": 1, "epochs": 1, "step": 1, "steps": 2, "loss": 1.0, "stage": "teacher 1 of 2"}
    story = run_state.of([one, one | {"step": 2}, one | {"stage": "network", "loss": 3.0}])
    assert story.points["loss"] == [3.0]


def test_a_writer_of_the_shipped_kind_says_how_much_of_an_epoch_is_done() -> None:
    story = run_state.of([{"epoch": 2, "epochs": 4, "share": 0.5, "loss": 2.0, "seconds": 1.0}])
    assert story.done == pytest.approx(0.375)


def test_a_run_that_diverged_says_why_and_adds_no_point() -> None:
    events = [{"epoch": 1, "epochs": 2, "step": 3, "steps": 9, "loss": 2.0, "diverged": {"why": "Too long steps."}}]
    story = run_state.of(events)
    assert story.diverged == "Too long steps."
    assert story.points["loss"] == []


# --- the page -------------------------------------------------------------------------------


def test_every_lesson_has_its_button() -> None:
    for preset in PRESETS.values():
        assert choice.group_of(preset) in choice.GROUPS


def test_a_lesson_is_trained_and_what_came_of_it_is_shown(at_once: AtOnce, trained: Job, own: Path) -> None:
    page = opened()
    at_once._jobs[trained.identity] = trained
    page = opened(job=trained.identity)
    assert not page.exception
    assert not page.error
    titles = [header.value for header in page.header]
    assert titles[:3] == ["The run", "Time machine", "Save the model"]
    assert page.select_slider(key=f"studio_epoch_{trained.identity}").value == 2
    page.select_slider(key=f"studio_epoch_{trained.identity}").set_value(0).run()
    assert not page.exception


def test_the_train_button_starts_the_lesson_with_the_hyperparameters(
    at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[dict[str, Any]] = []
    monkeypatch.setattr(
        at_once,
        "submit",
        lambda work, arguments, owner, title, address: handed.append(arguments) or Job("x", owner, title, work, {}),
    )
    page = opened(lesson="negation_15s")
    page.number_input(key="studio_units").set_value(7)
    page.run()
    page.button(key="studio_train").click().run()
    assert handed[0]["lesson"]["units"] == 7
    assert handed[0]["lesson"]["name"] == "negation_15s"


def test_a_run_that_diverges_explains_itself(at_once: AtOnce) -> None:
    page = opened(lesson="negation_15s")
    page.number_input(key="studio_learning_rate").set_value(1000.0)
    page.run()
    page.button(key="studio_train").click().run()
    assert not page.exception
    assert any("It diverged at step" in error.value for error in page.error)
    assert any("The curve shows how the loss grew" in caption.value for caption in page.caption)


def test_a_shared_server_offers_lessons_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Shipped recipes" in opened().pills(key="studio_group").options
    monkeypatch.setenv("LSTM_LAB_SHARED", "1")
    page = opened()
    assert "Shipped recipes" not in page.pills(key="studio_group").options
    assert any("lessons only" in caption.value for caption in page.caption)


def test_hyperparameters_that_need_too_much_memory_are_one_sentence() -> None:
    page = opened(lesson="negation_15s")
    page.number_input(key="studio_batch").set_value(512)
    page.number_input(key="studio_units").set_value(512)
    page.number_input(key="studio_length").set_value(600)
    page.run()
    assert len(page.error) == 1
    assert "too much memory" in page.error[0].value
    assert not [button for button in page.button if button.key == "studio_train"]


def test_what_is_in_the_way_is_said(monkeypatch: pytest.MonkeyPatch, at_once: AtOnce) -> None:
    def refuse(*arguments: Any) -> Job:
        raise JobError("You have 2 runs under way already; wait for one, or stop one.")

    monkeypatch.setattr(at_once, "submit", refuse)
    page = opened()
    page.button(key="studio_train").click().run()
    assert [error.value for error in page.error] == ["You have 2 runs under way already; wait for one, or stop one."]


@pytest.mark.parametrize("job", ["gone", "\x00", "<script>", "x" * 5000])
def test_a_link_to_a_run_that_is_gone(job: str, at_once: AtOnce) -> None:
    page = opened(job=job)
    assert not page.exception
    assert "no longer exists" in page.info[0].value


@pytest.mark.parametrize("lesson", ["", "no such", "../imdb"])
def test_a_link_to_no_lesson_opens_the_first(lesson: str) -> None:
    page = opened(lesson=lesson)
    assert not page.exception
    assert not page.error


def test_a_failed_run_says_its_sentence(at_once: AtOnce) -> None:
    lesson = short_lesson() | {"dataset": "own", "name": "own"}
    job = at_once.submit(choice.WORK, {"lesson": lesson, "data": b"text,label\nonly,one\n"}, "somebody", "Own")
    page = opened(job=job.identity)
    assert not page.exception
    assert [error.value for error in page.error] == [job.message]
    assert job.state == FAILED


@pytest.mark.parametrize(("lesson", "parameters"), [("negation_15s", 1490), ("counting_15s", 22_437)])
def test_the_parameters_are_those_of_the_network_that_is_trained(lesson: str, parameters: int) -> None:
    assert measured_lessons()[lesson]["parameters"] == parameters
    page = opened(lesson=lesson)
    assert any(f"{parameters:,} parameters" in caption.value for caption in page.caption)


@pytest.fixture
def visitor(own: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Everybody is the visitor with this cookie, who owns what is saved."""
    monkeypatch.setattr("ui.common.visitor.owner_of", lambda cookies: "0" * 32)
    return visitors.owner()


def test_saving_names_what_is_wrong_with_a_name(at_once: AtOnce, trained: Job, own: Path) -> None:
    at_once._jobs[trained.identity] = trained
    page = opened(job=trained.identity)
    page.text_input(key=f"studio_{trained.identity}_name").set_value(" ").run()
    page.button(key=f"studio_{trained.identity}_save").click().run()
    assert "type one" in page.error[0].value
    assert not list(own.glob("*.zip"))


def test_a_saved_model_is_listed_renamed_and_deleted(
    at_once: AtOnce, trained: Job, visitor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.training_studio.own_models._link", lambda *link: None)  # there are no other pages here
    at_once._jobs[trained.identity] = trained
    page = opened(job=trained.identity)
    page.text_input(key=f"studio_{trained.identity}_name").set_value("My *first*").run()
    page.button(key=f"studio_{trained.identity}_save").click().run()
    assert not page.error
    (card,) = user_models.models_of(visitor)
    assert card.title == "My *first*"
    assert any("**My \\*first\\***" in line.value for line in page.markdown)
    key = f"studio_model_{card.name}"
    page.text_input(key=f"{key}_name").set_value("").run()
    page.button(key=f"{key}_rename").click().run()
    assert [error.value for error in page.error] == ["A name is one line of letters, digits or signs; type one."]
    page.text_input(key=f"{key}_name").set_value("Second").run()
    page.button(key=f"{key}_rename").click().run()
    assert [each.title for each in user_models.models_of(visitor)] == ["Second"]
    page.button(key=f"{key}_delete").click().run()
    assert not page.error
    assert user_models.models_of(visitor) == []
    assert "Your models" not in [header.value for header in page.header]


@pytest.fixture
def verdicts(trained: Job, visitor: str) -> str:
    """A saved classifier of the visitor; its identity."""
    return user_models.save_model(visitor, "verdicts", trained.result["model"])  # type: ignore[index]


def peers() -> list[str]:
    page = AppTest.from_file(str(ROOT / "pages" / "movie_reviews.py"), default_timeout=120).run()
    return next(
        [str(each) for each in group.options] for group in page.get("button_group") if group.key == "reviews_peers"
    )


def networks(**parameters: str) -> list[str]:
    page = AppTest.from_file(str(ROOT / "pages" / "cell_microscope.py"), default_timeout=120)
    page.query_params.update(parameters)
    page.run()
    assert not page.exception
    assert not page.error
    return list(page.selectbox(key="microscope_network").options)


def test_a_saved_classifier_can_be_compared_on_its_page(verdicts: str) -> None:
    assert any("verdicts" in option for option in peers())
    assert "verdicts" in networks()


def test_a_saved_classifier_has_a_page_to_use_it_on(verdicts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = AppTest.from_file(str(ROOT / "pages" / "own_classifier.py"), default_timeout=120).run()
    assert not page.error
    assert list(page.selectbox(key="own_model").options) == ["verdicts"]
    assert "Type a text" in page.info[0].value
    page.text_area(key="own_text").set_value("the soup was not bad 🚀").run()
    assert not page.exception
    assert not page.error
    assert re.fullmatch(r"(Good|Bad|Positive|Negative) · \d+\.\d%", page.subheader[0].value)
    assert page.query_params["model"] == verdicts
    monkeypatch.setattr("ui.common.visitor.owner_of", lambda cookies: "1" * 32)
    other = AppTest.from_file(str(ROOT / "pages" / "own_classifier.py"), default_timeout=120).run()
    assert len(other.selectbox) == 0
    other.query_params["model"] = verdicts
    other.query_params["text"] = "the soup was not bad"
    assert other.run().subheader[0].value.count("·") == 1


def test_a_model_is_private_until_its_link_is_shared(verdicts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.common.visitor.owner_of", lambda cookies: "1" * 32)
    assert not any("verdicts" in option for option in peers())
    assert "verdicts" not in networks()
    assert "verdicts" in networks(model=verdicts)
    assert "Your models" not in [header.value for header in opened(model=verdicts).header]
    monkeypatch.setenv("LSTM_LAB_SHOW_ALL_MODELS", "1")
    assert "verdicts" in networks()


def test_a_link_to_a_run_shows_its_lesson_and_hyperparameters(at_once: AtOnce, trained: Job) -> None:
    at_once._jobs[trained.identity] = trained
    page = opened(job=trained.identity)
    assert not page.exception
    assert page.radio(key="studio_lesson_offline").value == "negation_15s"
    assert page.number_input(key="studio_units").value == 4
    said = next(caption.value for caption in page.caption if caption.value.startswith("Lesson: "))
    assert f"Units: 4 instead of {PRESETS['negation_15s'].recipe.units}" in said
    page.radio(key="studio_lesson_offline").set_value("counting_15s").run()
    assert page.radio(key="studio_lesson_offline").value == "counting_15s"


def test_a_link_to_a_run_on_a_file_names_it(at_once: AtOnce, trained: Job) -> None:
    lesson = short_lesson() | {"name": "own", "title": "my *tales*.csv", "dataset": "own"}
    at_once._jobs["own"] = replace(trained, identity="own", arguments={"lesson": lesson})
    page = opened(job="own")
    assert not page.exception
    assert page.pills(key="studio_group").value == choice.OWN_TABLE
    assert any("A file, “my \\*tales" in caption.value and "learn from" in caption.value for caption in page.caption)
    assert any("doesn't keep the file" in caption.value for caption in page.caption)


def test_an_own_writer_begins_with_its_own_words_under_its_own_name(visitor: str) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle.bundle_folder(store.SHIPPED / "macbeth_article"))) as archive:
        files = {name: archive.read(name) for name in store.FILES}
    card = json.loads(files["card.json"])
    card["training"]["sample"] = "Es war einmal ein "
    model = bundle.bundle_files(files | {"card.json": json.dumps(card).encode()})
    identity = user_models.save_model(visitor, "Tales", model)
    page = AppTest.from_file(str(ROOT / "pages" / "text_generation.py"), default_timeout=120)
    page.query_params["model"] = identity
    page.run()
    assert not page.exception
    assert page.text_area(key="gen_prompt").value == "Es war einmal ein "
    assert "“Tales”" in page.markdown[0].value
    assert "Shakespeare" not in page.markdown[0].value
    page.selectbox(key="gen_model").set_value("macbeth").run()
    assert page.text_area(key="gen_prompt").value.startswith("Is this a dagger")
    assert "Shakespeare" in page.markdown[0].value
    page.text_area(key="gen_prompt").set_value("My own words").run()
    page.selectbox(key="gen_model").set_value(identity).run()
    assert page.text_area(key="gen_prompt").value == "My own words"


def test_a_lesson_keeps_a_text_to_begin_with(trained: Job) -> None:
    assert trained.result is not None
    assert trained.result["card"]["training"]["sample"]
    assert texts._opening("the end. It was a dark and stormy night in") == "It was a dark and stormy "


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "a picture": lambda: b"\x89PNG\r\n\x1a\n",
    "a broken zip": lambda: b"PK nonsense",
    "a script": lambda: zipped({"evil.py": b"import os"}),
    "a bomb": lambda: zipped({"model.keras": bytes(200_000_000)}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_upload_is_one_sentence(name: str, own: Path) -> None:
    page = opened()
    page.file_uploader(key="studio_upload").set_value(("model.zip", HOSTILE[name](), "application/zip")).run()
    assert not page.exception
    assert len(page.error) == 1
    assert not list(own.glob("*.zip"))


def test_an_upload_is_opened_once(tiny_folder: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened_files: list[bytes] = []
    monkeypatch.setattr(upload, "check_upload", opened_files.append)
    page = opened()
    data = bundle.bundle_folder(tiny_folder)
    page.file_uploader(key="studio_upload").set_value(("tiny.zip", data, "application/zip")).run()
    page.text_input(key="studio_upload_name").set_value("of_mine").run()
    page.button(key="studio_upload_save").click().run()
    assert opened_files == [data]
    assert not page.error
    assert [card.title for card in user_models.models_of(None)] == ["of_mine"]


@pytest.mark.parametrize("data", [b"text,label\n" + b"good,a\nbad,b\n" * 10, b"no table"], ids=["good", "refused"])
def test_a_table_of_ones_own_is_read_once(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    function = choice.read_labelled_csv
    monkeypatch.setattr(choice, "read_labelled_csv", lambda given: read.append(len(given)) or function(given))
    page = opened()
    page.pills(key="studio_group").set_value(choice.OWN_TABLE).run()
    page.file_uploader(key="studio_own_table").set_value(("mine.csv", data, "text/csv")).run()
    page.run()
    assert not page.exception
    assert read == [len(data)]
    assert len(page.error) == (data == b"no table")
    assert any("20 texts, labels a, b" in caption.value for caption in page.caption) == (data != b"no table")


def test_runs_of_another_owner_are_not_listed(at_once: AtOnce, trained: Job) -> None:
    at_once._jobs[trained.identity] = trained
    page = opened()
    assert "Your runs" not in [header.value for header in page.header]
    assert job_panel.STATES[FINISHED][0] not in [badge.value for badge in page.markdown]


def test_a_link_shows_one_run_and_changes_nobody(at_once: AtOnce, trained: Job) -> None:
    at_once._jobs[trained.identity] = trained
    other = replace(trained, identity="of-the-same-owner", title="Private")
    at_once._jobs[other.identity] = other
    before = opened()
    visitor = opened(job=trained.identity)
    assert not visitor.exception
    assert any(trained.title in markdown.value for markdown in visitor.markdown)
    assert visitor.session_state["_owner"] != before.session_state["_owner"]
    assert not any("Private" in str(each.value) for each in visitor.markdown)
    assert not any("Private" in button.label for button in visitor.button)


def test_a_forecast_is_drawn_from_what_was_known(at_once: AtOnce) -> None:
    lesson = PRESETS["forecast_15s"].recipe.to_json() | {"epochs": 1, "units": 4}
    job = at_once.submit(choice.WORK, {"lesson": lesson}, "somebody", "Forecast")
    assert job.state == FINISHED, job.message
    example = job.result["examples"][-1]  # type: ignore[index]
    figure = studio_charts.forecast(example)
    known = next(trace for trace in figure.data if trace.name == "known")
    assert list(known.y) == example["before"]
    page = opened(job=job.identity)
    assert not page.exception
    assert not page.error
    page.select_slider(key=f"studio_epoch_{job.identity}").set_value(0).run()
    assert not page.exception
