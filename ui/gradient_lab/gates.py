"""The gradient lab's panels on trained gates: the way back through the cell state, and saturation.

They read the shipped models on texts from `assets/`; each returns what a link to it must say.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from lstm_core.inference import Reading, TextClassifier, TextGenerator
from lstm_core.interpret import ErrorFlow, Saturation, error_flow, recurrent_weights, saturation
from lstm_core.nn import Array, LayerTrace
from ui.common import charts, model_cache, theme, url_state
from ui.common.examples import Texts
from ui.gradient_lab import charts as gradient_charts
from ui.gradient_lab.panels import Shown, in_words

TEXTS = {"imdb": "reviews.json", "stackoverflow": "questions.json"}
TITLES = {"shakespeare": "Shakespeare", "imdb": "Movie reviews", "stackoverflow": "Question tags"}
MOST_TOKENS = 100
BACK = 10  # tokens back, for the figure in words
ONE, ALL = "one unit", "mean of all units"
# Macbeth, act 5, scene 5; for the character model, which reads no questions or reviews.
SPEECH = (
    "To-morrow, and to-morrow, and to-morrow,\nCreeps in this petty pace from day to day\n"
    "To the last syllable of recorded time,\nAnd all our yesterdays have lighted fools\n"
    "The way to dusty death. Out, out, brief candle!\nLife's but a walking shadow, a poor player\n"
    "That struts and frets his hour upon the stage\nAnd then is heard no more: it is a tale\n"
    "Told by an idiot, full of sound and fury,\nSignifying nothing.\n"
)


def carousel() -> Shown:
    """The product of forget gates along a text against the gradient through c that is measured."""
    st.markdown(
        "Between two cell states stands one multiplication, by the forget gate. **If that were the only way back**, "
        "the gradient would be the product of all forget gates on the way. Is it?"
    )
    name, texts = _choose_model("flow_model", tuple(TEXTS))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        examples = Texts.load(texts or TEXTS["imdb"]).examples
        key = f"lab_example_{name}"
        st.session_state.setdefault(key, url_state.parameter("example", next(iter(examples)), tuple(examples)))
        example = st.selectbox("Text", list(examples), key=key, width=200, persist_state="session")
        model = model_cache.model(TextClassifier, name)
        reading, found = _error_flow(model, name, examples[example])
        units = found.gates.shape[1]
        st.session_state.setdefault("lab_which", url_state.parameter("which", ONE, (ONE, ALL)))
        which = st.segmented_control("Of", [ONE, ALL], key="lab_which", required=True, persist_state="session")
        longest = int(found.gates[-1 - min(BACK, len(found.gates) - 1)].argmax())
        st.session_state.setdefault(f"lab_unit_{name}", url_state.number("unit", longest, 0, units - 1))
        unit = st.number_input(
            "Unit", 0, units - 1, key=f"lab_unit_{name}", width=130, persist_state="session", disabled=which == ALL,
            help=f"In this text unit {longest} keeps the most over {BACK} tokens.",
        )  # fmt: skip
    chosen = slice(None) if which == ALL else slice(int(unit), int(unit) + 1)
    gates, measured = (values[:, chosen].mean(axis=1) for values in (found.gates, found.measured))
    sentence = _in_a_sentence(gates, measured)
    alt = f"Two lines over {len(gates)} tokens on a log axis. {sentence.replace('**', '')}"
    figure = gradient_charts.error_flow(reading.tokens, gates, measured)
    st.plotly_chart(figure, config=charts.CONFIG, key="lab_carousel", alt=alt)
    st.markdown(sentence)
    if reading.text != examples[example]:
        st.caption(f"The first {len(gates)} tokens of the text.")
    return {"flow_model": name, "example": example, "which": str(which), "unit": int(unit)}


def _in_a_sentence(gates: Array, measured: Array) -> str:
    back = min(BACK, len(gates) - 1)
    alive = int((measured[::-1] >= 0.01).cumprod().sum()) - 1
    return (
        f"From {back} tokens back, the forget gates alone let **{in_words(gates[-1 - back])}** through, and "
        f"**{in_words(measured[-1 - back])}** is measured. From the first token it is {in_words(gates[0])} against "
        f"{in_words(measured[0])}. What is measured stays above 1 % for {alive} tokens."
    )


def _error_flow(model: TextClassifier, name: str, text: str) -> tuple[Reading, ErrorFlow]:
    """The reading of as much of a text as is drawn, and its flow; kept for this visitor."""
    kept = st.session_state.setdefault("_error_flows", {})
    if (name, text) not in kept:
        reading = model.read(text)
        if len(reading.tokens) > MOST_TOKENS:
            reading = model.read(text[: reading.encoded.spans[MOST_TOKENS - 1][1]])
        weights, trace = recurrent_weights(model.network)[0], reading.layers[0]
        assert isinstance(trace, LayerTrace)
        while len(kept) >= 8:
            kept.pop(next(iter(kept)))
        kept[name, text] = reading, error_flow(weights, trace)
    return kept[name, text]


def _choose_model(parameter: str, names: tuple[str, ...]) -> tuple[str, str | None]:
    """A choice among shipped models; its name, and the file of its texts if it has one."""
    st.session_state.setdefault(f"lab_{parameter}", url_state.parameter(parameter, names[0], names))
    name = st.segmented_control(
        "Network", names, format_func=TITLES.__getitem__, key=f"lab_{parameter}", required=True, persist_state="session"
    )
    return str(name), TEXTS.get(str(name))


def saturated() -> Shown:
    """How often each gate is nearly open or nearly shut."""
    st.markdown(
        "A gate near 0 or 1 is *saturated*: it switches rather than doses, and its sigmoid passes hardly any gradient. "
        "**Do trained gates switch, or do they dose?** Each point is one gate of one unit, over "
        "our example texts, or a speech of Macbeth for the network that writes Shakespeare."
    )
    name, _ = _choose_model("gates_model", tuple(TITLES))
    layers = _saturation(model_cache.any_model(name), name)
    layer = 0
    if len(layers) > 1:
        numbers = range(len(layers))
        st.session_state.setdefault("lab_layer", url_state.number("layer", 1, 1, len(layers)) - 1)
        st.session_state["lab_layer"] = min(st.session_state["lab_layer"], len(layers) - 1)
        layer = st.segmented_control(
            "Layer", numbers, format_func=lambda n: f"{n + 1}", key="lab_layer", required=True, persist_state="session"
        )
    found = layers[int(layer)]
    sentence = _most(found)
    left, right = st.columns(2, gap="large")
    with left:
        figure = gradient_charts.saturation({letter: (each.left, each.right) for letter, each in found.items()})
        alt = f"Scatter: shares of time of each unit. {sentence.replace('**', '')}"
        st.plotly_chart(figure, config=charts.CONFIG, key="lab_saturation", alt=alt)
    with right:
        figure = gradient_charts.histogram({letter: each.histogram for letter, each in found.items()})
        alt = "Lines: how often each gate has which value, between 0 and 1."
        st.plotly_chart(figure, config=charts.CONFIG, key="lab_histogram", alt=alt)
    st.markdown(sentence)
    return {"gates_model": name, "layer": int(layer) + 1}


def _most(found: Mapping[str, Saturation]) -> str:
    parts = [
        f"the {theme.SIGNALS[letter].name.lower()} is open {each.right.mean():.1%} and shut {each.left.mean():.1%} of "
        "the time"
        for letter, each in found.items()
    ]
    most = max(float(each.right.max()) for each in found.values())
    average = f"On average over the units {', '.join(parts)}."
    return f"{average} The most open gate of a single unit is open **{most:.0%}** of the time."


@st.cache_data(max_entries=8, show_spinner=False)
def _saturation(_model: TextClassifier | TextGenerator, name: str) -> list[Mapping[str, Saturation]]:
    """For each layer of a model, over the texts we have for it. The model is named, not hashed."""
    if isinstance(_model, TextGenerator):
        runs = [_model.network.run(np.asarray(_model.alphabet.encode(SPEECH))).traces]
    else:
        runs = [_model.read(text).layers for text in Texts.load(TEXTS[name]).examples.values()]
    return [dict(saturation(traces)) for traces in zip(*runs, strict=True)]  # type: ignore[arg-type]
