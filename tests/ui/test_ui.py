"""What the pages are made of: figures, tinted texts, links, tables and colours, without a browser."""

from __future__ import annotations

import csv
import inspect
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from types import ModuleType
from typing import Any
from urllib.parse import quote

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest
import streamlit
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core import exhibit
from lstm_core.evaluation.evaluate import by_length, calibration, classification_figures
from lstm_core.inference.beam_search import Branch
from lstm_core.inference.classifier import Reading, TextClassifier
from lstm_core.text.encoder import TOKENIZERS, Encoding
from ui.classifier import card_charts
from ui.common import charts, theme, tokens, url_state
from ui.common.figure import Figure
from ui.take_away import files, trace_csv
from ui.text_generation import charts as writing_charts

LABELS = ("csharp", "java", "javascript", "python")
PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}  # NUL as ␀ and so on


# --- Figures --------------------------------------------------------------------------------


def signals_of(timesteps: int, units: int) -> dict[str, np.ndarray]:
    """Gates in 0…1 and states in -1…1, (T, units) each."""
    random = np.random.default_rng(timesteps + units)
    return {
        letter: random.uniform(0 if theme.SIGNALS[letter].gate else -1, 1, (timesteps, units)).astype(np.float32)
        for letter in theme.LSTM_SIGNALS
    }


def words_of(timesteps: int) -> list[str]:
    return [f"word{index}" for index in range(timesteps)]


