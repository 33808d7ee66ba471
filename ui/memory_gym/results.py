"""After the race: the unit that stores the value to remember, and the accuracy at other lengths. Nothing is trained."""

import math

import numpy as np
import streamlit as st

from lstm_core import memory_tasks
from lstm_core.jobs import Job
from lstm_core.memory_tasks import Example, GymNetwork, Race
from lstm_core.nn import ProbedUnit
from ui.common import charts, job_panel, plotting, theme
from ui.common.figure import Figure
from ui.common.plotting import signed
from ui.common.url_state import control, session_cached
from ui.guide import guess
from ui.guide.guess import Offer
from ui.memory_gym import charts as gym_charts
from ui.memory_gym import race as gym

SAMPLES = 200  # sequences on which a unit is chosen, and as many others on which it is tested
SELECTION_SEED, TEST_SEED, LENGTHS_SEED = 3_000_000_001, 3_000_000_002, 3_000_000_003
PLACES = "None", "1 or 2", "3 or 4", "5 or 6", "7 or more"  # correct binary places of a number in 0…1
STRONG = 0.9  # an absolute correlation from which a unit is said to store the value
STATES = {"lstm": ("c", "i", "f", "o"), "gru": ("h", "z", "r"), "rnn": ("h",)}  # the state, then the gates


def show(job: Job) -> None:
    """Everything below a finished race."""
    state = gym.last_state(job)
    if not state or not state.get("weights"):
        return
    race = memory_tasks.race_from_arguments(job.arguments)
    st.markdown(f"#### {gym.result(race, state)}")
    if not any(cell["score"] for cell in state["cells"].values()):
        return
    networks = session_cached(
        "gym_networks", job.identity, 1, lambda: memory_tasks.networks_from_weights(state["weights"])
    )
    st.header("Which unit stores it?", anchor=False)
    _unit(job, race, networks)
    st.header("Beyond training", anchor=False)
    (_counts if race.of.counted else _lengths)(job.identity, race, networks)


def offer(race: Race) -> None:
    """Let a lecturer ask how much of what it has to remember a trained LSTM still knows at the end of the example."""
    adding = race.task == "adding"
    if not adding and race.task != "copy":
        return

    def outcome() -> tuple[int | None, str]:
        job = job_panel.current(gym.KEY)
        state = gym.last_state(job) if job is not None and job.over else None
        raced = memory_tasks.race_from_arguments(job.arguments) if job is not None else None
        weights = (state or {}).get("weights") or {}
        if raced is None or raced.task != race.task or "lstm" not in weights:
            return None, ""
        network = memory_tasks.networks_from_weights({"lstm": weights["lstm"]})["lstm"]
        example = memory_tasks.task_example(raced.of, raced.length, int(st.session_state.get("gym_example", 0)))
        return (added_bits if adding else copied_bits)(raced, network, example)

    question = f"How many bits of the number survive {race.length} timesteps in the LSTM?"
    if not adding:
        question = f"How many of the bits does the LSTM still know after a delay of {race.length}?"
    choices = PLACES if adding else tuple(str(count) for count in range(memory_tasks.BITS + 1))
    guess.offer("gym_bits", Offer(question, choices, outcome, "bits"))


