"""Choosing what to train: a lesson with its hyperparameters, a shipped recipe, or the visitor's own data."""

import hashlib
from typing import Any

import streamlit as st

from lstm_core import LabError, training
from lstm_core.datasets import DATASETS, LabelledTable, find_dataset, is_present, read_labelled_csv
from lstm_core.jobs import Job, shared_server
from lstm_core.text import read_plain_text
from lstm_core.training import PRESETS, Hyperparameter, LessonRecipe, Preset
from ui.common import assets, job_panel, tokens, url_state
from ui.common.errors import once, show_errors
from ui.common.shared_cache import CACHE

KEY = "studio"
OWN_TEXT, OWN_TABLE, SHIPPED = "own_text", "own_table", "shipped"
GROUPS: dict[str, str] = assets.table("presets.toml")["training"]
WORK = "lstm_core.training.job:work"


def group_of(preset: Preset) -> str:
    """The group of a lesson; a key of `GROUPS`."""
    if preset.recipe.task == "forecaster":
        return "forecaster"
    if preset.offline:
        return "offline"
    return "characters" if preset.recipe.task == "generator" else preset.recipe.dataset


def take_over(job: Job) -> None:
    """Let the page begin with the lesson and the hyperparameters of a run that a link opens."""
    lesson, recipe = job.arguments.get("lesson"), job.arguments.get("recipe")
    if f"{KEY}_group" in st.session_state:
        return
    if lesson is None:
        if recipe:
            st.session_state.update({f"{KEY}_group": SHIPPED, f"{KEY}_recipe": recipe})
        return
    found = PRESETS.get(lesson["name"])
    if found is None:
        st.session_state[f"{KEY}_group"] = OWN_TEXT if lesson["task"] == "generator" else OWN_TABLE
        return
    group = group_of(found)
    state = {"group": group, f"lesson_{group}": found.recipe.name, "base": found.recipe.name + found.recipe.title}
    state |= {name: lesson[name] for name in training.HYPERPARAMETERS}
    st.session_state.update({f"{KEY}_{name}": value for name, value in state.items()})


def about(job: Job) -> str:
    """What a run learns from, and the hyperparameters that differ from its lesson's; "" for other work."""
    if "lesson" not in job.arguments:
        return f"Recipe: {job.arguments['recipe']}." if "recipe" in job.arguments else ""
    lesson = job.arguments["lesson"]
    found = PRESETS.get(lesson["name"])
    if found is None:
        sizes: dict[str, int] = next((event["examples"] for event in job.events if "examples" in event), {})
        what = "characters" if lesson["task"] == "generator" else "texts"
        read = (
            f": {sizes['training']:,} {what} to learn from, {sizes['validation']:,} to validate with" if sizes else ""
        )
        again = "The link shows this run, but doesn't keep the file: upload it again to train on it again."
        return f"A file, “{tokens.plain(lesson['title'])}”{read}. {again}"
    own = found.recipe.to_json()
    known = {each.name: each.title for each in training.hyperparameters(lesson["task"])}
    changed = [
        f"{title}: {lesson[name]} instead of {own[name]}" for name, title in known.items() if lesson[name] != own[name]
    ]
    return f"Lesson: {found.recipe.title}. {'; '.join(changed) or 'The values are those of the lesson'}."


def show() -> None:
    """The choice, the hyperparameters and the button that starts the training."""
    first = url_state.parameter("lesson", next(iter(PRESETS)), tuple(PRESETS))
    if not url_state.is_set(f"{KEY}_group", "lesson"):
        st.session_state[f"{KEY}_group"] = group_of(PRESETS[first])
    with_lessons = set(map(group_of, PRESETS.values()))
    offered = with_lessons | {OWN_TEXT, OWN_TABLE} | (set() if shared_server() else {SHIPPED})
    groups = [name for name in GROUPS if name in offered]
    group = str(
        st.pills(
            "What to train", groups, format_func=GROUPS.__getitem__, required=True, key=f"{KEY}_group",
            persist_state="session",
        )
    )  # fmt: skip
    if shared_server():
        st.caption(
            "Many people use this server, so it trains lessons only: the recipes of the shipped models take minutes or "
            "hours. They run on your own machine with `python -m lstm_core train`."
        )
    if group == SHIPPED:
        _shipped()
        return
    with show_errors():
        base, data = _own(group) if group in (OWN_TEXT, OWN_TABLE) else (_lesson(group, first), None)
        if base is not None:
            _start(_with_hyperparameters(base), data)
    job_panel.trouble(KEY)


