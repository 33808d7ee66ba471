"""Saving a model to the library: a trained one, or one that a visitor uploads, which is checked first."""

import streamlit as st

from lstm_core import LabError
from lstm_core.inference import check_upload
from lstm_core.library import LARGEST_BUNDLE, MIB, save_model
from ui.common.errors import once, show_error, show_errors
from ui.common.explanations import explain
from ui.common.tokens import plain
from ui.common.visitor import owner

LARGEST = LARGEST_BUNDLE // MIB


def show() -> None:
    """The uploader, and the controls that save the model."""
    st.header("Upload a model", anchor=False)
    explain("upload")
    file = st.file_uploader(
        "A model (.zip)", type=["zip", "keras"], key="studio_upload", max_upload_size=LARGEST,
        help="model.keras, vocabulary.json and card.json in one zip file.",
    )  # fmt: skip
    if file is None:
        return
    with st.spinner("Opening the model …"):
        try:
            once("_studio_upload", file.file_id, lambda: check_upload(file.getvalue()))
        except LabError as error:
            show_error(error)
            return
    default = file.name.rsplit(".", 1)[0].lower()[:40]
    save_form("studio_upload", "Name in the library", default, file.getvalue())


def save_form(key: str, label: str, default: str, bundle: bytes, *, download: bool = False) -> str:
    """The controls that save a model to the visitor's library.

    Args:
        key: begins the keys of the controls.
        label: of the model's name.
        default: the name at first.
        bundle: the checked model as one file.
        download: whether the file can be downloaded, too.

    Returns:
        The identity of the model, if it has been saved just now; else "".
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(label, default, key=f"{key}_name", width=260, help="Any name, for you alone.")
        replace = st.checkbox("Replace one of mine", key=f"{key}_replace")
        requested = st.button("Save to the library", icon=":material/save:", key=f"{key}_save")
        if download:
            st.download_button(
                "Download", bundle, f"{name or 'model'}.zip", "application/zip", icon=":material/download:",
                key=f"{key}_download", on_click="ignore",
            )  # fmt: skip
    if requested:
        with show_errors():
            identity = save_model(owner(), name, bundle, overwrite=replace)
            st.success(f"“{plain(name)}” is in your library now.")
            return identity
    return ""
