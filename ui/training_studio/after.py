"""What can be done with a finished run: use the network as it was after each epoch, save it, download it."""

import itertools
from typing import Any

import numpy as np
import streamlit as st

from lstm_core.inference import TextClassifier, TextGenerator, load_bundle
from lstm_core.jobs import Job
from lstm_core.library import models_of
from lstm_core.nn import LayerTrace
from lstm_core.training import model_at_epoch
from ui.classifier import panels
from ui.common import charts, gate, plotting, theme
from ui.common.errors import show_errors
from ui.common.url_state import session_cached
from ui.common.visitor import owner
from ui.training_studio import choice, live, run_state, upload

MAX_RUNS = 3  # whose models are kept in one visitor's session
LENGTH = 120  # characters that a generator writes


def half_learned(job: Job | None) -> tuple[int | None, str]:
    """The answer of this stop's question, from a run that is over."""
    if job is None or job.work != choice.WORK or not job.over:
        return None, "The answer comes when a run of yours is over."
    state = run_state.of(job.events)
    if state.diverged:
        return None, "Your run diverged: its loss rose. Start another one."
    steps = (job.result or {}).get("steps") or state.points
    return run_state.half_learned(steps["loss"])


def show(job: Job) -> None:
    """Everything below a finished run."""
    result = job.result
    if not result or not result.get("model"):
        return
    with show_errors():
        if result.get("snapshots"):
            _time_machine(job, result)
        else:
            st.caption("This network is too large to keep the weights of every epoch; only the last ones are kept.")
    _save_or_download(job, result)
    with st.expander("Summary of the network (Keras)", icon=":material/schema:"):
        st.code(result["summary"], language=None)


def _model(job: Job, result: dict[str, Any], epoch: int) -> Any:
    """The model as it was after an epoch, kept in this visitor's session; a ModelError if it can't be opened."""
    models: dict[int | None, Any] = session_cached(
        "studio_models", job.identity, MAX_RUNS, lambda: {None: load_bundle(result["model"])}
    )
    if epoch not in models:
        models[epoch] = model_at_epoch(models[None], result["snapshots"], epoch)
    return models[epoch]


@gate.fragment
def _time_machine(job: Job, result: dict[str, Any]) -> None:
    """One text, read by the network as it was after each epoch."""
    st.header("Time machine", anchor=False)
    st.markdown("The weights after every epoch are kept. Move the slider to read the same text with each of them.")
    epochs = result["snapshots"]["epochs"]
    key = f"studio_epoch_{job.identity}"
    st.session_state.setdefault(key, epochs[-1])
    epoch = st.select_slider(
        "Epoch", epochs, key=key, format_func=lambda each: "untrained" if each == 0 else str(each),
        help="The epoch after which the weights were kept.",
    )  # fmt: skip
    example = (result["examples"] or [{}])[0]
    if "quantiles" in example:  # the forecasts of all epochs are in the result
        live.forecast(result["examples"][int(epoch)], int(epoch), "studio_then_forecast")
        return
    model = _model(job, result, int(epoch))
    key = f"studio_text_{job.identity}"
    st.session_state.setdefault(key, example.get("text" if "probabilities" in example else "prompt", ""))
    text = st.text_input("A sentence", key=key, max_chars=600)
    with show_errors():
        if isinstance(model, TextClassifier):
            _read(model, text)
        elif isinstance(model, TextGenerator):
            _write(model, text)


def _read(model: TextClassifier, text: str) -> None:
    reading = model.read(text)
    panels.notices(reading)
    colours = theme.class_colours(model.labels)
    figure = charts.answer_so_far(reading.tokens, model.labels, reading.probabilities, colours)
    alt = f"After the last token: {theme.class_name(reading.answer)}, {reading.confidence:.0%}."
    plotting.show(figure, "studio_then_answer", alt)
    if reading.layers and isinstance(reading.layers[0], LayerTrace):
        _signals(list(reading.tokens), reading.layers[0])


def _write(model: TextGenerator, prompt: str) -> None:
    written = "".join(each.character for each in model.stream(prompt, LENGTH, temperature=0.5, seed=1))
    st.code(f"{prompt}▸{written}", language=None, wrap_lines=True)
    ids = model.alphabet.encode(prompt + written)
    trace = model.network.run(ids).traces[0]
    if isinstance(trace, LayerTrace):
        _signals(list(model.alphabet.decode(ids)), trace)


def _signals(tokens: list[str], trace: LayerTrace) -> None:
    """One signal of the first layer; the units have the same rows in every epoch, so that epochs can be compared."""
    letters = [letter for letter in ("f", "i", "g", "o", "z", "r", "c", "h") if letter in trace.signals]
    key = "studio_then_signal"
    if st.session_state.get(key) not in letters:
        st.session_state[key] = "c" if "c" in letters else "h"
    names = theme.signal_names(letters)
    letter = str(st.segmented_control("Signal", letters, key=key, required=True, format_func=names.__getitem__))
    values, signal = trace.signals[letter], theme.SIGNALS[letter]
    limit = 1.0 if signal.gate else max(1.0, charts.colour_limit(values))
    figure = charts.heatmap(tokens, letter, values, np.arange(values.shape[1]), None, limit)
    alt = f"Heat map of the {signal.name.lower()}: {trace.units} units by {len(tokens)} steps."
    plotting.show(figure, "studio_then_memory", alt)
    st.caption(f"{signal.name}: {signal.help}")


def _save_or_download(job: Job, result: dict[str, Any]) -> None:
    st.header("Save the model", anchor=False)
    key = f"studio_{job.identity}"
    default = st.session_state.setdefault(f"{key}_default", _free_name(str(result["card"]["name"])))
    upload.save_form(key, "Name", default, result["model"], download=True)


def _free_name(name: str) -> str:
    """The lesson's name with the first number that makes it unique among the visitor's models."""
    base, taken = name if name != "own" else "my_model", {card.title for card in models_of(owner())}
    return next(found for number in itertools.count(1) if (found := f"{base}_{number}"[-40:]) not in taken)
