"""The models that this visitor has saved: use them, rename or delete them."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from lstm_core import LabError, ModelCard
from lstm_core.inference import TASKS
from lstm_core.library import delete_model, models_of, rename_model
from ui.common.tokens import plain
from ui.common.visitor import owner

TROUBLE = "studio_models_trouble"


def show() -> None:
    """One line for each model; nothing without one."""
    mine = models_of(owner())
    if not mine and TROUBLE not in st.session_state:
        return
    st.header("Your models", anchor=False)
    st.caption("Only you see them in the lists. Whoever has the link to one may use it, and nothing else.")
    for card in mine:
        _line(card)
    if trouble := st.session_state.pop(TROUBLE, ""):
        st.error(trouble)


def _line(card: ModelCard) -> None:
    key = f"studio_model_{card.name}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(card.title)}** · {TASKS[card.task].noun}", width="stretch")
        if card.task == "classifier":
            _link("own_classifier.py", "Read a text", ":material/label:", card)
        if card.task == "generator":
            _link("text_generation.py", "Generate text", ":material/edit_note:", card)
        if card.task in ("classifier", "generator"):
            _link("cell_microscope.py", "Inspect its cells", ":material/biotech:", card)
        if card.task == "forecaster":
            _link("forecasting.py", "Forecast", ":material/show_chart:", card)
        with st.popover("Change", icon=":material/edit:", key=f"{key}_change"):
            name = st.text_input("Name", card.title, key=f"{key}_name")
            st.button("Rename", key=f"{key}_rename", on_click=_try, args=(rename_model, owner(), card.name, name))
            st.button(
                "Delete for ever", key=f"{key}_delete", icon=":material/delete:", on_click=_try,
                args=(delete_model, owner(), card.name),
            )  # fmt: skip


def _link(page: str, label: str, icon: str, card: ModelCard) -> None:
    st.page_link(page, label=label, icon=icon, query_params={"model": card.name})


def _try(change: Callable[..., None], *arguments: Any) -> None:
    try:
        change(*arguments)
    except LabError as error:
        st.session_state[TROUBLE] = str(error)
