"""The controls that choose clamps; session and links hold them in the notation of `lstm_core.nn.clamp_syntax`."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lstm_core.nn import MOST_CLAMPS, Clamp, ClampError, format_clamps, format_ranges, parse_clamps, parse_indices
from ui.common import assets, theme, tokens, url_state
from ui.common.errors import show_errors


@dataclass(frozen=True)
class Preset:
    """A well-known intervention."""

    name: str  # on the page
    line: str  # its clamps in the notation of `lstm_core.nn.clamp_syntax`
    question: str  # asked before the result is shown
    explanation: str  # shown with the result
    same: str = ""  # what follows it if the answer of a network that pools ({pooled}) has stayed
    changed: str = ""  # what follows it if the answer has changed
    beside: str = ""  # a network that answers from its last state, to be looked at beside it


PRESETS = tuple(Preset(**preset) for preset in assets.table("presets.toml")["clamps"])


def current(key: str) -> str:
    """The clamps of a page in the notation of links; on a first visit those of the address."""
    if not url_state.is_set(f"{key}_clamps", "clamps"):
        st.session_state[f"{key}_clamps"] = url_state.parameter("clamps", "")
    return str(st.session_state[f"{key}_clamps"])


def parsed(key: str, signals: Sequence[str], units: int, timesteps: int) -> tuple[Clamp, ...]:
    """The clamps of a page; one that doesn't fit the layer's signals, units or timesteps is left out with a warning."""
    clamps: list[Clamp] = []
    for part in current(key).split(";"):
        try:
            clamps += parse_clamps(part, signals, units, timesteps)
        except ClampError as error:
            st.warning(tokens.plain(str(error)))
    return tuple(clamps[:MOST_CLAMPS])


def put(key: str, line: str) -> None:
    """Replace the clamps of a page."""
    st.session_state[f"{key}_clamps"] = line


def put_all(key: str, letter: str, value: float | None) -> None:
    """Clamp a signal in all units at all timesteps, in place of its other clamps; None frees it."""
    parts = [part for part in current(key).split(";") if not part.strip().startswith(f"{letter}=")]
    added = [] if value is None else [f"{letter}={value}"]
    put(key, ";".join(filter(None, [*parts, *added])))


def presets(key: str) -> Preset | None:
    """Draw a button for each preset; return the one that is active, if any."""

    def choose() -> None:
        name = st.session_state[f"{key}_preset"]
        put(key, next((preset.line for preset in PRESETS if preset.name == name), ""))

    active = next((preset for preset in PRESETS if preset.line == current(key)), None)
    st.session_state[f"{key}_preset"] = active.name if active else None
    st.pills("Presets", [preset.name for preset in PRESETS], key=f"{key}_preset", on_change=choose)
    return active


def editor(key: str, signals: Sequence[str], units: int, timesteps: int, what: str = "token") -> None:
    """Draw the controls that add a clamp, and the active clamps, each with a button that removes it.

    A timestep is called `what` on the page.
    """
    with st.form(f"{key}_surgery", border=True), st.container(horizontal=True, vertical_alignment="bottom"):
        letter = st.selectbox(
            "Signal", signals, format_func=lambda name: f"{theme.SIGNALS[name].name} {name}", width=190
        )
        value = st.number_input("Clamped to", -10.0, 10.0, 0.0, 0.25, width=130)
        chosen_units = st.text_input(
            "Units", placeholder="all", width=150, help=f"Such as 3, 7-9; from 0 to {units - 1}."
        )
        chosen_steps = st.text_input(
            f"{what.capitalize()}s", placeholder="all", width=150, help=f"Such as 1, 4-6 or 3-; from 1 to {timesteps}."
        )
        if st.form_submit_button("Clamp", icon=":material/push_pin:"):
            with show_errors():
                clamp = Clamp(
                    letter,
                    value,
                    parse_indices(chosen_units, units, "unit") if chosen_units.strip() else None,
                    parse_indices(chosen_steps, timesteps, what, first=1) if chosen_steps.strip() else None,
                )
                put(key, ";".join(filter(None, [current(key), format_clamps([clamp])])))
    _active_clamps(key, what)


def _active_clamps(key: str, what: str) -> None:
    parts = [part for part in current(key).split(";") if part.strip()]
    with st.container(horizontal=True, vertical_alignment="center"):
        for index, part in enumerate(parts):
            rest = ";".join(other for place, other in enumerate(parts) if place != index)
            st.button(
                _in_words(part, what), icon=":material/undo:", key=f"{key}_undo_{index}", on_click=put,
                args=(key, rest), help="Remove this clamp",
            )  # fmt: skip
        if len(parts) > 1:
            st.button("Remove all", key=f"{key}_undo_all", on_click=put, args=(key, ""), type="tertiary")


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
