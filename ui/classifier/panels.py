"""The panels of a classifier's page, in the order in which they are read.

Each takes a reading and draws one thing: what to know about the text, the verdict, how it
formed, and the memory behind it. Pages decide which of them to show.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from lstm_core.inference import Reading
from lstm_core.nn import LayerTrace
from lstm_core.text import UNKNOWN
from ui.common import charts, export, plotting, theme, tokens, url_state

# Below this the best answer is called a guess; 0…1.
UNSURE = 0.6
ACTIVE_UNITS = 8


def colours(reading: Reading) -> list[str]:
    """One colour a class, in the order of the reading's labels."""
    return theme.class_colours(reading.labels)


def verdict(reading: Reading, key: str) -> None:
    """The answer, its probability, a bar for each class, and what the reader must know about it."""
    st.subheader(f"{theme.class_name(reading.answer)} · {reading.confidence:.1%}", anchor=False)
    st.markdown(_verdict_sentence(reading))
    figure = charts.answer_bars(reading.labels, reading.probabilities[-1], colours(reading))
    shares = ", ".join(
        f"{theme.class_name(label)} {value:.1%}"
        for label, value in zip(reading.labels, reading.probabilities[-1], strict=True)
    )
    plotting.show(figure, f"{key}_verdict", f"Probabilities: {shares}.", toolbar=False)


def _verdict_sentence(reading: Reading) -> str:
    ranked = np.argsort(reading.probabilities[-1])[::-1]
    best, second = (theme.class_name(reading.labels[index]) for index in ranked[:2])
    if reading.confidence < UNSURE:
        return f"The network is **unsure**: {best} is its best guess, and {second} comes next."
    if reading.confidence < 0.9:
        return f"Probably **{best}**; {second} comes next."
    return f"The network is confident that this is **{best}**."


def notices(reading: Reading) -> None:
    """One plain sentence for each thing that the network did not see as it was written."""
    encoded = reading.encoded
    read = encoded.total - encoded.cut
    if encoded.unknown == read:
        st.warning("None of these tokens is known to the network: what you see is its answer to unknown words alone.")
    elif encoded.unknown:
        st.caption(
            f"{encoded.unknown} of {read} tokens are not in the network's vocabulary and were read as “unknown”."
        )
    if any(token.startswith("##") for token in encoded.tokens):
        st.caption("A rare word was cut into known ones; “##” marks a piece that goes on inside a word.")
    if encoded.cut:
        st.caption(f"The text has {encoded.total:,} tokens; the network read the first {read:,} and cut the rest off.")
    if encoded.masked:
        names = ", ".join(f"“{name}”" for name in encoded.masked)
        st.caption(f"Masked as in the training data: {names} became “blank”.")


def how_it_formed(reading: Reading, key: str) -> None:
    """The answer after each token as lines, and the text tinted by what each token pushed towards."""
    alt = f"Lines: the probability of each class after each of {len(reading.tokens)} tokens."
    figure = charts.answer_so_far(reading.tokens, reading.labels, reading.probabilities, colours(reading))
    plotting.show(figure, f"{key}_formed", alt)
    push, target = pushes(reading.probabilities)
    strongest = max(float(push.max(initial=0.0)), 1e-6)
    hovers = [
        f"{token_name(reading, index)}: {theme.class_name(reading.labels[target[index]])} {push[index]:+.1%}"
        for index in range(len(reading.tokens))
    ]
    st.caption("Each token is tinted by the answer it pushed towards; the stronger the tint, the harder the push.")
    tokens.tinted_text(
        reading.text,
        reading.encoded.spans,
        [colours(reading)[index] for index in target],
        np.sqrt(push / strongest).tolist(),
        hovers,
        label="The text, each token tinted by the answer it pushed towards",
    )


