"""Both directions: a blank in a sentence, and who can fill it: one who reads forward only, or both ways.

The sentences that they learned from are in `lstm_core/datasets/cloze_grammar.py`.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from lstm_core.errors import LabError
from lstm_core.evaluation import what_decides
from lstm_core.inference import BlankFiller, Filled
from lstm_core.nn import BidirectionalTrace
from lstm_core.text import BLANK
from ui.common import charts, model_cache, theme, tokens, url_state
from ui.recurrent_family import charts as family_charts
from ui.recurrent_family import diagrams

Shown = dict[str, str | int]
# Name → sentence, and what to look at.
PRESETS: dict[str, tuple[str, str]] = {
    "It comes after": (
        "this morning the ___ of our old neighbour whistled on the stove",
        "What decides stands after the blank. One of the two hasn't read it.",
    ),
    "It came before": (
        "in the town something struck midnight and it was the ___",
        "Now everything is said before the blank: both can know.",
    ),
    "Meanwhile": (
        "while the cow mooed at the gate, the ___ baked the bread again",
        "The words before the blank speak of something else.",
    ),
    "A hint": (
        "on the farm the ___ you can see in this picture laid two brown eggs",
        "The place leaves the forward reader four to choose from.",
    ),
    "Nobody can know": (
        "yesterday the ___ ate the grass before it got dark",
        "Several of them eat grass: both directions narrow it down, and no more.",
    ),
    "Unknown words": (
        "yesterday the ___ purred on the sofa",
        "There is no cat among its answers, and it has never read 'purred'.",
    ),
}
TWO = {"blank_forward": ("Forward only", "forward"), "blank_both": ("Both directions", "both")}
COLOURS = {"blank_forward": "#0072B2", "blank_both": "#D55E00"}
MOST_BARS = 5

EQUATIONS = (
    r"\overrightarrow{h}_t=\mathrm{LSTM}(x_t,\overrightarrow{h}_{t-1})",
    r"\overleftarrow{h}_t=\mathrm{LSTM}(x_t,\overleftarrow{h}_{t+1})",
    r"y_t=\mathrm{softmax}\big(V\,[\overrightarrow{h}_t;\overleftarrow{h}_t]+b\big)",
)
SURPRISE = (
    "Take **Meanwhile** and make the missing thing do what the sentence began with: *while the cow mooed at the gate, "
    "the \\_\\_\\_ mooed at the gate*. In the grammar the two are never the same, and the network has to choose "
    "between what the words say and what it has always seen. Then move the blank to the very end, where "
    "nothing comes after: how much is the second direction worth there?"
)


def show() -> Shown:
    """The sentence, both networks' guesses, which words decide, and what each direction holds."""
    st.markdown(
        "A word is missing. Two networks of 32 LSTM units have learned to say which: one reads **forward only** and is "
        "asked when it comes to the blank, the other gives half of its units to a second reader who comes **from the "
        "end of the sentence**."
    )
    text = _ask()
    try:
        models = {name: model_cache.model(BlankFiller, name) for name in TWO}
        _read(models, text)
    except LabError as error:
        st.error(str(error))
    _words()
    return {"blank": text[: url_state.LONGEST_IN_LINK]}


def _read(models: dict[str, BlankFiller], text: str) -> None:
    filled = {name: model.read(text) for name, model in models.items()}
    unknown = filled["blank_both"].unknown
    if unknown:
        st.caption(
            f"Not in their vocabulary, and read as “unknown”: {tokens.plain(', '.join(unknown[:12]))}. They know the "
            f"{len(models['blank_both'].encoder.vocabulary.tokens)} words of a small grammar."
        )
    st.markdown(f"#### {in_a_sentence(filled['blank_forward'], filled['blank_both'])}")
    for column, name in zip(st.columns(2, gap="large"), TWO, strict=True):
        with column:
            _one(models[name], filled[name])
    with st.expander("What may stand in the blank, and how the sentences were made"):
        _grammar(models)


def _words() -> None:
    st.markdown(
        "The state of the forward reader is a summary of what came before. At the blank it can only weigh what usually "
        "follows; what it reads afterwards comes too late for this answer. The second reader arrives at the same place "
        "from the other side with a summary of all that follows, and the answer is made of both."
    )
    st.markdown(
        "That is why taggers, translators' encoders and speech recognisers read in both directions, and why a network "
        "that writes can't: what comes after doesn't exist yet. It also means waiting for the last word before the "
        "first answer."
    )
    for formula in EQUATIONS:
        st.latex(formula)
    with st.expander("Try this: make the words say what can't be"):
        st.markdown(SURPRISE)
    st.caption("Source: Schuster & Paliwal 1997. The sentences are our own.")


