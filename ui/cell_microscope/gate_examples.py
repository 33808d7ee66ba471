"""An example for each gate: the bracket counter with one gate clamped, opened in the microscope by a button."""

from dataclasses import dataclass

import streamlit as st

from lstm_core.nn import NETWORKS, parse_clamps
from ui.cell_microscope import page
from ui.common import assets, clamp_editor, theme

COUNTER = 0  # the unit that counts


@dataclass(frozen=True)
class Example:
    """A text, a clamp, and what it shows."""

    letter: str  # of the gate
    text: str
    line: str  # the clamp in the notation of links, at one timestep
    words: str


EXAMPLES = tuple(Example(**each) for each in assets.table("presets.toml")["gate_examples"])


def counts(example: Example) -> tuple[list[float], list[float]]:
    """The counter's cell state after each character: without the clamp and with it."""
    network = NETWORKS["brackets"]
    clamps = parse_clamps(example.line, tuple("ifgoch"), len(network.units), len(example.text))
    traces = network.read(example.text), network.read(example.text, clamps)
    free, clamped = ([round(float(value), 1) + 0.0 for value in trace.c[:, COUNTER]] for trace in traces)
    return free, clamped


def show() -> None:
    """Draw the four examples."""
    st.subheader("One example for each", anchor=False)
    for column, example in zip(st.columns(len(EXAMPLES)), EXAMPLES, strict=True):
        with column:
            signal = theme.SIGNALS[example.letter]
            st.button(
                f"{signal.name} {example.letter}", key=f"microscope_example_{example.letter}",
                icon=":material/biotech:", on_click=_open, args=(example,), width="stretch",
            )  # fmt: skip
            free, clamped = (", ".join(f"{value:g}" for value in row) for row in counts(example))
            st.markdown(f"`{example.text}` counts {free}; clamped: {clamped}. {example.words}")


def _open(example: Example) -> None:
    page.open_at("brackets", example.text, int(example.line.partition("@")[2]), COUNTER)
    clamp_editor.put(page.SURGERY, example.line)
    st.query_params["spot"] = page.NETWORK
