"""The figures of the gradient lab from formulas and small networks."""

import math
from typing import Any

import numpy as np
import streamlit as st

from lstm_core import interpret
from lstm_core.interpret import Flow, TrainingRun
from ui.common import assets, hidden, plotting, presets, theme
from ui.common.explanations import explain
from ui.common.url_state import CONTROLS, control
from ui.gradient_lab import charts
from ui.guide import guess

TIMES, MATRIX_UNITS = 100, 32
_LAB = assets.table("presets.toml")["gradient"]
# The controls of the three networks, and what they begin with.
INITIAL = {
    f"lab_{n}": CONTROLS[f"lab_{n}"]["default"] for n in ("state", "length", "units", "scale", "activation", "bias")
}
PRESETS: dict[str, tuple[dict[str, Any], str]] = _LAB["presets"]  # with a sentence on the setting
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def in_words(value: float) -> str:
    """A positive number for a sentence: 27, 0.4 or 3 × 10⁹."""
    if not math.isfinite(value):
        return "more than a float can hold"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(value))
    if -3 < exponent < 4:
        return f"{value:,.{max(0, 1 - exponent)}f}"
    return f"{value / 10.0**exponent:.1f} × 10{str(exponent).translate(_SUPERSCRIPTS)}"


def multiply() -> None:
    """A number and a vector, multiplied a hundred times."""
    left, right = st.columns(2, gap="large")
    with left:
        w = control("lab_w")
        values = interpret.scalar_powers(w, TIMES)
        part = hidden.part("lab_product", "The number, multiplied a hundred times")
        alt = f"Line on a log axis: w to the power of k for w = {w:g}, from 1 to {values[-1]:.2g} at k = {TIMES}."
        with part:
            plotting.show(charts.powers({"wᵏ": values}, "wᵏ"), "lab_scalar", alt)
            st.markdown(f"1, multiplied by {w:g} a hundred times, is **{in_words(values[-1])}**.")
    with right:
        radius = control("lab_radius")
        random, largest, orthogonal = _matrix_curves(radius)
        curves = {"random vector": random, "largest possible": largest, "orthogonal matrix": orthogonal}
        ends = ", ".join(f"{name} {values[-1]:.2g}" for name, values in curves.items())
        alt = f"Three lines on a log axis, spectral radius {radius:g}; after {TIMES} multiplications: {ends}."
        plotting.show(charts.powers(curves, "norm after k multiplications by W"), "lab_matrix", alt)
        st.markdown(
            f"A random vector of norm 1 ends with norm **{in_words(random[-1])}**; with an orthogonal matrix, "
            f"{in_words(orthogonal[-1])}. The largest norm that any vector of norm 1 can reach is "
            f"**{in_words(largest.max())}**, after {largest.argmax()} multiplications."
        )


