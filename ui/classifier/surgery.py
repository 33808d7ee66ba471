"""Gate surgery on a classifier: guess, hold, and see before and after side by side."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import streamlit as st

from lstm_core.inference import Reading, TextClassifier
from lstm_core.interpret import Ablation, ablate
from lstm_core.nn import LayerTrace
from ui.classifier import panels
from ui.common import charts, clamp_editor, plotting, theme, url_state

MOST_BARS = 24
GUESSES = ("It stays", "It changes", "It gets unsure")
# What can be silenced, and how: one signal, one value, in plain words.
SILENCES = {
    "say nothing (h = 0)": ("h", 0.0),
    "remember nothing (c = 0)": ("c", 0.0),
    "write nothing (i = 0)": ("i", 0.0),
    "forget nothing (f = 1)": ("f", 1.0),
}


def show(model: TextClassifier, reading: Reading, key: str, hide: bool, address: dict[str, str]) -> None:
    """The whole panel.

    Args:
        model: what reads.
        reading: with nothing held.
        key: begins the keys of all widgets.
        hide: whether names are hidden.
        address: what the rest of the page has put into the link.
    """
    st.markdown(
        "Hold a gate, the memory or the voice of the network at a value of your own, and read the text again. "
        "**Guess first**: what will the answer do?"
    )
    trace = reading.layers[0] if reading.layers else None
    if not isinstance(trace, LayerTrace):
        st.info("This network has no memory to operate on.")
        return
    signals, steps = [letter for letter in theme.SIGNALS if letter in trace.signals], len(reading.tokens)
    preset = clamp_editor.presets(key)
    clamp_editor.editor(key, signals, trace.units, steps)
    clamps = clamp_editor.parsed(key, signals, trace.units, steps)
    if clamps and (preset is None or _guessed(preset, key, reading)):
        began = time.perf_counter()
        after = model.read(reading.text, clamps=clamps, mask_names=hide or None)
        took = time.perf_counter() - began
        _outcome(reading, after, preset, key, took)
        _side_by_side(reading, after, key)
        link = url_state.link(**{**address, "clamps": clamp_editor.current(key)})
        with st.popover("Link to this operation", icon=":material/link:"):
            st.code(link, language=None, wrap_lines=True)
    _ablation(model, reading, key, hide)


def _guessed(preset: clamp_editor.Preset, key: str, reading: Reading) -> bool:
    """Ask before the answer is shown; whether it was answered for this text."""
    asked = f"{key}_guess_{preset.line}_{url_state.fingerprint(reading.text)}"
    st.markdown(f"**{preset.question}** Now it is {theme.class_name(reading.answer)}, {reading.confidence:.0%}.")
    guess = st.segmented_control("Your guess", GUESSES, key=asked)
    if guess is None:
        st.caption("Choose what you expect; then the network answers.")
    return guess is not None


def verdict(before: Reading, after: Reading) -> str:
    """Which of the guesses was right."""
    if after.confidence < panels.UNSURE:
        return "It gets unsure"
    return "It stays" if after.answer == before.answer else "It changes"


def _outcome(before: Reading, after: Reading, preset: clamp_editor.Preset | None, key: str, seconds: float) -> None:
    happened = verdict(before, after)
    answer = f"{theme.class_name(after.answer)}, {after.confidence:.1%}"
    if preset is not None:
        guess = st.session_state.get(f"{key}_guess_{preset.line}_{url_state.fingerprint(before.text)}")
        word = "You were right" if guess == happened else "Not this time"
        st.success(f"**{word}.** {happened}: {answer}. {preset.lesson}")
    else:
        st.success(f"**{happened}**: {answer}.")
    st.caption(f"The whole text was read again in {seconds * 1000:.0f} ms.")


def _side_by_side(before: Reading, after: Reading, key: str) -> None:
    for column, (name, reading) in zip(st.columns(2), (("Before", before), ("After", after)), strict=True):
        with column:
            st.subheader(name, anchor=False)
            panels.verdict(reading, key=f"{key}_surgery_{name}")
    label = before.labels.index(before.answer)
    name = theme.class_name(before.answer)
    curves = [reading.probabilities[:, label] for reading in (before, after)]
    figure = charts.two_curves(before.tokens, name, curves, None, ("before", "after"))
    plotting.show(figure, f"{key}_surgery_curves", f"Two lines: {name} so far, before and after.")
    memories = [
        reading.layers[0].signals["c" if "c" in reading.layers[0].signals else "h"] for reading in (before, after)
    ]  # type: ignore[union-attr]
    order = charts.similarity_order(memories[0])
    reach = charts.colour_limit(memories[0])
    for column, (title, values) in zip(st.columns(2), zip(("before", "after"), memories, strict=True), strict=True):
        with column:
            st.caption(f"The memory {title}")
            figure = charts.heatmap(before.tokens, "c", values, order, None, reach)
            plotting.show(figure, f"{key}_surgery_{title}", f"Heat map: the memory {title}.")
    st.caption("The memory after minus before: blank where nothing has changed")
    difference = memories[1] - memories[0]
    figure = charts.heatmap(before.tokens, "c", difference, order, None)
    plotting.show(figure, f"{key}_surgery_difference", "Heat map: the difference of the memories.")


def _ablation(model: TextClassifier, reading: Reading, key: str, hide: bool) -> None:
    st.subheader("Ablation map", anchor=False)
    st.markdown("Which unit, and which token, could the network least do without? Each one in turn is made to …")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        how = st.selectbox("Made to", list(SILENCES), key=f"{key}_silence", width=260)
        what = st.segmented_control(
            "One by one", ["units", "tokens"], default="units", required=True, key=f"{key}_each"
        )
        asked = (model.card.name, reading.text, hide, how, what)
        st.button("Measure", key=f"{key}_ablate", icon=":material/straighten:", on_click=_want, args=(key,))
    kept = st.session_state.setdefault("_ablations", {})
    if st.session_state.get(f"{key}_ablation_wanted") and asked not in kept:
        bar = st.progress(0.0, f"Reading the text once for each of its {what} …")
        kept[asked] = ablate(model, reading.text, what, *SILENCES[how], mask_names=hide or None, report=bar.progress)
        bar.empty()
        while len(kept) > 6:
            kept.pop(next(iter(kept)))
    st.session_state.pop(f"{key}_ablation_wanted", None)
    if asked in kept:
        _map(kept[asked], reading, what, key)


def _want(key: str) -> None:
    """A callback: what a script does late, another click may cut off, and then it is done the next time."""
    st.session_state[f"{key}_ablation_wanted"] = True


def _map(found: Ablation, reading: Reading, what: str, key: str) -> None:
    moved = found.change(reading.labels.index(reading.answer))
    order = np.argsort(-np.abs(moved), kind="stable")[:MOST_BARS]
    names = [f"unit {place}" if what == "units" else panels.token_name(reading, int(place)) for place in order]
    name = theme.class_name(reading.answer)
    figure = charts.signed_bars(names, moved[order], f"change of {name}", theme.diverging_colours())
    alt = f"Bars: how far {name} moves without each of its {what}; the strongest is {names[0]}, {moved[order[0]]:+.1%}."
    plotting.show(figure, f"{key}_ablation", alt)
    changed = int((found.after.argmax(axis=1) != found.before.argmax()).sum())
    st.markdown(
        f"Without **{names[0]}** the probability of {name} moves most, by {moved[order[0]]:+.1%}. "
        + (
            f"{changed} of {len(moved)} {what} change the answer."
            if changed
            else f"No single one of {len(moved)} {what} changes the answer."
        )
    )
    with st.expander("The numbers"):
        table = pd.DataFrame(
            {
                what[:-1]: [
                    f"{place}" if what == "units" else panels.token_name(reading, place) for place in range(len(moved))
                ],
                "change": moved.round(4),
            }
        )
        st.dataframe(table.sort_values("change", key=np.abs, ascending=False), hide_index=True, height=320)
