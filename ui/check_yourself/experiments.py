"""The experiments that answer the questions; each computes its answer with the lab's own networks."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lstm_core import Clamp
from lstm_core.inference import Reading, TextClassifier, TextGenerator, sampling_distribution
from lstm_core.interpret import Flow, initial_flows, training_run
from lstm_core.nn import NETWORKS, LayerTrace, parse_clamps
from ui.common import model_cache, theme, url_state
from ui.common.examples import Texts
from ui.gradient_lab import panels
from ui.text_generation.charts import name_of

COUNTER = 0  # the unit of the hand-set network that counts brackets
PROMPT = "Is this a dagger which I see before me, "
REVIEWS = "good actors in a bad film", "bad actors in a good film"


class Result(NamedTuple):
    """What an experiment found: the number of the correct choice, from 0, and what was measured."""

    choice: int
    measured: str


def _count(text: str, line: str = "") -> LayerTrace:
    """The bracket counter over a text, under clamps in the notation of links."""
    return NETWORKS["brackets"].read(text, parse_clamps(line, tuple("ifgoch"), 2, len(text)) if line else ())


def _counted(text: str, line: str, choices: tuple[int, ...]) -> Result:
    """Which of the choices the counter's cell state is at the end of a text under clamps."""
    free, clamped = (_count(text, each).c[:, COUNTER].round().astype(int) for each in ("", line))
    steps = ", ".join(f"`{character}` {value}" for character, value in zip(text, clamped, strict=True))
    return Result(
        choices.index(int(clamped[-1])),
        f"The cell state after each character: {steps}. Unclamped it ends at {free[-1]}.",
    )


def forget() -> Result:
    """The count with the forget gate closed at one character."""
    return _counted("((a(b", "f=0:0@2", (3, 1, 0))


def write() -> Result:
    """The count with the input gate closed from the third bracket on."""
    return _counted("(((", "i=0:0@2-", (3, 2, 0))


def candidate() -> Result:
    """The count with the candidate of the third bracket negated."""
    return _counted("(((", "g=-1:0@2", (3, 2, 1))


def output() -> Result:
    """Cell state and hidden state of the counter with the output gate closed at the last character."""
    trace = _count("((", "o=0:0@1")
    c, h = float(trace.c[-1, COUNTER]), float(trace.h[-1, COUNTER])
    kept, shown = abs(c) > 0.5, abs(h) > 0.5
    return Result(0 if not kept else 2 if shown else 1, f"After the second bracket c = {c:.2f} and h = {h:.2f}.")


def gates_see_h() -> Result:
    """The count of a pair of brackets with the output gate closed at the first."""
    found, trace = _counted("()", "o=0:0@0", (0, 1, -1)), _count("()", "o=0:0@0")
    return Result(found.choice, f"{found.measured} At `)` the input gate is {trace.i[-1, COUNTER]:.2f}.")


def pooling() -> Result:
    """The answers of two classifiers with closed forget gates: one pools its states, one uses the last state alone."""
    text, parts, changed = Texts.load("questions.json").examples["Long"], [], []
    for name, about in (("stackoverflow", "that pools"), ("family_lstm", "that uses its last state")):
        model = model_cache.model(TextClassifier, name)
        free, closed = (url_state.cached_reading(model, text, clamps=each) for each in ((), (Clamp("f", 0.0),)))
        changed.append(free.answer != closed.answer)
        parts.append(f"The network {about}: {_answer(free)}; with f = 0, {_answer(closed)}.")
    return Result(_which(*changed), " ".join(parts))


def _answer(reading: Reading) -> str:
    return f"{theme.class_name(reading.answer)} {reading.confidence:.0%}"


def _which(first: bool, second: bool) -> int:
    """The number of the choice among: both, only the first, only the second, neither."""
    return (1 - first) * 2 + (1 - second)


def _share(flow: Flow) -> float:
    """The gradient that arrives at the first timestep, relative to the last one."""
    return 1 / flow.shrank if flow.shrank else float("inf")


