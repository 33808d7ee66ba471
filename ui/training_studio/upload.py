"""A model that a visitor uploads: checked before anything of it is opened, then saved to the library."""

from __future__ import annotations

import streamlit as st

from lstm_core import LabError
from lstm_core.library import LARGEST_BUNDLE, MIB, save_as, unpack_bundle

LARGEST = LARGEST_BUNDLE // MIB


def show() -> None:
    """The uploader, and the controls that save the model."""
    st.header("Upload a model", anchor=False)
    st.markdown(
        "A model that was downloaded here, as one file. No code in the file is run: only Keras's own layers of "
        "supported kinds are accepted, and all sizes are checked before it is unpacked."
    )
    file = st.file_uploader(
        "A model (.zip)", type=["zip", "keras"], key="studio_upload", max_upload_size=LARGEST,
        help="model.keras, vocabulary.json and card.json in one zip file.",
    )  # fmt: skip
    if file is None:
        return
    try:
        files = unpack_bundle(file.getvalue())
    except LabError as error:
        st.error(str(error))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name in the library", file.name.rsplit(".", 1)[0].lower()[:40], key="studio_upload_name")
        replace = st.checkbox("Replace one of mine", key="studio_upload_replace")
        if st.button("Save to the library", icon=":material/save:", key="studio_upload_save"):
            try:
                save_as(name, files, replace=replace)
            except LabError as error:
                st.error(str(error))
            else:
                st.success(f"“{name}” is in the library now.")
