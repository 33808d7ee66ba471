"""What is shown of a network that has been fed: its output, heat maps, the microscope, attribution, the check-up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from lstm_core.exhibit import LETTERS, View, pack
from lstm_core.interpret import occlude
from lstm_core.nn import Array, Clamp, LayerTrace
from lstm_core.tracing import FeedSpec, ModelTrace
from ui.cell_microscope.component import draw
from ui.checkup import checkup_panel
from ui.common import charts, clamp_editor, gate, plotting, theme, url_state
from ui.common.explanations import explain
from ui.your_own_network import outputs, taken_away
from ui.your_own_network.feed import Feed
from ui.your_own_network.opened import KEY, Opened

PANELS = {
    "maps": "Heat maps",
    "microscope": "Cell microscope",
    "attribution": "Attribution",
    "checkup": "Check-up",
}
MOST_OCCLUDED = 200  # timesteps
WAIT = "Replacing one timestep after the other …"


@dataclass(frozen=True, eq=False)
class Fed:
    """A network with what was fed to it.

    Attributes:
        feeds: what was fed, by the name of the input.
        specs: of the inputs, by name.
        trace: without clamps, over one sequence.
        run: a batch by the names of the inputs, and clamps → the trace of it.
        opened: the network.
        python: clamps → the lines that repeat the trace.
    """

    feeds: dict[str, Feed]
    specs: dict[str, FeedSpec]
    trace: ModelTrace
    run: Callable[[dict[str, Any], Sequence[Clamp]], ModelTrace]
    opened: Opened
    python: Callable[[Sequence[Clamp]], str]

    @property
    def batch(self) -> dict[str, Any]:
        """What was fed, as a batch of one sequence."""
        return {name: feed.batch for name, feed in self.feeds.items()}

    def first(self, count: int) -> int:
        """The first of so many timesteps that isn't padding, from 0."""
        return next((feed.padded for feed in self.feeds.values() if len(feed.steps) == count), 0)

    def steps(self, count: int) -> list[str]:
        """What each of a layer's timesteps is called: as in the input of that length, or by its number from 1."""
        for feed in self.feeds.values():
            if len(feed.steps) == count:
                return list(feed.steps)
        return [str(t) for t in range(1, count + 1)]


@gate.fragment
def show(fed: Fed) -> None:
    """Draw the output and the chosen panel; nothing is computed for the others. A fragment that reruns on its own."""
    layers = {layer.name: f"{layer.name} ({layer.units} units)" for layer in fed.trace.layers}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = url_state.control("own_network_view", PANELS)
        name = url_state.control("own_network_layer", layers)
        surgery = st.popover("Gate surgery", icon=":material/push_pin:")
    plain = fed.trace[name].as_read()
    letters = LETTERS[plain.kind]
    with surgery:
        explain("own_network_surgery")
        clamp_editor.editor(KEY, letters, plain.units, len(plain), "timestep")
    clamps = [replace(each, layer=name) for each in clamp_editor.parsed(KEY, letters, plain.units, len(plain))]
    after = fed.run(fed.batch, clamps) if clamps else fed.trace
    chosen = _outputs(fed, after)
    if clamps and view in ("attribution", "checkup"):
        st.caption("Below: the network without the clamps.")
    if view == "maps":
        _maps(fed, after[name].sequence())
    elif view == "microscope":
        _microscope(fed, after, name, clamps, chosen)
    elif view == "attribution":
        _attribution(fed, chosen)
    else:
        checkup_panel(fed.trace, lambda clamps: outputs.by_name(fed.run(fed.batch, tuple(clamps)))[chosen], KEY)
    # In the browser, the microscope keeps timestep and unit in the address.
    place = {key: st.query_params[key] for key in ("t", "unit") if view == "microscope" and key in st.query_params}
    url_state.remember_page(clamps=clamp_editor.current(KEY), **place)
    shown = _view(fed, after, name, clamps, chosen)
    taken_away.show(fed.opened.report.file, after, shown, clamps, fed.python(clamps), fed.steps(len(plain)))


def _outputs(fed: Fed, after: ModelTrace) -> str:
    """Draw what the network answers; return the name of the output that is looked at."""
    found = outputs.by_name(after)
    name = str(url_state.control("own_network_output", list(found))) if len(found) > 1 else next(iter(found))
    values, before = found[name][0, -1], outputs.by_name(fed.trace)[name][0, -1]
    figure, alt = outputs.bars(values, before if after is not fed.trace else None)
    plotting.show(figure, f"{KEY}_bars", alt, toolbar=False)
    rows = found[name].shape[1]
    if rows > 1:
        st.caption(f"The output at the last of {rows:,} timesteps.")
    if after is not fed.trace:
        moved = np.abs(values - before)
        st.markdown(
            f"With these clamps {outputs.value_names(len(values))[int(moved.argmax())]} changes most: from "
            f"**{outputs.number(before[moved.argmax()])}** to **{outputs.number(values[moved.argmax()])}**."
        )
    return name


