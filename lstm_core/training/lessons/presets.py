"""The lessons that are ready to run: each reaches something worth seeing in 15, 60 or 300 seconds on two cores.

What each reached when it was measured is in `assets/lessons.json`, written by `python -m benchmarks.lessons`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from lstm_core.paths import ASSETS
from lstm_core.training.lessons.recipe import LessonRecipe

MEASURED = ASSETS / "lessons.json"


@dataclass(frozen=True)
class Preset:
    """A lesson, and for how long it should run.

    Attributes:
        recipe: what is trained.
        seconds: that it should take on two cores: 15, 60 or 300.
        look: what to watch for, in a sentence.
        offline: whether it needs no download.
    """

    recipe: LessonRecipe
    seconds: int
    look: str
    offline: bool = False


_TAGS: dict[str, Any] = {"task": "classifier", "dataset": "stackoverflow", "pooling": "strongest", "dropout": 0.4}
_FILMS: dict[str, Any] = {"task": "classifier", "dataset": "imdb", "pooling": "strongest", "dropout": 0.4}
_WRITER: dict[str, Any] = {"task": "generator", "dropout": 0.1, "length": 80}
_SERIES: dict[str, Any] = {"task": "forecaster", "dropout": 0.0}

_ALL = (
    Preset(
        LessonRecipe(
            name="negation_15s",
            title="Not bad, but: generated opinions",
            summary="An LSTM of 12 units learns that 'not' negates what follows and that what follows 'but' decides.",
            task="classifier",
            dataset="negation",
            units=12,
            embedding=8,
            dropout=0.0,
            learning_rate=0.003,
            length=24,
            epochs=16,
            examples=2000,
        ),
        15,
        "It first learns good and bad words, then that 'not' negates them: the curve has a step there.",
        offline=True,
    ),
    Preset(
        LessonRecipe(
            name="counting_15s",
            title="Counting in words, quickly",
            summary="An LSTM of 64 units learns to spell numbers, and which one comes next.",
            dataset="counting",
            units=64,
            embedding=16,
            learning_rate=0.01,
            epochs=8,
            **_WRITER,
        ),
        15,
        "From noise to spelt numbers within two epochs; then they come in their order.",
        offline=True,
    ),
    Preset(
        LessonRecipe(
            name="counting_60s",
            title="Counting in words",
            summary="An LSTM of 128 units learns to count: each number is the one before and one more.",
            dataset="counting",
            units=128,
            embedding=16,
            learning_rate=0.005,
            epochs=20,
            **_WRITER,
        ),
        60,
        "The remaining loss is irreducible: the first number of a line is random.",
        offline=True,
    ),
    Preset(
        LessonRecipe(
            name="tags_15s",
            title="Tags of questions, a first look",
            summary="An LSTM of 32 units reads 80 tokens of 3,000 questions.",
            units=32,
            embedding=32,
            learning_rate=0.005,
            length=80,
            epochs=5,
            examples=3000,
            vocabulary=4000,
            **_TAGS,
        ),
        15,
        "Far above chance, 25%, after one epoch; then the training and validation losses diverge.",
    ),
    Preset(
        LessonRecipe(
            name="tags_60s",
            title="Tags of questions",
            summary="An LSTM of 64 units reads 150 tokens of 7,200 questions.",
            units=64,
            embedding=48,
            learning_rate=0.003,
            length=150,
            epochs=4,
            vocabulary=8000,
            **_TAGS,
        ),
        60,
        "Already better than the baseline.",
    ),
    Preset(
        LessonRecipe(
            name="tags_300s",
            title="Tags of questions, in full",
            summary="An LSTM of 96 units reads 300 tokens of 7,200 questions.",
            units=96,
            embedding=64,
            learning_rate=0.002,
            length=300,
            epochs=9,
            vocabulary=12000,
            **(_TAGS | {"dropout": 0.5}),
        ),
        300,
        "The gain from longer texts, a larger vocabulary and more units.",
    ),
    Preset(
        LessonRecipe(
            name="sentiment_15s",
            title="Movie reviews, a first look",
            summary="An LSTM of 32 units reads the first 80 words of 3,000 reviews.",
            units=32,
            embedding=32,
            learning_rate=0.005,
            length=80,
            epochs=5,
            examples=3000,
            vocabulary=4000,
            **_FILMS,
        ),
        15,
        "It soon overfits three thousand reviews: watch the two losses diverge.",
    ),
    Preset(
        LessonRecipe(
            name="sentiment_60s",
            title="Movie reviews",
            summary="An LSTM of 48 units reads the first 150 words of 10,000 reviews.",
            units=48,
            embedding=48,
            learning_rate=0.003,
            length=150,
            epochs=4,
            examples=10000,
            vocabulary=8000,
            **_FILMS,
        ),
        60,
        "With more reviews, it overfits less.",
    ),
    Preset(
        LessonRecipe(
            name="sentiment_300s",
            title="Movie reviews, in full",
            summary="An LSTM of 64 units reads the first 300 words of 22,500 reviews.",
            units=64,
            embedding=64,
            learning_rate=0.002,
            length=300,
            epochs=4,
            batch=64,
            vocabulary=12000,
            **_FILMS,
        ),
        300,
        "More words of each review, and all reviews: the gain from more data.",
    ),
    Preset(
        LessonRecipe(
            name="characters_15s",
            title="Macbeth, a first look",
            summary="An LSTM of 64 units reads Macbeth, 80 characters at a time.",
            dataset="macbeth",
            units=64,
            embedding=24,
            learning_rate=0.01,
            epochs=6,
            **_WRITER,
        ),
        15,
        "Noise, then letters, then words that look like English.",
    ),
    Preset(
        LessonRecipe(
            name="characters_60s",
            title="Macbeth, character by character",
            summary="An LSTM of 128 units reads Macbeth, 80 characters at a time.",
            dataset="macbeth",
            units=128,
            embedding=32,
            learning_rate=0.005,
            epochs=30,
            **_WRITER,
        ),
        60,
        "Speakers in capitals, lines of verse, and words that exist.",
    ),
    Preset(
        LessonRecipe(
            name="characters_300s",
            title="Shakespeare, character by character",
            summary="An LSTM of 192 units reads a megabyte of Shakespeare, 80 characters at a time.",
            dataset="shakespeare",
            units=192,
            embedding=48,
            learning_rate=0.003,
            epochs=6,
            **_WRITER,
        ),
        300,
        "Ten times as much text, and fewer words that don't exist.",
    ),
    Preset(
        LessonRecipe(
            name="forecast_15s",
            title="Two seasons and noise",
            summary="An LSTM of 16 units reads four weeks of a generated series and forecasts two.",
            dataset="seasons",
            units=16,
            learning_rate=0.01,
            batch=64,
            length=28,
            epochs=40,
            **_SERIES,
        ),
        15,
        "First a constant, then the weekly season, at last the monthly one.",
        offline=True,
    ),
    Preset(
        LessonRecipe(
            name="sunspots_15s",
            title="A cycle like that of sunspots",
            summary="An LSTM of 32 units reads sixteen years of a generated cycle and forecasts three.",
            dataset="sunspots",
            units=32,
            learning_rate=0.005,
            batch=32,
            length=64,
            epochs=60,
            **_SERIES,
        ),
        15,
        "The interval is widest where the uncertainty is greatest: at the height of the next peak.",
        offline=True,
    ),
    Preset(
        LessonRecipe(
            name="shares_15s",
            title="Share prices",
            summary="An LSTM of 32 units reads twelve weeks of six share prices and forecasts four.",
            dataset="stocks",
            units=32,
            learning_rate=0.002,
            batch=16,
            length=12,
            epochs=100,
            **(_SERIES | {"dropout": 0.2}),
        ),
        15,
        "The validation loss soon rises while the training loss falls: longer training does not help here.",
        offline=True,
    ),
    Preset(
        LessonRecipe(
            name="forecast_60s",
            title="Two seasons and noise, in full",
            summary="An LSTM of 96 units reads three months of a generated series and forecasts two weeks.",
            dataset="seasons",
            units=96,
            learning_rate=0.002,
            batch=32,
            length=90,
            epochs=150,
            **_SERIES,
        ),
        60,
        "Six times the units and no better: the rest is noise, and in the end the network overfits to it.",
        offline=True,
    ),
)

PRESETS: dict[str, Preset] = {preset.recipe.name: preset for preset in _ALL}
LESSONS: dict[str, LessonRecipe] = {name: preset.recipe for name, preset in PRESETS.items()}


@cache
def measured_lessons() -> dict[str, dict[str, Any]]:
    """What each preset reached when it was measured, by name; empty where nothing was."""
    if not MEASURED.is_file():
        return {}
    found = json.loads(MEASURED.read_text("utf-8"))
    return {name: figures for name, figures in found["lessons"].items() if name in PRESETS}
