"""The encoder–decoder of the recurrent family: it reads a number and writes it in words, last digit first."""

from itertools import groupby

import numpy as np
import streamlit as st

from lstm_core.datasets import LONGEST_TRAINED, MOST_DIGITS
from lstm_core.errors import TextError
from lstm_core.inference import END, Rewriter, Rewriting, Written, correct_characters, count_correct_words, longest_for
from lstm_core.interpret import PatchingResult, erase_units, patch_states, scale_state, swap_state, words_when_scaled
from ui.common import assets, charts, model_cache, plotting, presets, theme, url_state
from ui.common.errors import show_errors
from ui.common.explanations import explain
from ui.common.tokens import plain
from ui.common.url_state import control, in_link
from ui.recurrent_family import charts as family_charts
from ui.recurrent_family import seq2seq_charts
from ui.recurrent_family.seq2seq_charts import SPACE

MODEL = "number_words"
PRESETS: dict[str, str] = assets.table("presets.toml")["seq2seq"]
CHANGES: dict[str, str] = assets.table("presets.toml")["state_changes"]
FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5)
CONFIDENT = 0.9


def show() -> None:
    """The whole view."""
    explain("seq2seq")
    number, _ = presets.text_input(
        "Number", PRESETS, "s2s_number", "number", PRESETS["As in training"], width=360,
        help=f"Up to {MOST_DIGITS} digits; leading zeros count.",
    )  # fmt: skip
    found = None
    with show_errors():
        model = model_cache.model(Rewriter, MODEL)
        with show_errors():
            found = model.rewrite(number)
            _reading(found)
            _patching(model, found)
        _by_length(model, len(found.number) if found else None)
        _explanation(model)


def _reading(found: Rewriting) -> None:
    """The input and the output: the diagram, the signals, and the confidence in each character."""
    st.markdown(f"#### {verdict(found)}")
    right = correct_characters(found.written.text, found.truth)
    shown = ""
    for good, group in groupby(zip(found.written.text, right, strict=True), key=lambda pair: pair[1]):
        part = "".join(character for character, _ in group)
        shown += part if good else f":red-background[**{part.replace(' ', SPACE)}**]"
    st.markdown(f"Written: {shown or '(nothing)'}")
    if found.written.text != found.truth:
        st.markdown(f"True: {found.truth}")
    limit = charts.colour_limit(np.concatenate([found.encoder.c, found.written.trace.c]))
    names = [SPACE if character == " " else character for character in found.written.characters]
    figure = seq2seq_charts.diagram(list(found.number), found.h, found.c, names, limit)
    alt = (
        f"Diagram: {len(found.number)} cells read {found.number}; h and c, {found.h.size} numbers each, pass to "
        f"{len(names)} cells that write '{found.written.text}'."
    )
    plotting.show(figure, "s2s_diagram", alt)
    st.caption(
        f"{len(found.number)} steps of the encoder, {len(names)} of the decoder; the last character, {END}, ends the "
        "output. At each step the decoder also gets the character that it has just written."
    )
    _signals(found, names)
    right += [found.is_right] * found.written.finished
    probabilities = found.written.confidence
    st.markdown("##### Confidence in each character", help="The probability that the decoder's softmax gave it.")
    sentence = _confidence_sentence(probabilities, right)
    plotting.show(seq2seq_charts.confidence(names, probabilities, right), "s2s_sure", sentence)
    st.markdown(sentence)


def verdict(found: Rewriting) -> str:
    """How the output compares with the truth, in one sentence."""
    digits, right = len(found.number), count_correct_words(found.written.text, found.truth)
    if found.is_right:
        return f"{digits} digits: all {len(found.written.characters) - 1} characters are right."
    end = "" if found.written.finished else " The decoder did not end the output; it was stopped."
    return f"{digits} digits: {right} of {digits} words are right.{end}"


def _confidence_sentence(probabilities: np.ndarray, right: list[bool]) -> str:
    wrong = probabilities[~np.asarray(right, bool)]
    if not len(wrong):
        return f"The lowest probability of a character is {probabilities.min():.1%}."
    confident = int((wrong > CONFIDENT).sum())
    return (
        f"{len(right) - len(wrong)} characters are right and {len(wrong)} wrong; of the wrong ones, {confident} have a "
        f"probability above {CONFIDENT:.0%}."
    )


def _signals(found: Rewriting, names: list[str]) -> None:
    """One signal of both networks, over their steps."""
    letter = control("s2s_signal", theme.signal_names(theme.LSTM_SIGNALS))
    order = charts.similarity_order(found.written.trace.c)
    signals = found.encoder.signals[letter], found.written.trace.signals[letter]  # (digits, units), (characters, units)
    limit = charts.colour_limit(np.concatenate(signals))
    sides = (("The encoder, digit by digit", list(found.number), "in"), ("The decoder, by character", names, "out"))
    for column, (title, tokens, key), values in zip(st.columns([1, 3]), sides, signals, strict=True):
        with column:
            st.caption(title)
            figure = charts.heatmap(tokens, letter, values, order, None, limit)
            seq2seq_charts.character_axis(figure, tokens)
            figure.update_traces(showscale=key == "out")
            alt = f"Heat map: {theme.SIGNALS[letter].name} of {values.shape[1]} units over {len(values)} steps."
            plotting.show(figure, f"s2s_{key}", alt)