def vanishing() -> Result:
    """The share of the gradient that arrives after 100 steps in a plain RNN and in an LSTM."""
    shares = {flow.kind: _share(flow) for flow in panels.default_flows()}
    plain, gated = _arrives(shares["rnn"]), _arrives(shares["lstm"])
    measured = f"Of the gradient {plain} arrives in the plain RNN, and {gated} in the LSTM."
    return Result(_which(shares["rnn"] > 0.01, shares["lstm"] > 0.01), measured)


def _arrives(share: float) -> str:
    return f"{share:.0%}" if 0.01 <= share <= 10 else f"a share of {panels.in_words(share)}"


def half_forgotten() -> Result:
    """The share of the gradient that arrives after 100 steps in an LSTM whose forget gates are near 0.5."""
    share = _share(_untrained(scale=1.0, keep_bias=0.0)["lstm"])
    measured = f"After 100 steps {_arrives(share)} of the gradient arrives; 0.5¹⁰⁰ is {panels.in_words(0.5**100)}."
    return Result(0 if share > 0.1 else 1 if share > 1e-9 else 2, measured)


def _untrained(scale: float, keep_bias: float) -> dict[str, Flow]:
    flows = initial_flows(100, 32, 1, scale=scale, activation="tanh", keep_bias=keep_bias)
    return {flow.kind: flow for flow in flows}


def exploding() -> Result:
    """What becomes of the gradient of a plain RNN with large recurrent weights."""
    share = _share(_untrained(scale=3.0, keep_bias=3.0)["rnn"])
    measured = f"From the last step to the first, the gradient is multiplied by {panels.in_words(share)}."
    return Result(0 if share < 1e-3 else 1 if share <= 1e3 else 2, measured)


def clipping() -> Result:
    """Whether a training run diverges without clipping and with it."""
    runs = {"Without clipping": training_run("none"), "Clipped at norm 1": training_run("norm")}
    parts = [
        f"{name} the run diverges at step {len(run.loss)}."
        if run.diverged
        else f"{name} the loss goes from {run.loss[0]:.2f} to {run.loss[-20:].mean():.2f}."
        for name, run in runs.items()
    ]
    free, clipped = (run.diverged for run in runs.values())
    return Result(_which(free, clipped), " ".join(parts))


def temperature() -> Result:
    """The probability of the most probable next character at two temperatures."""
    logits = next(model_cache.model(TextGenerator, "macbeth").stream(PROMPT, 1, seed=1)).logits
    model, best = model_cache.model(TextGenerator, "macbeth"), int(np.argmax(logits))
    one, half, two = (float(sampling_distribution(logits, each)[best]) for each in (1.0, 0.5, 2.0))
    measured = (
        f"The most probable character after “{PROMPT.strip()}” is “{name_of(model.alphabet.characters[best])}”: "
        f"{half:.0%} at temperature 0.5, {one:.0%} at 1 and {two:.0%} at 2."
    )
    return Result(0 if half > one + 1e-6 else 2 if half < one - 1e-6 else 1, measured)


def word_order() -> Result:
    """The answers of a bag of words and of an LSTM to two orders of the same words."""
    parts, moved = [], []
    for name, about in (("imdb_bag", "bag of words"), ("imdb", "LSTM")):
        model = model_cache.model(TextClassifier, name)
        first, second = model.predict(REVIEWS)[:, model.labels.index("positive")]
        moved.append(abs(first - second) > 1e-4)
        digits = ".1%" if max(first, second) >= 0.001 else ".4%"
        parts.append(f"{first:{digits}} and {second:{digits}} by the {about}")
    return Result(_which(*moved), f"Probability of “positive”: {parts[0]}, {parts[1]}.")


EXPERIMENTS: dict[str, Callable[[], Result]] = {
    each.__name__: each
    for each in (
        forget, write, candidate, output, gates_see_h, pooling, vanishing, half_forgotten, exploding, clipping,
        temperature, word_order,
    )
}  # fmt: skip
