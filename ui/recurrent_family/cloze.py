"""Both directions: two networks predict a missing word, one reads forward only, the other in both directions."""

from html import escape

import numpy as np
import streamlit as st

from lstm_core.evaluation import what_decides
from lstm_core.inference import BlankFiller, Filled
from lstm_core.nn import BidirectionalTrace
from lstm_core.text import BLANK
from ui.common import assets, charts, model_cache, plotting, presets, theme, tokens
from ui.common.errors import show_errors
from ui.common.explanations import explain
from ui.recurrent_family import charts as family_charts
from ui.recurrent_family import diagrams

PRESETS: dict[str, tuple[str, str]] = assets.table("presets.toml")["cloze"]  # name → sentence, and what to look at
# Model → title, diagram, and colour of its bars.
MODELS = {"blank_forward": ("Forward only", "forward", "#0072B2"), "blank_both": ("Both directions", "both", "#D55E00")}
MAX_BARS = 5


def show() -> None:
    """The sentence, the predictions of both networks, the influence of each word, and the hidden states."""
    explain("cloze")
    text, chosen = presets.text_input(
        f"A sentence with a blank, {BLANK}", {name: text for name, (text, _) in PRESETS.items()}, "blank_text", "blank",
        next(iter(PRESETS.values()))[0], max_chars=400,
        help="Write two or more underscores for the missing word. Press Enter to apply.",
    )  # fmt: skip
    if chosen:
        st.caption(PRESETS[chosen][1])
    with show_errors():
        _read({name: model_cache.model(BlankFiller, name) for name in MODELS}, text)
    explain("cloze_explained")


def _read(models: dict[str, BlankFiller], text: str) -> None:
    filled = {name: model.read(text) for name, model in models.items()}
    unknown = filled["blank_both"].unknown
    if unknown:
        st.caption(
            f"Not in the vocabulary, read as “unknown”: {tokens.plain(', '.join(unknown[:12]))}. The vocabulary has "
            f"{len(models['blank_both'].encoder.vocabulary.tokens)} words."
        )
    st.markdown(f"#### {in_a_sentence(filled['blank_forward'], filled['blank_both'])}")
    for column, name in zip(st.columns(2, gap="large"), MODELS, strict=True):
        with column:
            _one(models[name], filled[name])
    about = "The possible answers, and how the sentences were generated"
    with st.expander(about, key="blank_grammar", on_change="rerun") as panel:
        if panel.open:
            _grammar(models)


def _one(model: BlankFiller, filled: Filled) -> None:
    """A column: the diagram, the predictions, the influence of each word, the hidden states."""
    name = model.card.name
    title, wiring, colour = MODELS[name]
    st.subheader(title, anchor=False)
    diagrams.show(wiring, f"blank_wiring_{name}")
    best = filled.ranked[:MAX_BARS]
    figure = charts.answer_bars(
        [escape(word, quote=False) for word, _ in best], np.array([share for _, share in best]), [colour] * len(best)
    )
    alt = "Predictions: " + ", ".join(f"{word} {share:.0%}" for word, share in best) + "."
    plotting.show(figure, f"blank_guesses_{name}", alt, toolbar=False)
    answer = best[0][0]
    influence = what_decides(model, filled.text, answer)
    strengths = np.sqrt(np.abs(influence) / max(float(np.abs(influence).max()), 0.05))
    hovers = [
        f"{word}: {plotting.signed(-change, '.0%')}"
        for word, change in zip(filled.encoded.tokens, influence, strict=True)
    ]
    supports, opposes = theme.diverging_colours()
    st.caption(f"Words that support “{answer}” (orange) and oppose it (blue):")
    tokens.tinted_text(
        filled.text, filled.encoded.spans, [supports if change > 0 else opposes for change in influence],
        strengths.tolist(), hovers, chosen=filled.place,
        label=f"The sentence, tinted by each word's influence on {answer}",
    )  # fmt: skip
    trace = filled.trace
    if isinstance(trace, BidirectionalTrace):
        backward = trace.backward.in_text_order().signals["h"]
        rows = {"h, forward →": ("h", trace.forward.signals["h"]), "h, backward ←": ("h", backward)}
    else:
        rows = {"h, forward →": ("h", trace.signals["h"])}
    alt = f"Heat maps over {len(filled.encoded.tokens)} words: {', '.join(rows)}."
    plotting.show(family_charts.signals(filled.encoded.tokens, rows, mark=filled.place), f"blank_states_{name}", alt)


def in_a_sentence(forward: Filled, both: Filled) -> str:
    """The predictions of both networks."""
    (first, share), (second, other) = forward.ranked[0], both.ranked[0]
    if first == second:
        return f"Both predict “{first}”: forward only with {share:.0%}, in both directions with {other:.0%}."
    return f"Forward only: “{first}” with {share:.0%}. In both directions: “{second}” with {other:.0%}."


def _grammar(models: dict[str, BlankFiller]) -> None:
    both = models["blank_both"]
    st.markdown(
        f"The answer is one of {', '.join(both.answers[:-1])} or {both.answers[-1]}. A small grammar generates the "
        "sentences from an opening, what the missing thing does, and filler words. In three of four sentences the "
        "decisive words follow the blank. A hash of the sentence determines whether it is in the training or test set."
    )
    limits = both.card.measured.get("limits")
    if not limits:
        return
    shares = {name: model.card.measured["accuracy"] for name, model in models.items()}
    st.markdown(
        f"The test set has {both.card.measured['examples']:,} sentences. Predicting always the same word has an "
        f"accuracy of {limits['chance']:.0%}. **No** predictor that reads only the words before the blank can exceed "
        f"{limits['before']:.1%}, even if it knows these sentences; ours reaches {shares['blank_forward']:.1%}. "
        f"With all words {limits['all']:.1%} is possible; the bidirectional network reaches {shares['blank_both']:.1%}."
    )
