"""After the race: which unit of a trained cell carries what is to be remembered, and how far it holds beyond training.

Everything here is computed from the weights that the race returned, in NumPy; nothing is trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from lstm_core.jobs import Job
from lstm_core.memory_tasks import (
    Carrier,
    Example,
    GymNetwork,
    Race,
    carrier_unit,
    counts_to,
    measure_network,
    networks_from_weights,
    race_from_arguments,
    task_example,
)
from ui.common import charts, theme, url_state
from ui.memory_gym import charts as gym_charts
from ui.memory_gym import race as gym

SEARCHED = 200  # sequences that a unit is chosen on, and as many others that it is judged on
CHOSEN_SEED, JUDGED_SEED, LENGTHS_SEED = 3_000_000_001, 3_000_000_002, 3_000_000_003
FAR = 4  # times the trained length is looked at, at most
STRONG = 0.9  # a correlation from which a unit is said to carry the number


def show(job: Job) -> dict[str, str | int]:
    """Everything below an ended race; returns what a link to it must say."""
    state = gym.last_state(job)
    if not state or not state.get("weights"):
        return {}
    race = race_from_arguments(job.arguments)
    st.markdown(f"#### {gym.result(race, state)}")
    if not any(of["score"] for of in state["cells"].values()):
        return {}
    networks = _networks(job.identity, state)
    st.header("Which unit carries it?", anchor=False)
    shown = _microscope(job, race, networks)
    st.header("Beyond training", anchor=False)
    _beyond(job.identity, race, networks)
    return shown


def _networks(identity: str, state: dict[str, Any]) -> dict[str, GymNetwork]:
    """The trained networks of a run, kept in this visitor's session while the run is shown."""
    kept = st.session_state.get("_gym_networks")
    if kept is None or kept[0] != identity:
        kept = (identity, networks_from_weights(state["weights"]))
        st.session_state["_gym_networks"] = kept
    return kept[1]


# --- The unit -----------------------------------------------------------------------------------


