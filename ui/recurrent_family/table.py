"""The family in one table: parameters, accuracy, and the speed of each network, measured on this machine."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from lstm_core.evaluation import BATCH, CELL_MODELS, FAMILY_MEMBERS, Member, Speed, cell_weights, throughput
from lstm_core.library import ModelCard
from ui.common import assets, model_cache, theme
from ui.common.errors import show_errors

BUSY = 1.5  # ratio of the median run to the best one above which the machine is called busy


def show() -> None:
    """Draw the table; measures the speeds if no other visitor has caused it yet."""
    models: dict[str, Any] = {}
    for member in FAMILY_MEMBERS:
        with show_errors():
            models[member.model] = model_cache.any_model(member.model)
    if not models:
        return
    speeds = _speeds(tuple(models))
    here = [member for member in FAMILY_MEMBERS if member.model in models]
    st.dataframe(
        pd.DataFrame([_row(member, models[member.model], speeds) for member in here]), hide_index=True,
        key="family_table", column_config={
            "Parameters": st.column_config.NumberColumn(format="localized", help="Numbers that are trained."),
            "in cells": st.column_config.NumberColumn(
                format="localized", help="Those of the recurrent cells; the others are embeddings and output layers."
            ),
            "Test accuracy": st.column_config.NumberColumn(format="%.1f%%", help="From the model card."),
            "RNN = 1": st.column_config.NumberColumn(format="%.2f", help="Speed relative to the plain RNN."),
        },
    )  # fmt: skip
    st.markdown(in_a_sentence(speeds))
    if all(name in models for name in CELL_MODELS):
        st.markdown(why_in_words(*(models[name].card for name in CELL_MODELS[1:])))
    with st.expander("How the speed was measured"):
        st.markdown(
            f"{BATCH} sequences at once on this machine's processor, the best of several runs, measured once for all "
            "visitors. Models with custom layers run in NumPy. The speed depends on the machine and its load, on the "
            "batch size and on the number of units: in a network this small each timestep waits for the one before, "
            "which takes as long as the arithmetic of the gates. Accuracies of different tasks can't be compared; "
            "those of the last two hold for sizes of the training set. `python -m lstm_core evaluate NAME` repeats one."
        )


def _row(member: Member, model: Any, speeds: dict[str, Speed]) -> dict[str, object]:
    best, plain = speeds[member.model].best, speeds.get(CELL_MODELS[0])
    return {
        "Network": member.name,
        "Task": member.task,
        "Parameters": model.card.training["parameters"],
        "in cells": cell_weights(model),
        "Test accuracy": 100 * model.card.measured["accuracy"],
        "Throughput": f"{round(best, -2):,.0f} {member.unit} per second",
        "RNN = 1": best / plain.best if plain else None,
    }


@st.cache_resource(show_spinner="Measuring the speed of each network …")
def _speeds(names: tuple[str, ...]) -> dict[str, Speed]:
    members = [member for member in FAMILY_MEMBERS if member.model in names]
    return throughput({each.model: each.trial(model_cache.any_model(each.model)) for each in members})


def in_a_sentence(speeds: dict[str, Speed]) -> str:
    """How the speeds of the three cells compare; empty if one of them is missing."""
    if not all(name in speeds for name in CELL_MODELS):
        return ""
    plain, gru, lstm = (speeds[name] for name in CELL_MODELS)
    worst = max(each.best / each.middle for each in (plain, gru, lstm))
    busy = f" The machine was busy: the median run took {worst:.1f} times as long as the best." if worst > BUSY else ""
    return (
        f"On the same questions the GRU runs at **{gru.best / plain.best:.2f}** times and the LSTM at "
        f"**{lstm.best / plain.best:.2f}** times the speed of the plain RNN. Their cells have three and four times as "
        f"many weights.{busy}"
    )


def why_in_words(*cards: ModelCard) -> str:
    """Where the better of the GRU and the LSTM is better, from their cards, and what their gates keep, as measured."""
    better, other = sorted(cards, key=lambda card: -card.measured["accuracy"])
    first, second = (theme.CELL_LINES[card.name.removeprefix("family_")][0] for card in (better, other))
    lengths = list(zip(*(card.measured["by_length"]["accuracy"] for card in (better, other)), strict=True))
    ahead = sum(mine > its for mine, its in lengths)
    losses, last = better.training["curves"]["loss"], other.training["curves"]["loss"][-1]
    sooner = sum(loss >= last for loss in losses) + 1
    faster = f", and its training loss was below the {second}'s last one after {sooner} of {len(losses)} epochs"
    kept = json.loads(assets.read("family.json"))["long_questions"]["kept"]
    spans = " and ".join(f"{of['tokens']:.0f} tokens in the {theme.CELL_LINES[kind][0]}" for kind, of in kept.items())
    return (
        f"The {first} is more accurate than the {second} in {ahead} of {len(lengths)} groups of questions by "
        f"length{faster if sooner < len(losses) else ''}. On long questions, the unit with the longest memory has 1/e "
        f"of a value left after {spans}.{_over_seeds({first: better, second: other})}"
    )


def _over_seeds(cards: Mapping[str, ModelCard]) -> str:
    """The validation accuracy of several trainings of each, by its name; empty unless both have as many."""
    found = {name: card.training["seeds"] for name, card in cards.items() if "seeds" in card.training}
    many = {len(each["runs"]) for each in found.values()}
    if len(found) < len(cards) or len(many) > 1:
        return ""
    rates = [f"the {name} has {each['mean']:.1%} ± {each['deviation']:.1%}" for name, each in found.items()]
    return f" In validation, over {many.pop()} seeds, {' and '.join(rates)}."
