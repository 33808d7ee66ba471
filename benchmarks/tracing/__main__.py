"""The time of `lstm_core.trace` of a whole network, beside Keras's `predict` and the ways of other packages.

The network has two bidirectional LSTMs of 64 units and reads 400 timesteps. `trace` of the live model keeps every gate
of every timestep and compares itself with Keras; of its file it needs no Keras. keract 4.5 and see-rnn 1.15 give the
outputs of layers, and neither works with Keras 3: keract asks a model for `_is_compiled`, see-rnn imports
`tensorflow.python.keras.mixed_precision.experimental`. So what they do is done by hand here: a model of the outputs of
all layers, and its `predict`. Gates they don't give.

The size of the HTML file of a trace of 400 timesteps and 128 units is printed, too. Run it from the root:
`python -m benchmarks.tracing`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import lstm_core
from benchmarks import timing
from lstm_core.tracing import opened

STEPS, FEATURES, UNITS = 400, 16, 64
TRACE, FILE = "trace, live model", "trace, from its file"
PREDICT, OUTPUTS = "Keras's predict", "predict of all layers' outputs (keract, see-rnn)"
AIM = 1.2


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    options = timing.parser(__doc__, repeats=15)
    options.add_argument("--sequences", type=timing.positive, nargs="+", default=[1, 32], help="sizes of the batch")
    return options


def network() -> Any:
    """The network, with the weights that Keras gives it."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    both = (layers.Bidirectional(layers.LSTM(UNITS, return_sequences=more)) for more in (True, False))
    return keras.Sequential([layers.Input((STEPS, FEATURES)), *both, layers.Dense(1, "sigmoid")])


def measure(model: Any, sequences: int, repeats: int) -> list[timing.Comparison]:
    """Compare both ways of tracing with their peers on a batch."""
    import keras

    x = np.random.default_rng(0).normal(size=(sequences, STEPS, FEATURES)).astype(np.float32)
    outputs = keras.Model(model.inputs, [layer.output for layer in model.layers])
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "net.keras")
        saved = opened(Path(folder) / "net.keras")
    actions = {
        TRACE: lambda: lstm_core.trace(model, x),
        FILE: lambda: lstm_core.trace(saved, x),
        PREDICT: lambda: model.predict(x, verbose=0),
        OUTPUTS: lambda: outputs.predict(x, verbose=0),
    }
    times = timing.interleaved({name: timing.timed(action) for name, action in actions.items()}, repeats)
    rows = [timing.compare(times, own, PREDICT, AIM) for own in (TRACE, FILE)]
    rows += [timing.compare(times, own, OUTPUTS) for own in (TRACE, FILE)]
    return [replace(row, what=f"{row.what}, {sequences} × {STEPS}") for row in rows]


def html_size() -> int:
    """The bytes of the HTML file of one sequence of 400 timesteps through an LSTM of 128 units."""
    import keras

    model = keras.Sequential([keras.layers.Input((STEPS, FEATURES)), keras.layers.LSTM(128)])
    trace = lstm_core.trace(model, np.random.default_rng(0).normal(size=(1, STEPS, FEATURES)).astype(np.float32))
    with tempfile.TemporaryDirectory() as folder:
        trace.save_html(Path(folder) / "trace.html")
        return (Path(folder) / "trace.html").stat().st_size


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    import keras

    model = network()
    rows = [row for count in options.sequences for row in measure(model, count, options.repeats)]
    about = {"backend": keras.backend.backend(), "html_bytes": html_size()}
    timing.show("tracing", rows, as_json=options.json, **about)
    return 0


if __name__ == "__main__":
    sys.exit(main())