def _patching(model: Rewriter, found: Rewriting) -> None:
    """Change the state between encoder and decoder, and compare what the decoder writes."""
    st.markdown("#### Change the state")
    explain("patching")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        change = control("s2s_handed", CHANGES)
        other, factor, wiped = _change_values(change, found.h.size)
    in_link(other=other, factor=factor, wiped=wiped)
    own, second = (found.h, found.c), found.number
    if change == "scaled":
        state = scale_state(own, factor)
    elif change == "wiped":
        state = erase_units(own, wiped)
    else:
        try:
            second, trace = model.read(other)
        except TextError as error:
            st.error(f"The other number: {plain(str(error))}")
            return
        state = swap_state(own, (trace.h[-1], trace.c[-1]), change)
    written = model.write(*state, 2 * longest_for(max(found.number, second, key=len)))
    st.markdown(f"The decoder writes: **{written.text or '(nothing)'}**{'' if written.finished else ' … without end'}")
    st.markdown(_comparison(written, found, model, second))


def _change_values(change: str, units: int) -> tuple[str, float, int]:
    """Draw the control of a change; returns the other number, the factor and the number of units, of all changes."""
    # A link holds all three values, and a control that isn't drawn keeps its own.
    for name, value in (
        ("other", url_state.parameter("other", "986")),
        ("factor", url_state.number("factor", 1.25, 0.0, 2.0)),
        ("wiped", url_state.number("wiped", 8, 0, units)),
    ):
        if not url_state.is_set(f"s2s_{name}", name):
            st.session_state[f"s2s_{name}"] = value
    if change == "scaled":
        st.slider(
            "Factor", 0.0, 2.0, step=0.05, key="s2s_factor", width=300, persist_state="session",
            help="Multiplies every value of h and c.",
        )  # fmt: skip
    elif change == "wiped":
        st.slider(
            "Units set to 0", 0, units, key="s2s_wiped", width=300, persist_state="session",
            help="h and c of these units are set to 0, those with the largest |c| first.",
        )  # fmt: skip
    else:
        st.text_input("The other number", key="s2s_other", width=220, persist_state="session")
    return st.session_state["s2s_other"], st.session_state["s2s_factor"], int(st.session_state["s2s_wiped"])


def _comparison(written: Written, found: Rewriting, model: Rewriter, second: str) -> str:
    """What the output from a changed state has in common with those from the states of the numbers themselves."""
    parts = []
    for number in dict.fromkeys((found.number, second)):
        answer = found.written.text if number == found.number else model.rewrite(number).written.text
        same = count_correct_words(written.text, answer)
        parts.append(f"the output for {number} is *{answer}*, and {same} of its {len(answer.split())} words agree")
    words = len(written.text.split())
    return f"{words} {'word' if words == 1 else 'words'}. With an unchanged state, {'; '.join(parts)}."


def _by_length(model: Rewriter, current: int | None) -> None:
    measured = model.card.measured.get("by_length")
    if not measured:
        return
    sizes, whole, words = measured["digits"], measured["accuracy"], measured["words_right"]
    last, beyond = (sizes.index(LONGEST_TRAINED + more) for more in (0, 1))
    sentence = (
        f"With {sizes[last]} digits, the longest of the training set, **{whole[last]:.1%}** of the outputs are "
        f"entirely right. With one digit more it is **{whole[beyond]:.1%}**, although {words[beyond]:.0%} of the words "
        f"are right; with {sizes[-1]} digits, {whole[-1]:.1%} and {words[-1]:.0%}."
    )
    st.markdown("#### Accuracy by length")
    curves = {"whole outputs": whole, "words": words}
    figure = family_charts.accuracy_by_size(sizes, curves, (1, LONGEST_TRAINED), "digits", current)
    plotting.show(figure, "s2s_lengths", f"Lines. {sentence.replace('**', '')}")
    st.markdown(sentence)
    st.caption(
        f"Measured on up to {max(measured['count'])} numbers of each length that are not in the training set, by "
        f"`python -m lstm_core evaluate {MODEL}`. All numbers of one and two digits are in the training set."
    )


def _explanation(model: Rewriter) -> None:
    explain("seq2seq_explained")
    with st.expander("Try this: where is the length stored?", key="s2s_try", on_change="rerun") as panel:
        if panel.open:
            _length_in_the_state(model)
    explain("seq2seq_sources")


def _length_in_the_state(model: Rewriter) -> None:
    found, counts = _experiments(model)
    sizes = "; ".join(f"factor {factor:g}: {words:.1f}" for factor, words in zip(FACTORS, counts, strict=True))
    number = PRESETS["As in training"]
    norms = [np.linalg.norm(model.state(number[: end + 1])[1]) for end in range(len(number))]
    st.markdown(
        f"Choose *{CHANGES['c']}*, with a shorter number, and count the words. Over {found.pairs} pairs of numbers "
        f"of different lengths, the output had as many words as the number of **c** in **{found.words_c:.0%}** of "
        f"the cases, and as the number of h in {found.words_h:.0%}. Its first letter was that of the number of "
        f"**h** in **{found.letter_h:.0%}**, and of c in {found.letter_c:.0%}. So the cell state stores what is "
        "still to be written, and the hidden state the next character."
    )
    st.markdown(
        f"Then scale the state. The mean number of words for numbers of four digits is: {sizes}. The network "
        f"*counts with the norm of c*: after each digit of {number} it is "
        f"{', '.join(f'{norm:.1f}' for norm in norms)}. This also explains why long numbers fail: their norm is "
        "outside the range of the training set."
    )


@st.cache_data(max_entries=2, show_spinner=False)
def _experiments(_model: Rewriter) -> tuple[PatchingResult, list[float]]:
    return patch_states(_model), words_when_scaled(_model, FACTORS)
