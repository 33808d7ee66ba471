"""The live figures of the gradient lab: a number and a matrix, three networks, a training run that explodes.

Each panel draws its controls, its figure and its sentence, and returns what a link to it must say. What
trained gates do to a gradient is in `gradient_lab/gates.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st

from lstm_core.interpret import (
    SYMBOLS,
    TRAINED_LENGTH,
    TRAINED_UNITS,
    Flow,
    TrainingRun,
    fresh_flows,
    largest_stretch,
    matrix_of,
    matrix_powers,
    scalar_powers,
    trained_flows,
    training_run,
)
from ui.common import charts, theme, url_state
from ui.gradient_lab import charts as gradient_charts

Shown = dict[str, str | int]
TIMES, MATRIX_UNITS = 100, 32
LENGTHS, UNITS, SCALES, BIASES = (2, 300), (4, 64), (0.0, 3.0), (-2.0, 6.0)
BEGINNING: dict[str, Any] = {
    "lab_state": "untrained",
    "lab_length": 100,
    "lab_units": 32,
    "lab_scale": 1.0,
    "lab_activation": "tanh",
    "lab_bias": 3.0,
}
# What to ask the room before a preset is looked at.
PRESETS: dict[str, tuple[dict[str, Any], str]] = {
    "As they begin": ({}, "Whose first symbol can still be learned from?"),
    "Forget gate half open": ({"lab_bias": 0.0}, "The forget gate has no bias, so f is about ½. Does it still keep?"),
    "300 steps": ({"lab_length": 300}, "Three times as far, the same gates: which of the three notices?"),
    "300 steps, gates to match": (
        {"lab_length": 300, "lab_bias": 6.0},
        "The gates are opened as far as the distance asks for. What does that change, and what does it not?",
    ),
    "Large weights": ({"lab_scale": 3.0}, "Recurrent weights three times as large: does that mean more memory?"),
    "Trained": ({"lab_state": "trained"}, "All three have learned to remember the first symbol. Whose gradient lives?"),
}  # fmt: skip
# Label, where it begins, its reach and step, and what it is.
CLIPPING: dict[str, tuple[str, float, tuple[float, float], float, str]] = {
    "growth": ("Recurrent scale", 1.5, (0.5, 2.0), 0.05, "The spectral radius that the recurrent kernel begins with."),
    "rate": ("Learning rate", 0.1, (0.01, 0.3), 0.01, "How far a step goes along the gradient."),
    "norm": ("Clip by norm at", 1.0, (0.1, 5.0), 0.1, "A longer gradient is shrunk to this length, all of it alike."),
    "value": ("Clip by value at", 0.1, (0.01, 1.0), 0.01, "Each single entry is cut off here: the direction turns."),
}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def in_words(value: float) -> str:
    """A positive number as people write it: 27, 0.4 or 3 × 10⁹."""
    if not math.isfinite(value):
        return "more than any number here"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(value))
    if -3 < exponent < 4:
        return f"{value:,.{max(0, 1 - exponent)}f}"
    return f"{value / 10.0**exponent:.1f} × 10{str(exponent).translate(_SUPERSCRIPTS)}"


# --- A number and a matrix ----------------------------------------------------------------------


def multiply() -> Shown:
    """A number and a vector, multiplied a hundred times."""
    left, right = st.columns(2, gap="large")
    with left:
        st.session_state.setdefault("lab_w", url_state.decimal("w", 0.9, 0.0, 1.5))
        w = st.slider("The number w", 0.0, 1.5, step=0.01, key="lab_w", persist_state="session")
        values = scalar_powers(w, TIMES)
        alt = f"Line on a log axis: w to the power of k for w = {w:g}, from 1 to {values[-1]:.2g} at k = {TIMES}."
        figure = gradient_charts.powers({"wᵏ": values}, "what is left of 1")
        st.plotly_chart(figure, config=charts.CONFIG, key="lab_scalar", alt=alt)
        st.markdown(f"1, multiplied by {w:g} a hundred times, is **{in_words(values[-1])}**.")
    with right:
        st.session_state.setdefault("lab_radius", url_state.decimal("radius", 0.9, 0.0, 1.5))
        radius = st.slider(
            "Spectral radius ρ of a matrix W", 0.0, 1.5, step=0.01, key="lab_radius", persist_state="session",
            help="The largest absolute value of an eigenvalue of W: in the long run a vector grows or shrinks by this "
            "factor with every multiplication.",
        )  # fmt: skip
        vector, worst, turned = _matrix_story(radius)
        curves = {"a random vector": vector, "the worst vector": worst, "orthogonal matrix": turned}
        ends = ", ".join(f"{name} {values[-1]:.2g}" for name, values in curves.items())
        figure = gradient_charts.powers(curves, "length after k times W")
        alt = f"Three lines on a log axis, spectral radius {radius:g}; after {TIMES} multiplications: {ends}."
        st.plotly_chart(figure, config=charts.CONFIG, key="lab_matrix", alt=alt)
        st.markdown(
            f"A random vector of length 1 ends at **{in_words(vector[-1])}**, one turned by an orthogonal matrix at "
            f"{in_words(turned[-1])}. The worst vector was **{in_words(worst.max())}** long at "
            f"{'the start' if worst.argmax() == 0 else f'step {worst.argmax()}'}."
        )
    return {"w": f"{w:g}", "radius": f"{radius:g}"}


@st.cache_data(max_entries=32, show_spinner=False)
def _matrix_story(radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    matrix, turning = (matrix_of(radius, MATRIX_UNITS, 1, turning=turning) for turning in (False, True))
    return (
        matrix_powers(matrix, TIMES, 2),
        largest_stretch(matrix, TIMES),
        matrix_powers(turning, TIMES, 2),
    )


# --- Three networks -----------------------------------------------------------------------------


def networks() -> Shown:
    """The gradient's norm at every timestep of an RNN, a GRU and an LSTM."""
    _from_link()
    _presets()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state = st.segmented_control(
            "Networks", ["untrained", "trained"], required=True, key="lab_state", persist_state="session",
            help=f"Trained: three networks of {TRAINED_UNITS} units that come with this app and have learned to "
            f"remember the first symbol of up to {TRAINED_LENGTH}; their weights are what they are.",
        )  # fmt: skip
        trained = state == "trained"
        length = st.slider(
            "Length", *LENGTHS, key="lab_length", width=200, persist_state="session", help="Timesteps T of a sequence."
        )
        units = st.slider("Units", *UNITS, key="lab_units", width=160, persist_state="session", disabled=trained)
        scale = st.slider(
            "Recurrent weight scale", *SCALES, step=0.05, key="lab_scale", width=200, persist_state="session",
            disabled=trained, help="Each recurrent kernel is a random orthogonal matrix times this.",
        )  # fmt: skip
        bias = st.slider(
            "Forget-gate bias", *BIASES, step=0.25, key="lab_bias", width=200, persist_state="session",
            disabled=trained,
            help="Added to the forget gate before its sigmoid: 0 holds it half open, 3 at 0.95. A GRU's update gate, "
            "which does the same work, gets the same bias; a plain RNN has neither.",
        )  # fmt: skip
        activation = st.segmented_control(
            "Activation", ["tanh", "relu"], required=True, key="lab_activation", persist_state="session",
            disabled=trained, help="In the place of tanh in all three cells. The gates keep their sigmoid.",
        )  # fmt: skip
        seed = st.number_input(
            "Seed",
            0,
            9999,
            key="lab_seed",
            width=120,
            persist_state="session",
            help="Of weights and sequences: is it luck?",
        )
    found = (
        _trained(length, int(seed)) if trained else _untrained(length, units, int(seed), scale, str(activation), bias)
    )
    st.markdown(f"#### {result(found)}")
    norms = {each.kind: each.norms for each in found}
    alt = "Lines on a log axis, the gradient's norm at each timestep. " + result(found)
    st.plotly_chart(gradient_charts.flows(norms), config=charts.CONFIG, key="lab_flows", alt=alt)
    st.caption("The loss is measured after the last timestep, on the right; from there its gradient flows to the left.")
    if trained:
        shares = ", ".join(f"{theme.CELL_LINES[each.kind][0]} {each.accuracy:.0%}" for each in found)
        st.markdown(f"Right answers at this length, where guessing gives {1 / SYMBOLS:.0%}: **{shares}**.")
    return {
        "state": str(state), "length": length, "units": units, "scale": f"{scale:g}", "bias": f"{bias:g}",
        "activation": str(activation), "seed": int(seed),
    }  # fmt: skip


