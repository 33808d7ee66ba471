"""A text in which every character is tinted and can be selected, by click or by arrow keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from ui.common import assets, theme

_component = st.components.v2.component(
    "written_text",
    html='<div class="written" role="region"><span class="prompt"></span>'
    '<span class="text" tabindex="0" role="group"></span></div>',
    css=assets.read("written_text.css"),
    js=assets.read("written_text.js"),
)


@dataclass(frozen=True)
class Tint:
    """The values that tint the characters."""

    name: str  # of the values, in tooltips
    values: Sequence[float]  # one for each character
    limit: float  # absolute value at which the tint is strongest; above 0
    colour: str | None = None  # "#rrggbb" of values above zero; None for the diverging scale of states


def show(
    text: str,
    tint: Tint,
    *,
    key: str,
    label: str,
    prompt: str = "",
    chosen: int | None = None,
    on_choose: Callable[[int], None] | None = None,
    beat: float = 0.0,
) -> None:
    """Draw the text.

    Args:
        text: the characters.
        tint: their colours.
        key: of the component.
        label: accessible name.
        prompt: shown before the text, untinted.
        chosen: index of the selected character.
        on_choose: called with the index of a character that the visitor selects.
        beat: seconds until the next drawing while the text is growing; new characters appear one by one.
    """
    above, below = theme.diverging_colours()

    def chose() -> None:
        index = st.session_state[key].get("chosen")
        if on_choose is not None and index is not None:
            on_choose(int(index))

    _component(
        key=key,
        data={
            "text": text,
            "prompt": prompt,
            "name": tint.name,
            "values": [round(float(value), 3) for value in tint.values],
            "limit": max(tint.limit, 1e-6),
            "above": tint.colour or above,
            "below": below,
            "chosen": chosen,
            "label": label,
            "beat": round(beat * 1000),
            "asked": (st.session_state.get(key) or {}).get("silent"),  # the same data would not be drawn again
        },
        on_chosen_change=chose,
        on_silent_change=lambda: None,  # the rerun is what is wanted
    )
