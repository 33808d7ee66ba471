"""Lessons as plain values: what they can be, one sentence for what they can't, and the size of their networks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lstm_core.errors import LabError
from lstm_core.training.lessons import presets
from lstm_core.training.lessons.presets import LESSONS, PRESETS
from lstm_core.training.lessons.recipe import HYPERPARAMETERS, LessonRecipe, hyperparameters, parameter_count

READER = LessonRecipe(name="reader", title="A reader", summary="For tests.", task="classifier", dataset="negation")
WRITER = LessonRecipe(name="writer", title="A writer", summary="For tests.", task="generator", dataset="counting")


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("cell", "transformer", "Cell can be rnn, gru, lstm; received 'transformer'."),
        ("units", 0, "Units must be a whole number from 1 to 512; received 0."),
        ("units", 3.5, "Units must be a whole number from 1 to 512; received 3.5."),
        ("units", True, "Units must be a whole number from 1 to 512; received True."),
        ("learning_rate", float("nan"), "Learning rate must be a number from 1e-05 to 1,000; received nan."),
        ("dropout", "much", "Dropout must be a number from 0 to 0.8; received 'much'."),
        ("seed", -1, "Seed must be a whole number from 0 to 4.29497e+09; received -1."),
        ("task", "oracle", "A lesson's task can be classifier, generator, forecaster; received 'oracle'."),
        ("dataset", "", "Choose what the network should read."),
        ("name", 7, "A lesson's name must be a text of at most 1,000 characters."),
    ],
)
def test_a_value_that_cannot_be_is_one_sentence(setting: str, value: Any, sentence: str) -> None:
    with pytest.raises(LabError) as caught:
        replace(READER, **{setting: value})
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"batch": 512, "length": 600, "units": 512}, "too much memory"),
        ({"vocabulary": 20_000, "embedding": 256}, "more than 5,000,000 parameters"),
        ({"task": "forecaster", "dataset": "seasons", "layers": 2}, "one layer"),
        ({"task": "generator", "dataset": "counting", "cell": "gru"}, "choose the cell lstm"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(LabError, match=why):
        replace(READER, **settings)


def test_a_lesson_goes_through_json_and_back() -> None:
    for recipe in LESSONS.values():
        assert LessonRecipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize(
    ("change", "why"),
    [({"colour": "red"}, "no setting called 'colour'"), ({"name": None}, "name must be a text")],
)
def test_json_that_is_no_lesson_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(LabError, match=why):
        LessonRecipe.from_json(READER.to_json() | change)
    with pytest.raises(LabError, match="needs a title"):
        LessonRecipe.from_json({"name": "a"})


def test_every_knob_is_a_setting_with_a_tooltip_and_a_range() -> None:
    for knob in HYPERPARAMETERS.values():
        assert hasattr(READER, knob.name)
        assert knob.help.endswith((".", "!"))
        assert knob.choices or knob.low < knob.high
    assert {knob.name for knob in hyperparameters("forecaster")}.isdisjoint(
        {"embedding", "vocabulary", "pooling", "layers"}
    )


@pytest.mark.parametrize(
    "recipe",
    [
        READER,
        replace(READER, cell="gru", layers=2, units=7, pooling="strongest"),
        replace(READER, cell="rnn", layers=3, embedding=5),
        WRITER,
        replace(WRITER, layers=2, units=9),
        replace(READER, task="forecaster", cell="gru", dataset="seasons"),
    ],
)
def test_parameters_are_counted_as_keras_counts_them(recipe: LessonRecipe) -> None:
    from lstm_core.training.lessons.task import network

    assert parameter_count(recipe, 50, 4) == network(recipe, 50, 4).count_params()


def test_presets_come_for_three_lengths_and_some_without_a_network() -> None:
    assert {preset.seconds for preset in PRESETS.values()} == {15, 60, 300}
    assert {preset.seconds for preset in PRESETS.values() if preset.offline} >= {15, 60}
    for name, preset in PRESETS.items():
        assert name == f"{name.split('_')[0]}_{preset.seconds}s"


def test_what_was_measured_belongs_to_lessons_as_they_are() -> None:
    for name, figures in presets.measured_lessons().items():
        assert figures["settings"] == LESSONS[name].to_json(), f"measure again: python -m benchmarks.lessons {name}"
