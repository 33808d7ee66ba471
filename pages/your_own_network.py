"""Drop a file of Keras or PyTorch; see every gate of its recurrent layers while it reads what you feed it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lstm_core.errors import LabError
from lstm_core.exhibit import network_code
from lstm_core.nn import Clamp
from lstm_core.tracing import FeedSpec, ModelTrace, feeds, trace_file
from ui.common import tokens, url_state
from ui.common.errors import show_error
from ui.common.explanations import say
from ui.your_own_network import diagram, feed, opened, views

MOST_STEPS, MOST_STATES = 2_000, 500_000  # timesteps; timesteps × units of all recurrent layers
MOST_NUMBERS = 2**26  # that one trace may compute: about a second

st.title("Your own network", anchor=False)
say("A network that you have trained elsewhere: drop its file, feed it, and see its gates at every timestep.")
network = opened.choose()
if network is None:
    st.info("The file is opened here and kept by nobody: when you close this page it is gone.")
    st.stop()
diagram.show(network.report)
if network.network is None:
    st.stop()
saved = network.network
specs: dict[str, FeedSpec] = {spec.name: spec for spec in feeds(saved)}
units = sum((layer.shape or (1,))[-1] or 1 for layer in network.report.layers if layer.traced)
st.header("Feed it", anchor=False)
try:
    most = max(10, min(MOST_STEPS, MOST_STATES // max(units, 1)))
    fed = {spec.name: feed.choose(spec, number, network, most) for number, spec in enumerate(specs.values())}

    def run(batch: dict[str, Any], clamps: Sequence[Clamp]) -> ModelTrace:
        """The trace of a batch."""
        return trace_file(
            saved, batch if len(batch) > 1 else next(iter(batch.values())), clamps=clamps, most=MOST_NUMBERS
        )

    values: dict[str, Any] = {name: each.batch for name, each in fed.items()}
    key = (network.identity, *(each.identity for each in fed.values()))
    with st.spinner("Tracing the network …"):
        trace = url_state.session_cached("own_network_trace", key, 1, lambda: run(values, ()))
except LabError as error:
    show_error(error)
    st.stop()
for note in trace.notes:
    st.caption(tokens.plain(note))
st.header("Look inside", anchor=False)
views.show(
    views.Fed(fed, specs, trace, run, network, lambda clamps: network_code(network.path, list(trace.inputs), clamps))
)
