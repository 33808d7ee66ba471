"""What the trace of a whole network offers."""

import numpy as np
import pytest

from lstm_core.nn.trace import PARTS
from lstm_core.nn.weights import CellWeights
from lstm_core.tracing import ModelTrace, RecurrentTrace


def recurrent(name: str) -> RecurrentTrace:
    """Two sequences of three timesteps of a GRU with four units, all values different."""
    numbers = np.arange(24.0).reshape(2, 3, 4)
    signals = {signal: numbers + n for n, signal in enumerate("zrgh")}
    sums = dict.fromkeys(PARTS["gru"], numbers)
    cell = CellWeights("gru", name, np.zeros((1, 12)), np.zeros((4, 12)), np.zeros(12), np.zeros(12))
    state = (np.zeros((2, 4)),)
    return RecurrentTrace(
        name, "gru", np.zeros((2, 3, 1)), signals, sums, sums, signals["h"], np.ones((2, 3), bool), state, state, cell
    )


def test_a_signal_is_an_attribute_and_one_sequence_is_a_layer_trace() -> None:
    layer = recurrent("gru")
    assert layer.z.shape == (2, 3, 4)
    second = layer.sequence(1)
    np.testing.assert_array_equal(second.r, layer.r[1])
    assert second.units == layer.units == 4
    with pytest.raises(AttributeError, match="no signal 'f'"):
        _ = layer.f


def test_a_layer_is_found_by_name() -> None:
    trace = ModelTrace((recurrent("first"), recurrent("second")), {}, {}, np.zeros((2, 1)))
    assert trace["second"].name == "second"
    with pytest.raises(KeyError, match="first, second"):
        _ = trace["third"]