def _lesson(group: str, first: str) -> LessonRecipe:
    found = {name: preset for name, preset in PRESETS.items() if group_of(preset) == group}
    key = f"{KEY}_lesson_{group}"
    if not url_state.is_set(key, "lesson"):
        st.session_state[key] = first if first in found else next(iter(found))
    titles = {name: f"{preset.recipe.title} · about {preset.seconds} s" for name, preset in found.items()}
    captions = [_caption(preset) for preset in found.values()]
    name = st.radio(
        "Lesson", list(titles), format_func=titles.__getitem__, captions=captions, key=key, persist_state="session"
    )
    return found[name].recipe


def _caption(preset: Preset) -> str:
    """What a lesson trains, what to look at, and the measured result."""
    words = f"{preset.recipe.summary} {preset.look}"
    measured = training.measured_lessons().get(preset.recipe.name)
    if not measured:
        return words
    accuracy = measured.get("validation_accuracy")
    result = f"loss {measured['validation_loss']:.2f}" if accuracy is None else f"accuracy {accuracy:.0%}"
    return f"{words} Measured: validation {result} after {measured['seconds']:.0f} seconds on one core."


def _own(group: str) -> tuple[LessonRecipe | None, bytes | None]:
    """A recipe for the visitor's own data, and the data; None until there is a file, a LabError if it can't be used."""
    text = group == OWN_TEXT
    label = "A text of your own (.txt)" if text else "A table of your own (.csv): one column of texts, one of labels"
    file = st.file_uploader(label, type=["txt", "md"] if text else ["csv", "tsv", "txt"], key=f"{KEY}_{group}")
    if file is None:
        size = "20,000 characters" if text else "a few hundred rows"
        st.caption(
            f"At least {size} are recommended. The training worker reads the file; it is kept only as long as your run."
        )
        return None, None
    data = file.getvalue()
    name = "".join(character for character in file.name if character.isprintable())
    own: dict[str, Any] = {
        "name": "own",
        "title": name[:60] or "own",
        "summary": f"Trained on {name[:80]}.",
        "dataset": training.OWN,
    }
    if text:
        characters = once(f"{KEY}_read", file.file_id, lambda: len(read_plain_text(data).text))
        st.caption(f"{tokens.plain(file.name)}: {characters:,} characters.")
        own |= {"task": "generator"}
    else:
        about = once(f"{KEY}_read", file.file_id, lambda: _about(read_labelled_csv(data)))
        st.caption(f"{tokens.plain(file.name)}: {tokens.plain(about)}.")
        own |= {"task": "classifier", "length": 120, "units": 32, "embedding": 32, "dropout": 0.3}
        own |= {"pooling": "strongest", "epochs": 8}
    template = PRESETS["counting_60s" if text else "negation_15s"].recipe
    return LessonRecipe.from_json(template.to_json() | own), data


def _about(table: LabelledTable) -> str:
    return f"{len(table.split):,} texts, labels {', '.join(table.labels)}"


def _with_hyperparameters(base: LessonRecipe) -> LessonRecipe:
    """The recipe with the hyperparameters of the page."""
    shown = f"{KEY}_base"
    if st.session_state.get(shown) != base.name + base.title:  # another lesson: its own values
        st.session_state[shown] = base.name + base.title
        for name in training.HYPERPARAMETERS:
            st.session_state[f"{KEY}_{name}"] = getattr(base, name)
    values = base.to_json()
    with st.expander("Hyperparameters", icon=":material/tune:"):
        columns = st.columns(3)
        for place, each in enumerate(training.hyperparameters(base.task)):
            with columns[place % 3]:
                values[each.name] = _widget(each, getattr(base, each.name))
        st.button("Reset to the lesson's values", on_click=lambda: st.session_state.pop(shown, None))
    return LessonRecipe.from_json(values)


