"""Who looks at the page: a number of the browser, and the models that it may see."""

import os
from uuid import uuid4

import streamlit as st

from lstm_core.library import SHIPPED, ModelCard, list_folder, list_user_models, models_of
from ui.common.server import hashed, owner_of
from ui.replay import observed

LINKED = "_linked_models"


@observed
def owner() -> str:
    """Whose runs and models are shown: a hash of the cookie's number, or of this session where there is no cookie."""
    return owner_of(st.context.cookies) or hashed(str(st.session_state.setdefault("_owner", uuid4().hex)))


@observed
def address() -> str:
    """The network address of the browser; empty if it is on this machine."""
    return st.context.ip_address or ""


def cards() -> list[ModelCard]:
    """The models to choose from: the shipped ones and `own_cards`."""
    return [*list_folder(SHIPPED), *own_cards()]


@observed
def own_cards() -> list[ModelCard]:
    """The models that don't come with LSTM Lab: those of the server, this visitor's own, and those of links.

    With LSTM_LAB_SHOW_ALL_MODELS=1 also those of all other visitors.
    """
    linked: list[str] = st.session_state.setdefault(LINKED, [])
    if (name := st.query_params.get("model", "")) and name not in linked:
        linked[:] = [*linked[-9:], name]
    everybody = os.environ.get("LSTM_LAB_SHOW_ALL_MODELS") == "1"
    return [*list_user_models(), *models_of(None if everybody else owner(), linked)]
