"""A text in which every character is tinted and can be chosen, by click or by arrow keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from ui.common import theme

_ASSETS = Path(__file__).resolve().parents[2] / "assets"

_component = st.components.v2.component(
    "written_text",
    html='<div class="written" role="region"><span class="prompt"></span>'
    '<span class="text" tabindex="0" role="group"></span></div>',
    css=(_ASSETS / "written_text.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "written_text.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Tint:
    """What tints the characters.

    Attributes:
        name: what hovering calls the value.
        values: one a character.
        reach: the size of a value at which the tint is strongest; above 0.
        colour: "#rrggbb" of values above zero; None for the two-sided scale of states.
    """

    name: str
    values: Sequence[float]
    reach: float
    colour: str | None = None


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
        label: what a screen reader calls it.
        prompt: stands before the text, untinted.
        chosen: the marked character, from 0.
        on_choose: told which character a person chose.
        beat: seconds until the next drawing if the text is still growing; new characters appear one by one.
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
            "reach": max(tint.reach, 1e-6),
            "above": tint.colour or above,
            "below": below,
            "chosen": chosen,
            "label": label,
            "beat": round(beat * 1000),
        },
        on_chosen_change=chose,
    )
