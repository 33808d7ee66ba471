"""The picture of a view: drawn from what its networks compute, without a browser.

For students a picture shows what the view shows before the guess; with answers, also what is hidden until then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

import lstm_core
from lstm_core.arrays import Array
from lstm_core.evaluation import CELL_MODELS
from lstm_core.exhibit import LETTERS, SIGNALS, THEME, class_colours, class_name, most_varying_unit
from lstm_core.handout import svg
from lstm_core.inference import Forecaster, Reading, TextClassifier, TextGenerator, WordModel
from lstm_core.interpret import initial_flows, scalar_powers
from lstm_core.lesson_plans import Stop
from lstm_core.memory_tasks import PRESETS, find_task, measured_races, task_example
from lstm_core.nn import NETWORKS, LayerTrace, softmax
from lstm_core.timeseries import Series, load_series

MOST_TOKENS = 110  # in a picture's width
GREY = "#9AA0A6"
FORECASTERS = {"seasons": "forecast_seasons", "sunspots": "forecast_sunspots"}  # for other series that of share prices
PACKED = "z."  # begins a text of a link that is compressed, which isn't read here
Load = Callable[[str], Any]
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Picture:
    """What a view shows, on paper.

    Attributes:
        text: what its network reads; may be empty.
        drawings: SVG with a description each.
    """

    text: str
    drawings: tuple[tuple[str, str], ...] = ()


def picture(stop: Stop, *, solved: bool = False, load: Load = lstm_core.load) -> Picture | None:
    """The picture of a stop's view; None for a page of which there is none.

    Args:
        stop: of a lesson.
        solved: whether what is hidden before the guess is shown, too.
        load: gives a model by its name.

    Raises:
        LabError: if its network is gone, or can't read its text.
    """
    page, _, query = stop.link.partition("?")
    settings = dict(parse_qsl(query, keep_blank_values=True))
    draw = _PAGES.get(page)
    if draw is None or any(value.startswith(PACKED) for value in settings.values()):
        return None
    return draw(settings, stop, solved, load)


def _classified(model: str, key: str) -> Callable[[dict[str, str], Stop, bool, Load], Picture]:
    def draw(settings: dict[str, str], stop: Stop, solved: bool, load: Load) -> Picture:
        text = settings.get("text", "")
        reading = load(settings.get("model", model)).read(text)
        drawings = []
        if solved or f"{key}_inside" not in stop.hide:
            drawings.append(_memory(reading.tokens, reading.layers[0], settings.get("signal", "c")))
        if solved:
            drawings.append(_answer_so_far(reading))
        return Picture(text, tuple(drawings))

    return draw


def _memory(tokens: tuple[str, ...], layer: LayerTrace, letter: str) -> tuple[str, str]:
    letter = letter if letter in layer.signals else "h"
    values, shown = layer.signals[letter][:MOST_TOKENS], tokens[:MOST_TOKENS]
    name = SIGNALS[letter].name.lower()
    alt = f"Heat map: the {name} of the units that vary most, at each of {len(shown)} tokens."
    return svg.heat_map(shown, letter, values), alt


def _answer_so_far(reading: Reading) -> tuple[str, str]:
    shares, colours = reading.probabilities[:MOST_TOKENS], class_colours(reading.labels)
    shown = {class_name(label): (shares[:, n], colours[n]) for n, label in enumerate(reading.labels)}
    ends = ", ".join(f"{class_name(each)} {p:.0%}" for each, p in zip(reading.labels, shares[-1], strict=True))
    drawing = svg.lines(reading.tokens[:MOST_TOKENS], shown, lowest=0, highest=1, name=lambda value: f"{value:.0%}")
    return drawing, f"Lines: the answer after each token; at the end {ends}."


def _microscope(settings: dict[str, str], stop: Stop, solved: bool, load: Load) -> Picture:
    name, text = settings.get("model", "brackets"), settings.get("text", "")
    layers: tuple[LayerTrace, ...]
    if name in NETWORKS:
        text = text or NETWORKS[name].sample
        tokens, layers = tuple(text), (NETWORKS[name].read(text),)
    else:
        model = load(name)
        read = model.read(text) if isinstance(model, TextClassifier) else model.trace(text)
        tokens, layers = read.tokens, tuple(each for each in read.layers if isinstance(each, LayerTrace))
    layer = layers[min(_whole(settings, "layer", 1), len(layers)) - 1]
    unit = min(_whole(settings, "unit", most_varying_unit(layer)), layer.units - 1)
    state = "c" if layer.kind == "lstm" else "h"
    gates = [each for each in LETTERS[layer.kind] if SIGNALS[each].gate and each in layer.signals]
    drawings = [_curves(tokens, layer, unit, [state])]
    if solved and gates:
        drawings.insert(0, _curves(tokens, layer, unit, gates))
    return Picture(text, tuple(drawings))


def _curves(tokens: tuple[str, ...], layer: LayerTrace, unit: int, letters: list[str]) -> tuple[str, str]:
    values = {each: layer.signals[each][:MOST_TOKENS, unit] for each in letters}
    shown = {f"{each} {SIGNALS[each].name}": (values[each], SIGNALS[each].colour) for each in letters}
    top = max(1.0, *(float(np.ceil(each.max())) for each in values.values()))
    low = min(0.0, *(float(np.floor(each.min())) for each in values.values()))
    drawing = svg.lines(
        tokens[:MOST_TOKENS], shown, lowest=low, highest=top, name=lambda v: _signed(v, ".1f"), height=70
    )
    return drawing, f"Lines: {', '.join(shown)} of unit {unit} at each of {len(tokens[:MOST_TOKENS])} tokens."


def _gradients(settings: dict[str, str], stop: Stop, solved: bool, load: Load) -> Picture:
    """The number w, multiplied a hundred times, or the gradient of three untrained networks at each timestep."""
    if "w" in settings:
        w = float(settings["w"])
        shown = {f"w = {w:g}": (np.log10(np.maximum(scalar_powers(w, 100), 1e-30)), SIGNALS["c"].colour)}
        alt = f"Line on a log axis: w to the power of k, for w = {w:g} and k from 0 to 100."
    else:
        length, units = _whole(settings, "length", 100), _whole(settings, "units", 32)
        options = {"scale": float(settings.get("scale", 1)), "keep_bias": float(settings.get("bias", 3))}
        flows = initial_flows(length, units, _whole(settings, "seed", 1), activation="tanh", **options)
        shown = {_cell(each.kind): (np.log10(np.maximum(each.norms, 1e-30)), _colour(each.kind)) for each in flows}
        alt = f"Lines on a log axis: the norm of the gradient at each of {length} timesteps of three networks."
    low = float(np.floor(min(values.min() for values, _ in shown.values())))
    high = float(np.ceil(max(values.max() for values, _ in shown.values())))
    if not solved:
        alt, shown = "Empty axes to sketch a guess.", {}
        low, high = min(low, -8.0), max(high, 0.0)
    drawing = svg.lines((), shown, lowest=low, highest=max(high, low + 1), name=_power)
    return Picture("", ((drawing, alt),))


def _family(settings: dict[str, str], stop: Stop, solved: bool, load: Load) -> Picture:
    text = settings.get("text", "")
    drawings = []
    for name in CELL_MODELS if solved else ():
        reading = load(name).read(text)
        drawing, alt = _answer_so_far(reading)
        drawings.append((drawing, f"{_cell(name.removeprefix('family_'))}. {alt}"))
    return Picture(text, tuple(drawings))


def _order(settings: dict[str, str], stop: Stop, solved: bool, load: Load) -> Picture:
    text = settings.get("text", "")
    model: WordModel = load("everyday_words")
    words = tuple(token.text for token in model.words(text))
    drawings = []
    if solved and words:
        score = model.score(words)
        read = zip([*score.words, "end"], score.surprisal.tolist(), strict=True)
        shown = {f"{number} {word}": value for number, (word, value) in enumerate(read, 1)}
        alt = f"Bars: the surprisal of each word as typed, {score.nats_per_word:.2f} nats on average."
        drawings.append((svg.bars(shown, SIGNALS["c"].colour, lambda value: f"{value:.2f} nats"), alt))
    return Picture(text, tuple(drawings))


def _writing(settings: dict[str, str], stop: Stop, solved: bool, load: Load) -> Picture:
    text = settings.get("prompt", "")
    model: TextGenerator = load(settings.get("model", "macbeth"))
    drawings = []
    if solved and text:
        first = next(iter(model.stream(text, 1, temperature=1.0, seed=1)))
        shares: Array = softmax(first.logits)
        best = np.argsort(-shares)[:6]
        shown = {repr(model.alphabet.characters[n]): float(shares[n]) for n in best}
        alt = "Bars: the most probable next characters, " + ", ".join(f"{each} {p:.1%}" for each, p in shown.items())
        drawings.append((svg.bars(shown, SIGNALS["c"].colour, lambda value: f"{value:.1%}"), alt))
    return Picture(text, tuple(drawings))


def _gym(settings: dict[str, str], stop: Stop, solved: bool, load: Load) -> Picture:
    """An example sequence of the task; with answers, also how many of the measured races each network has passed."""
    task = find_task(settings.get("task", "adding"))
    preset = PRESETS[task.name]
    length = _whole(settings, "length", preset.race.length)
    shown = task_example(task, length, _whole(settings, "example", 1))
    question = f"{shown.question} {shown.answer if solved else ''}".strip()
    drawings = []
    if shown.values is None:
        question = f"{' '.join(shown.tokens)}\n{question}"
    else:
        colours = [SIGNALS["c"].colour if each else GREY for each in shown.matters]
        alt = f"Columns: {len(shown)} numbers from −1 to 1, of which {int(shown.matters.sum())} are marked."
        drawings.append((svg.columns(shown.tokens, shown.values, colours), alt))
    found = measured_races().get(task.name)
    if solved and found and length == preset.race.length:
        races = len(found["runs"])
        passed = {_cell(kind): float(cell["passed"]) for kind, cell in found["cells"].items()}
        alt = f"Bars: of {races} races, " + ", ".join(f"{name} passed {count:.0f}" for name, count in passed.items())
        drawings.append((svg.bars(passed, SIGNALS["c"].colour, lambda value: f"{value:.0f} of {races}"), alt))
    return Picture(question, tuple(drawings))


def _forecast(settings: dict[str, str], stop: Stop, solved: bool, load: Load) -> Picture:
    """The values before an origin of the test set; with answers, also the forecast and what came."""
    name = settings.get("series", "shares")
    series: Series = load_series(settings.get("company", "AMZN") if name == "shares" else name)
    model: Forecaster = load(FORECASTERS.get(name, "forecast_stocks"))
    test = model.backtest(series)
    horizon = max(1, min(_whole(settings, "horizon", model.settings.horizon), model.settings.horizon))
    chosen = max(1, min(_whole(settings, "origin", len(test.origins) // 2), len(test.origins))) - 1
    origin = int(test.origins[chosen])
    first = max(0, origin + 1 - 3 * max(horizon, 4))
    before = series.values[first : origin + 1]  # (k,)
    shown = {"before": (_extended(before, 0, horizon), GREY)}
    if solved:
        ahead = {"what came": test.actual, "LSTM": test.forecasts["lstm"], "naive": test.forecasts["naive"]}
        colours = (svg.INK, SIGNALS["c"].colour, SIGNALS["f"].colour)
        for (title, values), colour in zip(ahead.items(), colours, strict=True):
            shown[title] = (
                np.concatenate([_extended(before[-1:], len(before) - 1, 0), values[chosen, :horizon]]),
                colour,
            )
    ends = [float(end(values[~np.isnan(values)])) for values, _ in shown.values() for end in (np.min, np.max)]
    margin = 0.25 * (max(ends) - min(ends) or 1.0)
    drawing = svg.lines(
        (), shown, lowest=min(ends) - margin, highest=max(ends) + margin, name=lambda value: _signed(value, ".3g")
    )
    after = (
        f"and the {horizon} {series.step}s after it: " + ", ".join(list(shown)[1:]) if solved else "and room for more"
    )
    alt = f"Lines: {series.title}, {len(before)} values before the forecast, {after}."
    return Picture("", ((drawing, alt),))


def _extended(values: Array, before: int, after: int) -> Array:
    """Values with places without one before and after them."""
    return np.concatenate([np.full(before, np.nan), values, np.full(after, np.nan)])


def _whole(settings: Mapping[str, str], name: str, default: int) -> int:
    value = settings.get(name, "")
    return min(int(value), 300) if value.isdecimal() else default


def _signed(value: float, form: str) -> str:
    return format(value, form).replace("-", "−")


def _power(value: float) -> str:
    return "10" + str(round(value)).translate(_RAISED)


def _cell(kind: str) -> str:
    return str(THEME["cell_lines"][kind][0])


def _colour(kind: str) -> str:
    return str(THEME["cell_lines"][kind][1])


_PAGES: dict[str, Callable[[dict[str, str], Stop, bool, Load], Picture]] = {
    "question_tags": _classified("stackoverflow", "tags"),
    "movie_reviews": _classified("imdb", "reviews"),
    "own_classifier": _classified("", "own"),
    "cell_microscope": _microscope,
    "gradient_lab": _gradients,
    "recurrent_family": _family,
    "word_order": _order,
    "text_generation": _writing,
    "memory_gym": _gym,
    "forecasting": _forecast,
}
