"""The memory gym's controls, its example sequence, and the race in a worker while it runs."""

import math
from typing import Any

import streamlit as st

from lstm_core import memory_tasks
from lstm_core.jobs import Job
from lstm_core.memory_tasks import LEARNING_RATES, PRESETS, RACE_RANGES, Example, Race, Task
from ui.common import job_panel, plotting, presets, theme, tokens, url_state
from ui.common.url_state import control, in_link
from ui.guide import guess
from ui.guide.guess import Offer
from ui.memory_gym import charts

WORK = "lstm_core.training.race_job:work"
KEY = "gym"
# The tints of symbols that count the others, or that ask; all others have the colour of marks.
_TINTS = {**dict.fromkeys(("b", "?", "e"), charts.RIGHT), "c": theme.CLASS_COLOURS[4]}
VALIDATION = 300  # sequences of the validation set, for the standard error of an accuracy
# Tasks on which some answers are right without memory, and what a network that has none has learned.
WITHOUT_MEMORY = {
    "reber": "learned the inner strings, and guesses the end",
    "reber_stream": "learned the inner strings, and guesses the ends",
    "lag": "learned the symbols that are always the same, and guesses the last one",
    "counting": "learned the training lengths only",
    "counting_three": "learned the training lengths only",
}


def controls() -> Race:
    """The task, the presets and the settings; from the link at first.

    Raises:
        LabError: if they make no race.
    """
    titles = {name: task.title for name, task in memory_tasks.TASKS.items()}
    name = control("gym_task", titles, on_change=_reset)
    task, initial, above = memory_tasks.find_task(name), PRESETS[name].race, st.container()
    if not url_state.is_set("gym_example", "example"):
        st.session_state["gym_example"] = url_state.number("example", 1, 0, 9999)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = f"Length ({task.length_name})"
        length = control("gym_length", *task.lengths, label=label, default=initial.length)
        units = control("gym_units", *RACE_RANGES["units"], default=initial.units)
        bias = control("gym_bias", *RACE_RANGES["keep_bias"], default=initial.keep_bias)
        forget = control("gym_forget", default=initial.forget_gate)
        if not url_state.is_set("gym_rate", "rate"):
            rate = url_state.number("rate", initial.rate, LEARNING_RATES[0], LEARNING_RATES[-1])
            st.session_state["gym_rate"] = min(LEARNING_RATES, key=lambda each: abs(math.log(each / rate)))
        rate = st.select_slider(
            "Learning rate", LEARNING_RATES, key="gym_rate", width=190, persist_state="session",
            help="Of the optimizer Adam.",
        )  # fmt: skip
        steps = control("gym_steps", *RACE_RANGES["steps"], default=initial.steps)
        seed = control("gym_seed", *RACE_RANGES["seed"], default=initial.seed)
    with above:
        _presets(task)
    in_link(rate=rate, example=st.session_state["gym_example"])
    return Race(name, length, units, seed, float(bias), float(rate), steps, forget)


def _settings(race: Race) -> dict[str, Any]:
    """The controls' values for a race."""
    return {
        "gym_length": race.length, "gym_units": race.units, "gym_bias": race.keep_bias, "gym_rate": race.rate,
        "gym_steps": race.steps, "gym_forget": race.forget_gate,
    }  # fmt: skip


def _reset() -> None:
    """Another task begins with the settings of its own preset."""
    st.session_state.update(_settings(PRESETS[st.session_state["gym_task"]].race))


def _presets(task: Task) -> None:
    own = {name: preset for name, preset in PRESETS.items() if preset.race.task == task.name}
    values = {name: _settings(preset.race) for name, preset in own.items()}
    chosen = presets.pills("Presets", values, "gym_preset", format_func=lambda name: own[name].title)
    if chosen:
        st.markdown(f"*{own[chosen].question}*")
        if found := measured(chosen):
            with st.popover("Measured answer", icon=":material/lightbulb:", help="Guess first."):
                st.markdown(found)
        else:
            st.caption("Nobody has measured this preset with several seeds yet.")


