"""Panels that say why: attributions, two texts side by side, and moments like this one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from lstm_core import LabError
from lstm_core.inference import Reading, TextClassifier
from lstm_core.interpret import (
    ACTIVATION_THRESHOLD,
    align_readings,
    find_moments,
    first_divergence,
    initial_timestep,
    memory_difference,
)
from lstm_core.nn import Array
from ui.classifier import panels
from ui.common import charts, plotting, theme, tokens, url_state
from ui.common.examples import Texts

METHODS = {"gradients": "Integrated gradients", "leave": "Leave one token out"}
EXPLAINED = {
    "gradients": "Integrated gradients go the straight way from a text of unknown tokens to yours, and add up how much "
    "each token's vector moved the answer.",
    "leave": "Each token in turn is made unknown, and the text is read again; the loss is what that token was worth.",
}


def why(model: TextClassifier, reading: Reading, key: str, hide: bool) -> None:
    """Tokens tinted by what they did for one answer, signed, with the numbers as a table."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Answer to explain",
            reading.labels,
            index=reading.labels.index(reading.answer),
            format_func=theme.class_name,
            key=f"{key}_explained_{reading.answer}",
        )
        method = st.segmented_control(
            "Method",
            list(METHODS),
            format_func=METHODS.__getitem__,
            default="gradients",
            required=True,
            key=f"{key}_method",
        )
    st.caption(
        f"{EXPLAINED[method]} Values are nats of log-odds: +0.7 doubles the odds of the answer, -0.7 halves them."
    )
    values, account = _attribution(model, reading, label, method, hide)
    name = theme.class_name(label)
    strongest = max(float(np.abs(values).max(initial=0.0)), 1e-6)
    speaks_for, speaks_against = theme.diverging_colours()
    tokens.tinted_text(
        reading.text,
        reading.encoded.spans,
        [speaks_for if value > 0 else speaks_against for value in values],
        np.sqrt(np.abs(values) / strongest).tolist(),
        [f"{panels.token_name(reading, index)}: {value:+.2f}" for index, value in enumerate(values)],
        label=f"The text, each token tinted by what it did for {name}",
    )
    st.markdown(f":{theme.SUPPORTS}-badge[for {name}] :{theme.OPPOSES}-badge[against {name}]  {account}")
    table = pd.DataFrame({"timestep": range(1, len(values) + 1), "token": reading.tokens, "log-odds": values.round(3)})
    with st.expander("The numbers"):
        st.dataframe(table.sort_values("log-odds", key=np.abs, ascending=False), hide_index=True, height=320)


def _attribution(model: TextClassifier, reading: Reading, label: str, method: str, hide: bool) -> tuple[Array, str]:
    """(T,) values and one sentence about their sum; the last few are kept for this visitor."""
    kept = st.session_state.setdefault("_attributions", {})
    asked = (model.card.name, reading.text, label, method, hide)
    if asked not in kept:
        if method == "gradients":
            with st.spinner("Asking the network about every token …"):
                found = model.attribute(reading.text, label, mask_names=hide or None)
            share = abs(found.residual) / max(abs(found.score - found.baseline), 1e-6)
            account = (
                f"From {found.baseline:+.2f}, every token unknown, to {found.score:+.2f}: the tokens account for "
                f"all but {share:.1%} of the way."
            )
            values = np.asarray(found)
        else:
            bar = st.progress(0.0, "Reading the text once without each token …")
            values = model.leave_one_out(reading.text, label, mask_names=hide or None, report=bar.progress)
            bar.empty()
            account = f"Together {values.sum():+.2f}; tokens that repeat each other are each worth little alone."
        while len(kept) > 5:
            kept.pop(next(iter(kept)))
        kept[asked] = values, account
    return kept[asked]


def pairs(model: TextClassifier, texts: Texts, key: str) -> None:
    """Two texts that differ in one place: answers, curves laid beside each other, and the memories' difference."""
    names = [pair.name for pair in texts.pairs]
    name = st.selectbox("A pair to begin with", names, key=f"{key}_pair")
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
                readings.append(model.read(text))
            except LabError as error:
                st.error(str(error))
                continue
            st.metric(
                "Answer",
                theme.class_name(readings[-1].answer),
                f"{readings[-1].confidence:.1%}",
                delta_color="off",
                delta_arrow="off",
            )
    if len(readings) == 2:
        _beside_each_other(readings[0], readings[1], key)


def _beside_each_other(first: Reading, second: Reading, key: str) -> None:
    rows = align_readings(first, second)
    labels = [
        second.tokens[b] if same or a == before else first.tokens[a]
        for a, b, same, before in zip(rows.first, rows.second, rows.same, [-1, *rows.first[:-1]], strict=True)
    ]
    shown = first.labels.index(first.answer)
    name = theme.class_name(first.answer)
    parted = first_divergence(first, second, rows)
    if parted is None:
        st.markdown("The two answers never come apart by more than ten points.")
    else:
        st.markdown(
            f"The answers part at “**{tokens.plain(labels[parted])}**”, the first place where they differ clearly."
        )
    figure = charts.two_curves(
        labels,
        name,
        [
            np.where(rows.first < 0, np.nan, first.probabilities[np.maximum(rows.first, 0), shown]),
            np.where(rows.second < 0, np.nan, second.probabilities[np.maximum(rows.second, 0), shown]),
        ],
        parted,
    )
    plotting.show(figure, f"{key}_pair_curves", f"Two lines: the probability of {name} after each token.")
    if first.layers:
        difference = memory_difference(first, second, rows)
        figure = charts.heatmap(labels, "c", difference, charts.similarity_order(difference), parted)
        plotting.show(figure, f"{key}_pair_memory", "Heat map: the second memory minus the first.")
        st.caption("The second cell state minus the first, unit by unit. It is blank where both remember the same.")


@st.cache_resource(show_spinner="Reading the collection …", max_entries=8)
def _collection(_model: TextClassifier, name: str, texts: tuple[str, ...]) -> list[Reading]:
    """Readings of our own texts; the same for everybody and never changed."""
    return [_model.read(text) for text in texts]


def moments(model: TextClassifier, reading: Reading, texts: Texts, key: str) -> None:
    """Other texts in which the same units are on as at a chosen token here."""
    st.markdown(
        "Choose a token. The units whose memory is strongly on at that moment are the pattern; below are the moments "
        f"in {len(texts.moments)} other texts, which we wrote, where most of the same units are on."
    )
    others = _collection(model, model.card.name, texts.moments)
    threshold = st.slider(
        "Threshold",
        0.1,
        0.9,
        ACTIVATION_THRESHOLD,
        0.05,
        key=f"{key}_threshold",
        help="A unit counts as on where its memory is beyond this share of the largest value it reaches anywhere.",
    )
    t = st.selectbox(
        "Token",
        list(range(len(reading.tokens))),
        index=initial_timestep(reading, others, threshold=threshold),
        format_func=lambda step: panels.token_name(reading, step),
        key=f"{key}_moment_{url_state.fingerprint(reading.text)}",
    )
    found = find_moments(reading, t, others, threshold=threshold)
    if not found:
        st.info("No unit is on at this token; choose another one, or a lower threshold.")
    for moment in found:
        other = others[moment.reading]
        tokens.snippet(
            other.text,
            other.encoded.spans[moment.timestep],
            f"{moment.match:.0%} of the pattern · {len(moment.units)} shared units · {theme.class_name(other.answer)}",
        )