@cache
def reading_figures(timesteps: int, units: int) -> dict[str, Figure]:
    """Every figure of `charts`, by the name of its function."""
    words, signals = words_of(timesteps), signals_of(timesteps, units)
    answers = np.random.default_rng(0).dirichlet(np.ones(4), timesteps).astype(np.float32)
    colours = theme.CLASS_COLOURS[:4]
    late = answers[:, 0].copy()
    late[: timesteps // 2] = np.nan
    return {
        "answer_bars": charts.answer_bars(LABELS, answers[-1], colours),
        "answer_so_far": charts.answer_so_far(words, LABELS, answers, colours),
        "two_curves": charts.two_curves(words, "Java", [answers[:, 1], late], timesteps - 1),
        "signed_bars": charts.signed_bars(["a<b", "c"], np.array([0.1, -0.2]), "change", ("#000000", "#ffffff")),
        "heatmap": charts.heatmap(words, "c", signals["c"], charts.similarity_order(signals["c"]), timesteps - 1),
        "one_unit": charts.one_unit(words, {letter: values[:, 0] for letter, values in signals.items()}),
        "timestep": charts.timestep(
            {letter: values[-1] for letter, values in signals.items()}, np.arange(min(units, 8))
        ),
    }


def measured() -> dict[str, Any]:
    """What a card holds after `evaluate`."""
    random = np.random.default_rng(1)
    answers, truth = random.dirichlet(np.ones(4), 200), random.integers(4, size=200)
    return {
        **classification_figures(answers, truth, LABELS),
        "calibration": calibration(answers, truth),
        "by_length": by_length(answers, truth, random.integers(1, 400, 200)),
    }


def card_figures(card: dict[str, Any], curves: dict[str, list[float]]) -> dict[str, Figure]:
    """Every figure of `report_charts`, by the name of its function."""
    return {
        "training_curves": card_charts.training_curves(curves),
        "confusion": card_charts.confusion(card),
        "roc": card_charts.roc(card),
        "calibration": card_charts.calibration(card),
        "by_length": card_charts.by_length(card),
    }


def writing_figures() -> dict[str, Figure]:
    branches = [
        Branch("", 1.0, -1, False),
        Branch("<", 0.6, 0, False),
        Branch("<a", 0.5, 1, True),
        Branch(" ", 1e-5, 0, True),
    ]
    return {
        "candidates": writing_charts.candidates("ab<\n", np.array([0.1, 0.2, 0.3, 0.4]), np.eye(4)[3], "a", 3),
        "continuations": writing_charts.continuations(branches, "<b>"),
        "frequencies": writing_charts.frequencies([("\n", 3), ("<", 1)], 4),
    }


CURVES = {
    "loss": [1.0, 0.5, 0.4],
    "accuracy": [0.4, 0.6, 0.7],
    "validation_loss": [1.1, 0.7, 0.8],
    "validation_accuracy": [0.3, 0.5, 0.5],
}


def check(figure: Figure) -> dict[str, Any]:
    """The figure as the browser gets it; building it again lets Plotly check every property."""
    data = json.loads(plotly.io.to_json(figure.to_dict(), validate=False))
    assert json.loads(plotly.io.to_json(go.Figure(data), validate=False)) == data
    assert figure.layout.height > 0
    return data


@pytest.mark.parametrize(
    ("module", "draw"),
    [
        (charts, lambda: reading_figures(1, 1)),
        (card_charts, lambda: card_figures({}, {})),
        (writing_charts, writing_figures),
    ],
    ids=["charts", "report_charts", "writing_charts"],
)
def test_every_figure_is_tested_here(module: ModuleType, draw: Callable[[], dict[str, Figure]]) -> None:
    drawn = draw()
    made = {
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.get_annotations(function).get("return") is Figure
    }
    assert made == set(drawn)


def test_the_figures_of_a_run_are_whole_and_escaped() -> None:
    for figure in writing_figures().values():
        assert '<b>"' not in json.dumps(check(figure))
    names = writing_figures()["candidates"].data[0].y
    assert list(names) == ["↵ line end", "&lt;", "<b>a</b>"]  # what was written is shown though it was improbable
    labels = writing_figures()["continuations"].data[-1].text
    assert list(labels) == ["&lt;", "a", "␣"]
    assert writing_charts.chance(0.1234) == "12.3%"
    assert writing_charts.chance(1e-5) == "1 in 100,000"


@pytest.mark.parametrize("units", [1, 2, 128])
@pytest.mark.parametrize("timesteps", [1, 10, 400])
def test_figures_of_a_reading(timesteps: int, units: int) -> None:
    figures = reading_figures(timesteps, units)
    for figure in figures.values():
        check(figure)
    lines = {"answer_so_far": 4, "two_curves": 2, "one_unit": 3}
    for name, count in lines.items():
        assert [len(line.y) for line in figures[name].data] == [timesteps] * count, name
        assert [list(line.x) for line in figures[name].data] == [list(range(timesteps))] * count, name
    assert figures["heatmap"].data[0].z.shape == (units, timesteps)
    assert [len(bars.x) for bars in figures["timestep"].data] == [min(units, 8)] * 6
    assert len(figures["answer_bars"].data[0].x) == 4


@pytest.mark.parametrize("timesteps", [1, 10, 400])
@pytest.mark.parametrize("name", ["answer_so_far", "two_curves", "heatmap", "one_unit"])
def test_every_token_is_named_below_its_place(name: str, timesteps: int) -> None:
    axis = reading_figures(timesteps, 3)[name].layout.xaxis
    assert axis.labelalias == {str(index): word for index, word in enumerate(words_of(timesteps))}
    low, high = axis.range
    assert low < 0
    assert high > timesteps - 1
    if timesteps <= charts.MAX_LABELS:
        assert axis.dtick == 1
    else:
        assert axis.nticks <= charts.MAX_LABELS


def test_a_token_is_no_formatting_in_a_label() -> None:
    words = ["<b>bold</b>", "&lt;", '<a href="//x">', "a" * 50, "x<y&&z"]
    axis = charts.answer_so_far(words, LABELS, np.full((5, 4), 0.25), theme.CLASS_COLOURS[:4]).layout.xaxis
    labels = [axis.labelalias[str(index)] for index in range(5)]
    assert labels == ["&lt;b&gt;bold&lt;/b&gt;", "&amp;lt;", '&lt;a href="//x"&gt;', "a" * 14, "x&lt;y&amp;&amp;z"]


def test_the_heat_map_shows_each_unit_in_its_row() -> None:
    values = signals_of(10, 6)["c"]
    order = np.array([4, 0, 5, 1, 3, 2])
    heat = charts.heatmap(words_of(10), "c", values, order, None).data[0]
    np.testing.assert_array_equal(heat.z, values.T[order])
    np.testing.assert_array_equal(heat.customdata[:, 0], order)
    assert heat.zmax == -heat.zmin == pytest.approx(np.quantile(np.abs(values), exhibit.COLOUR_QUANTILE))
    assert charts.heatmap(words_of(10), "c", values, order, None, 7.0).data[0].zmax == 7.0
    gate = charts.heatmap(words_of(10), "f", signals_of(10, 6)["f"], order, None).data[0]
    assert (gate.zmin, gate.zmax) == (0, 1)


@pytest.mark.parametrize(("order", "said"), [([2, 0, 1], "3 units"), ([0, 2], "2 of 3 units")])
def test_the_heat_map_says_how_many_of_the_units_it_shows(order: list[int], said: str) -> None:
    figure = charts.heatmap(["a"], "c", np.zeros((1, 3)), np.array(order), None)
    assert figure.layout.yaxis.title.text == said


def test_a_silent_memory_has_a_scale_all_the_same() -> None:
    heat = charts.heatmap(["a"], "c", np.zeros((1, 1)), np.array([0]), 0).data[0]
    assert heat.zmin < 0 < heat.zmax


def test_no_bar_leaves_its_axis() -> None:
    signals = {letter: values[-1] for letter, values in signals_of(3, 8).items()} | {"c": np.linspace(-7, 3, 8)}
    figure = charts.timestep(signals, np.arange(8))
    for bars in figure.data:
        low, high = figure.layout[f"xaxis{bars.xaxis[1:]}"].range
        assert low <= min(bars.x)
        assert max(bars.x) <= high


def test_the_parting_is_marked_only_if_there_is_one() -> None:
    curves = [np.zeros(3), np.ones(3)]
    (mark,) = charts.two_curves(words_of(3), "Java", curves, 1).layout.shapes
    assert mark.x0 == mark.x1 == 1
    assert not charts.two_curves(words_of(3), "Java", curves, None).layout.shapes


def test_figures_of_a_card() -> None:
    card = measured()
    figures = card_figures(card, CURVES)
    for figure in figures.values():
        check(figure)
        assert not [note for note in figure.layout.annotations if "not in this model's card" in note.text]
    assert [list(line.y) for line in figures["training_curves"].data] == [
        CURVES[name] for name in ("loss", "validation_loss", "accuracy", "validation_accuracy")
    ]
    rows = np.array(figures["confusion"].data[0].z)
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    assert len(figures["roc"].data) == 5  # the diagonal and four classes
    assert sum(figures["calibration"].data[1].customdata) == sum(figures["by_length"].data[0].customdata) == 200
    first = f"{card['by_length']['tokens'][0]:.0f}"
    assert figures["by_length"].layout.xaxis.labelalias["0"] == first  # the axis names tokens, not places


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"accuracy": 0.5, "examples": 10},
        {"labels": list(LABELS), "confusion": [], "roc": {}, "calibration": {}, "by_length": {}},
        {"labels": list(LABELS), "roc": {"java": {}}},
    ],
)
def test_a_card_without_figures_says_so(card: dict[str, Any]) -> None:
    for name, figure in card_figures(card, {}).items():
        check(figure)
        notes = [note.text for note in figure.layout.annotations]
        if not (name == "roc" and card.get("roc")):  # a class that could not be drawn leaves the diagonal
            assert "not in this model's card" in notes, name


