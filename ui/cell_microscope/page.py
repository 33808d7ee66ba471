"""The controls of the microscope's page, and the token and unit it starts with; a link holds all of them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.exhibit import LETTERS, View, answers, most_varying_unit, pack
from lstm_core.nn import NETWORKS, Clamp
from ui.cell_microscope.component import draw
from ui.cell_microscope.stories import Story
from ui.cell_microscope.traced_text import TracedText, networks
from ui.common import clamp_editor, examples, theme, url_state, visitor
from ui.common.explanations import explain

NETWORK, TEXT, SURGERY = "microscope_network", "microscope_text", "microscope"
DEFAULT_NETWORK = "brackets"
_STARTS = "_microscope_starts"
# Prefix of a network's name → its default text.
_DEFAULT_TEXTS = {
    "stackoverflow": lambda: next(iter(examples.Texts.load("questions.json").examples.values())),
    "imdb": lambda: examples.Texts.load("reviews.json").examples["Turning"],
}
_PLAY = "First Witch. When shall we three meet again\nIn thunder, lightning, or in rain?"


def inputs() -> tuple[str, str, DeltaGenerator]:
    """Draw the controls; return the network's name, the text, and the place of the gate surgery."""
    left, middle, right = st.columns([4, 6, 3], gap="small", vertical_alignment="bottom")
    with left:
        name = _choose_network()
    with middle:
        text = url_state.linked(
            st.text_area, "Characters to read" if name in NETWORKS else "Text to read", key=TEXT, parameter="text",
            default=default_text(name), height=68, help="Paste it as it is. Ctrl+Enter reads it.",
        )  # fmt: skip
    with right:
        st.button("Read", key="microscope_read", type="primary", icon=":material/play_arrow:", width="stretch")
        return name, text, st.popover("Gate surgery", icon=":material/push_pin:", width="stretch")


def _choose_network() -> str:
    return url_state.linked(
        st.selectbox, "Network", networks(), key=NETWORK, parameter="model", default=DEFAULT_NETWORK,
        on_change=_another_network,
        help="The hand-set networks are small enough to predict. The others were trained and ship with LSTM Lab. The "
        "bag of words for movie reviews is not among them: it has no recurrent layer.",
    )  # fmt: skip


def default_text(name: str) -> str:
    """The text that a network reads on a first visit."""
    if name in NETWORKS:
        return NETWORKS[name].sample
    shipped = (text() for known, text in _DEFAULT_TEXTS.items() if name.startswith(known))
    own = (card.sample for card in visitor.own_cards() if card.name == name and card.sample)
    return next(own, None) or next(shipped, _PLAY)


def _another_network() -> None:
    """Replace the default text by that of the new network; a text that the visitor has typed stays."""
    if st.session_state.get(TEXT) in [default_text(name) for name in networks()]:
        st.session_state[TEXT] = default_text(st.session_state[NETWORK])


def open_story(story: Story) -> None:
    """Show a story's text in the microscope, at its token and unit."""
    open_at(story.network, story.text, story.t, story.contrast.unit)


def open_at(network: str, text: str, t: int, unit: int) -> None:
    """Show a text in the microscope, at a token from 0 and a unit."""
    st.session_state[NETWORK], st.session_state[TEXT] = network, text
    st.session_state.pop(f"microscope_layer_{network}", None)
    place = _place(network, text, 0)
    # A new number each time, so that the browser goes back to the same token after the visitor has left it.
    st.session_state["_microscope_visits"] = visit = st.session_state.get("_microscope_visits", 0) + 1
    st.session_state.setdefault(_STARTS, {})[place] = (t, unit, visit)


def _place(name: str, text: str, layer: int) -> str:
    return f"{name}-{layer}-{url_state.fingerprint(text)}"


