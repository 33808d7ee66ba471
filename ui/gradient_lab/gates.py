"""The gradient lab's figures of trained gates: the gradient through the cell state, and saturation."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from lstm_core.inference import Reading, TextClassifier, TextGenerator
from lstm_core.interpret import ErrorFlow, Saturation, error_flow, recurrent_weights, saturation
from lstm_core.nn import Array, LayerTrace
from ui.common import assets, model_cache, plotting, theme
from ui.common.examples import Texts
from ui.common.explanations import explain
from ui.common.url_state import control, session_cached
from ui.gradient_lab import charts
from ui.gradient_lab.panels import in_words

TEXTS = {"imdb": "reviews.json", "stackoverflow": "questions.json"}
TITLES = {"shakespeare": "Shakespeare", "imdb": "Movie reviews", "stackoverflow": "Question tags"}
MAX_TOKENS = 100
BACK = 10  # the distance, in tokens, for which the sentence gives values
ONE, ALL = "one unit", "mean of all units"
SPEECH: str = assets.table("presets.toml")["gradient"]["speech"]  # for the character model


def carousel() -> None:
    """The product of the forget gates along a text, and the measured gradient through the cell state."""
    explain("forget_gates")
    name = _model_choice("flow_model", tuple(TEXTS))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        examples = Texts.load(TEXTS[name]).examples
        example = control("lab_example", tuple(examples), key=f"lab_example_{name}")
        reading, found = _error_flow(model_cache.model(TextClassifier, name), name, examples[example])
        which = control("lab_which", (ONE, ALL))
        longest = int(found.gates[-1 - min(BACK, len(found.gates) - 1)].argmax())
        unit = control(
            "lab_unit", 0, found.gates.shape[1] - 1, key=f"lab_unit_{name}", default=longest, disabled=which == ALL,
            help=f"In this text unit {longest} has the largest product of forget gates over {BACK} tokens.",
        )  # fmt: skip
    units = slice(None) if which == ALL else slice(unit, unit + 1)
    gates, measured = (values[:, units].mean(axis=1) for values in (found.gates, found.measured))
    sentence = _flow_sentence(gates, measured)
    alt = f"Two lines over {len(gates)} tokens on a log axis. {sentence.replace('**', '')}"
    plotting.show(charts.error_flow(reading.tokens, gates, measured), "lab_carousel", alt)
    st.markdown(sentence)
    if reading.text != examples[example]:
        st.caption(f"The first {len(gates)} tokens of the text.")


def _flow_sentence(gates: Array, measured: Array) -> str:
    back = min(BACK, len(gates) - 1)
    alive = int((measured[::-1] >= 0.01).cumprod().sum()) - 1
    return (
        f"From {back} tokens back, the product of the forget gates is **{in_words(gates[-1 - back])}**, and the "
        f"measured gradient **{in_words(measured[-1 - back])}**. From the first token they are {in_words(gates[0])} "
        f"and {in_words(measured[0])}. The measured gradient stays above 1% for {alive} tokens."
    )


def _error_flow(model: TextClassifier, name: str, text: str) -> tuple[Reading, ErrorFlow]:
    """The reading of at most `MAX_TOKENS` tokens of a text, and its flow; cached in this visitor's session."""

    def compute() -> tuple[Reading, ErrorFlow]:
        reading = model.read(text)
        if len(reading.tokens) > MAX_TOKENS:
            reading = model.read(text[: reading.encoded.spans[MAX_TOKENS - 1][1]])
        weights, trace = recurrent_weights(model.network)[0], reading.layers[0]
        assert isinstance(trace, LayerTrace)
        return reading, error_flow(weights, trace)

    return session_cached("error_flows", (name, text), 8, compute)


def _model_choice(parameter: str, names: tuple[str, ...]) -> str:
    return control(f"lab_{parameter}", {name: TITLES[name] for name in names})


def saturated() -> None:
    """How often each gate is nearly open or nearly closed."""
    explain("saturated_gates")
    name = _model_choice("gates_model", tuple(TITLES))
    layers = _saturation(model_cache.any_model(name), name)
    layer = 1
    if len(layers) > 1:
        layer = control("lab_layer", range(1, len(layers) + 1), key=f"lab_layer_{len(layers)}")
    found = layers[layer - 1]
    parts = [
        f"the {theme.SIGNALS[letter].name.lower()} is open {each.right.mean():.1%} and closed {each.left.mean():.1%} "
        "of the time"
        for letter, each in found.items()
    ]
    most = max(float(each.right.max()) for each in found.values())
    sentence = (
        f"On average over the units {', '.join(parts)}. The gate that is open most often is open **{most:.0%}** of "
        "the time."
    )
    left, right = st.columns(2, gap="large")
    with left:
        figure = charts.saturation({letter: (each.left, each.right) for letter, each in found.items()})
        alt = f"Scatter plot: shares of time, a point for each unit. {sentence.replace('**', '')}"
        plotting.show(figure, "lab_saturation", alt)
    with right:
        figure = charts.histogram({letter: each.histogram for letter, each in found.items()})
        plotting.show(figure, "lab_histogram", "Lines: the distribution of each gate's values, between 0 and 1.")
    st.markdown(sentence)


@st.cache_data(max_entries=8, show_spinner=False)
def _saturation(_model: TextClassifier | TextGenerator, name: str) -> list[Mapping[str, Saturation]]:
    """For each layer of a model, over our texts for it. The cache is keyed by the model's name."""
    if isinstance(_model, TextGenerator):
        runs = [_model.network.run(np.asarray(_model.alphabet.encode(SPEECH))).traces]
    else:
        runs = [_model.read(text).layers for text in Texts.load(TEXTS[name]).examples.values()]
    return [dict(saturation(traces)) for traces in zip(*runs, strict=True)]