def test_a_run_without_validation_has_its_own_curves() -> None:
    figure = card_charts.training_curves({"loss": [1.0, 0.5]})
    check(figure)
    assert list(figure.data[0].y) == [1.0, 0.5]


# --- Units that behave alike ------------------------------------------------------------------


@pytest.mark.parametrize("units", [1, 2, 3, 50])
@pytest.mark.parametrize("timesteps", [1, 2, 3, 80])
@pytest.mark.parametrize("constant", [False, True])
def test_each_unit_gets_one_row(timesteps: int, units: int, constant: bool) -> None:
    values = np.ones((timesteps, units)) if constant else signals_of(timesteps, units)["c"]
    assert sorted(charts.similarity_order(values).tolist()) == list(range(units))


@pytest.mark.parametrize("seed", range(20))
def test_two_groups_stand_together(seed: int) -> None:
    random = np.random.default_rng(seed)
    group = random.permutation([0] * 8 + [1] * 12)
    courses = random.normal(size=(60, 2))  # (T, groups): what each group does
    loudness = random.uniform(0.5, 2, 20)
    values = courses[:, group] * loudness + random.normal(0, 0.05, (60, 20))
    rows = group[charts.similarity_order(values)]
    assert sum(a != b for a, b in pairwise(rows)) == 1


