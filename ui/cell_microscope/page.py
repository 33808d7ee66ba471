"""What the visitor chooses on the microscope's page: network, text, layer; and where the view begins.

The address holds it all. Token and unit are written to it by the browser, without a word to Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lstm_core.nn import NETWORKS, Clamp
from ui.cell_microscope.component import draw
from ui.cell_microscope.payload import LETTERS, View, pack
from ui.cell_microscope.stories import Told
from ui.cell_microscope.traced_text import TracedText, networks, telling_unit
from ui.common import clamp_editor, examples, url_state

NETWORK, TEXT, SURGERY = "microscope_network", "microscope_text", "microscope"
FIRST = "brackets"
_STARTS = "_microscope_starts"
# By what a network has read: texts that show something.
_FIRST_TEXTS = {
    "stackoverflow": lambda: next(iter(examples.Texts.load("questions.json").examples.values())),
    "imdb": lambda: examples.Texts.load("reviews.json").examples["Turning"],
}
_PLAY = "First Witch. When shall we three meet again\nIn thunder, lightning, or in rain?"


def ask() -> tuple[str, str]:
    """The network's name, and the text that it is to read."""
    left, right = st.columns([2, 3], gap="medium")
    with left:
        name = _choose_network()
    st.session_state.setdefault(TEXT, url_state.parameter("text", first_text(name)))
    with right:
        label = "Signs to read" if name in NETWORKS else "Text to read"
        text = st.text_area(
            label, key=TEXT, height=110, persist_state="session", help="Paste it as it is. Ctrl+Enter reads it."
        )
    with left:
        st.button("Read", key="microscope_read", type="primary", icon=":material/play_arrow:")
    return name, text


def _choose_network() -> str:
    found = networks()
    st.session_state.setdefault(NETWORK, url_state.parameter("model", FIRST, tuple(found)))
    return st.selectbox(
        "Network",
        list(found),
        format_func=found.__getitem__,
        key=NETWORK,
        persist_state="session",
        on_change=_another_network,
        help="The hand-set networks are small enough to predict. The others were trained and ship with LSTM Lab. The "
        "bag of words for film reviews is not among them: it has no memory, so there is no cell to look into.",
    )


def first_text(name: str) -> str:
    """What a network reads before anybody has typed."""
    if name in NETWORKS:
        return NETWORKS[name].sample
    return next((text() for known, text in _FIRST_TEXTS.items() if name.startswith(known)), _PLAY)


def _another_network() -> None:
    """Another kind of network gets a text of its own, unless the visitor has typed one."""
    if st.session_state.get(TEXT) in {first_text(name) for name in networks()}:
        st.session_state[TEXT] = first_text(st.session_state[NETWORK])


def put(told: Told) -> None:
    """Lay a story's text under the microscope, at its moment and its unit."""
    st.session_state[NETWORK] = told.network
    st.session_state[TEXT] = told.text
    st.session_state.pop(f"microscope_layer_{told.network}", None)
    place = _place(told.network, told.text, 0)
    st.session_state.setdefault(_STARTS, {})[place] = (told.t, told.contrast.unit, _visit())


def _visit() -> int:
    """A new number each time, so that the same story can be put back after walking away from it."""
    st.session_state["_microscope_visits"] = st.session_state.get("_microscope_visits", 0) + 1
    return st.session_state["_microscope_visits"]


def _place(name: str, text: str, layer: int) -> str:
    return f"{name}-{layer}-{url_state.fingerprint(text)}"


def choose_layer(name: str, specimen: TracedText) -> int:
    """Which recurrent layer; asked only where there are several."""
    count = len(specimen.layers)
    if count == 1:
        return 0
    key = f"microscope_layer_{name}"
    st.session_state.setdefault(key, url_state.number("layer", 1, 1, count))
    chosen = st.segmented_control(
        "Layer",
        list(range(1, count + 1)),
        format_func=lambda number: f"Layer {number}: {specimen.layers[number - 1].units} units",
        required=True,
        key=key,
    )
    return (chosen or 1) - 1


def held(specimen: TracedText, layer: int) -> tuple[Clamp, ...]:
    """The clamps of this visitor, in the layer under the microscope."""
    trace = specimen.layers[layer]
    clamps = clamp_editor.parsed(SURGERY, LETTERS[trace.kind], trace.units, len(trace))
    return tuple(replace(clamp, layer=layer) for clamp in clamps)


def operate(specimen: TracedText, layer: int, after: TracedText | None) -> None:
    """Controls that hold a signal, and what came of it."""
    trace = specimen.layers[layer]
    st.header("Gate surgery", anchor=False)
    st.markdown(
        "Hold a signal of this layer at a value of your own. The microscope then shows the held network; what it did "
        "before stands behind it, in grey."
    )
    if trace.kind == "lstm":
        preset = clamp_editor.presets(SURGERY)
        if preset is not None:
            st.caption(preset.lesson)
    clamp_editor.editor(SURGERY, LETTERS[trace.kind], trace.units, len(trace))
    if after is not None and specimen.answer:
        st.markdown(f"The answer was **{specimen.answer}**; with what you hold it is **{after.answer}**.")


def show(
    name: str, text: str, plain: TracedText, layer: int, after: TracedText | None = None, clamps: Sequence[Clamp] = ()
) -> None:
    """The microscope over one layer, and the address that brings it back; `after` is the same under `clamps`."""
    specimen = after or plain
    trace = specimen.layers[layer]
    place = _place(name, text, layer)
    t, unit, visit = _start(place, specimen, layer)
    view = View(
        tokens=[specimen.tokens[n] for n in trace.timesteps],
        trace=trace,
        unknown=[n for n, token in enumerate(trace.timesteps) if int(token) in specimen.unknown],
        place=f"{_place(name, text, 0)}-{visit}",
        layer=layer,
        t=t,
        unit=unit,
        reset_after=specimen.reset_after[layer],
        before=plain.layers[layer].signals if after else {},
        clamps=clamps,
    )
    draw(pack(view), key="microscope")
    kept = {key: st.query_params[key] for key in ("t", "unit") if key in st.query_params}
    line = clamp_editor.current(SURGERY)
    if line:
        kept["clamps"] = line
    url_state.remember(model=name, text=specimen.shown_text, layer=layer + 1, **kept)


def _start(place: str, specimen: TracedText, layer: int) -> tuple[int, int, int]:
    """Token and unit to begin with, and the visit: from the address at first, then the text's beginning."""
    starts = st.session_state.setdefault(_STARTS, {})
    if place not in starts:
        trace = specimen.layers[layer]
        t, unit = specimen.first, telling_unit(trace)
        if not starts:  # the first view of this visitor: a link may say more
            t = url_state.number("t", t + 1, 1, len(trace)) - 1
            unit = url_state.number("unit", unit, 0, trace.units - 1)
        starts[place] = (t, unit, 0)
    return starts[place]
