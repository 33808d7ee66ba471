"""Gate surgery on a classifier: predict the effect of a clamp, apply it, and compare before and after."""

import time
from collections.abc import Callable
from typing import Literal

import numpy as np
import streamlit as st

from lstm_core.inference import Reading, TextClassifier
from lstm_core.interpret import Ablation, ablate
from lstm_core.library import SHIPPED, ModelCard
from lstm_core.nn import LayerTrace
from ui.classifier import panels
from ui.common import charts, clamp_editor, plotting, theme, url_state
from ui.common.explanations import explain
from ui.common.plotting import signed
from ui.guide import guess
from ui.guide.guess import Offer
from ui.take_away import files

MOST_BARS = 24
GUESSES = ("It stays the same", "It changes", "It becomes uncertain")
# Interventions of the ablation map: signal and value.
INTERVENTIONS = {
    "hidden state h = 0": ("h", 0.0),
    "cell state c = 0": ("c", 0.0),
    "input gate i = 0": ("i", 0.0),
    "forget gate f = 1": ("f", 1.0),
}


def show(
    model: TextClassifier, reading: Reading, key: str, hide: bool, address: Callable[[], url_state.Parameters]
) -> None:
    """Draw the panel.

    Args:
        model: what reads.
        reading: without clamps.
        key: prefix of the widgets' keys.
        hide: whether language names are masked.
        address: gives the parameters of the link.
    """
    explain("gate_surgery")
    trace = reading.layers[0] if reading.layers else None
    if not isinstance(trace, LayerTrace):
        st.info("This network has no cell state to clamp.")
        return
    signals, steps = [letter for letter in theme.SIGNALS if letter in trace.signals], len(reading.tokens)
    preset = clamp_editor.presets(key)
    clamp_editor.editor(key, signals, trace.units, steps)
    clamps = clamp_editor.parsed(key, signals, trace.units, steps)
    covered = f"{key}_outcome_covered"

    def read_again() -> Reading:
        return url_state.cached_reading(model, reading.text, hide or None, clamps)

    if preset is not None and clamps:
        _offer(preset.question, reading, read_again, key, covered)
    with st.container(key=covered):
        if clamps and (preset is None or _guessed(preset, key, reading)):
            start = time.perf_counter()
            after = read_again()
            _outcome(reading, after, preset, key, time.perf_counter() - start, pools(model))
            _side_by_side(reading, after, key)
            with st.container(horizontal=True):
                files.of_reading(model, after, f"{key}_surgery", address(), hide=hide)
                url_state.show_link("Opens this page with the same text and clamps.", **address())
        _ablation(model, reading, key, hide)


def _offer(question: str, reading: Reading, read_again: Callable[[], Reading], key: str, covered: str) -> None:
    """Let a lecturer ask what a preset does; nothing is computed before the answer is revealed."""
    now = f"{theme.class_name(reading.answer)}, {reading.confidence:.0%}"

    def result() -> tuple[int, str]:
        after = read_again()
        return GUESSES.index(verdict(reading, after)), (
            f"Before: {now}; after: {theme.class_name(after.answer)}, {after.confidence:.0%}."
        )

    offered = Offer(f"{question} Now it is {now}.", GUESSES, result, "gate_closed", (covered,))
    guess.offer(f"{key}_surgery", offered)


def _guessed(preset: clamp_editor.Preset, key: str, reading: Reading) -> bool:
    """Ask for a prediction before the result is shown; whether there is one for this text."""
    st.markdown(f"**{preset.question}** Now it is {theme.class_name(reading.answer)}, {reading.confidence:.0%}.")
    guess = st.segmented_control("Your prediction", GUESSES, key=_guess_key(preset, key, reading))
    if guess is None:
        st.caption("Choose what you expect to see the answer.")
    return guess is not None


def _guess_key(preset: clamp_editor.Preset, key: str, reading: Reading) -> str:
    return f"{key}_guess_{preset.line}_{url_state.fingerprint(reading.text)}"


def verdict(before: Reading, after: Reading) -> str:
    """The correct one of the predictions."""
    if after.confidence < panels.UNSURE:
        return GUESSES[2]
    return GUESSES[0] if after.answer == before.answer else GUESSES[1]


def _outcome(
    before: Reading, after: Reading, preset: clamp_editor.Preset | None, key: str, seconds: float, pooled: str
) -> None:
    happened = verdict(before, after)
    answer = f"{theme.class_name(after.answer)}, {after.confidence:.1%}"
    if preset is not None:
        correct = st.session_state.get(_guess_key(preset, key, before)) == happened
        note = preset.changed if happened == GUESSES[1] else ""
        if happened == GUESSES[0] and pooled:
            note = preset.same.format(pooled=pooled)
        words = f"{happened}: {answer}. {preset.explanation} {note}"
        st.success(f"**{'Correct' if correct else 'Not this time'}.** {words}")
        if preset.beside and ModelCard.read(SHIPPED / preset.beside).labels == before.labels:
            settings = {"model": preset.beside, "text": url_state.packed(before.text), "clamps": preset.line}
            label = "The same in a network that answers from its last state"
            st.page_link("cell_microscope.py", label=label, icon=":material/biotech:", query_params=settings)
    else:
        st.success(f"**{happened}**: {answer}.")
    st.caption(f"The whole text was read again in {seconds * 1000:.0f} ms.")