# --- Colours ----------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", theme.LSTM_SIGNALS)
def test_a_signal_has_its_colour_in_every_figure(letter: str) -> None:
    signal = theme.SIGNALS[letter]
    figures = reading_figures(10, 3)
    name = f"{signal.name} {letter}"
    lines = {line.name: line.line.color for line in figures["one_unit"].data}
    assert lines.get(name) == (signal.colour if letter in "cif" else None)
    titles = [note.text for note in figures["timestep"].layout.annotations]
    assert figures["timestep"].data[titles.index(name)].marker.color == signal.colour
    scale = charts.heatmap(words_of(2), letter, np.zeros((2, 1)), np.array([0]), None).data[0].colorscale
    if signal.gate:
        assert scale[-1][1] == signal.colour


@pytest.mark.parametrize("cell", [theme.LSTM_SIGNALS, ("z", "r", "g", "h")])
def test_no_two_signals_of_a_cell_share_a_colour(cell: tuple[str, ...]) -> None:
    assert set(cell) <= set(theme.SIGNALS)
    assert len({theme.SIGNALS[letter].colour for letter in cell}) == len(cell)
    assert len({theme.SIGNALS[letter].name for letter in cell}) == len(cell)


def test_classes_have_colours_of_their_own() -> None:
    assert len(theme.CLASS_COLOURS) == len(set(theme.CLASS_COLOURS)) >= 4
    assert len(theme.CLASS_DASHES) == len(set(theme.CLASS_DASHES)) == len(theme.CLASS_COLOURS)
    assert not set(theme.CLASS_COLOURS) & {signal.colour for signal in theme.SIGNALS.values()}


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_can_carry_a_tint(dark: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theme, "is_dark", lambda: dark)
    signals = [signal.colour for signal in theme.SIGNALS.values()]
    for colour in (*theme.CLASS_COLOURS, *signals, *theme.diverging_colours(), theme.neutral_colour()):
        assert re.fullmatch("#[0-9A-Fa-f]{6}", colour)
    for letter in theme.SIGNALS:
        scale = theme.colour_scale(letter)
        assert (scale[0][0], scale[-1][0]) == (0, 1)
        assert (0.0 if theme.SIGNALS[letter].gate else 0.5, theme.neutral_colour()) in scale


# --- A user's text never becomes markup -------------------------------------------------------

