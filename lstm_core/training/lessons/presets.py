"""The ready-made lessons: each reaches something worth seeing in 15, 60 or 300 seconds on two cores.

They stand in `assets/lessons.toml`. What each reached when it was measured is in `assets/lessons.json`, written by
`python -m benchmarks.lessons`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from lstm_core.paths import ASSETS, read_tables
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
