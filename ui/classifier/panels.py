"""The panels of a classifier's page, in their order: answer, notices, how the answer formed, the cell state."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from lstm_core.inference import Reading, TextClassifier
from lstm_core.nn import LayerTrace
from lstm_core.text import UNKNOWN
from ui.common import charts, gate, plotting, theme, tokens, url_state
from ui.common.plotting import signed
from ui.take_away import files

UNSURE = 0.6  # confidence below which the answer is called uncertain
ACTIVE_UNITS = 8


def verdict(reading: Reading, key: str) -> None:
    """Draw the answer, its probability, and a bar for each class."""
    st.subheader(f"{theme.class_name(reading.answer)} · {reading.confidence:.1%}", anchor=False)
    st.markdown(_verdict_sentence(reading))
    figure = charts.answer_bars(reading.labels, reading.probabilities[-1], theme.class_colours(reading.labels))
    shares = ", ".join(
        f"{theme.class_name(label)} {value:.1%}"
        for label, value in zip(reading.labels, reading.probabilities[-1], strict=True)
    )
    plotting.show(figure, f"{key}_verdict", f"Probabilities: {shares}.", toolbar=False)


def _verdict_sentence(reading: Reading) -> str:
    ranked = np.argsort(reading.probabilities[-1])[::-1]
    best, second = (theme.class_name(reading.labels[index]) for index in ranked[:2])
    if reading.confidence < UNSURE:
        return f"The network is **uncertain**: {best} is the most probable class, followed by {second}."
    if reading.confidence < 0.9:
        return f"Probably **{best}**, followed by {second}."
    return f"The network is confident: **{best}**."


def settled(reading: Reading) -> tuple[int, str]:
    """In which part of the text the final answer begins to stay (0 first quarter, 1 middle, 2 last); a sentence."""
    answers = reading.probabilities.argmax(axis=1)  # (T,)
    count, others = len(answers), np.flatnonzero(answers != answers[-1])
    first = int(others[-1]) + 1 if len(others) else 0
    part = 0 if first < count / 4 else 1 if first < count * 3 / 4 else 2
    name = theme.class_name(reading.answer)
    stays = f"It is {name} after token {first + 1} of {count}, “{reading.tokens[first]}”, and stays so."
    return part, tokens.plain(stays)


def notices(reading: Reading) -> None:
    """Draw one sentence for each way in which the network's input differs from the text."""
    encoded = reading.encoded
    read = encoded.total - encoded.cut
    if encoded.unknown == read:
        st.warning("None of these tokens is in the network's vocabulary: this is its answer to unknown words alone.")
    elif encoded.unknown:
        st.caption(f"{encoded.unknown} of {read} tokens are not in the network's vocabulary and read as “unknown”.")
    if any(token.startswith("##") for token in encoded.tokens):
        st.caption("A rare word was split into subwords; “##” marks a subword that continues a word.")
    if encoded.cut:
        st.caption(f"The text has {tokens.number(encoded)}; the network read the first {read:,}.")
    if encoded.masked:
        names = ", ".join(f"“{name}”" for name in encoded.masked)
        st.caption(f"Masked as in the training data: {names} was replaced by “blank”.")


def how_it_formed(reading: Reading, key: str) -> None:
    """Draw the answer after each token as lines, and the text tinted by the class that each token raised most."""
    alt = f"Lines: the probability of each class after each of {len(reading.tokens)} tokens."
    colours = theme.class_colours(reading.labels)
    figure = charts.answer_so_far(reading.tokens, reading.labels, reading.probabilities, colours)
    plotting.show(figure, f"{key}_formed", alt)
    rise, target = largest_rises(reading.probabilities)
    largest = max(float(rise.max(initial=0.0)), 1e-6)
    hovers = [
        f"{token_name(reading, index)}: {theme.class_name(reading.labels[target[index]])} {signed(rise[index], '.1%')}"
        for index in range(len(reading.tokens))
    ]
    st.caption("Each token is tinted by the class that it raised most; the stronger the tint, the larger the rise.")
    tints, strengths = [colours[index] for index in target], np.sqrt(rise / largest).tolist()
    label = "The text, each token tinted by the class that it raised most"
    tokens.tinted_text(reading.text, reading.encoded.spans, tints, strengths, hovers, label=label)


