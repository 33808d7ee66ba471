"""The memory gym's controls, its drawn example, and the race while it runs.

The race runs in a training worker (`lstm_core.memory_tasks.race_job`); this process only draws what it reports. What
the trained cells hold is in `memory_gym/results.py`.
"""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from lstm_core.jobs import Job
from lstm_core.memory_tasks import (
    LEARNING_RATES,
    PASS_ERROR,
    PRESETS,
    RACE_RANGES,
    TASKS,
    Example,
    Race,
    Task,
    find_task,
    measured_races,
    race_from_arguments,
    task_example,
)
from ui.common import charts, job_panel, theme, tokens, url_state
from ui.memory_gym import charts as gym_charts

WORK = "lstm_core.memory_tasks.race_job:work"
KEY = "gym"
SETTINGS = ("length", "units", "bias", "rate", "steps")  # that a preset puts
VALIDATION = 300  # sequences that a race is measured on, for the doubt about a share
BY_HEART = {
    "reber": "knows the strings in between, and guesses their end",
    "counting": "knows its training, and no more",
}  # where some are right without any memory


# --- What to race -------------------------------------------------------------------------------


def controls() -> Race:
    """The presets, the task and its settings; from the link at first.

    Raises:
        LabError: if they make no race.
    """
    _from_link()
    task = find_task(
        str(
            st.pills(
                "Task", list(TASKS), format_func=lambda name: TASKS[name].title, required=True,
                key="gym_task", on_change=_fit_length, persist_state="session",
            )
        )
    )  # fmt: skip
    _presets(task)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        length = st.slider(
            f"Length ({task.length_name})", *task.lengths, key="gym_length", width=260, persist_state="session",
            help="The longer, the longer something has to be remembered.",
        )  # fmt: skip
        units = st.slider(
            "Units", *_whole("units"), key="gym_units", width=170, persist_state="session",
            help="Of each of the three networks. The LSTM has four times as many weights as the plain RNN, the GRU "
            "three times.",
        )  # fmt: skip
        bias = st.slider(
            "Forget-gate bias", *RACE_RANGES["keep_bias"], step=0.1, key="gym_bias", width=190,
            persist_state="session",
            help="What the forget gate's bias is before training: at 0 the gate begins half open, at 3 it keeps 95 %. "
            "The GRU's update gate, which does the same work, gets the same; a plain RNN has neither.",
        )  # fmt: skip
        rate = st.select_slider(
            "Learning rate", LEARNING_RATES, key="gym_rate", width=190, persist_state="session",
            help="How far Adam goes with each batch.",
        )  # fmt: skip
        steps = st.slider(
            "Batches at most", *_whole("steps"), step=25, key="gym_steps", width=190, persist_state="session",
            help="A cell that passes stops at once; the others go on until here. A batch is 32 sequences.",
        )  # fmt: skip
        seed = st.number_input(
            "Seed", *_whole("seed"), key="gym_seed", width=120, persist_state="session",
            help="Of weights and sequences, the same for all three. Is it luck?",
        )  # fmt: skip
    return Race(task.name, length, units, int(seed), float(bias), float(rate), int(steps))


def _whole(name: str) -> tuple[int, int]:
    low, high = RACE_RANGES[name]
    return int(low), int(high)


