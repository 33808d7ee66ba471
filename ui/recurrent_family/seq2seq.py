"""The recurrent family's encoder–decoder: one network reads a number, another writes it in words, backwards.

Draws the view and returns what a link to it must say. What is computed is in `lstm_core.inference.seq2seq`.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
import streamlit as st

from lstm_core.datasets import LONGEST_TRAINED, MOST_DIGITS
from lstm_core.errors import ModelError, TextError
from lstm_core.inference import END, Rewriter, Rewriting, Written, correct_characters, count_correct_words, longest_for
from lstm_core.interpret import PatchingResult, erase_units, patch_states, scale_state, swap_state, words_when_scaled
from ui.common import charts, model_cache, theme, url_state
from ui.recurrent_family import state_charts

MODEL = "number_words"
PRESETS = {"Short": "72", "As in training": "407213", "Longer than in training": "407213598"}
HANDED = {
    "c": "c of the other number, its own h",
    "h": "h of the other number, its own c",
    "scaled": "both, times a factor",
    "wiped": "both, with some units wiped",
}
FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5)
SURE = 0.9
MOST_IN_LINK = 60  # signs of what was typed


def show() -> dict[str, str | int]:
    """The whole view."""
    st.markdown(
        "So far a network gave one answer, or one for each word. A translation has as many words as it needs. Two "
        "networks together can do that: an **encoder** reads, a **decoder** writes, and between them passes nothing "
        "but a state of fixed size. Here a number goes in and its digits come out as words, the last one first. "
        "**What happens when the number is longer than any in training?**"
    )
    number = _number_box()
    shown: dict[str, str | int] = {"number": number[:MOST_IN_LINK]}
    found = None
    try:
        model = model_cache.model(Rewriter, MODEL)
        found = model.rewrite(number)
        shown |= _reading(found)
        shown |= _meddling(model, found)
    except TextError as error:
        st.error(str(error))
    except ModelError as error:
        st.error(str(error))
        return shown
    _by_length(model, len(found.number) if found else None)
    _words(model)
    return shown


def _number_box() -> str:
    """The number, with buttons that put one; what was typed stays."""
    st.session_state.setdefault("s2s_number", url_state.parameter("number", PRESETS["As in training"]))

    def put() -> None:
        if st.session_state["s2s_preset"] is not None:
            st.session_state["s2s_number"] = PRESETS[st.session_state["s2s_preset"]]

    now = st.session_state["s2s_number"]
    st.session_state["s2s_preset"] = next((name for name, number in PRESETS.items() if number == now), None)
    st.pills("Begin with", list(PRESETS), key="s2s_preset", on_change=put)
    about = f"Up to {MOST_DIGITS} digits; zeros in front count."
    return st.text_input("Number", key="s2s_number", help=about, width=360, persist_state="session")


# --- What was read and written -------------------------------------------------------------------


def _reading(found: Rewriting) -> dict[str, str | int]:
    st.markdown(f"#### {verdict(found)}")
    _against_truth(found.written, found.truth)
    reach = charts.colour_limit(np.concatenate([found.encoder.c, found.written.trace.c]))
    names = [_visible(sign) for sign in found.written.characters]
    figure = state_charts.diagram(list(found.number), found.h, found.c, names, reach)
    alt = (
        f"Diagram: {len(found.number)} cells read {found.number}; the strips of h and c, {found.h.size} numbers each, "
        f"are handed to {len(names)} cells that write '{found.written.text}'."
    )
    st.plotly_chart(figure, config=charts.CONFIG, key="s2s_diagram", alt=alt)
    st.caption(
        f"{len(found.number)} steps in, {len(names)} steps out; the last one, {END}, says that the answer is complete. "
        "At each step the decoder also gets the character that it has just written."
    )
    _traces(found, names)
    right = correct_characters(found.written.text, found.truth) + [found.is_right] * found.written.finished
    sure = found.written.confidence
    figure = state_charts.confidence(names, sure, right)
    st.markdown("##### How sure it was of each character", help="The probability that the decoder's softmax gave it.")
    st.plotly_chart(figure, config=charts.CONFIG, key="s2s_sure", alt=_sure_sentence(sure, right))
    st.markdown(_sure_sentence(sure, right))
    return {"signal": st.session_state["s2s_signal"]}


def verdict(found: Rewriting) -> str:
    """How the answer compares with the truth, in one sentence."""
    words, right = len(found.number), count_correct_words(found.written.text, found.truth)
    if found.is_right:
        return f"{words} digits, {len(found.written.characters) - 1} characters, and every one of them is right."
    end = "" if found.written.finished else " It never came to an end by itself and was stopped."
    return f"{words} digits in, and {right} of {words} words are right.{end}"


def _against_truth(written: Written, truth: str) -> None:
    right = correct_characters(written.text, truth)
    shown = ""
    for good, group in groupby(zip(written.text, right, strict=True), key=lambda pair: pair[1]):
        part = "".join(sign for sign, _ in group)
        shown += part if good else f":red-background[**{part.replace(' ', state_charts.GAP)}**]"
    st.markdown(f"Written: {shown or '(nothing)'}")
    if written.text != truth:
        st.markdown(f"True: {truth}")


def _sure_sentence(sure: np.ndarray, right: list[bool]) -> str:
    wrong = sure[~np.asarray(right, bool)]
    if not len(wrong):
        return f"The least sure character had a probability of {sure.min():.1%}."
    sure_of_it = int((wrong > SURE).sum())
    lost = " It doesn't know that it is lost." if 2 * sure_of_it > len(wrong) else ""
    return (
        f"It was right with {len(sure) - len(wrong)} characters and wrong with {len(wrong)}; of those, {sure_of_it} "
        f"were written with a probability above {SURE:.0%}.{lost}"
    )


def _visible(sign: str) -> str:
    return state_charts.GAP if sign == " " else sign


def _traces(found: Rewriting, names: list[str]) -> None:
    st.session_state.setdefault("s2s_signal", url_state.parameter("signal", "c", theme.LSTM_SIGNALS))
    letter = str(
        st.segmented_control(
            "Signal", theme.LSTM_SIGNALS, format_func=lambda name: f"{theme.SIGNALS[name].name} {name}",
            key="s2s_signal", required=True, persist_state="session",
            help="The same signal of both networks. A unit has the same row in both pictures: with c and h, the right "
            "one begins where the left one ended.",
        )
    )  # fmt: skip
    order = charts.similarity_order(found.written.trace.c)
    signals = found.encoder.signals[letter], found.written.trace.signals[letter]
    reach = charts.colour_limit(np.concatenate(signals))
    sides = (("The encoder, digit by digit", found.number, "in"), ("The decoder, character by character", names, "out"))
    for column, (title, tokens, key), values in zip(st.columns([1, 3]), sides, signals, strict=True):
        with column:
            st.caption(title)
            figure = charts.heatmap(list(tokens), letter, values, order, None, reach)
            state_charts.character_axis(figure, tokens)
            figure.update_traces(showscale=key == "out")
            alt = f"Heat map: {theme.SIGNALS[letter].name} of {values.shape[1]} units over {len(values)} steps."
            st.plotly_chart(figure, config=charts.CONFIG, key=f"s2s_{key}", alt=alt)


# --- Meddling with the state ---------------------------------------------------------------------


def _meddling(model: Rewriter, found: Rewriting) -> dict[str, str | int]:
    st.markdown("#### Meddle with what is handed over")
    st.markdown(
        "The decoder knows nothing of the number but those two strips. So **give it others**: half of the state of "
        "another number, or its own one made stronger or weaker, or with holes in it. What will it write?"
    )
    _meddling_from_link(found.h.size)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        handed = str(
            st.selectbox(
                "The decoder gets", list(HANDED), format_func=HANDED.__getitem__, key="s2s_handed", width=330,
                persist_state="session",
            )
        )  # fmt: skip
        if handed in ("c", "h"):
            st.text_input("The other number", key="s2s_other", width=220, persist_state="session")
        elif handed == "scaled":
            st.slider(
                "Factor", 0.0, 2.0, step=0.05, key="s2s_factor", width=300, persist_state="session",
                help="Every value of h and c times this.",
            )  # fmt: skip
        else:
            st.slider(
                "Units wiped", 0, found.h.size, key="s2s_wiped", width=300, persist_state="session",
                help="h and c of these units become 0, those with the largest |c| first.",
            )  # fmt: skip
    other, factor, wiped = (st.session_state[f"s2s_{name}"] for name in ("other", "factor", "wiped"))
    shown = {"handed": handed, "other": other[:MOST_IN_LINK], "factor": f"{factor:g}", "wiped": int(wiped)}
    own, second = (found.h, found.c), found.number
    if handed == "scaled":
        state = scale_state(own, factor)
    elif handed == "wiped":
        state = erase_units(own, int(wiped))
    else:
        try:
            second, trace = model.read(other)
        except TextError as error:
            st.error(f"The other number: {error}")
            return shown
        state = swap_state(own, (trace.h[-1], trace.c[-1]), handed)
    written = model.write(*state, 2 * longest_for(max(found.number, second, key=len)))
    st.markdown(f"The decoder writes: **{written.text or '(nothing)'}**{'' if written.finished else ' … without end'}")
    st.markdown(_compared(written.text, found, model, second))
    return shown


def _meddling_from_link(units: int) -> None:
    for key, value in (
        ("s2s_handed", url_state.parameter("handed", "c", tuple(HANDED))),
        ("s2s_other", url_state.parameter("other", "986")),
        ("s2s_factor", url_state.decimal("factor", 1.25, 0.0, 2.0)),
        ("s2s_wiped", url_state.number("wiped", 8, 0, units)),
    ):
        st.session_state.setdefault(key, value)


def _compared(text: str, found: Rewriting, model: Rewriter, second: str) -> str:
    """What the answer from a changed state has in common with those from the states of the numbers themselves."""
    parts = []
    for number in dict.fromkeys((found.number, second)):
        answer = found.written.text if number == found.number else model.rewrite(number).written.text
        count, same = len(answer.split()), count_correct_words(text, answer)
        parts.append(
            f"from the state of {number} it writes *{answer}*, {count} {'word' if count == 1 else 'words'}, "
            f"and {same if same < count or text != answer else 'all'} of them stand in the same place here"
        )
    words = len(text.split())
    return f"{words} {'word' if words == 1 else 'words'}. Untouched, {'; '.join(parts)}."


# --- Measured, and in words ----------------------------------------------------------------------


def _by_length(model: Rewriter, now: int | None) -> None:
    measured = model.card.measured.get("by_length")
    if not measured:
        return
    st.markdown("#### How it goes with the length")
    sizes = measured["digits"]
    curves = {"whole answers right": measured["accuracy"], "words right": measured["words_right"]}
    figure = state_charts.by_size(sizes, curves, (1, LONGEST_TRAINED), "digits", now)
    last, beyond = (sizes.index(LONGEST_TRAINED + more) for more in (0, 1))
    sentence = (
        f"With {sizes[last]} digits, the most it was trained on, **{measured['accuracy'][last]:.1%}** of the answers "
        f"are right to the last character; with one digit more, **{measured['accuracy'][beyond]:.1%}**, although "
        f"{measured['words_right'][beyond]:.0%} of their words are. With {sizes[-1]} digits it is "
        f"{measured['accuracy'][-1]:.1%} and {measured['words_right'][-1]:.0%}."
    )
    st.plotly_chart(figure, config=charts.CONFIG, key="s2s_lengths", alt=f"Lines. {sentence.replace('**', '')}")
    st.markdown(sentence)
    st.caption(
        f"Measured on up to {max(measured['count'])} numbers a length that were not trained on, by "
        f"`python -m lstm_core evaluate {MODEL}`. All numbers of one and two digits were trained on."
    )


def _words(model: Rewriter) -> None:
    st.markdown(
        "What counts is where the encoder's state ends up. It must pack all digits and their order into that one "
        "state, because the decoder cannot look back. In training the decoder is given the true characters so far, "
        "which is called *teacher forcing*; in use it lives off what it has written itself, and takes the most "
        "probable character at each step."
    )
    st.markdown(
        "A number with more digits than any in training leaves the encoder in a place where it never was, and the "
        "decoder has not learned what such a state means. This bottleneck is why *attention* was invented, which lets "
        "the decoder look back at every step of the encoder; there is none here."
    )
    for formula in (
        r"(h_T,c_T)=\mathrm{LSTM}_{\text{enc}}(x_1,\dots,x_T)",
        r"(h'_0,c'_0)=(h_T,c_T)",
        r"(h'_k,c'_k)=\mathrm{LSTM}_{\text{dec}}(y_{k-1},h'_{k-1},c'_{k-1})",
        r"y_k=\arg\max\,\mathrm{softmax}(Vh'_k+b)",
    ):
        st.latex(formula)
    _try_this(model)
    st.caption(
        "Sources: Sutskever, Vinyals & Le 2014; Cho et al. 2014; teacher forcing, Williams & Zipser 1989; attention, "
        "Bahdanau, Cho & Bengio 2015."
    )


def _try_this(model: Rewriter) -> None:
    with st.expander("Try this: where does the length live?"):
        found, counts = _experiments(model)
        sizes = "; ".join(
            f"factor {factor:g}: {words:.1f} words" for factor, words in zip(FACTORS, counts, strict=True)
        )
        last = [np.linalg.norm(model.state(number)[1]) for number in ("4", "40", "407", "4072", "40721", "407213")]
        st.markdown(
            "Hand over *c of the other number*, which has fewer digits, and count the words. Over "
            f"{found.pairs} pairs of numbers of different lengths, the answer had as many words as the number that "
            f"**c** came from in **{found.words_c:.0%}** of the cases, and as the one that h came from in "
            f"{found.words_h:.0%}. But it began with the letter that belongs to the number of **h** in "
            f"**{found.letter_h:.0%}**, to that of c in {found.letter_c:.0%}. The cell state holds what is still to be "
            "written, and how much of it; the hidden state has the next letter ready."
        )
        st.markdown(
            "Then scale the state. It doesn't say the same thing louder. Numbers of four digits become "
            f"{sizes}. The network *counts with the size of c*: after each digit of 407213 its norm is "
            f"{', '.join(f'{size:.1f}' for size in last)}. Nobody told it to. It also says why long numbers fail: they "
            "drive c to where it never was."
        )


@st.cache_data(max_entries=2, show_spinner=False)
def _experiments(_model: Rewriter) -> tuple[PatchingResult, list[float]]:
    return patch_states(_model), words_when_scaled(_model, FACTORS)