def added_bits(race: Race, network: GymNetwork, example: Example) -> tuple[int, str]:
    """Which of `PLACES` an answer to the adding problem has: with an error e, log₂(1/e) binary places are correct."""
    answer = float(race.of.answers(network.read(example.batch.x[:, : len(example)])[1])[0, -1, 0])
    error = abs(answer - float(example.batch.targets[0, len(example) - 1, 0]))
    bits = max(math.floor(-math.log2(max(error, 1e-12))), 0)
    words = f"The LSTM's answer is {answer:.4f}; the error {error:.2g} leaves {bits} binary places of the number."
    return min((bits + 1) // 2, len(PLACES) - 1), words


def copied_bits(race: Race, network: GymNetwork, example: Example) -> tuple[int, str]:
    """How many bits the network returns after the delay."""
    answers = race.of.answers(network.read(example.batch.x[:, : len(example)])[1])[0, -memory_tasks.BITS :]
    targets = example.batch.targets[0, len(example) - memory_tasks.BITS : len(example)]
    right = int((answers.argmax(axis=-1) == targets.argmax(axis=-1)).sum())
    return right, f"On this sequence the LSTM returns {right} of {memory_tasks.BITS} bits. {example.answer}"


def _unit(job: Job, race: Race, networks: dict[str, GymNetwork]) -> None:
    """One unit of a trained cell on the example sequence, and all units below."""
    task, names = race.of, {kind: theme.CELL_LINES[kind][0] for kind in networks}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = control("gym_cell", names, default="lstm" if "lstm" in networks else None)
        network, letter = networks[kind], STATES[kind][0]
        seeds = (SELECTION_SEED, TEST_SEED)
        found = session_cached(
            "gym_carriers", (job.identity, kind), 8,
            lambda: memory_tasks.carrier_unit(network, *(race.of.batch(race.length, SAMPLES, seed) for seed in seeds)),
        )  # fmt: skip
        key = f"gym_unit_{job.identity}_{kind}"
        st.session_state.setdefault(key, found.unit)
        unit = st.number_input(
            "Unit", 0, network.cell.units - 1, key=key, width=120, help="At first, the unit with the best correlation."
        )
        gym.another_example("gym_another_below", "Another sequence", help="The example above changes, too.")
    st.markdown(_correlation_in_words(found, unit, letter, task.remembered))
    example = memory_tasks.task_example(task, race.length, int(st.session_state["gym_example"]))
    trace, logits = network.read(example.batch.x[:, : len(example)])
    states = {name: trace.signals[name][:, 0] for name in STATES[kind]}  # each (T, units)
    labels = list(example.tokens)
    if example.values is not None:
        labels = [
            signed(value, ".2f") if mark else "·" for value, mark in zip(example.values, example.matters, strict=True)
        ]
    memory, own = example.batch.memory[0, : len(example)], {name: values[:, unit] for name, values in states.items()}
    figure = gym_charts.unit_state(labels, own, memory, mirrored=bool(found.all[unit] < 0))
    _label_steps(figure, example)
    alt = f"Lines: the state of unit {unit} over {len(example)} timesteps with {task.remembered}; its gates below."
    plotting.show(figure, "gym_carrier", alt)
    st.markdown(_answer_in_words(race, example, logits))
    figure = charts.heatmap(labels, letter, states[letter], np.argsort(-np.abs(found.all), kind="stable"), None)
    _label_steps(figure, example)
    alt = f"Heat map: the state of {network.cell.units} units over {len(example)} timesteps."
    plotting.show(figure, "gym_memory", alt)
    st.caption("All units on the same sequence, a row for each, sorted by the absolute correlation.")


def _label_steps(figure: Figure, example: Example) -> None:
    """Horizontal symbols below the steps; of the adding problem, only the marked numbers."""
    figure.update_xaxes(tickangle=0, tickfont_size=15)
    if example.values is not None:
        places = np.flatnonzero(example.matters)
        labels = [signed(example.values[place], ".2f") for place in places]
        figure.update_xaxes(tickmode="array", tickvals=places.tolist(), ticktext=labels)


def _correlation_in_words(found: ProbedUnit, unit: int, letter: str, remembered: str) -> str:
    """How the states of the best unit and of the one that is shown correlate with the value to remember."""
    strength = abs(found.measured)
    verdict = "stores it" if strength >= STRONG else "stores a part of it" if strength >= 0.5 else "does not store it"
    best = (
        f"On {SAMPLES} sequences the {theme.SIGNALS[letter].name.lower()} of **unit {found.unit}** has the best "
        f"correlation with *{remembered}*. On {SAMPLES} other sequences the correlation is "
        f"**{signed(found.measured, '.2f')}**: this unit {verdict}."
    )
    return best if unit == found.unit else f"{best} Unit {unit}, which is shown, has {signed(found.all[unit], '.2f')}."


def _answer_in_words(race: Race, example: Example, logits: np.ndarray) -> str:
    """The network's answer to the example, and whether it is right."""
    task, batch = race.of, example.batch
    answers = np.zeros_like(batch.targets)
    answers[:, : len(example)] = task.answers(logits)
    right = bool(task.right(batch, answers)[0])
    if task.loss == "mse":
        answer, target = (float(each[0, len(example) - 1, 0]) for each in (answers, batch.targets))
        return (
            f"The network's answer is **{answer:.3f}**, the right one {target:.3f}. The error is "
            f"{abs(answer - target):.3f}, {'within' if right else 'above'} the published mark."
        )
    return f"On this sequence the network's answers are **{'right' if right else 'wrong'}**. {example.answer}"


def _lengths(identity: str, race: Race, networks: dict[str, GymNetwork]) -> None:
    """The accuracy at shorter and longer sequences than in training."""
    shortest, longest = race.of.lengths
    wanted = (round(race.length * factor) for factor in (0.5, 0.75, 1, 1.25, 1.5, 2, 3))
    at = sorted({min(max(each, shortest), longest) for each in wanted})
    st.markdown(
        f"All three were trained at length {race.length}. Here the same weights read shorter and longer sequences: "
        "does the network generalize to other lengths?"
    )

    def measure() -> dict[str, list[float]]:
        with st.spinner("Reading shorter and longer sequences …"):
            batches = [race.of.batch(length, SAMPLES, LENGTHS_SEED) for length in at]
            return {
                kind: [memory_tasks.measure_network(race.of, network, batch)[0] for batch in batches]
                for kind, network in networks.items()
            }

    accuracies = session_cached("gym_lengths", identity, 4, measure)
    ends = ", ".join(f"{theme.CELL_LINES[kind][0]} {values[-1]:.0%}" for kind, values in accuracies.items())
    sentence = f"Accuracy at length {at[-1]}: {ends}."
    figure = gym_charts.lengths(accuracies, at, race.length, race.of.mark)
    plotting.show(figure, "gym_lengths", f"Lines: accuracy at lengths {at[0]} to {at[-1]}. {sentence}")
    st.markdown(sentence)


def _counts(identity: str, race: Race, networks: dict[str, GymNetwork]) -> None:
    """Up to which n each cell counts."""
    key = f"gym_most_{identity}"
    st.session_state.setdefault(key, 5 * race.length)
    most = st.slider(
        "Maximum n", 2 * race.length, 200, key=key, width=320,
        help="The trained weights read the string of every n up to this one.",
    )  # fmt: skip
    rows = session_cached(
        "gym_counts", (identity, most), 4,
        lambda: {kind: memory_tasks.counts_to(race.of, network, most) for kind, network in networks.items()},
    )  # fmt: skip
    sentence = counts_in_words(rows, race.length)
    plotting.show(gym_charts.counts(rows, race.length), "gym_beyond", f"A row for each cell. {sentence}", toolbar=False)
    st.markdown(sentence)


def counts_in_words(rows: dict[str, np.ndarray], trained: int) -> str:
    """Up to which n each cell is always right, from its (most,) of bool; `trained` is the training set's largest n."""
    ends = {kind: len(right) if right.all() else int(np.argmin(right)) for kind, right in rows.items()}
    parts = [
        f"the {theme.CELL_LINES[kind][0]} up to **{end}**{' (the maximum shown)' if rows[kind].all() else ''}"
        for kind, end in ends.items()
    ]
    return f"All answers are right for {', '.join(parts[:-1])} and {parts[-1]}. The training set ended at {trained}."
