"""Choosing what to train: a ready-made lesson, the knobs that teach something, or data of one's own."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lstm_core import LabError
from lstm_core.datasets import DATASETS, find_dataset, is_present, read_labelled_csv
from lstm_core.text import read_plain_text
from lstm_core.training import (
    HYPERPARAMETERS,
    OWN,
    PRESETS,
    Hyperparameter,
    LessonRecipe,
    Preset,
    find_recipe,
    hyperparameters,
    measured_lessons,
    parameter_count,
    recipe_names,
)
from ui.common import job_panel, url_state

KEY = "studio"
OWN_TEXT, OWN_TABLE, SHIPPED = "own_text", "own_table", "shipped"
GROUPS = {
    "offline": ":material/wifi_off: Made up here",
    "stackoverflow": ":material/sell: Question tags",
    "imdb": ":material/theaters: Film reviews",
    "characters": ":material/edit_note: Characters",
    "forecaster": ":material/show_chart: Forecasting",
    OWN_TEXT: ":material/upload_file: Your own text",
    OWN_TABLE: ":material/table: Your own table",
    SHIPPED: ":material/inventory_2: The shipped recipes",
}
WORK, DOWNLOAD = "lstm_core.training.lessons.job:work", "lstm_core.datasets.download_job:work"


def group_of(preset: Preset) -> str:
    """Which button a lesson stands under."""
    if preset.recipe.task == "forecaster":
        return "forecaster"
    if preset.offline:
        return "offline"
    return "characters" if preset.recipe.task == "generator" else preset.recipe.dataset


def in_group(group: str) -> dict[str, Preset]:
    """The lessons under a button, by name."""
    return {name: preset for name, preset in PRESETS.items() if group_of(preset) == group}


def show() -> None:
    """The choice, the knobs and the button that begins."""
    first = url_state.parameter("lesson", next(iter(PRESETS)), tuple(PRESETS))
    st.session_state.setdefault(f"{KEY}_group", group_of(PRESETS[first]))
    shown = [name for name in GROUPS if name in (OWN_TEXT, OWN_TABLE, SHIPPED) or in_group(name)]
    group = st.pills(
        "What to train", shown, format_func=GROUPS.__getitem__, required=True, key=f"{KEY}_group",
        persist_state="session",
    )  # fmt: skip
    if group == SHIPPED:
        _shipped()
        return
    try:
        if group in (OWN_TEXT, OWN_TABLE):
            base, data = _own(str(group))
        else:
            base, data = _ready_made(str(group), first), None
        if base is not None:
            _begin(_turned(base), data)
    except LabError as error:
        st.error(str(error))
    job_panel.trouble(KEY)


def _ready_made(group: str, first: str) -> LessonRecipe:
    found = in_group(group)
    key = f"{KEY}_lesson_{group}"
    st.session_state.setdefault(key, first if first in found else next(iter(found)))
    name = st.radio(
        "Lesson",
        list(found),
        format_func=lambda each: f"{found[each].recipe.title} · about {found[each].seconds} s",
        captions=[_caption(preset) for preset in found.values()],
        key=key,
        persist_state="session",
    )
    return found[str(name)].recipe


def _caption(preset: Preset) -> str:
    words = f"{preset.recipe.summary} {preset.look}"
    figures = measured_lessons().get(preset.recipe.name)
    return words + (f" {reached(figures)}" if figures else "")


def reached(figures: dict[str, Any]) -> str:
    """What a lesson came to when it was measured, in words."""
    if figures.get("validation_accuracy") is not None:
        result = f"{figures['validation_accuracy']:.0%} right"
    else:
        result = f"a validation loss of {figures['validation_loss']:.2f}"
    return f"When we measured it: {result} after {figures['seconds']:.0f} seconds of one core."


def _own(group: str) -> tuple[LessonRecipe | None, bytes | None]:
    """A recipe for what somebody brought along, and the bytes; None for as long as there is nothing."""
    text = group == OWN_TEXT
    what = "A text of your own (.txt)" if text else "A table of your own (.csv): one column of texts, one of labels"
    file = st.file_uploader(what, type=["txt", "md"] if text else ["csv", "tsv", "txt"], key=f"{KEY}_{group}")
    if file is None:
        st.caption(
            "It is read by the training worker, and kept only until your run is forgotten. "
            + ("20,000 characters or more make it worth while." if text else "A few hundred rows make it worth while.")
        )
        return None, None
    data = file.getvalue()
    task = "generator" if text else "classifier"
    if text:
        found = read_plain_text(data)
        st.caption(f"{file.name}: {len(found.text):,} characters.")
    else:
        table = read_labelled_csv(data)
        st.caption(f"{file.name}: {len(table.split):,} texts, labels {', '.join(table.labels)}.")
    template = PRESETS["counting_60s" if text else "negation_15s"].recipe
    values = template.to_json() | {
        "name": "own", "title": file.name[:60], "summary": f"Trained on {file.name[:80]}.",
        "dataset": OWN, "task": task,
    }  # fmt: skip
    if not text:
        values |= {"length": 120, "units": 32, "embedding": 32, "dropout": 0.3, "pooling": "strongest", "epochs": 8}
    return LessonRecipe.from_json(values), data


def _turned(base: LessonRecipe) -> LessonRecipe:
    """The recipe with the knobs as they stand."""
    fresh = f"{KEY}_base"
    if st.session_state.get(fresh) != base.name + base.title:  # another lesson: its own values
        st.session_state[fresh] = base.name + base.title
        for name in HYPERPARAMETERS:
            st.session_state[f"{KEY}_{name}"] = getattr(base, name)
    values = base.to_json()
    with st.expander("Turn the knobs", icon=":material/tune:"):
        columns = st.columns(3)
        for place, knob in enumerate(hyperparameters(base.task)):
            with columns[place % 3]:
                values[knob.name] = _widget(knob, getattr(base, knob.name))
        st.button("Back to the lesson's own values", on_click=lambda: st.session_state.pop(fresh, None))
    return LessonRecipe.from_json(values)


def _widget(knob: Hyperparameter, start: Any) -> Any:
    key = f"{KEY}_{knob.name}"
    st.session_state.setdefault(key, start)
    common = {"key": key, "help": knob.help, "persist_state": "session"}
    if knob.choices is not None:
        return st.selectbox(knob.title, list(knob.choices), format_func=knob.choices.__getitem__, **common)
    if knob.whole:
        return st.number_input(knob.title, int(knob.low), int(knob.high), step=1, **common)
    return st.number_input(knob.title, float(knob.low), float(knob.high), step=None, format="%g", **common)


def _begin(recipe: LessonRecipe, data: bytes | None) -> None:
    """Size, what is missing, and the button."""
    size = parameter_count(recipe, recipe.vocabulary if recipe.task == "classifier" else 64, 2)
    missing = _missing(recipe.dataset)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Train", type="primary", icon=":material/play_arrow:", key=f"{KEY}_train", disabled=bool(missing),
            on_click=_train, args=(recipe, data),
        )  # fmt: skip
        st.caption(f"At most about {size:,} parameters. The time is measured from the first steps on.")
    if missing:
        _offer(missing)
    elif recipe.dataset != OWN:
        url_state.remember(lesson=recipe.name, **_job())


def _train(shown: LessonRecipe, data: bytes | None) -> None:
    """Hand over the lesson with the knobs as they stand now: the page may not have been drawn since one was turned."""
    now = {knob.name: st.session_state[f"{KEY}_{knob.name}"] for knob in hyperparameters(shown.task)}
    try:
        recipe = LessonRecipe.from_json(shown.to_json() | now)
    except LabError as error:
        st.session_state[f"{KEY}_trouble"] = str(error)
        return
    arguments: dict[str, Any] = {"lesson": recipe.to_json()}
    if data is not None:
        arguments["data"] = data
    job_panel.begin(KEY, WORK, arguments, recipe.title)


def _missing(dataset: str) -> str:
    """The data set that has to be downloaded first; empty if none has to."""
    known = dataset in DATASETS
    return dataset if known and not is_present(dataset) else ""


def _offer(dataset: str) -> None:
    spec = find_dataset(dataset)
    st.info(
        f"The data set “{spec.title}” is not on this machine. It can be downloaded once, from "
        f"{spec.url.split('/')[2]}; what is made up here, and your own texts, need no download."
    )
    st.button(
        "Download it", icon=":material/download:", key=f"{KEY}_download",
        on_click=job_panel.begin, args=(KEY, DOWNLOAD, {"dataset": dataset}, f"Download {spec.title}"),
    )  # fmt: skip


def _shipped() -> None:
    """The recipes of the models that are shipped, as `python -m lstm_core train` runs them."""
    names = [name for name in recipe_names() if name not in PRESETS]
    st.session_state.setdefault(f"{KEY}_recipe", names[0])
    name = str(st.selectbox("Recipe", names, key=f"{KEY}_recipe", persist_state="session", format_func=_recipe_title))
    recipe = find_recipe(name)
    st.markdown(recipe.summary)
    seed = st.number_input(
        "Seed", 0, 2**32 - 1, recipe.seed, step=1, key=f"{KEY}_recipe_seed_{name}", help=HYPERPARAMETERS["seed"].help
    )
    missing = _missing(getattr(recipe, "dataset", ""))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Train", type="primary", icon=":material/play_arrow:", key=f"{KEY}_train", disabled=bool(missing),
            on_click=job_panel.begin, args=(KEY, WORK, {"recipe": name, "seed": int(seed)}, _recipe_title(name)),
        )  # fmt: skip
        st.caption(f"The same as `python -m lstm_core train {name}`. Some of these take minutes, some take hours.")
    if missing:
        _offer(missing)
    job_panel.trouble(KEY)


def _recipe_title(name: str) -> str:
    return str(find_recipe(name).title)


def _job() -> dict[str, str]:
    identity = st.session_state.get(f"{KEY}_job", "")
    return {"job": identity} if identity else {}