def _microscope(job: Job, race: Race, networks: dict[str, GymNetwork]) -> dict[str, str | int]:
    task = race.of
    st.session_state.setdefault("gym_cell", url_state.parameter("cell", "lstm", tuple(networks)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = str(
            st.segmented_control(
                "Trained cell", list(networks), format_func=lambda kind: theme.CELL_LINES[kind][0], required=True,
                key="gym_cell", persist_state="session",
            )
        )  # fmt: skip
        network = networks[kind]
        found = _carrier(job.identity, kind, race, network)
        key = f"gym_unit_{job.identity}_{kind}"
        st.session_state.setdefault(key, found.unit)
        unit = int(
            st.number_input(
                "Unit", 0, network.cell.units - 1, key=key, width=120,
                help="Begins with the unit that follows best; look at others to see how special it is.",
            )
        )  # fmt: skip
        st.button(
            "Another sequence", icon=":material/casino:", key="gym_another_below", on_click=_another,
            help="The same drawn example as above, drawn anew.",
        )  # fmt: skip
    letter = "c" if kind == "lstm" else "h"
    st.markdown(told(found, unit, letter, task.remembered))
    example = task_example(task, race.length, int(st.session_state["gym_example"]))
    trace, sums = network.read(example.batch.x[:, : len(example)])
    states = {name: trace.signals[name][:, 0] for name in (letter, *_gates(kind))}  # each (T, units)
    labels = _labels(example)
    memory = example.batch.memory[0, : len(example)]
    own, mirrored = {name: of[:, unit] for name, of in states.items()}, found.all[unit] < 0
    figure = gym_charts.carrier(labels, own, memory, mirrored=bool(mirrored))
    _name_steps(figure, example)
    alt = f"Lines: unit {unit}'s state over {len(example)} timesteps beside {task.remembered}, its gates below."
    st.plotly_chart(figure, config=charts.CONFIG, key="gym_carrier", alt=alt)
    st.markdown(_said(race, example, sums))
    figure = charts.heatmap(labels, letter, states[letter], np.argsort(-np.abs(found.all), kind="stable"), None)
    alt = f"Heat map: the state of {network.cell.units} units over {len(example)} timesteps."
    _name_steps(figure, example)
    st.plotly_chart(figure, config=charts.CONFIG, key="gym_memory", alt=alt)
    st.caption("All units on the same sequence, a row each; those that follow it best stand at the top.")
    return {"cell": kind}


def _gates(kind: str) -> tuple[str, ...]:
    return {"lstm": ("i", "f", "o"), "gru": ("z", "r"), "rnn": ()}[kind]


def _another() -> None:
    st.session_state["gym_example"] = (st.session_state["gym_example"] + 1) % 10_000


def _labels(example: Example) -> list[str]:
    """What stands below each timestep: its symbol; of the adding problem, the number where it is marked."""
    if example.values is None:
        return list(example.tokens)
    return [
        f"{value:+.2f}" if mark else "·" for value, mark in zip(example.values, example.matters, strict=True)
    ]  # fmt: skip


def _name_steps(figure: Any, example: Example) -> None:
    """Upright symbols below the steps; of the adding problem, the marked numbers alone."""
    figure.update_xaxes(tickangle=0, tickfont_size=15)
    if example.values is not None:
        places = np.flatnonzero(example.matters)
        named = [f"{example.values[place]:+.2f}" for place in places]
        figure.update_xaxes(tickmode="array", tickvals=places.tolist(), ticktext=named)


def _carrier(identity: str, kind: str, race: Race, network: GymNetwork) -> Carrier:
    """The best unit; found once a run and cell."""
    kept = st.session_state.setdefault("_gym_carriers", {})
    if (identity, kind) not in kept:
        while len(kept) > 8:
            kept.pop(next(iter(kept)))
        sets = (race.of.batch(race.length, SEARCHED, seed) for seed in (CHOSEN_SEED, JUDGED_SEED))
        kept[identity, kind] = carrier_unit(network, *sets)
    return kept[identity, kind]


def told(found: Carrier, unit: int, letter: str, remembered: str) -> str:
    """How well a unit follows what there is to remember, in words."""
    state = theme.SIGNALS[letter].name.lower()
    strength = abs(found.measured)
    verdict = (
        "carries it" if strength >= STRONG else "follows it, but not alone" if strength >= 0.5 else "does not carry it"
    )
    best = (
        f"On {SEARCHED} sequences the {state} of **unit {found.unit}** follows *{remembered}* best. On {SEARCHED} "
        f"others their correlation is **{found.measured:+.2f}**: this unit {verdict}."
    )
    return best if unit == found.unit else f"{best} Unit {unit}, which is shown, has {found.all[unit]:+.2f}."


def _said(race: Race, example: Example, sums: np.ndarray) -> str:
    """What this network answers to the sequence that is shown, and whether that is right."""
    task, batch = race.of, example.batch
    answers = np.zeros_like(batch.targets)
    answers[:, : len(example)] = task.answers(sums)
    right = bool(task.right(batch, answers)[0])
    if task.loss == "mse":
        said, wanted = float(answers[0, -1, 0]), float(batch.targets[0, -1, 0])
        return (
            f"At the end this network says **{said:.3f}**; right would be {wanted:.3f}. "
            f"It is off by {abs(said - wanted):.3f}, {'within' if right else 'beyond'} the published mark."
        )
    return f"On this sequence the network's answers are **{'right' if right else 'wrong'}**. {example.answer}"


# --- Beyond training ----------------------------------------------------------------------------


def _beyond(identity: str, race: Race, networks: dict[str, GymNetwork]) -> None:
    if race.task == "counting":
        _counts(identity, race, networks)
        return
    at = _lengths_of(race)
    st.markdown(
        f"All three learned at length {race.length}. Sequences that are shorter and longer, read now by the same "
        "weights: who has learned the task, and who the length?"
    )
    kept = st.session_state.setdefault("_gym_beyond", {})
    if identity not in kept:
        while len(kept) > 4:
            kept.pop(next(iter(kept)))
        with st.spinner("Reading shorter and longer sequences …"):
            batches = [race.of.batch(length, SEARCHED, LENGTHS_SEED) for length in at]
            kept[identity] = {
                kind: [measure_network(race.of, network, batch)[0] for batch in batches]
                for kind, network in networks.items()
            }
    shares = kept[identity]
    ends = ", ".join(f"{theme.CELL_LINES[kind][0]} {of[-1]:.0%}" for kind, of in shares.items())
    figure = gym_charts.lengths(shares, at, race.length, race.of.mark)
    alt = f"Lines: right answers at lengths {at[0]} to {at[-1]}. At {at[-1]}: {ends}."
    st.plotly_chart(figure, config=charts.CONFIG, key="gym_lengths", alt=alt)
    st.markdown(f"At length {at[-1]}: {ends}.")


def _lengths_of(race: Race) -> list[int]:
    """Shorter and longer than in training, as far as the task goes."""
    shortest, longest = race.of.lengths
    wanted = (round(race.length * factor) for factor in (0.5, 0.75, 1, 1.25, 1.5, 2, 3))
    return sorted({min(max(each, shortest), longest) for each in wanted})


def _counts(identity: str, race: Race, networks: dict[str, GymNetwork]) -> None:
    key = f"gym_most_{identity}"
    st.session_state.setdefault(key, 5 * race.length)
    most = st.slider(
        "Count as far as n =", 2 * race.length, 200, key=key, width=320,
        help="Every string aⁿbⁿ up to here is read now, by the trained weights.",
    )  # fmt: skip
    kept = st.session_state.setdefault("_gym_counts", {})
    if (identity, most) not in kept:
        while len(kept) > 4:
            kept.pop(next(iter(kept)))
        kept[identity, most] = {kind: counts_to(race.of, network, most) for kind, network in networks.items()}
    rows = kept[identity, most]
    sentence = counted(rows, race.length)
    figure = gym_charts.beyond(rows, race.length)
    st.plotly_chart(figure, config={"displayModeBar": False}, key="gym_beyond", alt=f"A strip a cell. {sentence}")
    st.markdown(sentence)


def counted(rows: dict[str, np.ndarray], trained: int) -> str:
    """How far each cell counts without a gap, in words."""
    parts = []
    for kind, right in rows.items():
        end = int(np.argmin(right)) if not right.all() else len(right)
        name = f"the {theme.CELL_LINES[kind][0]}"
        parts.append(f"{name} to **{end}**{' and perhaps on' if right.all() else ''}")
    return f"Without a mistake {', '.join(parts[:-1])} and {parts[-1]} can count. Training ended at {trained}."