@st.cache_data(max_entries=32, show_spinner=False)
def _matrix_curves(radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    matrix = interpret.random_matrix(radius, MATRIX_UNITS, 1, is_orthogonal=False)
    orthogonal = interpret.random_matrix(radius, MATRIX_UNITS, 1, is_orthogonal=True)
    random, rotated = (interpret.matrix_powers(each, TIMES, 2) for each in (matrix, orthogonal))
    return random, interpret.power_norms(matrix, TIMES), rotated


def networks(head: Any) -> None:
    """The norm of the gradient at each timestep of an RNN, a GRU and an LSTM; `head` gets the question of this stop."""
    above = st.container()
    found = _flows()
    with head:
        guess.of_stop("gradient_lab", largest(found), result(found), "lab_covered")
    with above:
        chosen = presets.pills("Presets", {name: INITIAL | of for name, (of, _) in PRESETS.items()}, "lab_preset")
        if chosen:
            st.markdown(f"*{PRESETS[chosen][1]}*")
    with hidden.part("lab_covered", "The gradient in the three networks"):
        _measured(found)


def _measured(found: tuple[Flow, ...]) -> None:
    st.markdown(f"#### {result(found)}")
    alt = "Lines on a log axis: the norm of the gradient at each timestep. " + result(found)
    plotting.show(charts.flows({each.kind: each.norms for each in found}), "lab_flows", alt)
    st.caption("The loss is computed after the last timestep, on the right. From there its gradient flows to the left.")
    if st.session_state["lab_state"] == "trained":
        shares = ", ".join(f"{theme.CELL_LINES[each.kind][0]} {each.accuracy:.0%}" for each in found)
        st.markdown(f"Accuracy at this length (chance: {1 / interpret.SYMBOLS:.0%}): **{shares}**.")


def _flows() -> tuple[Flow, ...]:
    """The controls of the three networks, and what they compute."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        about = (
            f"Trained: three networks of {interpret.TRAINED_UNITS} units that have learned to recall the first of up "
            f"to {interpret.TRAINED_LENGTH} symbols. Their weights are fixed."
        )
        fixed = control("lab_state", help=about) == "trained"
        length = control("lab_length")
        names = ("units", "scale", "bias", "activation")
        settings = {name: control(f"lab_{name}", disabled=fixed) for name in names}
        seed = control("lab_seed")
    return _trained(length, seed) if fixed else _untrained(length=length, seed=seed, **settings)


@st.cache_data(max_entries=64, show_spinner=False)
def _untrained(length: int, units: int, seed: int, scale: float, activation: str, bias: float) -> tuple[Flow, ...]:
    return interpret.initial_flows(length, units, seed, scale=scale, activation=activation, keep_bias=bias)


def default_flows() -> tuple[Flow, ...]:
    """The gradient in three untrained networks, with the settings with which the page opens."""
    initial = {name.removeprefix("lab_"): value for name, value in INITIAL.items() if name != "lab_state"}
    return _untrained(**initial, seed=1)


@st.cache_data(max_entries=32, show_spinner=False)
def _trained(length: int, seed: int) -> tuple[Flow, ...]:
    return interpret.trained_flows(length, seed)


def largest(found: tuple[Flow, ...]) -> int:
    """The number of the network whose gradient is largest at the first timestep, relative to the last one."""
    return int(np.argmin([each.shrank for each in found]))


def result(found: tuple[Flow, ...]) -> str:
    """By which factor the gradient shrank or grew in each network, in one sentence."""
    parts = [f"{_change(each)} in the {theme.CELL_LINES[each.kind][0]}" for each in found]
    return f"Over {len(found[0].norms)} steps the gradient {', '.join(parts[:-1])}, and {parts[-1]}."


def _change(each: Flow) -> str:
    shrank = each.shrank
    if shrank == 0:
        return "overflowed"
    if math.isinf(shrank):
        return "became exactly 0"
    if shrank >= 2:
        return f"shrank by a factor of {in_words(shrank)}"
    if shrank <= 0.5:
        return f"grew by a factor of {in_words(1 / shrank)}"
    lowest = each.norms[-1] / each.norms.min()
    between = f" (at its minimum {in_words(lowest)} times smaller)" if lowest > 2 else ""
    return f"stayed within a factor of {max(shrank, 1 / shrank):.1f}{between}"


def exploding() -> None:
    """Three runs with the same weights and data: without clipping, clipped by norm, clipped by value."""
    explain("clipping")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = _runs(*(control(f"lab_{name}") for name in ("growth", "rate", "norm", "value")))
    sentence = " ".join(_outcome(name, run) for name, run in found.items())
    st.markdown(sentence)
    alt = "Three charts on log axes: loss, gradient norm before and after clipping. " + sentence.replace("**", "")
    figure = charts.runs({name: (run.loss, run.before, run.after) for name, run in found.items()})
    plotting.show(figure, "lab_runs", alt)


@st.cache_data(max_entries=32, show_spinner=False)
def _runs(growth: float, rate: float, norm: float, value: float) -> dict[str, TrainingRun]:
    return {
        "without clipping": interpret.training_run("none", scale=growth, rate=rate),
        "by norm": interpret.training_run("norm", threshold=norm, scale=growth, rate=rate),
        "by value": interpret.training_run("value", threshold=value, scale=growth, rate=rate),
    }


def _outcome(name: str, run: TrainingRun) -> str:
    if run.diverged:
        return f"**{name.capitalize()}** the run diverges at step {len(run.loss)}."
    first, last = run.loss[:20].mean(), run.loss[-20:].mean()
    return f"**{name.capitalize()}** the loss goes from {first:.2f} to {last:.2f} in {len(run.loss)} steps."
