"""Traces of whole networks: every recurrent layer of a Keras or PyTorch network, at every timestep of a batch.

`nn` traces one layer over one sequence; this package follows networks that people have built elsewhere.
"""

from lstm_core.tracing.dispatch import first_sequences, opened, trace, trace_network
from lstm_core.tracing.feeding import FeedSpec, feeds
from lstm_core.tracing.model_report import InputReport, LayerReport, ModelReport
from lstm_core.tracing.model_trace import ModelTrace, RecurrentTrace
from lstm_core.tracing.open_file import Saved, read_network, read_state_dict, trace_file
from lstm_core.tracing.report import inspect, inspect_bytes
from lstm_core.tracing.state_dict import TorchStacks

__all__ = [
    "FeedSpec",
    "InputReport",
    "LayerReport",
    "ModelReport",
    "ModelTrace",
    "RecurrentTrace",
    "Saved",
    "TorchStacks",
    "feeds",
    "first_sequences",
    "inspect",
    "inspect_bytes",
    "opened",
    "read_network",
    "read_state_dict",
    "trace",
    "trace_file",
    "trace_network",
]