def pushes(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each token the largest rise of any class that it caused, and that class: (T,), (T,)."""
    even = np.full((1, probabilities.shape[1]), 1 / probabilities.shape[1], probabilities.dtype)
    steps = np.diff(probabilities, axis=0, prepend=even)  # (T, classes)
    target = steps.argmax(axis=1)
    return steps[np.arange(len(steps)), target], target


def token_name(reading: Reading, index: int) -> str:
    """A token as a menu or a hover shows it: its place from 1, itself, and whether it is unknown."""
    unknown = " (unknown)" if reading.encoded.ids[index] == UNKNOWN else ""
    return f"{index + 1} “{reading.tokens[index]}”{unknown}"


@st.fragment
def inside_the_memory(reading: Reading, layer: int, key: str, address: dict[str, str]) -> None:
    """A signal of all units over the text, and all signals at one timestep; reruns on its own.

    Args:
        reading: what to show.
        layer: which recurrent layer.
        key: tells the widgets of two readings apart.
        address: what the rest of the page has put into the link.
    """
    trace = reading.layers[layer]
    if not isinstance(trace, LayerTrace):
        st.info("This network reads in both directions; its memory is not shown here.")
        return
    letters = [letter for letter in theme.LSTM_SIGNALS if letter in trace.signals]
    letter = _signal_choice(letters, key)
    t = _timestep_choice(reading, key)
    figure = charts.heatmap(
        reading.tokens, letter, trace.signals[letter], charts.similarity_order(trace.signals[letter]), t
    )
    alt = f"Heat map of the {theme.SIGNALS[letter].name.lower()}: {trace.units} units by {len(reading.tokens)} tokens."
    plotting.show(figure, f"{key}_memory", alt)
    st.caption(
        f"{theme.SIGNALS[letter].name}: {theme.SIGNALS[letter].help} Each row is a unit; units that behave alike "
        "stand together."
    )
    _one_timestep(reading, trace, t, key)
    shown = {**address, "signal": letter, "t": t + 1}
    url_state.remember(**shown)
    _downloads(reading, key, shown)


def _signal_choice(letters: list[str], key: str) -> str:
    st.session_state.setdefault(f"{key}_signal", url_state.parameter("signal", "c", tuple(letters)))
    return st.segmented_control(
        "Signal",
        letters,
        format_func=lambda letter: f"{theme.SIGNALS[letter].name} {letter}",
        required=True,
        key=f"{key}_signal",
        help="  \n".join(f"**{theme.SIGNALS[letter].name}**: {theme.SIGNALS[letter].help}" for letter in letters),
    )


def _timestep_choice(reading: Reading, key: str) -> int:
    """A slider over the tokens with a button on either side; returns the timestep from 0."""
    last = len(reading.tokens)
    name = f"{key}_t"
    if st.session_state.get(f"{key}_walked", reading.text) != reading.text:
        st.session_state[name] = last  # another text: begin where its answer is complete
    st.session_state[f"{key}_walked"] = reading.text
    st.session_state.setdefault(name, url_state.number("t", last, 1, last))
    st.session_state[name] = min(max(st.session_state[name], 1), last)

    def move(by: int) -> None:
        st.session_state[name] = min(max(st.session_state[name] + by, 1), last)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("◀", key=f"{key}_previous", on_click=move, args=(-1,), help="Previous token", disabled=last == 1)
        if last > 1:
            st.slider("Timestep", 1, last, key=name, help="Which token the network has just read.")
        st.button("▶", key=f"{key}_next", on_click=move, args=(1,), help="Next token", disabled=last == 1)
    return st.session_state[name] - 1


def _one_timestep(reading: Reading, trace: LayerTrace, t: int, key: str) -> None:
    units = np.argsort(-np.abs(trace.outputs[t]))[:ACTIVE_UNITS]
    before = " ".join(reading.tokens[max(t - 6, 0) : t])
    answer = theme.class_name(reading.labels[int(reading.probabilities[t].argmax())])
    st.markdown(f"**Timestep {t + 1}**, after the token")
    st.code(f"{before} ▸ {reading.tokens[t]}", language=None, wrap_lines=True)
    st.caption(
        f"Had the text ended here, the answer would be {answer} ({reading.probabilities[t].max():.1%}). "
        f"Below: the {len(units)} units with the loudest hidden state at this timestep."
    )
    signals = {letter: trace.signals[letter][t] for letter in theme.LSTM_SIGNALS if letter in trace.signals}
    alt = f"Bars: gates and states of units {', '.join(map(str, units))} at timestep {t + 1}."
    plotting.show(charts.timestep(signals, units), f"{key}_timestep", alt)


def _downloads(reading: Reading, key: str, shown: dict[str, str | int]) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Trace as CSV",
            data=lambda: export.as_csv(reading),
            file_name="lstm-lab-trace.csv",
            mime="text/csv",
            key=f"{key}_csv",
            on_click="ignore",
            icon=":material/download:",
            help="Every signal of every unit at every token. Each chart's camera button saves the chart as PNG.",
        )
        with st.popover("Link to this view", icon=":material/link:"):
            st.caption("Opens this page with the same text, signal and timestep. The address bar holds it too.")
            st.code(url_state.link(**shown), language=None, wrap_lines=True)
