"""Recurrent layers in NumPy: their equations, the weights of trained Keras layers, traces, gradients and clamps.

It depends on neither texts nor data sets. Values equal those of Keras, which the tests compare.
"""

from lstm_core.arrays import Array
from lstm_core.nn.activations import softmax
from lstm_core.nn.cells import sigmoid
from lstm_core.nn.clamp_syntax import MOST_CLAMPS, ClampError, format_clamps, format_ranges, parse_clamps, parse_indices
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.hand_set import NETWORKS, HandSet, WeightError, count_brackets
from lstm_core.nn.layers import Recur
from lstm_core.nn.network import ForwardPass, Network
from lstm_core.nn.trace import BidirectionalTrace, LayerTrace
from lstm_core.nn.unit_probe import ProbedUnit

__all__ = [
    "MOST_CLAMPS",
    "NETWORKS",
    "Array",
    "BidirectionalTrace",
    "Clamp",
    "ClampError",
    "ForwardPass",
    "HandSet",
    "LayerTrace",
    "Network",
    "ProbedUnit",
    "Recur",
    "WeightError",
    "count_brackets",
    "format_clamps",
    "format_ranges",
    "parse_clamps",
    "parse_indices",
    "sigmoid",
    "softmax",
]
