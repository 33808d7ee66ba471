"""The network that is looked at: a visitor's file, opened by a process with limits first, or one of ours."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from lstm_core.errors import LabError
from lstm_core.inference import TextClassifier, check_network_upload
from lstm_core.library import LARGEST_BUNDLE, MIB, SHIPPED, ModelCard
from lstm_core.nn import Array
from lstm_core.tracing import ModelReport, Saved, inspect_bytes, read_network
from ui.common import model_cache, url_state
from ui.common.errors import once, show_error

KEY = "own_network"
EXAMPLES = ("", "imdb_article", "family_gru", "stackoverflow_article", "forecast_sunspots")  # "" for none
Encode = Callable[[str], tuple[Array, tuple[str, ...]]]


@dataclass(frozen=True, eq=False)
class Opened:
    """A network from a file.

    Attributes:
        report: its layers.
        network: what is traced; None if the file can't be followed, for which the report has the reason.
        identity: another file has another one.
        encode: a text → its ids (T,) and tokens, where the vocabulary is known; else None.
        sample: a text for it.
        path: the file's place in Python.
    """

    report: ModelReport
    network: Saved | None
    identity: str
    encode: Encode | None = None
    sample: str = ""
    path: str = ""


def choose() -> Opened | None:
    """Draw the uploader and the choice of examples; return the network, None if there is none or it is refused."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        file = st.file_uploader(
            "A network of Keras (.keras, .h5) or PyTorch (.safetensors, .pt)", key=f"{KEY}_file",
            max_upload_size=LARGEST_BUNDLE // MIB,  # of any type: what can't be opened is told the way round
            help="No code in the file is run. A process of its own, with limits on time and memory, opens it first.",
        )  # fmt: skip
    with right:
        name = url_state.control("own_network_model", {each: _title(each) for each in EXAMPLES}, disabled=bool(file))
    try:
        if file is not None:
            data = file.getvalue()
            with st.spinner("Opening the network …"):
                return once(f"_{KEY}", file.file_id, lambda: _upload(data, file.name, file.file_id))
        return _example(name) if name else None
    except LabError as error:
        show_error(error)
        return None


def _title(name: str) -> str:
    return ModelCard.read(SHIPPED / name).title if name else "None"


def _upload(data: bytes, filename: str, identity: str) -> Opened:
    check_network_upload(data, filename)  # nothing of the file is opened here before that
    report = inspect_bytes(data, filename)
    if report.problem:
        return Opened(report, None, identity)
    return Opened(report, read_network(data, filename), identity, path=filename)


@lru_cache(len(EXAMPLES))
def _example(name: str) -> Opened:
    """One of the networks that ship with LSTM Lab, opened as a file of somebody else's would be, once for all."""
    data, shown = (SHIPPED / name / "model.keras").read_bytes(), f"models/{name}/model.keras"
    encode, sample, model = None, "", model_cache.any_model(name)
    if isinstance(model, TextClassifier):
        encode, sample = _encoder(model), model.card.sample
    report = inspect_bytes(data, "model.keras", shown=shown)
    return Opened(report, read_network(data, "model.keras"), name, encode, sample, shown)


def _encoder(model: TextClassifier) -> Encode:
    def encode(text: str) -> tuple[Array, tuple[str, ...]]:
        found = model.encoder.encode(text)
        return found.ids, found.tokens

    return encode
