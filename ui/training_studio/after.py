"""What can be done with a run that has ended: read with it, go back through its epochs, save it, download it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from lstm_core import LabError
from lstm_core.inference import Reading, TextClassifier, TextGenerator, load_bundle
from lstm_core.jobs import Job
from lstm_core.library import is_taken, save_as, unpack_bundle
from lstm_core.nn import LayerTrace
from lstm_core.training import model_at_epoch
from ui.classifier import panels
from ui.common import charts, theme
from ui.training_studio import live

KEPT_MODELS = 3  # of runs, in one visitor's session
WRITTEN = 120  # characters that a writer of some epoch writes


def show(job: Job) -> None:
    """Everything below a finished run."""
    result = job.result
    if not result or not result.get("model"):
        return
    try:
        if result.get("snapshots"):
            _time_machine(job, result)
        else:
            st.caption("This network is too large to keep its weights of every epoch; only the last ones are here.")
    except LabError as error:
        st.error(str(error))
    _keep(job, result)
    with st.expander("The network, as Keras summarises it", icon=":material/schema:"):
        st.code(result["summary"], language=None)


def _model(job: Job, epoch: int | None) -> Any:
    """The trained model, or as it was after an epoch; kept in this visitor's session. 0 and None are the trained one.

    Raises:
        ModelError: if it can't be opened.
    """
    kept: dict[Any, Any] = st.session_state.setdefault("_studio_models", {})
    whole = (job.identity, None)
    if whole not in kept:
        kept[whole] = load_bundle(job.result["model"])  # type: ignore[index]
        _forget_others(kept, job.identity)
    if not epoch:
        return kept[whole]
    if (job.identity, epoch) not in kept:
        kept[job.identity, epoch] = model_at_epoch(kept[whole], job.result["snapshots"], epoch - 1)  # type: ignore[index]
    return kept[job.identity, epoch]


def _forget_others(kept: dict[Any, Any], identity: str) -> None:
    order = list(dict.fromkeys(job for job, _ in kept))
    for old in [job for job in order if job != identity][: max(0, len(order) - KEPT_MODELS)]:
        for key in [key for key in kept if key[0] == old]:
            del kept[key]


@st.fragment
def _time_machine(job: Job, result: dict[str, Any]) -> None:
    """One sentence, read by the network as it was after each epoch."""
    st.header("Time machine", anchor=False)
    st.markdown(
        "The weights after every epoch were kept. Move the slider from untrained to trained: the same text, the same "
        "network, and only what it has learnt differs."
    )
    epochs = result["snapshots"]["epochs"]
    key = f"studio_epoch_{job.identity}"
    st.session_state.setdefault(key, epochs[-1])
    epoch = st.select_slider(
        "Epoch", epochs, key=key, format_func=lambda each: "untrained" if each == 0 else str(each),
        help="Which weights read the text.",
    )  # fmt: skip
    example = (result["examples"] or [{}])[0]
    if "quantiles" in example:  # a forecast of every epoch was kept
        live.forecast(result["examples"][int(epoch)], int(epoch), "studio_then_forecast")
        return
    st.session_state.setdefault(
        f"studio_text_{job.identity}", example.get("text") if "probabilities" in example else example.get("prompt", "")
    )
    model = _model(job, int(epoch) + 1)
    if not isinstance(model, TextClassifier | TextGenerator):
        return
    text = st.text_input("A sentence", key=f"studio_text_{job.identity}", max_chars=600)
    try:
        if isinstance(model, TextClassifier):
            _read(model, text, job)
        else:
            _write(model, text)
    except LabError as error:
        st.error(str(error))


def _read(model: TextClassifier, text: str, job: Job) -> None:
    reading: Reading = model.read(text)
    colours = theme.class_colours(model.labels)
    panels.notices(reading)
    figure = charts.answer_so_far(reading.tokens, model.labels, reading.probabilities, colours)
    alt = f"After the last token: {theme.class_name(reading.answer)}, {reading.confidence:.0%}."
    st.plotly_chart(figure, config=charts.CONFIG, key="studio_then_answer", alt=alt)
    trace = reading.layers[0] if reading.layers else None
    if isinstance(trace, LayerTrace):
        _memory(list(reading.tokens), trace, job)


def _write(model: TextGenerator, prompt: str) -> None:
    written = list(model.stream(prompt, WRITTEN, temperature=0.5, seed=1))
    st.code(prompt + "▸" + "".join(each.character for each in written), language=None, wrap_lines=True)
    text = prompt + "".join(each.character for each in written)
    ids = model.alphabet.encode(text)
    trace = model.network.run(ids).traces[0]
    if isinstance(trace, LayerTrace):
        _memory(list(model.alphabet.decode(ids)), trace, None)


def _memory(tokens: list[str], trace: LayerTrace, job: Job | None) -> None:
    letters = [letter for letter in ("f", "i", "g", "o", "z", "r", "c", "h") if letter in trace.signals]
    first = "c" if "c" in letters else "h"
    key = "studio_then_signal"
    if st.session_state.get(key) not in letters:
        st.session_state[key] = first
    letter = str(
        st.segmented_control(
            "Signal", letters, key=key, required=True,
            format_func=lambda each: f"{theme.SIGNALS[each].name} {each}",
        )
    )  # fmt: skip
    values = trace.signals[letter]
    order = np.arange(values.shape[1])  # the same rows in every epoch, so that they can be compared
    reach = 1.0 if theme.SIGNALS[letter].gate else max(1.0, charts.colour_limit(values))
    figure = charts.heatmap(tokens, letter, values, order, None, reach)
    alt = f"Heat map of the {theme.SIGNALS[letter].name.lower()}: {trace.units} units by {len(tokens)} steps."
    st.plotly_chart(figure, config=charts.CONFIG, key="studio_then_memory", alt=alt)
    st.caption(f"{theme.SIGNALS[letter].name}: {theme.SIGNALS[letter].help}")


def _keep(job: Job, result: dict[str, Any]) -> None:
    """Save it beside the shipped models, or take it home."""
    st.header("Keep it", anchor=False)
    key = f"studio_name_{job.identity}"
    st.session_state.setdefault(key, _suggestion(str(result["card"]["name"])))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", key=key, width=260, help="Small letters, digits, - and _.")
        st.checkbox("Replace one of mine", key=f"studio_replace_{job.identity}")
        st.button(
            "Save to the library", icon=":material/save:", key="studio_save",
            on_click=_save, args=(job,),
        )  # fmt: skip
        st.download_button(
            "Download", result["model"], f"{name or 'model'}.zip", "application/zip", icon=":material/download:",
            key="studio_download_model", on_click="ignore",
        )  # fmt: skip
    note = st.session_state.pop("_studio_saved", None)
    if note:
        (st.success if note[0] else st.error)(note[1])
        if note[0]:
            _where(result["card"]["task"], note[2])


def _suggestion(name: str) -> str:
    """A name that is free: the lesson's own with a number behind it."""
    base = name if name != "own" else "my_model"
    number = 1
    while is_taken(f"{base}_{number}"[-40:]):
        number += 1
    return f"{base}_{number}"[-40:]


def _save(job: Job) -> None:
    """Reads name and choice from the session: the page may not have been drawn since they were typed."""
    name = str(st.session_state[f"studio_name_{job.identity}"])
    replace = bool(st.session_state[f"studio_replace_{job.identity}"])
    try:
        save_as(name, unpack_bundle(job.result["model"]), replace=replace)  # type: ignore[index]
    except LabError as error:
        st.session_state["_studio_saved"] = (False, str(error), name)
    else:
        st.session_state["_studio_saved"] = (True, f"“{name}” is in the library now.", name)


def _where(task: str, name: str) -> None:
    """Where a saved model can be used."""
    with st.container(horizontal=True):
        if task == "forecaster":
            return
        if task == "generator":
            st.page_link(
                "text_generation.py", label="Write with it", icon=":material/edit_note:", query_params={"model": name}
            )
        st.page_link(
            "cell_microscope.py", label="Look into its cells", icon=":material/biotech:", query_params={"model": name}
        )