_POOLED = {"GlobalMaxPooling1D": "maximum", "GlobalAveragePooling1D": "mean"}


def pools(model: TextClassifier) -> str:
    """What the answer layer sees of the states after all tokens, such as "maximum and mean"; "" for the last state."""
    return " and ".join(_POOLED[layer.kind] for layer in model.saved.layers if layer.kind in _POOLED)


def _side_by_side(before: Reading, after: Reading, key: str) -> None:
    for column, (title, reading) in zip(st.columns(2), (("Before", before), ("After", after)), strict=True):
        with column:
            st.subheader(title, anchor=False)
            panels.verdict(reading, key=f"{key}_surgery_{title}")
    label = before.labels.index(before.answer)
    name = theme.class_name(before.answer)
    curves = [reading.probabilities[:, label] for reading in (before, after)]
    figure = charts.two_curves(before.tokens, name, curves, None, ("before", "after"))
    plotting.show(figure, f"{key}_surgery_curves", f"Two lines: {name} so far, before and after.")
    states = [_state(before), _state(after)]
    order, limit = charts.similarity_order(states[0]), charts.colour_limit(states[0])
    for column, title, values in zip(st.columns(2), ("before", "after"), states, strict=True):
        with column:
            st.caption(f"Cell state {title}")
            figure = charts.heatmap(before.tokens, "c", values, order, None, limit)
            plotting.show(figure, f"{key}_surgery_{title}", f"Heat map: the cell state {title}.")
    st.caption("Cell state after minus before: blank where nothing has changed")
    figure = charts.heatmap(before.tokens, "c", states[1] - states[0], order, None)
    plotting.show(figure, f"{key}_surgery_difference", "Heat map: the difference of the cell states.")


def _state(reading: Reading) -> np.ndarray:
    """The (T, units) state of the first layer: c of an LSTM, else h."""
    trace = reading.layers[0]
    assert isinstance(trace, LayerTrace)
    return trace.signals["c" if "c" in trace.signals else "h"]


def _ablation(model: TextClassifier, reading: Reading, key: str, hide: bool) -> None:
    st.subheader("Ablation map", anchor=False)
    st.markdown("Which unit, and which token, does the answer depend on most? Each one in turn is clamped.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        how = st.selectbox("Clamped to", list(INTERVENTIONS), key=f"{key}_intervention", width=260)
        over: list[Literal["units", "tokens"]] = ["units", "tokens"]
        what = st.segmented_control("One at a time", over, default=over[0], required=True, key=f"{key}_each")
        request, requested = (model.card.name, reading.text, hide, how, what), f"{key}_ablation_requested"
        put = st.session_state.__setitem__  # a callback: another click may interrupt the script, but never a callback
        st.button("Measure", key=f"{key}_ablate", icon=":material/straighten:", on_click=put, args=(requested, True))
    cache = st.session_state.setdefault("_ablations", {})
    if st.session_state.get(requested) and request not in cache:
        bar = st.progress(0.0, f"Reading the text once for each of the {what} …")
        letter, value = INTERVENTIONS[how]
        cache[request] = ablate(model, reading.text, what, letter, value, mask_names=hide or None, report=bar.progress)
        bar.empty()
        while len(cache) > 6:
            cache.pop(next(iter(cache)))
    st.session_state.pop(requested, None)
    if request in cache:
        _map(cache[request], reading, what, key)


def _map(found: Ablation, reading: Reading, what: str, key: str) -> None:
    moved = found.change(reading.labels.index(reading.answer))
    order = np.argsort(-np.abs(moved), kind="stable")[:MOST_BARS]
    names = [f"unit {place}" if what == "units" else panels.token_name(reading, int(place)) for place in order]
    name = theme.class_name(reading.answer)
    figure = charts.signed_bars(names, moved[order], f"change of {name}", theme.diverging_colours())
    largest = signed(moved[order[0]], ".1%")
    alt = f"Bars: the change of {name} without each of the {what}; the largest is {names[0]}, {largest}."
    plotting.show(figure, f"{key}_ablation", alt)
    changed = int((found.after.argmax(axis=1) != found.before.argmax()).sum())
    st.markdown(
        f"Without **{names[0]}** the probability of {name} changes most, by {largest}. "
        f"{changed or 'None'} of the {len(moved)} {what} {'changes' if changed < 2 else 'change'} the answer."
    )
    with st.expander("The numbers", key=f"{key}_ablation_numbers", on_change="rerun") as panel:
        if not panel.open:
            return
        every = range(len(moved))
        shown = [f"{place}" if what == "units" else panels.token_name(reading, place) for place in every]
        import pandas as pd  # takes long, and few look at the table

        table = pd.DataFrame({what[:-1]: shown, "change": moved.round(4)})
        st.dataframe(table.sort_values("change", key=np.abs, ascending=False), hide_index=True, height=320)
