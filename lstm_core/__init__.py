"""LSTM Lab's core: recurrent networks that show their work.

Knows nothing of Streamlit or Plotly. Models are read and computed without Keras, which is imported to train alone.
"""

import typing

from lstm_core.errors import DatasetError, LabError, ModelError, TextError
from lstm_core.inference.registry import list_models, load
from lstm_core.library.card import ModelCard
from lstm_core.nn.trace import BidirectionalTrace, Clamp, LayerTrace
from lstm_core.tracing import ModelReport, ModelTrace, RecurrentTrace, inspect, trace

if typing.TYPE_CHECKING:
    from lstm_core.interpret import Checkup, Finding, checkup

__all__ = [
    "BidirectionalTrace",
    "Checkup",
    "Clamp",
    "DatasetError",
    "Finding",
    "LabError",
    "LayerTrace",
    "ModelCard",
    "ModelError",
    "ModelReport",
    "ModelTrace",
    "RecurrentTrace",
    "TextError",
    "checkup",
    "inspect",
    "list_models",
    "load",
    "trace",
]
__version__ = "0.2.0"


def __getattr__(name: str) -> typing.Any:
    """The check-up, whose package takes longer to import than all others together, when it is asked for."""
    if name not in ("Checkup", "Finding", "checkup"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from lstm_core import interpret

    globals()[name] = found = getattr(interpret, name)
    return found