def largest_rises(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest rise at each token of (T, classes) probabilities, and its class: (T,), (T,)."""
    uniform = np.full((1, probabilities.shape[1]), 1 / probabilities.shape[1], probabilities.dtype)
    steps = np.diff(probabilities, axis=0, prepend=uniform)  # (T, classes)
    target = steps.argmax(axis=1)
    return steps[np.arange(len(steps)), target], target


def token_name(reading: Reading, index: int) -> str:
    """A token in menus and tooltips: its position from 1, its text, and whether it is unknown."""
    unknown = " (unknown)" if reading.encoded.ids[index] == UNKNOWN else ""
    return f"{index + 1} “{reading.tokens[index]}”{unknown}"


@gate.fragment
def inside_the_memory(
    model: TextClassifier, reading: Reading, key: str, address: Callable[[], url_state.Parameters]
) -> None:
    """Draw a signal of all units over the text, and all signals at one timestep; a fragment that reruns on its own.

    Args:
        model: which has read.
        reading: whose first layer is shown.
        key: prefix of the widgets' keys.
        address: gives the other parameters of the link.
    """
    trace = reading.layers[0]
    if not isinstance(trace, LayerTrace):
        st.info("This network reads in both directions; its cell state is not shown here, but in what you take away.")
        files.of_reading(model, reading, key, address(), hide="mask" in address())
        return
    letters = [letter for letter in theme.LSTM_SIGNALS if letter in trace.signals]
    letter = url_state.linked(
        st.segmented_control, "Signal", theme.signal_names(letters),
        key=f"{key}_signal", parameter="signal", default="c" if "c" in letters else letters[0], persist_state=None,
        help="  \n".join(f"**{theme.SIGNALS[each].name}**: {theme.SIGNALS[each].help}" for each in letters),
    )  # fmt: skip
    t = _timestep_choice(reading, key)
    values = trace.signals[letter]
    figure = charts.heatmap(reading.tokens, letter, values, charts.similarity_order(values), t)
    alt = f"Heat map of the {theme.SIGNALS[letter].name.lower()}: {trace.units} units by {len(reading.tokens)} tokens."
    plotting.show(figure, f"{key}_memory", alt)
    st.caption(
        f"{theme.SIGNALS[letter].name}: {theme.SIGNALS[letter].help} Each row is a unit; similar units are neighbours."
    )
    _one_timestep(reading, trace, t, key)
    view = {**address(), "signal": letter, "t": t + 1}
    url_state.remember(**view)
    with st.container(horizontal=True):
        files.of_reading(model, reading, key, view, timestep=t, hide="mask" in view)
        note = "Opens this page with the same text, signal and timestep. The address bar holds it too."
        url_state.show_link(note, **view)


def _timestep_choice(reading: Reading, key: str) -> int:
    """Draw a slider over the tokens with a button on either side; return the timestep from 0."""
    last = len(reading.tokens)
    name = f"{key}_t"
    if st.session_state.get(f"{key}_stepped_text", reading.text) != reading.text:
        st.session_state[name] = last  # another text: start at its complete answer
    st.session_state[f"{key}_stepped_text"] = reading.text
    if not url_state.is_set(name, "t"):
        st.session_state[name] = url_state.number("t", last, 1, last)
    st.session_state[name] = min(max(st.session_state[name], 1), last)

    def move(by: int) -> None:
        st.session_state[name] = min(max(st.session_state[name] + by, 1), last)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("◀", key=f"{key}_previous", on_click=move, args=(-1,), help="Previous token", disabled=last == 1)
        if last > 1:
            st.slider("Timestep", 1, last, key=name, help="The token that the network has just read.")
        st.button("▶", key=f"{key}_next", on_click=move, args=(1,), help="Next token", disabled=last == 1)
    return st.session_state[name] - 1


def _one_timestep(reading: Reading, trace: LayerTrace, t: int, key: str) -> None:
    units = np.argsort(-np.abs(trace.outputs[t]))[:ACTIVE_UNITS]
    before = " ".join(reading.tokens[max(t - 6, 0) : t])
    answer = theme.class_name(reading.labels[int(reading.probabilities[t].argmax())])
    st.markdown(f"**Timestep {t + 1}**, after the token")
    st.code(f"{before} ▸ {reading.tokens[t]}", language=None, wrap_lines=True)
    st.caption(
        f"The answer so far is {answer} ({reading.probabilities[t].max():.1%}). "
        f"Below: the {len(units)} units with the largest |h| at this timestep."
    )
    signals = {letter: trace.signals[letter][t] for letter in theme.LSTM_SIGNALS if letter in trace.signals}
    alt = f"Bars: gates and states of units {', '.join(map(str, units))} at timestep {t + 1}."
    plotting.show(charts.timestep(signals, units), f"{key}_timestep", alt)