def choose_layer(name: str, traced: TracedText, place: DeltaGenerator) -> int:
    """The recurrent layer, from 0; with a control at a place if there are several."""
    count = len(traced.layers)
    if count == 1:
        return 0
    names = {number: f"Layer {number}: {trace.units} units" for number, trace in enumerate(traced.layers, start=1)}
    key = f"microscope_layer_{name}"
    with place:
        chosen = url_state.linked(
            st.segmented_control, "Layer", names, key=key, parameter="layer", persist_state=None,
            label_visibility="collapsed",
        )  # fmt: skip
    return (chosen or 1) - 1


def chosen_clamps(traced: TracedText, layer: int) -> tuple[Clamp, ...]:
    """The visitor's clamps, for the layer in the microscope."""
    trace = traced.layers[layer]
    clamps = clamp_editor.parsed(SURGERY, LETTERS[trace.kind], trace.units, len(trace))
    return tuple(replace(clamp, layer=layer) for clamp in clamps)


def surgery(traced: TracedText, layer: int) -> None:
    """Draw the controls that clamp a signal of this layer, from 0; the buttons of the cards do the same."""
    trace = traced.layers[layer]
    explain("microscope_clamps")
    if trace.kind == "lstm":
        preset = clamp_editor.presets(SURGERY)
        if preset is not None:
            st.caption(preset.explanation)
    clamp_editor.editor(SURGERY, LETTERS[trace.kind], trace.units, len(trace))


def _answers(plain: TracedText, after: TracedText | None) -> dict[str, Any]:
    """The answers at each token, with those before the clamps."""
    own = (after or plain).answers
    note = (
        f"The whole text was {plain.answer}; with these clamps it is {after.answer}." if after and after.answer else ""
    )
    before = plain.answers.values if after else None
    return answers(own.title, own.labels, own.values, before, shares=own.shares, colours=own.colours, note=note)


def show(
    name: str, text: str, plain: TracedText, layer: int, after: TracedText | None = None, clamps: Sequence[Clamp] = ()
) -> View:
    """Draw the microscope over one layer and write the address that opens it again; return what it shows.

    Args:
        name: of the network.
        text: of the visitor.
        plain: the text without clamps.
        layer: from 0.
        after: the same text under `clamps`, if there are any.
        clamps: those of `after`.
    """
    traced = after or plain
    trace = traced.layers[layer]
    place = _place(name, text, layer)
    t, unit, visit = _start(place, traced, layer)
    view = View(
        tokens=[traced.tokens[n] for n in trace.timesteps],
        trace=trace,
        unknown=[n for n, token in enumerate(trace.timesteps) if int(token) in traced.unknown],
        place=f"{_place(name, text, 0)}-{visit}",
        layer=layer,
        t=t,
        unit=unit,
        reset_after=traced.reset_after[layer],
        before=plain.layers[layer].signals if after else {},
        clamps=clamps,
        answers=_answers(plain, after),
        present=theme.presenting(),
        sides=theme.diverging_colours(),
    )
    draw(pack(view), "microscope", partial(clamp_editor.put_all, SURGERY))
    kept = {key: st.query_params[key] for key in ("t", "unit", "signal") if key in st.query_params}
    if line := clamp_editor.current(SURGERY):
        kept["clamps"] = line
    url_state.remember(model=name, text=text, layer=layer + 1, **kept)
    return view


def _start(place: str, traced: TracedText, layer: int) -> tuple[int, int, int]:
    """The token and unit to start with, and the number of the visit; on a first view from the address."""
    starts = st.session_state.setdefault(_STARTS, {})
    linked = url_state.arrives("t")
    if place not in starts or linked:
        trace = traced.layers[layer]
        t, unit = traced.first, most_varying_unit(trace)
        if not starts or linked:  # the first view of this visitor, or a link: it may name token and unit
            t = url_state.number("t", t + 1, 1, len(trace)) - 1
            unit = url_state.number("unit", unit, 0, trace.units - 1)
        visit = st.session_state.get("_microscope_visits", 0) + linked
        st.session_state["_microscope_visits"] = visit
        starts[place] = (t, unit, visit)
    return starts[place]
