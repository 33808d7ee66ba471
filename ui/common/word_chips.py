"""The words of a sentence as chips that can be dragged into another order, or moved with the arrow keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from lstm_core.text import Order
from ui.common import theme

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
SURPRISED = theme.CLASS_COLOURS[1]  # the colour of surprise, as in the texts that networks write
ASTONISHED = 10.0  # nats at which the tint is strongest: one in twenty thousand

_component = st.components.v2.component(
    "word_chips",
    html='<div class="order"><div class="row" role="group"></div><div class="said" aria-live="polite"></div></div>',
    css=(_ASSETS / "word_chips.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "word_chips.js").read_text(encoding="utf-8"),
)


def show(
    words: Sequence[str],
    known: Sequence[bool],
    order: Order,
    surprise: Sequence[float],
    *,
    key: str,
    on_move: Callable[[Order], None],
) -> None:
    """Draw the chips.

    Args:
        words: as they stand in the sentence, length T.
        known: whether the network knows each of them.
        order: which word stands in each place.
        surprise: nats of each place, length T or more; the more, the stronger the tint.
        key: of the component.
        on_move: told the new order; ignored where it is no order of these words.
    """

    def moved() -> None:
        sent = st.session_state[key].get("moved")
        if not isinstance(sent, dict):
            return
        found, moves = sent.get("order"), sent.get("moves")
        if isinstance(moves, int):
            st.session_state[f"{key}_moves"] = moves
        if isinstance(found, list) and sorted(map(str, found)) == sorted(map(str, range(len(words)))):
            on_move(tuple(int(place) for place in found))

    _component(
        key=key,
        data={
            "words": list(words),
            "known": list(known),
            "moves": st.session_state.get(f"{key}_moves", 0),
            "order": list(order),
            "surprise": [round(float(value), 3) for value in surprise[: len(words)]],
            "colour": SURPRISED,
            "reach": ASTONISHED,
            "label": "The sentence, word by word. Drag a word, or move it with the arrow keys, Home and End.",
        },
        on_moved_change=moved,
    )