def _from_link() -> None:
    name = url_state.parameter("task", "adding", tuple(TASKS))
    begin = PRESETS[name].race
    rate = url_state.decimal("rate", begin.rate, LEARNING_RATES[0], LEARNING_RATES[-1])
    low, high = RACE_RANGES["keep_bias"]
    for key, value in (
        ("gym_task", name),
        ("gym_length", url_state.number("length", begin.length, *find_task(name).lengths)),
        ("gym_units", url_state.number("units", begin.units, *_whole("units"))),
        ("gym_bias", round(url_state.decimal("bias", begin.keep_bias, low, high), 1)),
        ("gym_rate", min(LEARNING_RATES, key=lambda each: abs(math.log(each / rate)))),
        ("gym_steps", url_state.number("steps", begin.steps, *_whole("steps")) // 25 * 25),
        ("gym_seed", url_state.number("seed", begin.seed, *_whole("seed"))),
        ("gym_example", url_state.number("example", 1, 0, 9999)),
    ):
        st.session_state.setdefault(key, value)


def _put(race: Race) -> None:
    """Settings into the controls; a callback's work."""
    st.session_state["gym_task"] = race.task
    for name, value in zip(SETTINGS, _values(race), strict=True):
        st.session_state[f"gym_{name}"] = value


def _fit_length() -> None:
    """Another task begins with the settings of its own preset."""
    _put(PRESETS[st.session_state["gym_task"]].race)


def _presets(task: Task) -> None:
    """Buttons that put all settings of a race at once; the one that holds now is marked, and asks its question."""

    def choose() -> None:
        chosen = PRESETS.get(str(st.session_state["gym_preset"]))
        if chosen is not None:
            _put(chosen.race)

    own = {name: preset for name, preset in PRESETS.items() if preset.race.task == task.name}
    now = [st.session_state[f"gym_{name}"] for name in SETTINGS]
    held = next((name for name, preset in own.items() if _values(preset.race) == now), None)
    st.session_state["gym_preset"] = held
    st.pills("Begin with", list(own), format_func=lambda name: own[name].title, key="gym_preset", on_change=choose)
    if held:
        st.markdown(f"*{own[held].question}*")
        st.caption(measured(held))


def _values(race: Race) -> list[float]:
    """In the order of `SETTINGS`."""
    return [race.length, race.units, race.keep_bias, race.rate, race.steps]


def measured(name: str) -> str:
    """What a preset did when it was measured, in one sentence; nothing where it never was."""
    found = measured_races().get(name)
    if not found:
        return ""
    seeds = len(found["runs"])
    counts = [f"the {theme.CELL_LINES[kind][0]} {cell['passed']}" for kind, cell in found["cells"].items()]
    return (
        f"Measured from {seeds} seeds: passed by {', '.join(counts[:-1])} and {counts[-1]} times; the longest race "
        f"took {found['longest']:.0f} seconds there."
    )


# --- The example --------------------------------------------------------------------------------


def example(race: Race) -> None:
    """A drawn sequence of the task, what is asked, and the answer when it is wanted."""

    def another() -> None:
        st.session_state["gym_example"] = (st.session_state["gym_example"] + 1) % 10_000

    task = race.of
    shown = task_example(task, race.length, int(st.session_state["gym_example"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{task.question}**", width="stretch")
        st.button("Another one", icon=":material/casino:", key="gym_another", on_click=another)
        answered = st.toggle("Show the answer", key="gym_answer", persist_state="session")
    if shown.values is not None:
        figure = gym_charts.numbers(shown.values, shown.matters)
        alt = f"Bars: {len(shown)} numbers between −1 and 1; two are marked. {shown.answer if answered else ''}"
        st.plotly_chart(figure, config={"displayModeBar": False}, key="gym_example_figure", alt=alt)
    else:
        _symbols(shown)
    st.markdown(f"{shown.question} {f'**{shown.answer}**' if answered else ''}")
    st.caption(f"{task.source}.")


def _symbols(shown: Example) -> None:
    text, spans = "", []
    for token in shown.tokens:
        spans.append((len(text), len(text) + len(token)))
        text += f"{token} "
    colours = [gym_charts.MARKED if token not in ("b", "?") else gym_charts.RIGHT for token in shown.tokens]
    hovers = [f"timestep {place}: {token}" for place, token in enumerate(shown.tokens, start=1)]
    label = "The sequence, with what matters tinted"
    tokens.tinted_text(text, spans, colours, [0.75 * bool(matter) for matter in shown.matters], hovers, label=label)


# --- The race -----------------------------------------------------------------------------------


def start(race: Race) -> None:
    """The button that hands the race to a worker, and this visitor's earlier races."""
    title = f"{race.of.title}, {race.length} {race.of.length_name}, seed {race.seed}"
    with st.container(horizontal=True):
        st.button(
            "Start the race", icon=":material/flag:", type="primary", key="gym_start",
            on_click=job_panel.begin, args=(KEY, WORK, race.arguments, title),
            help="A plain RNN, a GRU and an LSTM learn from the same sequences, in turns, in a process of their own.",
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


def watch(job: Job) -> None:
    """The race as it stands, drawn again while it runs."""
    job_panel.watch(KEY, job, _draw)


def last_state(job: Job) -> dict[str, Any] | None:
    """What the race told last, or what it returned; None before its first word."""
    if job.result is not None:
        return job.result
    return next((event for event in reversed(job.events) if "cells" in event), None)


def _draw(job: Job) -> None:
    race, state = race_from_arguments(job.arguments), last_state(job)
    if state is None:
        state = {"cells": {}, "turn": "", "round": 25, "batch": 32, "mark": race.of.mark, "baseline": 0.0}
    most = max((cell["steps"] for cell in state["cells"].values()), default=0)
    turn = theme.CELL_LINES[state["turn"]][0] if state["turn"] else ""
    if job.over:
        words = f"{most:,} of {race.steps:,} batches."
    elif most == 0:
        words = f"Getting ready: {turn or 'waiting for a worker'} …"
    else:
        words = f"{most:,} of {race.steps:,} batches; {turn} at work."
    st.progress(min(most / race.steps, 1.0), words)
    sentence = result(race, state) if job.over else _so_far(state)
    figure = _figure(race.of, race, state)
    st.plotly_chart(figure, config=charts.CONFIG, key=f"gym_race_{job.over}", alt=f"Two line charts. {sentence}")


def _figure(task: Task, race: Race, state: dict[str, Any]) -> Any:
    adding = task.loss == "mse"
    return gym_charts.race(
        state["cells"],
        every=state["round"] * state["batch"],
        most=race.steps * state["batch"],
        mark=state["mark"],
        baseline=(state["baseline"], "by heart" if task.name in BY_HEART else "without memory"),
        error_name="mean absolute error" if adding else "cross-entropy (nats)",
        error_mark=PASS_ERROR if adding else None,
    )


def _so_far(state: dict[str, Any]) -> str:
    scores = [
        f"{theme.CELL_LINES[kind][0]} {of['score'][-1]:.0%}" for kind, of in state["cells"].items() if of["score"]
    ]
    return f"So far: {', '.join(scores)}." if scores else "Nothing measured yet."


def result(race: Race, state: dict[str, Any]) -> str:
    """What came of a race, in one or two sentences: who passed after how much, and how far the others came."""
    cells = state["cells"]
    passed = sorted((kind for kind in cells if cells[kind]["passed"] is not None), key=lambda k: cells[k]["passed"])
    batch = state["batch"]
    parts = [
        f"the **{theme.CELL_LINES[kind][0]}** passed after {cells[kind]['passed'] * batch:,} sequences "
        f"({cells[kind]['seconds']:.1f} s of its own time)"
        for kind in passed
    ]
    parts += [_failed(race, kind, cells[kind], state["baseline"]) for kind in cells if kind not in passed]
    if not parts:
        return "The race ended before anything was measured."
    said = "; ".join(parts)
    ending = {
        "stopped": " It was stopped early.",
        "time": " It ended because its time was up.",
    }.get(state.get("ended", ""), "")
    return f"{said[0].upper()}{said[1:]}.{ending}"


def _failed(race: Race, kind: str, of: dict[str, Any], baseline: float) -> str:
    name = f"the **{theme.CELL_LINES[kind][0]}**"
    if of["diverged"]:
        return f"{name} broke off: its weights went beyond all numbers"
    best = max(of["score"], default=0.0)
    doubt = 2 * math.sqrt(max(baseline * (1 - baseline), 0.01) / VALIDATION)
    if best > baseline + doubt:
        return f"{name} came to {best:.0%} right answers and did not pass"
    if race.task in BY_HEART and best >= baseline - doubt:
        return f"{name} {BY_HEART[race.task]} ({best:.0%} right)"
    if race.task in BY_HEART:
        return f"{name} came to {best:.0%} right answers, where learning by heart gives {baseline:.0%}"
    return f"{name} never beat guessing ({best:.0%} right, guessing {baseline:.0%})"