def measured(name: str) -> str:
    """The measured result of a preset, in one sentence; empty if there is none."""
    found = memory_tasks.measured_races().get(name)
    if not found:
        return ""
    passed = [f"{theme.CELL_LINES[kind][0]} {cell['passed']}" for kind, cell in found["cells"].items()]
    return (
        f"Number of {len(found['runs'])} seeds that passed: {', '.join(passed)}. The longest race took "
        f"{found['longest']:.0f} seconds."
    )


def example(race: Race) -> None:
    """An example sequence of the task, the question, and the answer if it is wanted."""
    task = race.of
    shown = memory_tasks.task_example(task, race.length, int(st.session_state["gym_example"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{task.question}**", width="stretch")
        another_example("gym_another", "Another example")
        answered = st.toggle("Show the answer", key="gym_answer", persist_state="session")
    if shown.values is not None:
        marked = int(shown.matters.sum())
        alt = f"Bars: {len(shown)} numbers; {marked} of them matter. {shown.answer if answered else ''}"
        plotting.show(charts.numbers(shown.values, shown.matters), "gym_example_figure", alt, toolbar=False)
    else:
        _symbols(shown)
    st.markdown(f"{shown.question} {f'**{shown.answer}**' if answered else ''}")
    st.caption(f"{task.source}. Published: {task.published}. Here: solved when {_mark_in_words(task)}.")


def _mark_in_words(task: Task) -> str:
    """When a cell passes the task here."""
    share = "all" if task.mark == 1 else f"{task.mark:.0%} of the"
    what = "answered correctly" if task.tolerance is None else f"off by less than {task.tolerance} in every output"
    return f"{share} validation sequences are {what}"


def another_example(key: str, label: str, **options: Any) -> None:
    """A button that shows the next example sequence, everywhere on the page."""

    def another() -> None:
        st.session_state["gym_example"] = (st.session_state["gym_example"] + 1) % 10_000

    st.button(label, icon=":material/casino:", key=key, on_click=another, **options)


def _symbols(shown: Example) -> None:
    text, spans = "", []
    for token in shown.tokens:
        spans.append((len(text), len(text) + len(token)))
        text += f"{token} "
    colours = [_TINTS.get(token, charts.MARKED) for token in shown.tokens]
    hovers = [f"timestep {place}: {token}" for place, token in enumerate(shown.tokens, start=1)]
    label = "The sequence, with the relevant symbols tinted"
    tokens.tinted_text(text, spans, colours, [0.75 * bool(matter) for matter in shown.matters], hovers, label=label)


def start(race: Race) -> None:
    """The button that starts the race in a worker, and this visitor's earlier races."""
    title = f"{race.of.title}, {race.length} {race.of.length_name}, seed {race.seed}"
    title += "" if race.forget_gate else ", without a forget gate"
    with st.container(horizontal=True):
        st.button(
            "Start the race", icon=":material/flag:", type="primary", key="gym_start",
            on_click=job_panel.begin, args=(KEY, WORK, race.arguments, title),
            help="A plain RNN, a GRU and an LSTM are trained on the same sequences, in turns, in a worker process.",
        )  # fmt: skip
        own = job_panel.own(WORK)
        if len(own) > 1:
            with st.popover("Your races", icon=":material/history:"):
                for job in own:
                    st.button(
                        f"{job.title} · {job_panel.STATES[job.state][0].lower()}", key=f"gym_own_{job.identity}",
                        on_click=job_panel.choose, args=(KEY, job.identity), width="stretch",
                    )  # fmt: skip
    job_panel.trouble(KEY)


def offer(race: Race) -> None:
    """Let a lecturer ask which network learns the task; the race answers it."""
    names = tuple(name for name, *_ in theme.CELL_LINES.values())

    def outcome() -> tuple[int | None, str]:
        job = job_panel.current(KEY)
        state = last_state(job) if job is not None and job.over else None
        if job is None or not state or not state["cells"]:
            return None, ""
        passed = {kind: cell["passed"] for kind, cell in state["cells"].items() if cell["passed"] is not None}
        first = list(theme.CELL_LINES).index(min(passed, key=passed.__getitem__)) if passed else len(names)
        return first, result(memory_tasks.race_from_arguments(job.arguments), state)

    question = f"Which network learns this task first: {race.of.title}, {race.length} {race.of.length_name}?"
    guess.offer("gym_network", Offer(question, (*names, "None of them"), outcome, "which_network"))


def watch(job: Job) -> None:
    """The race, drawn again while it runs."""
    job_panel.watch(KEY, job, _draw)


def last_state(job: Job) -> dict[str, Any] | None:
    """The result of the race, or its last report; None before the first."""
    if job.result is not None:
        return job.result
    return next((event for event in reversed(job.events) if "cells" in event), None)


def _draw(job: Job) -> None:
    race, state = memory_tasks.race_from_arguments(job.arguments), last_state(job)
    if state is None:
        state = {"cells": {}, "turn": "", "round": 25, "batch": 32, "mark": race.of.mark, "baseline": 0.0}
    cells, squared = state["cells"], race.of.loss == "mse"
    most = max((cell["steps"] for cell in cells.values()), default=0)
    turn = theme.CELL_LINES[state["turn"]][0] if state["turn"] else ""
    words = f"{most:,} of {race.steps:,} batches{'' if job.over else f'; now the {turn}'}."
    if most == 0 and not job.over:
        words = f"Preparing: {turn or 'waiting for a worker'} …"
    st.progress(min(most / race.steps, 1.0), words)
    scores = [f"{theme.CELL_LINES[kind][0]} {cell['score'][-1]:.0%}" for kind, cell in cells.items() if cell["score"]]
    so_far = f"Accuracy so far: {', '.join(scores)}." if scores else "No measurement yet."
    figure = charts.race(
        cells, every=state["round"] * state["batch"], most=race.steps * state["batch"], mark=state["mark"],
        baseline=(state["baseline"], "without memory"), error_mark=race.of.tolerance if squared else None,
        error_name="mean absolute error" if squared else "cross-entropy (nats)",
    )  # fmt: skip
    alt = f"Two line charts. {result(race, state) if job.over else so_far}"
    plotting.show(figure, f"gym_race_{job.over}", alt)


def result(race: Race, state: dict[str, Any]) -> str:
    """The result of a race, in one or two sentences: which cells passed, and what the others reached."""
    cells = state["cells"]
    passed = sorted((kind for kind in cells if cells[kind]["passed"] is not None), key=lambda k: cells[k]["passed"])
    parts = [
        f"the **{theme.CELL_LINES[kind][0]}** passed after {cells[kind]['passed'] * state['batch']:,} sequences "
        f"({cells[kind]['seconds']:.1f} s of computing time)"
        for kind in passed
    ]
    parts += [_failed(race, kind, cells[kind], state["baseline"]) for kind in cells if kind not in passed]
    if not parts:
        return "The race ended before the first measurement."
    sentence = "; ".join(parts)
    endings = {"stopped": " It was stopped early.", "time": " It ended at the time limit."}
    return f"{sentence[0].upper()}{sentence[1:]}.{endings.get(state.get('ended', ''), '')}"


def _failed(race: Race, kind: str, cell: dict[str, Any], baseline: float) -> str:
    name = f"the **{theme.CELL_LINES[kind][0]}**"
    if cell["diverged"]:
        return f"{name} diverged"
    best = max(cell["score"], default=0.0)
    error = 2 * math.sqrt(max(baseline * (1 - baseline), 0.01) / VALIDATION)
    if best > baseline + error:
        return f"{name} reached an accuracy of {best:.0%} and did not pass"
    if race.task not in WITHOUT_MEMORY:
        return f"{name} was no better than chance ({best:.0%}; chance {baseline:.0%})"
    if best >= baseline - error:
        return f"{name} {WITHOUT_MEMORY[race.task]} ({best:.0%})"
    return f"{name} reached {best:.0%}, less than is possible without memory ({baseline:.0%})"
