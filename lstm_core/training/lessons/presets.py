"""The ready-made lessons of `assets/lessons.toml`, and what each reached when `benchmarks/lessons.py` measured it."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from lstm_core.paths import ASSETS, read_tables
from lstm_core.training.lessons.recipe import LessonRecipe

MEASURED = ASSETS / "lessons.json"


@dataclass(frozen=True)
class Preset:
    """A lesson, and what to watch for.

    Attributes:
        seconds: that it should take on two cores: 15, 60 or 300.
        offline: whether it needs no download.
    """

    recipe: LessonRecipe
    seconds: int
    look: str
    offline: bool = False


def _preset(name: str, seconds: int, look: str, offline: bool = False, **settings: Any) -> Preset:
    return Preset(LessonRecipe(name=name, **settings), seconds, look, offline)


PRESETS: dict[str, Preset] = {name: _preset(name, **settings) for name, settings in read_tables("lessons.toml").items()}
LESSONS: dict[str, LessonRecipe] = {name: preset.recipe for name, preset in PRESETS.items()}


@cache
def measured_lessons() -> dict[str, dict[str, Any]]:
    """What each preset reached when it was measured, by name; empty where nothing was."""
    if not MEASURED.is_file():
        return {}
    found = json.loads(MEASURED.read_text("utf-8"))
    return {name: figures for name, figures in found["lessons"].items() if name in PRESETS}
