"""Panels about the model itself: the evaluation in its card, and its errors on the test set."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from lstm_core import DatasetError
from lstm_core.datasets import Split, find_dataset, is_present, load_labelled
from lstm_core.inference import find_model
from lstm_core.jobs import FINISHED, shared_server
from lstm_core.library import ModelCard
from ui.classifier import card_charts
from ui.common import job_panel, plotting, theme, tokens
from ui.common.errors import show_error, show_errors


def evaluation(model: str, peers: Iterable[str], notes: str, key: str) -> None:
    """Draw the training curves, and every figure that `evaluate` measured on the test set.

    Args:
        model: name of the page's model.
        peers: names of the models to compare with.
        notes: Markdown on the training.
        key: prefix of the widgets' keys.
    """
    cards = []
    for name in (model, *peers):
        with show_errors():
            cards.append(ModelCard.read(find_model(name)))
    if not cards:
        return
    if notes:
        st.markdown(notes)
    chosen = st.segmented_control(
        "Model", [card.name for card in cards], default=cards[0].name, required=True, key=f"{key}_card"
    )
    card = next(card for card in cards if card.name == chosen)
    _summary(card)
    curves, measured = card.training.get("curves", {}), card.measured
    figures = (
        (card_charts.training_curves(curves), "Loss and accuracy after each epoch of training."),
        (card_charts.confusion(measured), "Confusion matrix: predicted against true class."),
        (card_charts.roc(measured), "ROC curves: true positive rate against false positive rate."),
        (card_charts.calibration(measured), "Reliability diagram: accuracy against confidence."),
        (card_charts.by_length(measured), "Accuracy against the length of the text."),
    )
    columns = st.columns(2)
    for number, (figure, alt) in enumerate(figures):
        with columns[number % 2]:
            plotting.show(figure, f"{key}_card_{number}", alt)


def _summary(card: ModelCard) -> None:
    measured, training = card.measured, card.training
    best = training.get("baseline")
    baselines = [*training.get("other_baselines", []), *([best] if best else [])]
    with st.container(horizontal=True):
        if "accuracy" in measured:
            st.metric("Test accuracy", f"{measured['accuracy']:.2%}", help=f"On {measured['examples']:,} texts.")
        if "auc" in measured:
            st.metric("Area under the ROC curve", f"{measured['auc']:.3f}")
        if "calibration" in measured:
            about = "Mean difference between confidence and accuracy."
            st.metric("Calibration error", f"{measured['calibration']['ece']:.1%}", help=about)
        if "parameters" in training:
            st.metric("Parameters", f"{training['parameters']:,}")
        for each in baselines:
            st.metric(each["name"], f"{each['accuracy']:.2%}", help="On the same splits; benchmarks/baselines.py.")
    st.markdown(tokens.plain(card.summary))
    if seeds := training.get("seeds"):
        st.caption(
            f"Trained with {len(seeds['runs'])} seeds, its validation accuracy is {seeds['mean']:.1%} on average with "
            f"a standard deviation of {seeds['deviation']:.1%}."
        )
    if more := training.get("examples", {}).get("unlabelled"):
        st.caption(f"It has also read {more:,} texts without a label; “Training” says how.")
    if better := [each["name"] for each in baselines if measured.get("accuracy", 1.0) < each["accuracy"]]:
        st.info(f"More accurate on this test set, with no order beyond a few neighbours: {'; '.join(better)}.")
        if found := training.get("disagreement"):
            _disagreement(found)
    with st.expander("Training"):
        for note in card.notes:
            st.markdown(tokens.plain(note))
        st.code(training.get("command", ""), language=None)


def _disagreement(found: Mapping[str, Any]) -> None:
    """What a simpler model knows and the network doesn't, as `benchmarks.disagreement` wrote it to the card."""
    with st.expander("What it knows that this network doesn't"):
        st.markdown(
            f"The {found['peer']}: of the test texts, it alone answers {found['peer_alone']:,} correctly, this "
            f"network alone {found['network_alone']:,}, and both {found['both']:,}. Between two equally good models, "
            f"a difference at least as large has a probability of "
            f"{sign_test(found['peer_alone'], found['network_alone']):.0%} (McNemar's test). Its features with the "
            f"largest contributions to the {found['peer_alone']:,}:"
        )
        table = {
            "feature": [f"“{each['text']}”" for each in found["features"]],
            "supports": [theme.class_name(each["supports"]) for each in found["features"]],
            "opposes": [theme.class_name(each["opposes"]) for each in found["features"]],
            "texts": [each["texts"] for each in found["features"]],
        }
        st.dataframe(table, hide_index=True)


def sign_test(one: int, other: int) -> float:
    """The probability that of so many texts, each as likely to fall to either side, at least the larger one does.

    Two-sided and exact: McNemar's test (1947) on the texts that one of two models alone answers correctly.
    """
    tails = 2 * sum(math.comb(one + other, k) for k in range(max(one, other), one + other + 1))
    return min(tails / 2 ** (one + other), 1.0)


def errors(card: ModelCard, key: str) -> None:
    """Draw the most confident errors on the test set, if the data set is on this machine."""
    mistakes = card.measured.get("mistakes", [])
    if not mistakes:
        st.info(f"The card of {card.name} lists no errors; `python -m lstm_core evaluate` finds them.")
        return
    if not is_present(card.dataset):
        _offer_download(card.dataset, key)
        return
    try:
        texts = _test_split(card.dataset)
    except DatasetError as error:
        show_error(error)
        return
    title = tokens.plain(card.title)
    st.markdown(f"The {len(mistakes)} test texts that **{title}** misclassifies with the highest confidence.")
    for mistake in mistakes:
        if mistake["index"] >= len(texts.texts):
            continue  # another edition of the data set
        truth = theme.class_name(card.labels[texts.labels[mistake["index"]]])
        answer = theme.class_name(card.labels[mistake["answer"]])
        text = texts.texts[mistake["index"]]
        beginning = tokens.plain(" ".join(text.split())[:70])
        with st.expander(f"**{answer} ({mistake['confidence']:.1%}); true class {truth}**  {beginning} …"):
            st.text(text[:4000])
            put = st.session_state.__setitem__
            name = f"{key}_mistake_{mistake['index']}"
            if st.button("Read this text", key=name, on_click=put, args=(f"{key}_text", text)):
                st.rerun()  # the whole page, not this panel alone


@st.cache_resource(show_spinner="Opening the data set …", max_entries=2)
def _test_split(name: str) -> Split:
    """The test set; shared by all visitors and never changed."""
    return load_labelled(name).test


def _offer_download(name: str, key: str) -> None:
    spec = find_dataset(name)
    st.markdown(
        f"The errors are texts of the data set **{spec.title}**, which is neither part of this project nor on this "
        f"machine. {'' if shared_server() else spec.source}"
    )
    job_panel.offer_download(key, name)
    job_panel.trouble(key)
    job = job_panel.current(key)
    if job is not None and job.work == job_panel.DOWNLOAD:
        job_panel.watch(key, job, job_panel.draw_download)
        if job.state == FINISHED:  # `watch` draws the page anew after a download, so it went elsewhere
            st.info(f"The web server needs it, too: `python -m lstm_core download {name}` there.")