def _maps(fed: Fed, trace: LayerTrace) -> None:
    """The heat map of one signal."""
    letters = LETTERS[trace.kind]
    first = "c" if "c" in letters else "h"
    key = f"{KEY}_signal_{trace.kind}"
    letter = url_state.linked(
        st.segmented_control, "Signal", theme.signal_names(letters), key=key, parameter="signal", default=first
    )
    values, steps = trace.signals[letter], fed.steps(len(trace))
    figure = charts.heatmap(steps, letter, values, charts.similarity_order(values), None).update_xaxes(title="timestep")
    alt = f"Heat map of the {theme.SIGNALS[letter].name.lower()}: {trace.units} units by {len(steps)} timesteps."
    plotting.show(figure, f"{KEY}_map", alt)
    st.caption(f"{theme.SIGNALS[letter].help} Each row is a unit; similar units are neighbours.")


def _view(fed: Fed, after: ModelTrace, name: str, clamps: Sequence[Clamp], output: str) -> View:
    """What the microscope shows of a layer."""
    view = after.view(layer=name)
    steps = fed.steps(len(view.trace))
    return replace(
        view,
        tokens=[steps[int(t)] for t in view.trace.timesteps],
        place=f"{fed.opened.identity}-{name}",
        before=fed.trace[name].as_read().signals if after is not fed.trace else {},
        clamps=clamps,
        answers=outputs.in_microscope(fed.trace, after, output, view.trace.timesteps),
        t=url_state.number("t", fed.first(len(view.trace)) + 1, 1, len(view.trace)) - 1,
        unit=url_state.number("unit", view.unit, 0, view.trace.units - 1),
    )


def _microscope(fed: Fed, after: ModelTrace, name: str, clamps: Sequence[Clamp], output: str) -> None:
    view = _view(fed, after, name, clamps, output)
    shown = replace(view, present=theme.presenting(), sides=theme.diverging_colours())
    draw(pack(shown), f"{KEY}_microscope", partial(clamp_editor.put_all, KEY))


def _attribution(fed: Fed, output: str) -> None:
    """How much of an output goes when a timestep is replaced."""
    explain("own_network_attribution")
    readable = [name for name, spec in fed.specs.items() if fed.feeds[name].steps]
    if not readable:
        st.info("The network splits its text itself, so its timesteps can't be replaced one by one from here.")
        return
    values = outputs.by_name(fed.trace)[output][0, -1]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Of the input", readable, key=f"{KEY}_occluded") if len(readable) > 1 else readable[0]
        index = st.selectbox(
            "On", range(len(values)), index=int(np.abs(values).argmax()), key=f"{KEY}_value",
            format_func=lambda index: f"{outputs.value_names(len(values))[index]}: {outputs.number(values[index])}",
        )  # fmt: skip
    feed = fed.feeds[name]
    if (count := len(feed.steps) - feed.padded) > MOST_OCCLUDED:
        st.caption(f"The first {MOST_OCCLUDED} of {count:,} timesteps are replaced.")
    key = (fed.opened.identity, output, name, *(each.identity for each in fed.feeds.values()))
    lost = url_state.session_cached(f"{KEY}_lost", key, 2, lambda: _lost(fed, name, output))[:, index]
    steps = feed.steps[feed.padded : feed.padded + len(lost)]
    figure = outputs.lost(steps, lost, theme.diverging_colours())
    plotting.show(figure, f"{KEY}_lost_bars", "Bars: how much of the output goes with each timestep.")


def _lost(fed: Fed, name: str, output: str) -> Array:
    """(T, K); see `occlude`."""
    feed, batch = fed.feeds[name], fed.batch
    ids = fed.specs[name].kind == "ids"
    blank = 0 if ids else feed.values.mean(axis=0)

    def answer(sequences: Array) -> Array:
        size = len(sequences)
        others = {each: v * size if isinstance(v, list) else np.repeat(v, size, axis=0) for each, v in batch.items()}
        return outputs.by_name(fed.run(others | {name: sequences}, ()))[output][:, -1]

    bar = st.progress(0.0, WAIT)
    replaced = range(feed.padded, min(feed.padded + MOST_OCCLUDED, len(feed.steps)))
    found = occlude(answer, feed.values, blank, lambda share: bar.progress(share, WAIT), steps=replaced)
    bar.empty()
    return found