def _ask() -> str:
    def put() -> None:
        chosen = PRESETS.get(st.session_state["blank_preset"])
        if chosen is not None:
            st.session_state["blank_text"] = chosen[0]

    st.session_state.setdefault("blank_text", url_state.parameter("blank", next(iter(PRESETS.values()))[0]))
    now = next((name for name, (text, _) in PRESETS.items() if text == st.session_state["blank_text"]), None)
    st.session_state["blank_preset"] = now
    st.pills("Try one", list(PRESETS), key="blank_preset", on_change=put, label_visibility="collapsed")
    text = st.text_input(
        f"A sentence with a blank, {BLANK}", key="blank_text", persist_state="session", max_chars=400,
        help="Write two or more underscores where a word is missing. Enter reads it.",
    )  # fmt: skip
    if now:
        st.caption(PRESETS[now][1])
    return text


def _one(model: BlankFiller, filled: Filled) -> None:
    """A column: diagram, guesses, the words that decide, the states."""
    name, colour = model.card.name, COLOURS[model.card.name]
    title, wiring = TWO[name]
    st.subheader(title, anchor=False)
    figure, alt = diagrams.wiring(wiring)
    st.plotly_chart(figure, config=diagrams.STILL, key=f"blank_wiring_{name}", alt=alt)
    best = filled.ranked[:MOST_BARS]
    said = ", ".join(f"{word} {share:.0%}" for word, share in best)
    st.plotly_chart(
        family_charts.guesses(best, colour), config={"displayModeBar": False}, key=f"blank_guesses_{name}",
        alt=f"Guesses: {said}.",
    )  # fmt: skip
    lost = what_decides(model, filled.text, best[0][0])
    strengths = np.sqrt(np.abs(lost) / max(float(np.abs(lost).max()), 0.05))
    hovers = [f"{word}: {-change:+.0%}" for word, change in zip(filled.encoded.tokens, lost, strict=True)]
    sides = [theme.diverging_colours()[0] if change > 0 else theme.diverging_colours()[1] for change in lost]
    st.caption(f"Which words spoke for “{best[0][0]}” (and, in blue, against it):")
    tokens.tinted_text(
        filled.text, filled.encoded.spans, sides, strengths.tolist(), hovers, chosen=filled.place,
        label=f"The sentence; each word tinted by what it did for {best[0][0]}",
    )  # fmt: skip
    rows = states(filled)
    st.plotly_chart(
        family_charts.signals(filled.encoded.tokens, rows, mark=filled.place), config=charts.CONFIG,
        key=f"blank_states_{name}", alt=f"Heat maps over {len(filled.encoded.tokens)} words: {', '.join(rows)}.",
    )  # fmt: skip


def states(filled: Filled) -> dict[str, tuple[str, np.ndarray]]:
    """The hidden state of each direction in the order of the text, under its title."""
    trace = filled.trace
    if not isinstance(trace, BidirectionalTrace):
        return {"h, reading →": ("h", trace.signals["h"])}
    return {
        "h, reading →": ("h", trace.forward.signals["h"]),
        "h, reading ←": ("h", trace.backward.in_text_order().signals["h"]),
    }


def in_a_sentence(forward: Filled, both: Filled) -> str:
    """Who says what at the blank."""
    (first, share), (second, other) = forward.ranked[0], both.ranked[0]
    if first == second:
        return f"Both say “{first}”: forward only with {share:.0%}, in both directions with {other:.0%}."
    return f"Forward only it is “{first}” with {share:.0%}; in both directions it is “{second}” with {other:.0%}."


def _grammar(models: dict[str, BlankFiller]) -> None:
    both = models["blank_both"]
    st.markdown(
        f"The blank can be {', '.join(both.answers[:-1])} or {both.answers[-1]}. A little grammar of our own writes "
        "sentences of an opening, what the missing one did, and words that say nothing. In three of four sentences "
        "what decides comes after the blank. A sentence's own letters settle whether it is learned from or held out."
    )
    limits = both.card.measured.get("limits")
    if not limits:
        return
    shares = {name: model.card.measured["accuracy"] for name, model in models.items()}
    st.markdown(
        f"On the {both.card.measured['examples']:,} sentences held out, always saying the same word is right "
        f"{limits['chance']:.0%} of the time. **No** reader who sees only the words before the blank, not even one who "
        f"knows these very sentences, can be right more often than {limits['before']:.1%}; ours reaches "
        f"{shares['blank_forward']:.1%}. With all words {limits['all']:.1%} is possible, and the network with "
        f"both directions reaches {shares['blank_both']:.1%}."
    )
