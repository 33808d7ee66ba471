"""The words of a sentence as chips that can be dragged into another order, or moved with the arrow keys."""

from collections.abc import Callable, Sequence

import streamlit as st

from lstm_core.text import Order
from ui.common import assets, theme

SURPRISAL_COLOUR = theme.CLASS_COLOURS[1]  # the same as in generated texts
MAX_SURPRISAL = 10.0  # nats at which the tint is strongest: a probability of 1 in 20,000

_component = st.components.v2.component(
    "word_chips",
    html='<div class="order"><div class="row" role="group"></div><div class="status" aria-live="polite"></div></div>',
    css=assets.read("word_chips.css"),
    js=assets.read("word_chips.js"),
)


def show(
    words: Sequence[str],
    known: Sequence[bool],
    order: Order,
    surprisal: Sequence[float],
    *,
    key: str,
    on_move: Callable[[Order], None],
) -> None:
    """Draw the chips.

    Args:
        words: of the sentence, length T.
        known: whether each of them is in the network's vocabulary.
        order: index of the word at each position.
        surprisal: nats at each position, length T or more; it sets the strength of the tint.
        key: of the component.
        on_move: called with the new order; not called if what the browser sends is no permutation.
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
            "surprisal": [round(float(value), 3) for value in surprisal[: len(words)]],
            "colour": SURPRISAL_COLOUR,
            "limit": MAX_SURPRISAL,
            "label": "The sentence, word by word. Drag a word, or move it with the arrow keys, Home and End.",
        },
        on_moved_change=moved,
    )
