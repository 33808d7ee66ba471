"""Choosing clamps: presets with a question, own clamps with an undo each, and the line that a link carries.

The clamps of a page live in its visitor's session, as the line of `lstm_core.nn.clamp_syntax`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lstm_core.nn import MOST_CLAMPS, Clamp, ClampError, format_clamps, format_ranges, parse_clamps, parse_indices
from ui.common import theme, url_state


@dataclass(frozen=True)
class Preset:
    """A well-known injury.

    Attributes:
        name: what people call it.
        line: its clamps in the notation of `lstm_core.nn.clamp_syntax`.
        question: what to think about before looking.
        lesson: what to say after.
    """

    name: str
    line: str
    question: str
    lesson: str


PRESETS = (
    Preset(
        "Forget gate open for good",
        "f=1",
        "Nothing is forgotten any more: every unit adds up all that it ever wrote. Will the answer stay?",
        "With f = 1 the cell state only ever grows by i⊙g: look for rows that run away in the map of the memory.",
    ),
    Preset(
        "Forget gate shut: amnesia",
        "f=0",
        "At every token the whole memory is wiped; only what the newest token writes is left. Will the answer stay?",
        "With f = 0 the cell state is i⊙g of one token. If the answer survives, single tokens were telling enough.",
    ),
    Preset(
        "Input gate shut from the third token",
        "i=0@2-",
        "The network writes down the first two tokens and nothing after them. Will the answer stay?",
        "From the third token on the memory can only fade: the curves stand still, or drift back.",
    ),
    Preset(
        "Output gate shut",
        "o=0",
        "The memory goes on as well as it can, but no unit says anything aloud. Will the answer stay?",
        "With o = 0 the hidden state is zero everywhere: what is left is the answer of a network that read nothing.",
    ),
)


def current(key: str) -> str:
    """The line of clamps of a page; on a first visit from its link."""
    return str(st.session_state.setdefault(f"{key}_clamps", url_state.parameter("clamps", "")))


def parsed(key: str, signals: Sequence[str], units: int, timesteps: int) -> tuple[Clamp, ...]:
    """The clamps of a page; what can't be held in this text is said and left out."""
    kept: list[Clamp] = []
    for part in current(key).split(";"):
        try:
            kept += parse_clamps(part, signals, units, timesteps)
        except ClampError as error:
            st.warning(str(error))
    return tuple(kept[:MOST_CLAMPS])


def put(key: str, line: str) -> None:
    """Replace the clamps of a page."""
    st.session_state[f"{key}_clamps"] = line


def presets(key: str) -> Preset | None:
    """Buttons for the presets; the one that is held now, if it is one."""

    def choose() -> None:
        name = st.session_state[f"{key}_preset"]
        put(key, next((preset.line for preset in PRESETS if preset.name == name), ""))

    held = next((preset for preset in PRESETS if preset.line == current(key)), None)
    st.session_state[f"{key}_preset"] = held.name if held else None
    st.pills("Operations", [preset.name for preset in PRESETS], key=f"{key}_preset", on_change=choose)
    return held


def editor(key: str, signals: Sequence[str], units: int, timesteps: int, what: str = "token") -> None:
    """One line of controls that adds a clamp, and the clamps that are held, with an undo each.

    Args:
        key: of the page.
        signals: those of the layer.
        units: how many units it has.
        timesteps: how many timesteps there are.
        what: what people call a timestep.
    """
    with st.form(f"{key}_surgery", border=True), st.container(horizontal=True, vertical_alignment="bottom"):
        letter = st.selectbox(
            "Signal", signals, format_func=lambda name: f"{theme.SIGNALS[name].name} {name}", width=190
        )
        value = st.number_input("Held at", -10.0, 10.0, 0.0, 0.25, width=130)
        chosen_units = st.text_input(
            "Units", placeholder="all", width=150, help=f"For instance 3, 7-9; from 0 to {units - 1}."
        )
        chosen_steps = st.text_input(
            f"{what.capitalize()}s",
            placeholder="all",
            width=150,
            help=f"For instance 1, 4-6 or 3-; from 1 to {timesteps}.",
        )
        if st.form_submit_button("Hold", icon=":material/push_pin:"):
            try:
                clamp = Clamp(
                    letter,
                    value,
                    parse_indices(chosen_units, units, "unit") if chosen_units.strip() else None,
                    parse_indices(chosen_steps, timesteps, what, first=1) if chosen_steps.strip() else None,
                )
                put(key, ";".join(filter(None, [current(key), format_clamps([clamp])])))
            except ClampError as error:
                st.error(str(error))
    _held(key, what)


def _held(key: str, what: str) -> None:
    parts = [part for part in current(key).split(";") if part.strip()]
    with st.container(horizontal=True, vertical_alignment="center"):
        for index, part in enumerate(parts):
            rest = ";".join(other for place, other in enumerate(parts) if place != index)
            st.button(
                _in_words(part, what),
                icon=":material/undo:",
                key=f"{key}_undo_{index}",
                on_click=put,
                args=(key, rest),
                help="Let go of this one",
            )
        if len(parts) > 1:
            st.button("Undo all", key=f"{key}_undo_all", on_click=put, args=(key, ""), type="tertiary")


def _in_words(part: str, what: str) -> str:
    try:
        (clamp,) = parse_clamps(part, tuple(theme.SIGNALS), 10**6, 10**6)
    except (ClampError, ValueError):
        return part
    where = "" if clamp.units is None else f", unit {format_ranges(clamp.units)}"
    when = "" if "@" not in part else f", {what} {_from_one(part.split('@')[1])}"
    return f"{theme.SIGNALS[clamp.gate].name} {clamp.gate} = {clamp.value:g}{where}{when}"


def _from_one(spans: str) -> str:
    return ",".join("-".join(str(int(end) + 1) if end else "" for end in span.split("-")) for span in spans.split(","))
