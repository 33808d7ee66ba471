"""Panels that explain an answer: attributions, two texts side by side, and similar activations in other texts."""

import numpy as np
import streamlit as st

from lstm_core import LabError, interpret
from lstm_core.inference import Reading, TextClassifier
from lstm_core.nn import Array
from ui.classifier import panels
from ui.common import assets, charts, model_cache, plotting, theme, tokens, url_state
from ui.common.errors import show_error
from ui.common.examples import Texts
from ui.common.plotting import signed
from ui.common.shared_cache import CACHE

METHODS: dict[str, tuple[str, str]] = assets.table("presets.toml")["attribution"]  # name → its title, and caption


def why(model: TextClassifier, reading: Reading, key: str, hide: bool) -> None:
    """Draw the tokens tinted by their contribution to one class, with the numbers as a table.

    Args:
        model: what reads.
        reading: of the visitor's text.
        key: prefix of the widgets' keys.
        hide: whether language names are masked.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Answer to explain", reading.labels, index=reading.labels.index(reading.answer),
            format_func=theme.class_name, key=f"{key}_explained_{reading.answer}",
        )  # fmt: skip
        method = st.segmented_control(
            "Method", list(METHODS), format_func=lambda name: METHODS[name][0], default="gradients", required=True,
            key=f"{key}_method",
        )  # fmt: skip
    st.caption(f"{METHODS[method][1]} Values are nats of log-odds: +0.7 doubles the odds, −0.7 halves them.")
    values, summary = _attribution(model, reading, label, method, hide)
    name = theme.class_name(label)
    largest = max(float(np.abs(values).max(initial=0.0)), 1e-6)
    supports, opposes = theme.diverging_colours()
    tints = [supports if value > 0 else opposes for value in values]
    hovers = [f"{panels.token_name(reading, index)}: {signed(value, '.2f')}" for index, value in enumerate(values)]
    label = f"The text, each token tinted by its contribution to {name}"
    strengths = np.sqrt(np.abs(values) / largest).tolist()
    tokens.tinted_text(reading.text, reading.encoded.spans, tints, strengths, hovers, label=label)
    st.markdown(f":{theme.SUPPORTS}-badge[supports {name}] :{theme.OPPOSES}-badge[opposes {name}]  {summary}")
    with st.expander("The numbers", key=f"{key}_numbers", on_change="rerun") as panel:
        if panel.open:
            rows = {"timestep": range(1, len(values) + 1), "token": reading.tokens, "log-odds": values.round(3)}
            import pandas as pd  # takes long, and few look at the table

            table = pd.DataFrame(rows)
            st.dataframe(table.sort_values("log-odds", key=np.abs, ascending=False), hide_index=True, height=320)


def _attribution(model: TextClassifier, reading: Reading, label: str, method: str, hide: bool) -> tuple[Array, str]:
    """(T,) values and one sentence about their sum."""
    key = "attribution", model_cache.identity(model.card.name), reading.text, label, method, hide
    if method == "gradients":
        with st.spinner("Computing integrated gradients …"):
            found = CACHE.get(key, lambda: model.attribute(reading.text, label, mask_names=hide or None))
        share = abs(found.residual) / max(abs(found.score - found.baseline), 1e-6)
        baseline, score = signed(found.baseline, ".2f"), signed(found.score, ".2f")
        return found, (
            f"From {baseline} with every token unknown to {score}: the tokens' values add up to all but {share:.1%} of "
            "the difference."
        )
    bar = st.progress(0.0, "Reading the text without each token in turn …")
    values = CACHE.get(
        key, lambda: model.leave_one_out(reading.text, label, mask_names=hide or None, report=bar.progress)
    )
    bar.empty()
    return (
        values,
        f"Their sum is {signed(values.sum(), '.2f')}; tokens with the same information contribute little each.",
    )


def pairs(model: TextClassifier, texts: Texts, key: str) -> None:
    """Draw two texts that differ in one place: their answers, both curves, and the difference of their cell states.

    Args:
        model: what reads.
        texts: whose pairs are offered.
        key: prefix of the widgets' keys.
    """
    names = [pair.name for pair in texts.pairs]
    name = st.selectbox("Example pair", names, key=f"{key}_pair")
    pair = texts.pairs[names.index(name)]
    st.caption(pair.lesson)
    columns = st.columns(2)
    boxes = [("First text", pair.first), ("Second text", pair.second)]
    written = [
        column.text_area(label, text, key=f"{key}_pair_{number}_{name}", height=120)
        for number, (column, (label, text)) in enumerate(zip(columns, boxes, strict=True))
    ]
    readings = []
    for column, text in zip(columns, written, strict=True):
        with column:
            try:
                readings.append(url_state.cached_reading(model, text))
            except LabError as error:
                show_error(error)
                continue
            answer, confidence = theme.class_name(readings[-1].answer), f"{readings[-1].confidence:.1%}"
            st.metric("Answer", answer, confidence, delta_color="off", delta_arrow="off")
    if len(readings) == 2:
        _compare(readings[0], readings[1], key)


def _compare(first: Reading, second: Reading, key: str) -> None:
    rows = interpret.align_readings(first, second)
    labels = [
        second.tokens[b] if same or a == before else first.tokens[a]
        for a, b, same, before in zip(rows.first, rows.second, rows.same, [-1, *rows.first[:-1]], strict=True)
    ]
    label = first.labels.index(first.answer)
    name = theme.class_name(first.answer)
    divergence = interpret.first_divergence(first, second, rows)
    if divergence is None:
        st.markdown("The two answers never diverge by more than ten percentage points.")
    else:
        st.markdown(f"The answers diverge at “**{tokens.plain(labels[divergence])}**”.")
    curves = [
        np.where(places < 0, np.nan, reading.probabilities[np.maximum(places, 0), label])
        for reading, places in ((first, rows.first), (second, rows.second))
    ]
    figure = charts.two_curves(labels, name, curves, divergence)
    plotting.show(figure, f"{key}_pair_curves", f"Two lines: the probability of {name} after each token.")
    if first.layers:
        difference = interpret.memory_difference(first, second, rows)
        figure = charts.heatmap(labels, "c", difference, charts.similarity_order(difference), divergence)
        plotting.show(figure, f"{key}_pair_memory", "Heat map: the second cell state minus the first.")
        st.caption("The second cell state minus the first, unit by unit; blank where both are equal.")


@st.cache_resource(show_spinner="Reading the other texts …", max_entries=8)
def _collection(_model: TextClassifier, name: str, texts: tuple[str, ...]) -> list[Reading]:
    """Readings of the example texts; shared by all visitors and never changed."""
    return [_model.read(text) for text in texts]


def moments(model: TextClassifier, reading: Reading, texts: Texts, key: str) -> None:
    """Draw the places in other texts where the same units are active as at a chosen token of this one.

    Args:
        model: what reads.
        reading: of the visitor's text.
        texts: whose moments are searched.
        key: prefix of the widgets' keys.
    """
    st.markdown(
        "Choose a token. The units with a large cell state at that token are the pattern; below are the places in "
        f"{len(texts.moments)} other texts, written for this page, where most of the same units are active."
    )
    others = _collection(model, model.card.name, texts.moments)
    threshold = st.slider(
        "Threshold", 0.1, 0.9, interpret.ACTIVATION_THRESHOLD, 0.05, key=f"{key}_threshold",
        help="A unit counts as active where |c| exceeds this share of its largest value in all texts.",
    )  # fmt: skip
    t = st.selectbox(
        "Token", range(len(reading.tokens)), index=interpret.initial_timestep(reading, others, threshold=threshold),
        format_func=lambda step: panels.token_name(reading, step),
        key=f"{key}_moment_{url_state.fingerprint(reading.text)}",
    )  # fmt: skip
    found = interpret.find_moments(reading, t, others, threshold=threshold)
    if not found:
        st.info("No unit is active at this token; choose another token or a lower threshold.")
    for moment in found:
        other = others[moment.reading]
        note = (
            f"{moment.match:.0%} of the pattern · {len(moment.units)} shared units · {theme.class_name(other.answer)}"
        )
        tokens.snippet(other.text, other.encoded.spans[moment.timestep], note)
