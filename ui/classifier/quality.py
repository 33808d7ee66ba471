"""Panels about a model itself: how good it is by its card, and where it is wrong."""

from __future__ import annotations

import streamlit as st

from lstm_core import DatasetError, ModelError
from lstm_core.datasets import Split, download_dataset, find_dataset, is_present, load_labelled
from lstm_core.inference import find_model
from lstm_core.library import ModelCard
from ui.classifier import card_charts
from ui.common import plotting, theme, tokens


def how_good(names: list[str], lessons: str, key: str) -> None:
    """Curves of the training run, and every figure that `evaluate` measured on the test split."""
    cards = []
    for name in names:
        try:
            cards.append(ModelCard.read(find_model(name)))
        except ModelError as error:
            st.error(str(error))
    if not cards:
        return
    if lessons:
        st.markdown(lessons)
    chosen = st.segmented_control(
        "Model", [card.name for card in cards], default=cards[0].name, required=True, key=f"{key}_card"
    )
    card = next(card for card in cards if card.name == chosen)
    _summary(card)
    curves, measured = card.training.get("curves", {}), card.measured
    figures = {
        "curves": (card_charts.training_curves(curves), "Loss and accuracy after each epoch of training."),
        "confusion": (card_charts.confusion(measured), "Confusion matrix: which class was given to which."),
        "roc": (card_charts.roc(measured), "ROC curves: true positives against false positives."),
        "calibration": (card_charts.calibration(measured), "Reliability: how often each confidence is right."),
        "length": (card_charts.by_length(measured), "Accuracy against the length of a text."),
    }
    columns = st.columns(2)
    for number, (name, (figure, alt)) in enumerate(figures.items()):
        with columns[number % 2]:
            plotting.show(figure, f"{key}_{name}", alt)


def _summary(card: ModelCard) -> None:
    measured, training = card.measured, card.training
    baseline = training.get("baseline")
    with st.container(horizontal=True):
        if "accuracy" in measured:
            st.metric("Test accuracy", f"{measured['accuracy']:.2%}", help=f"On {measured['examples']:,} texts.")
        if "auc" in measured:
            st.metric("Area under the ROC curve", f"{measured['auc']:.3f}")
        if "calibration" in measured:
            help = "How far confidence and accuracy are apart, on average."
            st.metric("Calibration error", f"{measured['calibration']['ece']:.1%}", help=help)
        if "parameters" in training:
            st.metric("Parameters", f"{training['parameters']:,}")
        if baseline:
            st.metric(
                baseline["name"], f"{baseline['accuracy']:.2%}", help="On the same splits; benchmarks/baselines.py."
            )
    st.markdown(card.summary)
    if seeds := training.get("seeds"):
        st.caption(
            f"Trained from {len(seeds['runs'])} seeds, it was right for {seeds['mean']:.1%} of the validation texts on "
            f"average, give or take {seeds['deviation']:.1%}: so much of any figure here is chance."
        )
    if baseline and measured.get("accuracy", 1.0) < baseline["accuracy"]:
        st.info(f"On this test a {baseline['name']}, which knows no order beyond neighbours, is still the better one.")
    with st.expander("How it was made"):
        for note in card.notes:
            st.markdown(note)
        st.code(training.get("command", ""), language=None)


def where_wrong(card: ModelCard, key: str) -> None:
    """The most confident mistakes on the test split, if the data set is on this machine."""
    mistakes = card.measured.get("mistakes", [])
    if not mistakes:
        st.info(f"No mistakes are listed in the card of {card.name}; `python -m lstm_core evaluate` finds them.")
        return
    if not is_present(card.dataset):
        _offer_download(card.dataset, key)
        return
    try:
        texts = _test_split(card.dataset)
    except DatasetError as error:
        st.error(str(error))
        return
    st.markdown(f"The {len(mistakes)} test texts that **{card.title}** got wrong with the most confidence.")
    for mistake in mistakes:
        if mistake["index"] >= len(texts.texts):
            continue  # another edition of the data set
        truth = theme.class_name(card.labels[texts.labels[mistake["index"]]])
        answer = theme.class_name(card.labels[mistake["answer"]])
        text = texts.texts[mistake["index"]]
        beginning = tokens.plain(" ".join(text.split())[:70])
        with st.expander(f"**{mistake['confidence']:.1%} sure of {answer}; it is {truth}**  {beginning} …"):
            st.text(text[:4000])
            st.button(
                "Read it here",
                key=f"{key}_mistake_{mistake['index']}",
                on_click=st.session_state.__setitem__,
                args=(f"{key}_text", text),
            )


@st.cache_resource(show_spinner="Opening the data set …", max_entries=2)
def _test_split(name: str) -> Split:
    """The test texts; the same for everybody and never changed."""
    return load_labelled(name).test


def _offer_download(name: str, key: str) -> None:
    spec = find_dataset(name)
    st.markdown(
        f"The mistakes are texts of the data set **{spec.title}**, which is not part of this project and not on this "
        f"machine. {spec.source}"
    )
    if not st.button("Download it", key=f"{key}_download", icon=":material/download:"):
        return
    bar = st.progress(0.0, "Asking for it …")

    def show(done: int, total: int | None) -> None:
        size = f"{done / 2**20:.0f} MiB" + (f" of {total / 2**20:.0f}" if total else "")
        bar.progress(min(done / total, 1.0) if total else 0.0, size)

    try:
        download_dataset(name, show)
    except DatasetError as error:
        bar.empty()
        st.error(str(error))
    else:
        st.rerun()
