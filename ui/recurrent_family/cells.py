"""Gates or no gates: signals and answers of a plain RNN, a GRU and an LSTM that read the same text."""

import streamlit as st

from lstm_core.evaluation import CELL_MODELS, moved_by_beginning
from lstm_core.inference import Reading, TextClassifier
from lstm_core.nn import LayerTrace
from ui.classifier import panels
from ui.common import charts, examples, hidden, model_cache, plotting, theme, url_state
from ui.common.errors import show_errors
from ui.common.explanations import explain
from ui.common.url_state import control, in_link
from ui.guide import guess
from ui.recurrent_family import charts as family_charts
from ui.recurrent_family import diagrams

TEXTS = examples.Texts.load("family.json")
KINDS = tuple(name.removeprefix("family_") for name in CELL_MODELS)
LETTERS = {"rnn": ("h",), "gru": ("z", "r", "g", "h"), "lstm": theme.LSTM_SIGNALS}


def show() -> None:
    """The text, the three networks in columns, and a sentence that compares them."""
    explain("cells")
    examples.choose("family", TEXTS)
    text = control("family_text", default=next(iter(TEXTS.examples.values())))
    first = control("family_first")
    with show_errors():
        _read(text, first)
    explain("cells_explained")


def _read(text: str, first: int) -> None:
    """Draw all three networks; the first tokens are masked."""
    models = {kind: model_cache.model(TextClassifier, f"family_{kind}") for kind in KINDS}
    readings = {kind: url_state.cached_reading(model, text) for kind, model in models.items()}
    one = next(iter(readings.values()))
    panels.notices(one)
    first = min(first, len(one.tokens))
    in_link(first=first)
    moved = {kind: moved_by_beginning(models[kind], readings[kind], first) for kind in KINDS}
    guess.of_stop("recurrent_family", most_moved(moved), masking_in_words(moved, first), "family_covered")
    st.markdown(f"#### {answers_in_words(readings)}")
    part = hidden.part("family_covered", "How far each network depends on the beginning")
    part.markdown(masking_in_words(moved, first))
    limit = charts.colour_limit(_layer(readings["lstm"]).signals["c"])
    for column, kind in zip(st.columns(3, gap="medium"), KINDS, strict=True):
        with column:
            _one(kind, models[kind], readings[kind], limit)
    st.caption(
        "Each row of a heat map is a unit, each column a token. Gates: the fuller the colour, the nearer to 1. h and "
        f"the candidate: from −1 (blue) to 1 (orange) in all three networks; c: to ±{limit:.1f}. Similar units are "
        "neighbours."
    )


def _one(kind: str, model: TextClassifier, reading: Reading, limit: float) -> None:
    """A column: the diagram, the answer, the answer after each token, and all signals."""
    name = theme.CELL_LINES[kind][0]
    st.subheader(name[0].upper() + name[1:], anchor=False)
    diagrams.show(kind, f"family_wiring_{kind}")
    parameters = model.card.training.get("parameters", 0)
    st.caption(f"{parameters:,} parameters · test accuracy {model.card.measured.get('accuracy', 0):.1%}")
    probabilities, colours = reading.probabilities[-1], theme.class_colours(reading.labels)
    shares = zip(reading.labels, probabilities, strict=True)
    answer = ", ".join(f"{theme.class_name(each)} {share:.0%}" for each, share in shares)
    plotting.show(
        charts.answer_bars(reading.labels, probabilities, colours), f"family_answer_{kind}",
        f"Last answer of the {name}: {answer}.", toolbar=False,
    )  # fmt: skip
    st.caption("The answer after each token:")
    figure = charts.answer_so_far(reading.tokens, reading.labels, reading.probabilities, colours)
    figure.update_layout(height=330, legend={"font_size": 14, "entrywidth": 0.5, "entrywidthmode": "fraction"})
    figure.update_yaxes(title=None)
    family_charts.fewer_tokens(figure, len(reading.tokens))
    alt = f"Lines: the answer of the {name} after each of {len(reading.tokens)} tokens."
    plotting.show(figure, f"family_formed_{kind}", alt)
    layer = _layer(reading)
    order = charts.similarity_order(layer.signals["h"])
    rows = {
        f"{theme.SIGNALS[letter].name} {letter}": (letter, layer.signals[letter][:, order]) for letter in LETTERS[kind]
    }
    alt = f"Heat maps of the {name}, {layer.units} units by {len(reading.tokens)} tokens: {', '.join(rows).lower()}."
    plotting.show(family_charts.signals(reading.tokens, rows, limit), f"family_signals_{kind}", alt)


def _layer(reading: Reading) -> LayerTrace:
    layer = reading.layers[0]
    assert isinstance(layer, LayerTrace)  # none of the three is bidirectional
    return layer


def answers_in_words(readings: dict[str, Reading]) -> str:
    """The answers of the three networks, in one sentence."""
    parts = [
        f"{theme.class_name(each.answer)} ({each.confidence:.0%}) by the {theme.CELL_LINES[kind][0]}"
        for kind, each in readings.items()
    ]
    length = len(next(iter(readings.values())).tokens)
    answers = {each.answer for each in readings.values()}
    agree = {1: "All three agree", 2: "Two of them agree", 3: "No two agree"}[len(answers)]
    return f"Answers after {length} token{'s' * (length > 1)}: {parts[0]}, {parts[1]} and {parts[2]}. {agree}."


def most_moved(moved: dict[str, float]) -> int:
    """The number of the network whose last answer depends most on the beginning; 3 if none does."""
    return KINDS.index(max(moved, key=moved.__getitem__)) if max(moved.values()) >= 0.02 else len(KINDS)


def masking_in_words(moved: dict[str, float], first: int) -> str:
    """How far the last answer of each network depends on the beginning of the text, in one or two sentences."""
    parts = [f"the {theme.CELL_LINES[kind][0]} **{100 * share:.0f}**" for kind, share in moved.items()]
    masked = "the first token" if first == 1 else f"the first {first} tokens"
    most, least = max(moved.values()), min(moved.values())
    if most < 0.02:
        end = "None of the last answers depends on the beginning."
    elif most - least < 0.02:
        end = "All three depend on it to the same extent."
    else:
        end = f"The {theme.CELL_LINES[max(moved, key=moved.__getitem__)][0]} keeps most of the beginning."
    return f"Masking {masked} changes the last answers, in percentage points: {', '.join(parts)}. {end}"