def _from_link() -> None:
    for key, value in (
        ("lab_state", url_state.parameter("state", BEGINNING["lab_state"], ("untrained", "trained"))),
        ("lab_length", url_state.number("length", BEGINNING["lab_length"], *LENGTHS)),
        ("lab_units", url_state.number("units", BEGINNING["lab_units"], *UNITS)),
        ("lab_scale", url_state.decimal("scale", BEGINNING["lab_scale"], *SCALES)),
        ("lab_bias", url_state.decimal("bias", BEGINNING["lab_bias"], *BIASES)),
        ("lab_activation", url_state.parameter("activation", BEGINNING["lab_activation"], ("tanh", "relu"))),
        ("lab_seed", url_state.number("seed", 1, 0, 9999)),
    ):
        st.session_state.setdefault(key, value)


def _presets() -> None:
    """Buttons that put all controls at once; the one that holds now is marked, and asks its question."""

    def choose() -> None:
        chosen = PRESETS.get(st.session_state["lab_preset"])
        if chosen is not None:
            for key, value in (BEGINNING | chosen[0]).items():
                st.session_state[key] = value

    now = {key: st.session_state[key] for key in BEGINNING}
    held = next((name for name, (changes, _) in PRESETS.items() if now == BEGINNING | changes), None)
    st.session_state["lab_preset"] = held
    st.pills("Begin with", list(PRESETS), key="lab_preset", on_change=choose)
    if held:
        st.markdown(f"*{PRESETS[held][1]}*")


