"""The time of `model.read(text)`, which returns every gate of every timestep.

Three peers: Keras's `predict` on the same text, which keeps the answer alone; Keras's own
LSTM cell, stepped eagerly while the gates are kept, as one does it by hand; and the bare matrix
products that no reading can do without. Run it from the root: `python -m benchmarks.reading`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from threadpoolctl import threadpool_limits

import lstm_core
from benchmarks import texts, timing
from lstm_core.inference.classifier import TextClassifier

LENGTHS = (100, 400, 1000)
READ, ATTRIBUTE = "read", "attribute"
PREDICT, CELL, PRODUCTS = "Keras's predict", "Keras cell, token by token", "bare matrix products"
AIMS = {PREDICT: 1.0, CELL: 0.01, PRODUCTS: 3.0}
# The eager cell and attribution take long: they are measured in every fifth round only.
EVERY = {CELL: 5, ATTRIBUTE: 5}
# Multiplications up to which OpenBLAS doesn't call for more threads (4 · 65,536, its interface/gemm.c).
ONE_THREAD = 2**18


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    options = timing.parser(__doc__, repeats=20)
    options.add_argument("--model", default="stackoverflow", help="a model's name or folder (default %(default)s)")
    return options


def longer(model: TextClassifier) -> tuple[TextClassifier, list[int]]:
    """The model with an encoder that doesn't cut our texts, and the lengths that its network can take."""
    fixed = model.saved.shape(model.network.inputs[0])[0]
    if fixed is not None:
        return model, [length for length in LENGTHS if length <= fixed]
    encoder = replace(model.encoder, length=max(model.encoder.length, *LENGTHS))
    return replace(model, encoder=encoder), list(LENGTHS)


def only_lstm(network: Any) -> Any:
    """The network's LSTM layer.

    Raises:
        ModelError: if it doesn't have exactly one, as the hand-made peer needs.
    """
    import keras

    found = [layer for layer in network.layers if isinstance(layer, keras.layers.LSTM)]
    if len(found) != 1:
        raise lstm_core.ModelError(f"The network has {len(found)} LSTM layers; this benchmark needs one.")
    return found[0]


def cell_by_hand(model: TextClassifier, network: Any, text: str) -> Callable[[], list[tuple[np.ndarray, ...]]]:
    """Steps the Keras cell eagerly and keeps i, f, g, o, h, c of each timestep, each (1, units).

    Does less than `read` does: the answer after each token is left out.
    """
    import keras
    from keras import ops

    layer = only_lstm(network)
    cell, entry = layer.cell, layer.input
    front = keras.Model(network.inputs, entry[0] if isinstance(entry, list) else entry)  # a mask may come second
    ids = [row[None] for row in model.encoder.encode(text).inputs]  # (1, T) each

    def step_through() -> list[tuple[np.ndarray, ...]]:
        x = front(ids)  # (1, T, features)
        h, c = cell.get_initial_state(batch_size=1)  # (1, units) each
        kept = []
        for t in range(x.shape[1]):
            sums = ops.matmul(x[:, t], cell.kernel) + ops.matmul(h, cell.recurrent_kernel) + cell.bias  # (1, 4·units)
            i, f, g, o = ops.split(sums, 4, axis=1)
            gates = (ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o))
            _, (h, c) = cell(x[:, t], [h, c])
            kept.append(tuple(ops.convert_to_numpy(value) for value in (*gates, h, c)))
        return kept

    return step_through


def bare_products(model: TextClassifier, network: Any, text: str) -> Callable[[], None]:
    """The matrix products of one reading, with arbitrary values.

    The input projection goes in slices so small that OpenBLAS stays on one thread: on a busy
    machine, waiting for a second thread costs more than the product.
    """
    import keras

    layer = only_lstm(network)
    W, U = layer.get_weights()[:2]  # (features, 4·units), (units, 4·units)
    dense = [each.get_weights()[0] for each in network.layers if isinstance(each, keras.layers.Dense)]
    length, random = len(model.encoder.encode(text).ids), np.random.default_rng(0)
    rows = max(1, ONE_THREAD // W.size)

    def some(width: int) -> np.ndarray:
        return random.standard_normal((length, width), np.float32)

    x, states, values = some(W.shape[0]), some(U.shape[0]), [some(kernel.shape[0]) for kernel in dense]

    def multiply() -> None:
        for first in range(0, length, rows):
            x[first : first + rows] @ W  # (rows, 4·units)
        for h in states:
            h @ U  # (4·units,), must wait for the step before
        for value, kernel in zip(values, dense, strict=True):
            value @ kernel  # (T, classes)

    return multiply


def measure(model: TextClassifier, network: Any, length: int, repeats: int) -> list[timing.Comparison]:
    """Compare `read` with its three peers on a text of so many tokens."""
    text = texts.of_tokens(length, model.encoder.tokenizer)
    ids = [row[None] for row in model.encoder.encode(text).inputs]
    actions = {
        READ: lambda: model.read(text),
        PREDICT: lambda: network.predict_on_batch(ids if len(ids) > 1 else ids[0]),
        PRODUCTS: bare_products(model, network, text),
        CELL: cell_by_hand(model, network, text),
        ATTRIBUTE: lambda: model.attribute(text),
    }
    with threadpool_limits(1, user_api="blas"):  # as the app has it: threads of such small products wait for each other
        times = timing.interleaved({name: timing.timed(action) for name, action in actions.items()}, repeats, EVERY)
    rows = [timing.compare(times, READ, peer, aim) for peer, aim in AIMS.items()]
    rows.append(timing.compare(times, ATTRIBUTE, READ, None))
    return [replace(row, what=f"{row.what}, {length} tokens") for row in rows]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        model, lengths = longer(lstm_core.load(options.model))
        network = lstm_core.load(options.model).keras()
        rows = [row for length in lengths for row in measure(model, network, length, options.repeats)]
    except lstm_core.LabError as error:
        print(error, file=sys.stderr)
        return 2
    import keras

    timing.show("reading", rows, as_json=options.json, model=model.card.name, backend=keras.backend.backend())
    return 0


if __name__ == "__main__":
    sys.exit(main())
