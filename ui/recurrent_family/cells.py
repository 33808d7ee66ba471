"""Gates or no gates: a plain RNN, a GRU and an LSTM read the same text, side by side.

Shows every signal each of them has, its answer after each token, and what it has kept of the beginning.
"""

from __future__ import annotations

import streamlit as st

from lstm_core import LabError
from lstm_core.evaluation import CELL_MODELS, moved_by_beginning
from lstm_core.inference import Reading, TextClassifier
from lstm_core.nn import LayerTrace
from ui.classifier import panels
from ui.common import charts, examples, model_cache, theme, url_state
from ui.recurrent_family import charts as family_charts
from ui.recurrent_family import diagrams

Shown = dict[str, str | int]
TEXTS = examples.Texts.load("family.json")
KINDS = tuple(name.removeprefix("family_") for name in CELL_MODELS)
MOST_FIRST = 30
LETTERS = {"rnn": ("h",), "gru": ("z", "r", "g", "h"), "lstm": theme.LSTM_SIGNALS}

EQUATIONS = (
    r"\text{RNN: }\ h_t=\tanh(Wx_t+Uh_{t-1}+b)",
    r"\text{GRU: }\ h_t=z_t\odot h_{t-1}+(1-z_t)\odot g_t",
    r"\text{LSTM: }\ c_t=f_t\odot c_{t-1}+i_t\odot g_t",
    r"h_t=o_t\odot\tanh c_t",
)
SURPRISE = (
    "Take **Said first**. Its one telling line is the first one; what follows could be about any language. Look at who "
    "still names the right language at the end, and then at the sentence about the first words: a network can be right "
    "without remembering why it should be. Then take **Said last**, the same words with that line at the end: a gate "
    "that has learned to keep can keep too well."
)


def show() -> Shown:
    """The text, the three networks in columns, and the sentence about them."""
    st.markdown(
        "The same questions, the same embedding, 32 units, the same seed: only the cell differs. The answer comes from "
        "the **last state alone**, so whatever was read first must be carried to the end."
    )
    text, first = _ask()
    try:
        text, first = _read(text, first)
    except LabError as error:
        st.error(str(error))
    _words()
    return {"text": text[: url_state.LONGEST_IN_LINK], "first": first}


def _read(text: str, first: int) -> tuple[str, int]:
    """Draws all three; as much of the text as was read, and how many first words there were."""
    models = {kind: model_cache.model(TextClassifier, f"family_{kind}") for kind in KINDS}
    readings = {kind: url_state.reading_of(model, text) for kind, model in models.items()}
    one = next(iter(readings.values()))
    panels.notices(one)
    first = min(first, len(one.tokens))
    moved = {kind: moved_by_beginning(models[kind], readings[kind], first) for kind in KINDS}
    st.markdown(f"#### {who_says_what(readings)}")
    st.markdown(who_remembers(moved, first))
    reach = charts.colour_limit(_layer(readings["lstm"]).signals["c"])
    for column, kind in zip(st.columns(3, gap="medium"), KINDS, strict=True):
        with column:
            _one(kind, models[kind], readings[kind], reach)
    st.caption(
        "Each row of a map is a unit, each column a token. Gates go from pale (0) to their colour (1); h, the "
        "candidate and c from blue over pale to orange, on the same scale in all three (c on its own, to "
        f"±{reach:.1f}). Units that behave alike stand together."
    )
    return url_state.text_for_link(one), first


def _words() -> None:
    st.markdown(
        "A plain RNN makes its whole state anew at every token: all that it knows must pass through one tanh and one "
        "matrix, each time. Its map flickers, and so does its answer. It learns from the last few words, because "
        "hardly any lesson reaches it from further back."
    )
    st.markdown(
        "A GRU has a gate z that says, for each unit, how much of the old state stays; an LSTM keeps a cell state "
        "beside what it says aloud, and a gate f fades it. Look for horizontal stripes: a stripe is something that is "
        "being remembered. Which of the two is better depends on the task and on luck; that both beat the plain RNN on "
        "long texts hardly ever does."
    )
    for formula in EQUATIONS:
        st.latex(formula)
    with st.expander("Try this: right, and forgetful"):
        st.markdown(SURPRISE)
    st.caption("Sources: Elman 1990; Cho et al. 2014; Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000.")


