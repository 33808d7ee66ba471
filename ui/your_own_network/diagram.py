"""A network's layers as a diagram, and as a table that says the same in words."""

import pandas as pd
import streamlit as st

from lstm_core.tracing import LayerReport, ModelReport
from ui.common import theme, tokens

MOST_BOXES = 60  # layers of a diagram that can still be read


def show(report: ModelReport) -> None:
    """Draw the layers of a network, what can be traced, and what can't and why."""
    recurrent = sum(layer.traced for layer in report.layers)
    stored = ", ".join(report.dtypes) or "no weights"
    st.markdown(
        f"**{tokens.plain(report.file)}** · {report.format} · {report.parameters:,} parameters ({stored}) · "
        f"{recurrent} recurrent layer{'s' * (recurrent != 1)}"
    )
    if len(report.layers) <= MOST_BOXES:
        with st.container(key="own_network_diagram"):
            st.graphviz_chart(dot(report), width="content")
        st.caption("The layers from input to output. A thick frame: a trace has its gates and states.")
    with st.expander("The layers as a table", key="own_network_layers", on_change="rerun") as panel:
        if panel.open:
            st.dataframe(_table(report), hide_index=True)
    for problem in dict.fromkeys(filter(None, (report.problem, *(layer.problem for layer in report.layers)))):
        st.warning(tokens.plain(problem))
    for note in report.notes:
        st.caption(tokens.plain(note))


def dot(report: ModelReport) -> str:
    """The diagram in Graphviz's language: a box for each layer, from left to right."""
    ink, paper, mark = theme.contrast_colour(), theme.background(), theme.SIGNALS["c"].colour
    font = f'fontcolor="{ink}" fontname="sans-serif" fontsize=14'
    lines = [
        "digraph {",
        "rankdir=LR bgcolor=transparent nodesep=0.2 ranksep=0.3",
        f'node [shape=box style="rounded,filled" fillcolor="{paper}" color="{ink}" {font} margin="0.14,0.08"]',
        f'edge [color="{ink}"]',
    ]
    places = {layer.name: f"n{place}" for place, layer in enumerate(report.layers)}
    for layer in report.layers:
        words = dict.fromkeys([layer.kind, layer.name.rsplit("/", 1)[-1], _sizes(layer)])
        label = "\\n".join(_escaped(word[:40]) for word in words if word)
        style = f' color="{mark}" penwidth=4' if layer.traced else ""
        style += ' style="rounded,filled,dashed"' if layer.problem else ""
        lines.append(f'{places[layer.name]} [label="{label}"{style}]')
        lines += [f"{places[parent]} -> {places[layer.name]}" for parent in layer.reads if parent in places]
    return "\n".join([*lines, "}"])


def _sizes(layer: LayerReport) -> str:
    """The output's shape without the batch, such as "T × 64"."""
    return " × ".join("T" if size is None else f"{size:,}" for size in (layer.shape or ())[1:])


def _escaped(text: str) -> str:
    return "".join(each for each in text if each.isprintable()).replace("\\", "\\\\").replace('"', '\\"')


def _table(report: ModelReport) -> pd.DataFrame:
    def row(layer: LayerReport) -> dict[str, object]:
        return {
            "layer": layer.name,
            "kind": layer.kind,
            "output": _sizes(layer),
            "parameters": layer.parameters,
            "reads from": ", ".join(layer.reads),
            "trace": layer.problem or ("gates and states" if layer.traced else "its output"),
        }

    return pd.DataFrame([row(layer) for layer in report.layers])