@st.cache_data(max_entries=64, show_spinner=False)
def _untrained(length: int, units: int, seed: int, scale: float, activation: str, bias: float) -> tuple[Flow, ...]:
    return fresh_flows(length, units, seed, scale=scale, activation=activation, keep_bias=bias)


def default_flows() -> tuple[Flow, ...]:
    """The gradient in three untrained networks, with the settings in which the page opens."""
    b = BEGINNING
    return _untrained(b["lab_length"], b["lab_units"], 1, b["lab_scale"], b["lab_activation"], b["lab_bias"])


@st.cache_data(max_entries=32, show_spinner=False)
def _trained(length: int, seed: int) -> tuple[Flow, ...]:
    return trained_flows(length, seed)


def result(found: tuple[Flow, ...]) -> str:
    """What came out, in one sentence."""
    steps = len(found[0].norms)
    parts = [f"{_fate(each)} in the {theme.CELL_LINES[each.kind][0]}" for each in found]
    return f"Over {steps} steps the gradient {', '.join(parts[:-1])}, and {parts[-1]}."


def _fate(each: Flow) -> str:
    shrank = each.shrank
    if shrank == 0:
        return "grew beyond all numbers"
    if math.isinf(shrank):
        return "vanished without a trace"
    if shrank >= 2:
        return f"shrank by a factor of {in_words(shrank)}"
    if shrank <= 0.5:
        return f"grew by a factor of {in_words(1 / shrank)}"
    lowest = each.norms[-1] / each.norms.min()
    on_the_way = f" (at its lowest {in_words(lowest)} times smaller)" if lowest > 2 else ""
    return f"stayed within a factor of {max(shrank, 1 / shrank):.1f}{on_the_way}"


# --- Exploding ----------------------------------------------------------------------------------


def exploding() -> Shown:
    """Three runs with the same weights and data: unclipped, clipped by norm, clipped by value."""
    st.markdown(
        "A plain RNN with relu learns to add up twenty numbers. **The same weights and the same data three times**; "
        "only what is done to a large gradient differs. Where does the first run end?"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        settings = {name: _slider(name, *of) for name, of in CLIPPING.items()}
    found = _runs(**settings)
    named = {name: (run.loss, run.before, run.after) for name, run in found.items()}
    sentence = " ".join(_end(name, run) for name, run in found.items())
    st.markdown(sentence)
    alt = "Three charts on log axes: loss, gradient norm before and after clipping. " + sentence.replace("**", "")
    st.plotly_chart(gradient_charts.runs(named), config=charts.CONFIG, key="lab_runs", alt=alt)
    return {name: f"{value:g}" for name, value in settings.items()}


def _slider(name: str, label: str, default: float, reach: tuple[float, float], step: float, about: str) -> float:
    key = f"lab_{name}"
    st.session_state.setdefault(key, url_state.decimal(name, default, *reach))
    return st.slider(label, *reach, step=step, key=key, width=205, persist_state="session", help=about)


@st.cache_data(max_entries=32, show_spinner=False)
def _runs(growth: float, rate: float, norm: float, value: float) -> dict[str, TrainingRun]:
    return {
        "without clipping": training_run("none", scale=growth, rate=rate),
        "by norm": training_run("norm", threshold=norm, scale=growth, rate=rate),
        "by value": training_run("value", threshold=value, scale=growth, rate=rate),
    }


def _end(name: str, run: TrainingRun) -> str:
    if run.diverged:
        return f"**{name.capitalize()}** the run explodes at step {len(run.loss)}."
    first, last = run.loss[:20].mean(), run.loss[-20:].mean()
    return f"**{name.capitalize()}** the loss goes from {first:.2f} to {last:.2f} in {len(run.loss)} steps."