def _widget(each: Hyperparameter, initial: Any) -> Any:
    key = f"{KEY}_{each.name}"
    st.session_state.setdefault(key, initial)
    common: dict[str, Any] = {"key": key, "help": each.help, "persist_state": "session"}
    if each.choices is not None:
        return st.selectbox(each.title, list(each.choices), format_func=each.choices.__getitem__, **common)
    if each.whole:
        return st.number_input(each.title, int(each.low), int(each.high), step=1, **common)
    return st.number_input(each.title, float(each.low), float(each.high), step=None, format="%g", **common)


def _start(recipe: LessonRecipe, data: bytes | None) -> None:
    """The size of the network, and the button that starts the training."""
    about = "The remaining time is estimated from the first steps."
    if data is not None or recipe.dataset not in DATASETS or is_present(recipe.dataset):
        about = f"{_parameters(recipe, data)} {about}"
    if _train_button(recipe.dataset, about, _train, (recipe, data)) and recipe.dataset != training.OWN:
        identity = st.session_state.get(f"{KEY}_job", "")
        url_state.remember(lesson=recipe.name, **({"job": identity} if identity else {}))


def _parameters(recipe: LessonRecipe, data: bytes | None) -> str:
    """How many parameters the network has; the vocabulary of texts is counted once for all visitors."""
    read = recipe.dataset, recipe.task, recipe.vocabulary, recipe.length, recipe.examples, recipe.seed
    file = None if data is None else hashlib.sha256(data).digest()
    ids, outputs = CACHE.get(("network size", *read, file), lambda: training.network_size(recipe, data))
    words = f" with a vocabulary of {ids:,}" if recipe.task == "classifier" else ""
    return f"{training.parameter_count(recipe, ids, outputs):,} parameters{words}."


def _train_button(dataset: str, about: str, train: Any, arguments: tuple[Any, ...]) -> bool:
    """The button, or the offer to download the data set first; whether the data set is on this machine."""
    missing = dataset in DATASETS and not is_present(dataset)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Train", type="primary", icon=":material/play_arrow:", key=f"{KEY}_train", disabled=missing,
            on_click=train, args=arguments,
        )  # fmt: skip
        st.caption(about)
    if missing:
        spec = find_dataset(dataset)
        st.info(
            f"The data set “{spec.title}”, from {spec.url.split('/')[2]}, is not on this machine. Generated data and "
            "your own texts need no download."
        )
        job_panel.offer_download(KEY, dataset)
    return not missing


def _train(shown: LessonRecipe, data: bytes | None) -> None:
    """Start the lesson with the current values: the page may not have been drawn since one was changed."""
    now = {each.name: st.session_state[f"{KEY}_{each.name}"] for each in training.hyperparameters(shown.task)}
    try:
        recipe = LessonRecipe.from_json(shown.to_json() | now)
    except LabError as error:
        st.session_state[f"{KEY}_trouble"] = str(error)
        return
    arguments: dict[str, Any] = {"lesson": recipe.to_json()}
    if data is not None:
        arguments["data"] = data
    job_panel.begin(KEY, WORK, arguments, recipe.title)


def _shipped() -> None:
    """The recipes of the shipped models, as `python -m lstm_core train` runs them."""
    titles = {name: str(training.find_recipe(name).title) for name in training.recipe_names() if name not in PRESETS}
    name = st.selectbox(
        "Recipe", list(titles), key=f"{KEY}_recipe", persist_state="session", format_func=titles.__getitem__
    )
    recipe = training.find_recipe(name)
    st.markdown(recipe.summary)
    key, about = f"{KEY}_recipe_seed_{name}", training.HYPERPARAMETERS["seed"].help
    seed = st.number_input("Seed", 0, 2**32 - 1, recipe.seed, step=1, key=key, help=about)
    about = f"The same as `python -m lstm_core train {name}`. Some of these take minutes, some take hours."
    arguments = (KEY, WORK, {"recipe": name, "seed": int(seed)}, titles[name])
    _train_button(getattr(recipe, "dataset", ""), about, job_panel.begin, arguments)
    job_panel.trouble(KEY)