OURS = {"div": {"role", "aria-label", "tabindex", "style"}, "span": {"title", "style"}, "mark": {"style"}, "b": set()}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)' x='",
    "&lt;b&gt; &amp;amp; &#60;script&#62; &notanentity",
    "</span></div><style>*{display:none}</style>",
    "<!-- <![CDATA[ ]]> --> <?php ?> <!DOCTYPE html>",
    "nul \x00 bell \x07 escape \x1b[31m return \r end",
    'if (a < b && c > d) { return "\'`"; }',
    "<\x00script>alert(1)</\x00script>",
    "  spaces\n\n\tand lines  <br>\n  kept",
    "汉字 🙂 \u202eright to left\u202c \u2028 ﷽ &#x202e;",
    "<svg/onload=alert(1)> <a href='javascript:alert(1)'>x</a>",
]


class Parsed(HTMLParser):
    """The tags with their attributes and the text that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.open, self.strange = "", [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def _strange(self, data: str) -> None:
        self.strange.append(data)

    handle_comment = handle_decl = handle_pi = unknown_decl = _strange

    def check(self) -> Parsed:
        """Nothing but our own tags and attributes, all closed."""
        assert not self.open
        assert not self.strange
        for tag, attributes in self.tags:
            assert tag in OURS
            assert set(attributes) <= OURS[tag]
            style = attributes.get("style") or ""
            assert re.fullmatch(r"[-a-z0-9#.,:;()%/ A-Z]*", style), style
        return self

    def count(self, tag: str) -> int:
        return [name for name, _ in self.tags].count(tag)


def shown(draw: Callable[[], None]) -> Parsed:
    """What was given to `st.html`, parsed and checked."""
    given_html: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens.st, "html", given_html.append)
        draw()
    (html,) = given_html
    return Parsed(html).check()


def visible(text: str) -> str:
    return text.translate(PICTURES)


def tinted(text: str, tokenizer: str = "whitespace", **more: Any) -> Parsed:
    spans = [(token.start, token.end) for token in TOKENIZERS[tokenizer](text)]
    spans = spans[: more.pop("read", None)]
    colours, strengths = ["#AA3377"] * len(spans), np.linspace(-1, 2, len(spans)).tolist()
    hovers = [f"{index}: {text}" for index in range(len(spans))]
    return shown(lambda: tokens.tinted_text(text, spans, colours, strengths, hovers, label=text, **more))


@pytest.mark.parametrize("tokenizer", sorted(TOKENIZERS))
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_shown_as_it_is(text: str, tokenizer: str) -> None:
    html = tinted(text, tokenizer)
    assert html.text.rstrip() == visible(text).rstrip()
    assert html.count("div") == 1
    assert html.tags[0][1]["aria-label"] == text
    hovers = [attributes["title"] for tag, attributes in html.tags if tag == "span"]
    spans = len(list(TOKENIZERS[tokenizer](text)))
    assert hovers[:spans] == [f"{index}: {visible(text)}" for index in range(spans)]
    assert hovers[spans:] in ([], ["not read"])


nasty = st.text(alphabet="<>&\"'/=;#!-`\\ \n\t\x00\x1babx39é🙂", max_size=40)


@given(text=nasty, tokenizer=st.sampled_from(sorted(TOKENIZERS)), read=st.integers(0, 5))
@settings(deadline=None, max_examples=150, derandomize=True, database=None)
def test_no_text_becomes_markup(text: str, tokenizer: str, read: int) -> None:
    html = tinted(text, tokenizer, read=read)
    assert html.text.rstrip() == visible(text).rstrip()


@given(text=nasty, note=nasty, start=st.integers(0, 40), length=st.integers(0, 40))
@settings(deadline=None, max_examples=150, derandomize=True, database=None)
def test_no_snippet_becomes_markup(text: str, note: str, start: int, length: int) -> None:
    start = min(start, len(text))
    html = shown(lambda: tokens.snippet(text, (start, min(start + length, len(text))), note))
    assert html.text == visible(text) + note
    assert [tag for tag, _ in html.tags] == ["div", "mark", "b", "div"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_snippet_is_shown_as_it_is(text: str) -> None:
    html = shown(lambda: tokens.snippet(text, (3, 9), text, around=1000))
    assert html.text == visible(text) + text


def test_a_snippet_says_where_it_leaves_something_out() -> None:
    text = "0123456789"
    assert shown(lambda: tokens.snippet(text, (4, 6), "", around=2)).text == "… 234567 …"
    assert shown(lambda: tokens.snippet(text, (0, 1), "", around=2)).text == "012 …"
    assert shown(lambda: tokens.snippet(text, (9, 10), "", around=9)).text == text


def test_the_rest_that_was_not_read_is_faint_and_short() -> None:
    html = tinted("read <b> " + "x" * 500, read=1)
    assert [attributes["title"] for tag, attributes in html.tags if tag == "span"][-1] == "not read"
    assert html.text == "read <b> " + "x" * 395 + " …"  # 400 signs behind the last token
    assert "…" not in tinted("read " + "x" * 390, read=1).text


def test_pads_are_not_shown_and_the_chosen_token_is_framed() -> None:
    html = shown(
        lambda: tokens.tinted_text(
            "a b", [(0, 0), (0, 1), (2, 3)], ["#000000"] * 3, [1] * 3, ["pad", "a", "b"], label="", chosen=2
        )
    )
    spans = [attributes for tag, attributes in html.tags if tag == "span"]
    assert [span["title"] for span in spans] == ["a", "b"]
    assert ["outline" in (span["style"] or "") for span in spans] == [False, True]


def test_a_tint_is_as_strong_as_asked_and_within_bounds() -> None:
    def alpha(strength: float) -> int:
        html = shown(lambda: tokens.tinted_text("a", [(0, 1)], ["#AA3377"], [strength], [""], label=""))
        found = re.search("background:#AA3377([0-9a-f]{2});", html.tags[1][1]["style"] or "")
        assert found
        return int(found[1], 16)

    alphas = [alpha(strength) for strength in (-1.0, 0.0, 0.2, 0.5, 1.0, 3.0)]
    assert alphas == sorted(alphas)
    assert alphas[0] == alphas[1] == 0
    assert alphas[2] < alphas[3] < alphas[4] == alphas[5] <= 255


MARKDOWN = [
    "**bold** __bold__ *it* _it_ ~~gone~~",
    "[x](javascript:alert(1)) ![i](http://x/y.png)",
    "`code` ``` fence",
    "$x^2$ and $$y$$",
    ":red[shout] :material/home: :smile:",
    "<b>html</b> &lt; &amp; &#60;",
    "# title",
    "- one",
    "1. one",
    "> said",
    "| a | b |",
    "back\\slash \\* \\",
    "title\n===\n\n    indented\n\n***\n",
    "[a]: http://x",
]


@pytest.mark.parametrize("text", MARKDOWN)
@pytest.mark.parametrize("sentence", ["{}", "At “**{}**”, they part."])
def test_a_users_text_is_no_markdown(text: str, sentence: str) -> None:
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable(["table", "strikethrough"])
    parsed = markdown.parse(sentence.format(tokens.plain(text)))
    assert [block.type for block in parsed] == ["paragraph_open", "inline", "paragraph_close"]
    inside = parsed[1].children
    assert {part.type for part in inside} <= {"text", "text_special", "strong_open", "strong_close"}
    assert sum(part.type == "strong_open" for part in inside) == sentence.count("**") // 2
    assert "".join(part.content for part in inside) == sentence.replace("**", "").format(" ".join(text.split()))


@pytest.mark.parametrize("text", [*MARKDOWN, *HOSTILE])
def test_what_streamlit_adds_to_markdown_is_escaped_too(text: str) -> None:
    unescaped = re.sub(r"\\[^a-z0-9\s]", "", tokens.plain(text))  # what is left without the escaped signs
    assert not set("$[]<>*_`~&\\#|") & set(unescaped)
    assert not re.search(r":\S", unescaped)
    assert not re.search(r"[\x00-\x1f]", unescaped)


# --- Links and tables -------------------------------------------------------------------------


def with_tokens(reading: Reading, words: list[str], spans: list[tuple[int, int]] | None = None) -> Reading:
    """The reading with other tokens in front of the same numbers."""
    spans = spans or [(0, 0)] * len(words)
    encoded = Encoding(tuple(words), tuple(spans), np.ones(len(words), np.int32), len(words))
    return replace(reading, encoded=encoded)


@pytest.mark.parametrize("text", ["sort a list   ", "z.", "z.abc", "x" * 9_000, "😀жщ " * 3_000, "a\n\x00b", ""])
def test_a_link_brings_the_whole_text(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = url_state.packed(text)
    assert len(quote(packed)) < 41_000
    monkeypatch.setattr(streamlit, "query_params", {"text": packed})
    assert url_state.parameter("text", "nothing") == text


def test_a_link_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(map(chr, np.random.default_rng(1).integers(0x4E00, 0x9FFF, 60_000)))  # can't be compressed
    packed = url_state.packed(text)
    assert len(packed) <= url_state.LONGEST + 2
    monkeypatch.setattr(streamlit, "query_params", {"text": packed, "bad": "z.!!", "bomb": packed[:90]})
    assert text.startswith(url_state.parameter("text", "nothing"))
    assert len(url_state.parameter("text", "nothing")) > 8_000
    assert url_state.parameter("bad", "nothing") == "nothing"


def test_another_text_has_another_fingerprint() -> None:
    texts = ["", "a", "b", "a ", "\x00", "\ud800", "🙂"]
    assert len({url_state.fingerprint(text) for text in texts}) == len(texts)
    assert all(re.fullmatch("[0-9a-f]{8}", url_state.fingerprint(text)) for text in texts)


def table_of(reading: Reading) -> tuple[list[str], list[dict[str, str]]]:
    columns = files.shares(reading.labels, reading.probabilities)
    data = trace_csv.as_csv(reading.tokens, columns, reading.layers).decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(data, newline=""))
    return list(rows.fieldnames or ()), list(rows)


def test_the_table_has_a_row_a_token_and_a_column_a_signal(tiny: TextClassifier) -> None:
    reading = tiny.read("how do i sort a list")
    columns, rows = table_of(reading)
    trace = reading.layers[0]
    assert columns[:5] == ["timestep", "token", "p(csharp)", "p(java)", "p(python)"]
    assert columns[5:] == [f"{letter}[{unit}]" for letter in trace.signals for unit in range(5)]
    assert set(trace.signals) == set(theme.LSTM_SIGNALS)
    assert [row["timestep"] for row in rows] == list("012345")
    assert [row["token"] for row in rows] == list(reading.tokens)
    for t, row in enumerate(rows):
        for letter, values in trace.signals.items():
            numbers = [float(row[f"{letter}[{unit}]"]) for unit in range(5)]
            np.testing.assert_allclose(numbers, values[t], atol=1e-5)
        np.testing.assert_allclose([float(row[column]) for column in columns[2:5]], reading.probabilities[t], atol=1e-5)


def test_layers_are_numbered_where_there_are_several(tiny: TextClassifier) -> None:
    reading = tiny.read("sort")
    columns, _ = table_of(replace(reading, layers=reading.layers * 2))
    assert len(columns) == len(set(columns)) == 2 + 3 + 2 * 6 * 5
    assert {"0.c[0]", "1.c[0]"} <= set(columns)


def test_a_spreadsheet_runs_no_token(tiny: TextClassifier) -> None:
    words = ["=1+1", "+", "-x", "@sum(a1)", "plain", 'a"b', "a,b", "x=1", "line\nbreak", "é🙂", "'", "<b>"]
    reading = tiny.read("how do i sort a list of in java ( ) .")
    assert len(reading.tokens) == len(words)
    _, rows = table_of(with_tokens(reading, words))
    assert [row["token"] for row in rows] == ["'=1+1", "'+", "'-x", "'@sum(a1)", *words[4:]]
