"""The family in one table: weights, accuracy, and how fast each network reads on this machine, measured now."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lstm_core import LabError
from lstm_core.evaluation import BATCH, CELL_MODELS, FAMILY_MEMBERS, Member, Speed, cell_weights, throughput, trial_of
from ui.common import model_cache

BUSY = 1.5  # times as long as the best run: when the middle run takes more, the machine had other work


def show() -> None:
    """Measure what isn't measured yet, and draw the table."""
    models: dict[str, Any] = {}
    for member in FAMILY_MEMBERS:
        try:
            models[member.model] = model_cache.any_model(member.model)
        except LabError as error:
            st.error(str(error))
    if not models:
        return
    speeds = _speeds(tuple(models))
    here = [member for member in FAMILY_MEMBERS if member.model in models]
    st.dataframe(
        pd.DataFrame([_row(member, models[member.model], speeds) for member in here]), hide_index=True,
        key="family_table", column_config={
            "Weights": st.column_config.NumberColumn(format="localized", help="Numbers that training has set."),
            "in cells": st.column_config.NumberColumn(
                format="localized", help="Of these, used anew at each step; the others are word vectors and the answer."
            ),
            "Right on test": st.column_config.NumberColumn(format="percent", help="From its card."),
            "RNN = 1": st.column_config.NumberColumn(format="%.2f", help="Its speed beside the plain RNN's."),
        },
    )  # fmt: skip
    st.markdown(in_a_sentence(speeds))
    st.caption(
        f"Speed: {BATCH} sequences at once on this machine's processor, the best of several runs, measured "
        "when the first visitor came and kept; a network with layers of its own kind goes through NumPy, as this page "
        "reads it. It depends on the machine and on what else it does, on "
        "how many sequences go together, and on the number of units: in a network this small every timestep waits for "
        "the one before, and that waiting costs as much as the arithmetic of its gates. Accuracies of different tasks "
        "can't be compared, and the last two hold for sizes that were trained on; `python -m lstm_core evaluate "
        "NAME` repeats each."
    )


def _row(member: Member, model: Any, speeds: dict[str, Speed]) -> dict[str, object]:
    best, plain = speeds[member.model].best, speeds.get(CELL_MODELS[0])
    return {
        "Network": member.name,
        "Task": member.task,
        "Weights": model.card.training["parameters"],
        "in cells": cell_weights(model),
        "Right on test": model.card.measured["accuracy"],
        "Reads in a second": f"{round(best, -2):,.0f} {member.unit}",
        "through": member.engine,
        "RNN = 1": best / plain.best if plain else None,
    }


@st.cache_resource(show_spinner="Measuring how fast each of them reads …")
def _speeds(names: tuple[str, ...]) -> dict[str, Speed]:
    members = [member for member in FAMILY_MEMBERS if member.model in names]
    return throughput({each.model: trial_of(each, model_cache.any_model(each.model)) for each in members})


def in_a_sentence(speeds: dict[str, Speed]) -> str:
    """How the three cells compare, and how far to trust it; empty if one of them is missing."""
    if not all(name in speeds for name in CELL_MODELS):
        return ""
    plain, gru, lstm = (speeds[name] for name in CELL_MODELS)
    worst = max(each.best / each.middle for each in (plain, gru, lstm))
    doubt = f" The machine was busy: the middle run took {worst:.1f} times as long as the best." if worst > BUSY else ""
    return (
        f"On the same questions the GRU reads at **{gru.best / plain.best:.2f}** and the LSTM at "
        f"**{lstm.best / plain.best:.2f}** times the speed of the plain RNN; their cells have three and four times as "
        f"many weights.{doubt}"
    )