def _ask() -> tuple[str, int]:
    st.session_state.setdefault("family_text", url_state.parameter("text", next(iter(TEXTS.examples.values()))))
    examples.choose("family", TEXTS, "family_text")
    text = st.text_area(
        "A question about a program", key="family_text", height=130, persist_state="session",
        placeholder="Paste a programming question.", help="Paste it as it is. Ctrl+Enter reads it.",
    )  # fmt: skip
    st.session_state.setdefault("family_first", url_state.number("first", 10, 1, MOST_FIRST))
    first = st.slider(
        "Take away the first words", 1, MOST_FIRST, key="family_first", width=320, persist_state="session",
        help="So many tokens at the beginning are read again as unknown words. If a network still held them in its "
        "state at the end, its last answer moves.",
    )  # fmt: skip
    return text, first


def _one(kind: str, model: TextClassifier, reading: Reading, reach: float) -> None:
    """A column: the diagram, the answer, how it formed, and all signals."""
    name = theme.CELL_LINES[kind][0]
    st.subheader(name if kind != "rnn" else "Plain RNN", anchor=False)
    figure, alt = diagrams.wiring(kind)
    st.plotly_chart(figure, config=diagrams.STILL, key=f"family_wiring_{kind}", alt=alt)
    parameters = model.card.training.get("parameters", 0)
    st.caption(f"{parameters:,} weights · test {model.card.measured.get('accuracy', 0):.1%} right")
    probabilities = reading.probabilities[-1]
    colours = panels.colours(reading)
    said = ", ".join(
        f"{theme.class_name(each)} {share:.0%}" for each, share in zip(reading.labels, probabilities, strict=True)
    )
    st.plotly_chart(
        charts.answer_bars(reading.labels, probabilities, colours), config={"displayModeBar": False},
        key=f"family_answer_{kind}", alt=f"Last answer of the {name}: {said}.",
    )  # fmt: skip
    figure = charts.answer_so_far(reading.tokens, reading.labels, reading.probabilities, colours)
    figure.update_layout(height=330, legend={"font_size": 12, "entrywidth": 0.5, "entrywidthmode": "fraction"})
    figure.update_yaxes(title=None)
    st.caption("The answer, had the text ended after each token:")
    family_charts.fewer_tokens(figure, len(reading.tokens))
    st.plotly_chart(
        figure, config=charts.CONFIG, key=f"family_formed_{kind}",
        alt=f"Lines: the answer of the {name} after each of {len(reading.tokens)} tokens.",
    )  # fmt: skip
    layer = _layer(reading)
    order = charts.similarity_order(layer.signals["h"])
    rows = {
        f"{theme.SIGNALS[letter].name} {letter}": (letter, layer.signals[letter][:, order]) for letter in LETTERS[kind]
    }
    listed = ", ".join(title.lower() for title in rows)
    st.plotly_chart(
        family_charts.signals(reading.tokens, rows, reach), config=charts.CONFIG, key=f"family_signals_{kind}",
        alt=f"Heat maps of the {name}, {layer.units} units by {len(reading.tokens)} tokens: {listed}.",
    )  # fmt: skip


def _layer(reading: Reading) -> LayerTrace:
    layer = reading.layers[0]
    assert isinstance(layer, LayerTrace)  # the three of them read in one direction
    return layer


def who_says_what(readings: dict[str, Reading]) -> str:
    """The answers of the three networks, in one sentence."""
    said = [
        f"the {theme.CELL_LINES[kind][0]} says {theme.class_name(each.answer)} ({each.confidence:.0%})"
        for kind, each in readings.items()
    ]
    length = len(next(iter(readings.values())).tokens)
    answers = {each.answer for each in readings.values()}
    agree = {1: "All three agree", 2: "Two of them agree", 3: "No two agree"}[len(answers)]
    return f"After {length} token{'s' * (length > 1)} {said[0]}, {said[1]} and {said[2]}. {agree}."


def who_remembers(moved: dict[str, float], first: int) -> str:
    """How much the last answer of each owes to the beginning, in one sentence."""
    named = [f"the {theme.CELL_LINES[kind][0]}'s by **{100 * share:.0f}**" for kind, share in moved.items()]
    what = "the first word" if first == 1 else f"the first {first} words"
    most, least = max(moved.values()), min(moved.values())
    if most < 0.02:
        end = "At the end none of them depends on how the text began."
    elif most - least < 0.02:
        end = "All three carry about as much of it."
    else:
        longest = theme.CELL_LINES[max(moved, key=moved.__getitem__)][0]
        end = f"The {longest} carries most of the beginning to the end."
    return (
        f"Make {what} unknown, and the last answers move: {named[0]}, {named[1]} and {named[2]} percentage points. "
        f"{end}"
    )
