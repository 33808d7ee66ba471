"""Random networks of Keras with random inputs, each traced live and from its file, and compared with Keras's output.

    python -m tests.tracing.random_networks --count 1000 --seed 0

prints how many are equal, refused by the name of a layer, or different; what differs is printed with its layers.
"""

from __future__ import annotations

import argparse
import collections
import io
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

import lstm_core
from lstm_core import ModelError
from lstm_core.nn.activations import ELEMENTWISE
from lstm_core.tracing import read_network, trace_file

STEPS, IDS = 6, 9
TOLERANCES = {"float32": 1e-5, "float64": 1e-5, "mixed_float16": 2e-2, "mixed_bfloat16": 1e-1}
POLICIES = ("float32",) * 16 + ("float64", "float64", "mixed_float16", "mixed_bfloat16")
CELLS = (layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell)
KINDS = (layers.LSTM, layers.GRU, layers.SimpleRNN)
ACTIVATIONS = sorted(set(ELEMENTWISE) - {"exponential"})


class NotBuiltError(Exception):
    """Keras doesn't build this one."""


@dataclass
class Draw:
    """Random choices of one network, and the names of the layers that it has."""

    random: np.random.Generator
    made: list[str] = field(default_factory=list)

    def one(self, choices: Iterable[Any]) -> Any:
        """One of several."""
        choices = list(choices)
        return choices[int(self.random.integers(len(choices)))]

    def chance(self, share: float) -> bool:
        """True in a share of the cases."""
        return bool(self.random.random() < share)

    def size(self, most: int = 4) -> int:
        """1 to `most`."""
        return int(self.random.integers(1, most + 1))

    def note(self, layer: Any) -> Any:
        """The layer itself, kept for the report."""
        self.made.append(type(layer).__name__)
        return layer


# --- Layers -----------------------------------------------------------------------------------------------


def cell_settings(draw: Draw, kind: str, *, layer: bool) -> dict[str, Any]:
    """Settings of a cell, or of the layer of its kind."""
    found: dict[str, Any] = {"use_bias": draw.chance(0.8)}
    if draw.chance(0.3):
        found["activation"] = draw.one(ACTIVATIONS)
    if draw.chance(0.25) and not kind.startswith("SimpleRNN"):
        found["recurrent_activation"] = draw.one(ACTIVATIONS)
    if draw.chance(0.2):
        found |= {"dropout": 0.3, "recurrent_dropout": 0.2}
    if kind.startswith("LSTM"):
        found["unit_forget_bias"] = draw.chance(0.8)
    if kind.startswith("GRU"):
        found["reset_after"] = draw.chance(0.7)
    if layer and draw.chance(0.1) and not kind.startswith("SimpleRNN"):
        found["use_cudnn"] = draw.one((False, "auto"))
    return found


def recurrent(draw: Draw, units: int, **options: Any) -> Any:
    """An LSTM, GRU, SimpleRNN, or RNN over cells."""
    if draw.chance(0.1):
        options["unroll"] = True
    if draw.chance(0.15):
        options["zero_output_for_mask"] = True
    if draw.chance(0.25):
        kinds = [draw.one(CELLS) for _ in range(draw.one((1, 1, 2, 3)))]
        sizes = [draw.size() for _ in kinds[1:]] + [units]
        cells = [
            kind(size, **cell_settings(draw, kind.__name__, layer=False))
            for kind, size in zip(kinds, sizes, strict=True)
        ]
        return layers.RNN(cells if len(cells) > 1 else cells[0], **options)
    kind = draw.one(KINDS)
    return kind(units, **cell_settings(draw, kind.__name__, layer=True), **options)


def sequence_layer(draw: Draw, units: int, **options: Any) -> Any:
    """A recurrent layer of one or both directions that returns sequences."""
    options["return_sequences"] = True
    if draw.chance(0.35):
        mode = draw.one(("concat", "sum", "ave", "mul"))
        if draw.chance(0.2):
            kind, other = draw.one(KINDS), draw.one(KINDS)
            return layers.Bidirectional(
                kind(units, **options), backward_layer=other(units, go_backwards=True, **options), merge_mode=mode
            )
        return layers.Bidirectional(recurrent(draw, units, **options), merge_mode=mode)
    return recurrent(draw, units, go_backwards=draw.chance(0.2), **options)


PLAIN: dict[str, Callable[[Draw], Any]] = {
    "Dense": lambda draw: layers.Dense(draw.size(), draw.one(["softmax", "log_softmax", *ACTIVATIONS])),
    "Activation": lambda draw: layers.Activation(draw.one(ACTIVATIONS)),
    "Conv1D": lambda draw: layers.Conv1D(
        draw.size(),
        draw.size(3),
        padding=draw.one(("same", "causal", "valid")),
        activation=draw.one(("relu", None)),
        **draw.one(({}, {"strides": 2}, {"dilation_rate": 2})),
    ),
    "MaxPooling1D": lambda draw: layers.MaxPooling1D(2, draw.one((1, 2)), draw.one(("same", "valid"))),
    "AveragePooling1D": lambda draw: layers.AveragePooling1D(2, draw.one((1, 2)), draw.one(("same", "valid"))),
    "BatchNormalization": lambda draw: layers.BatchNormalization(
        axis=draw.one((-1, -1, 2)), center=draw.chance(0.7), scale=draw.chance(0.7)
    ),
    "LayerNormalization": lambda draw: layers.LayerNormalization(
        axis=draw.one((-1, -1, [1, 2])), center=draw.chance(0.7), scale=draw.chance(0.7)
    ),
    "UnitNormalization": lambda draw: layers.UnitNormalization(),
    "Rescaling": lambda draw: layers.Rescaling(0.5, 0.1),
    "Normalization": lambda draw: layers.Normalization(mean=0.3, variance=2.0),
    "Dropout": lambda draw: layers.Dropout(0.4),
    "SpatialDropout1D": lambda draw: layers.SpatialDropout1D(0.4),
    "GaussianNoise": lambda draw: layers.GaussianNoise(0.4),
    "ZeroPadding1D": lambda draw: layers.ZeroPadding1D((draw.size(2), 1)),
    "Cropping1D": lambda draw: layers.Cropping1D((1, 0)),
    "UpSampling1D": lambda draw: layers.UpSampling1D(2),
    "Permute": lambda draw: layers.Permute((2, 1)),
    "ReLU": lambda draw: layers.ReLU(draw.one((None, 1.0)), draw.one((0.0, 0.1)), draw.one((0.0, 0.2))),
    "LeakyReLU": lambda draw: layers.LeakyReLU(0.2),
    "PReLU": lambda draw: layers.PReLU(shared_axes=draw.one((None, [1]))),
    "ELU": lambda draw: layers.ELU(0.7),
    "Softmax": lambda draw: layers.Softmax(),
    "TimeDistributed": lambda draw: layers.TimeDistributed(layers.Dense(draw.size(), "tanh")),
    "Masking": lambda draw: layers.Masking(0.0),
    # What a file alone doesn't let us compute: it has to be refused by name.
    "GroupNormalization": lambda draw: layers.GroupNormalization(1),
    "SeparableConv1D": lambda draw: layers.SeparableConv1D(2, 2),
    "EinsumDense": lambda draw: layers.EinsumDense("btf,fg->btg", output_shape=(None, 3)),
}


def one_layer(draw: Draw) -> Any:
    """A layer from sequences to sequences."""
    if draw.chance(0.5):
        return draw.note(sequence_layer(draw, draw.size()))
    return draw.note(PLAIN[draw.one(PLAIN)](draw))


def self_attention(draw: Draw, x: Any) -> Any:
    """Attention of a sequence over itself."""
    kind = draw.one(("Attention", "AdditiveAttention", "MultiHeadAttention"))
    draw.made.append(kind)
    if kind == "MultiHeadAttention":
        return layers.MultiHeadAttention(2, 2)(x, x)
    if kind == "Attention":
        return layers.Attention(use_scale=draw.chance(0.5))([x, x], use_causal_mask=draw.chance(0.5))
    return layers.AdditiveAttention()([x, x])


def nested(draw: Draw, x: Any) -> Any:
    """Some layers as a network of their own."""
    shape = tuple(x.shape[1:])
    if draw.chance(0.5):
        draw.made.append("Sequential")
        inner = keras.Sequential([keras.Input(shape), *(one_layer(draw) for _ in range(draw.size(2)))])
        return inner(x)
    draw.made.append("Functional")
    start = keras.Input(shape)
    y = start
    for _ in range(draw.size(2)):
        y = one_layer(draw)(y)
    return keras.Model(start, y)(x)


def from_states(draw: Draw, x: Any) -> Any:
    """An encoder whose states start a decoder over the same sequence."""
    draw.made.append("encoder-decoder")
    kind, units = draw.one(KINDS), draw.size()
    if draw.chance(0.4):
        _, *states = layers.Bidirectional(kind(units, return_state=True))(x)
        return layers.Bidirectional(kind(units, return_sequences=True))(x, initial_state=states)
    _, *states = kind(units, return_state=True)(x)
    return kind(units, return_sequences=True)(x, initial_state=states)


def shared(draw: Draw, x: Any) -> Any:
    """One layer called twice."""
    draw.made.append("shared")
    layer = sequence_layer(draw, int(x.shape[-1]))
    found = layer(x)
    return layer(found) if found.shape[-1] == x.shape[-1] else found


def residual(draw: Draw, x: Any) -> Any:
    """A layer beside what it reads, merged."""
    kind = draw.one((layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum))
    draw.made.append(kind.__name__)
    return kind()([x, recurrent(draw, int(x.shape[-1]), return_sequences=True)(x)])


def rows_of_windows(draw: Draw, x: Any) -> Any:
    """A recurrent layer inside TimeDistributed, over pieces of a sequence."""
    if x.shape[1] is None or x.shape[1] % 2:
        raise NotBuiltError
    draw.made.append("TimeDistributed(recurrent)")
    pieces = layers.Reshape((x.shape[1] // 2, 2, x.shape[-1]))(x)
    return layers.TimeDistributed(recurrent(draw, draw.size()))(pieces)


BLOCKS: tuple[Callable[[Draw, Any], Any], ...] = (
    self_attention, nested, nested, from_states, from_states, shared, residual, residual, rows_of_windows,
)  # fmt: skip


# --- Networks ---------------------------------------------------------------------------------------------


def branch(draw: Draw, number: int) -> tuple[Any, Any, np.ndarray]:
    """An input, a sequence of some layers over it, and what is fed."""
    lengths = draw.random.integers(1, STEPS + 1, 3)
    padded = np.arange(STEPS) >= lengths[:, None]
    padded = padded[:, ::-1] if draw.chance(0.3) else padded
    if draw.chance(0.4):
        start = keras.Input((draw.one((None, STEPS)),), dtype="int32", name=f"ids_{number}")
        feed = np.where(padded, 0, draw.random.integers(1, IDS, (3, STEPS)))
        x = layers.Embedding(IDS, draw.size(5), mask_zero=draw.chance(0.6))(start)
    else:
        width = draw.size(5)
        start = keras.Input((draw.one((None, STEPS)), width), name=f"numbers_{number}")
        feed = np.where(padded[..., None], 0, draw.random.normal(size=(3, STEPS, width))).astype(np.float32)
        x = layers.Masking()(start) if draw.chance(0.4) else start
    for _ in range(draw.size(4)):
        x = draw.one(BLOCKS)(draw, x) if draw.chance(0.25) else one_layer(draw)(x)
    return start, x, feed


def last(draw: Draw, x: Any) -> Any:
    """(batch, features) of a sequence."""
    kind = draw.one(("recurrent", "recurrent", "both", "average", "maximum", "flatten"))
    draw.made.append(f"{kind} at the end")
    if kind == "recurrent":
        return recurrent(draw, draw.size(), go_backwards=draw.chance(0.2))(x)
    if kind == "both":
        return layers.Bidirectional(recurrent(draw, draw.size()), merge_mode=draw.one(("concat", "sum", "mul")))(x)
    if kind == "flatten" and x.shape[1] is not None:
        return layers.Flatten()(x)
    pooling = layers.GlobalMaxPooling1D if kind == "maximum" else layers.GlobalAveragePooling1D
    return pooling(keepdims=False)(x)


def joined(draw: Draw, ends: list[Any]) -> Any:
    """One output of several branches, or as many outputs."""
    if len(ends) == 1 or draw.chance(0.2):
        return ends if len(ends) > 1 else ends[0]
    if draw.chance(0.4):
        return layers.Concatenate()([last(draw, each) for each in ends])
    width = draw.size()
    same = [recurrent(draw, width)(each) for each in ends]
    kind = draw.one((layers.Add, layers.Multiply, layers.Average, layers.Maximum, layers.Concatenate))
    draw.made.append(kind.__name__)
    return kind()(same)


def random_network(seed: int) -> tuple[Any, Any, list[str]]:
    """The network of a seed with random weights, what it is fed, and the kinds of its layers.

    Raises:
        NotBuiltError: if the layers that were drawn don't go together.
    """
    draw = Draw(np.random.default_rng(seed))
    policy = draw.one(POLICIES)
    before = keras.config.dtype_policy()
    keras.utils.clear_session(free_memory=False)
    keras.config.set_dtype_policy(policy)
    try:
        branches = [branch(draw, number) for number in range(draw.one((1, 1, 1, 2, 2, 3)))]
        ends = [x for _, x, _ in branches]
        outputs = joined(draw, ends) if draw.chance(0.7) or len(ends) > 1 else last(draw, ends[0])
        if len(ends) == 1 and draw.chance(0.5) and len(keras.tree.flatten(outputs)[0].shape) == 2:
            outputs = layers.Dense(2, draw.one(("softmax", "sigmoid", None)))(outputs)
        starts = [start for start, _, _ in branches]
        model = keras.Model(starts if len(starts) > 1 else starts[0], outputs)
    except (ValueError, TypeError, RuntimeError) as error:
        raise NotBuiltError(str(error)) from error
    finally:
        keras.config.set_dtype_policy(before)
    for weight in model.weights:
        values = draw.random.normal(0, 0.4, tuple(weight.shape))
        weight.assign(np.abs(values) + 0.5 if weight.name == "moving_variance" else values)
    feed = [feed for _, _, feed in branches]
    return model, feed if len(feed) > 1 else feed[0], [policy, *draw.made]


# --- Comparison -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of one network.

    Attributes:
        live: "equal", "refused" or "different" of the live model.
        file: the same of its file.
        why: of each that isn't equal, the error, or how far it differs.
        made: the kinds of its layers.
    """

    live: str
    file: str
    why: dict[str, str]
    made: list[str]


def flat(structure: Any) -> list[np.ndarray]:
    return [np.asarray(keras.ops.convert_to_numpy(each), np.float64) for each in keras.tree.flatten(structure)]


def difference(ours: Any, theirs: Any) -> float:
    """The largest difference, relative where a number is above 1; infinite if shapes or NaNs differ."""
    found = 0.0
    for one, other in zip(flat(ours), flat(theirs), strict=True):
        if one.shape != other.shape or (np.isfinite(one) != np.isfinite(other)).any():
            return np.inf
        kept = np.isfinite(other)
        found = max(found, float((np.abs(one - other) / np.maximum(1, np.abs(other)))[kept].max(initial=0)))
    return found


def saved(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "net.keras")
        return (Path(folder) / "net.keras").read_bytes()


def compared(seed: int) -> Outcome | None:
    """The outcome of a seed; None if Keras itself can't build or run it."""
    try:
        model, feed, made = random_network(seed)
        expected = model(feed, training=False)
    except Exception as error:
        if isinstance(error, NotBuiltError) or "keras" in str(type(error).__module__) or isinstance(error, ValueError):
            return None
        raise
    most = TOLERANCES[made[0]]
    results, why, traces = {}, {}, {}
    ways = {
        "live": lambda: lstm_core.trace(model, feed),
        "file": lambda: trace_file(read_network(saved(model), "net.keras"), feed),
    }
    for way, traced in ways.items():
        try:
            traces[way] = traced()
        except ModelError as error:
            named = "'" in str(error) or "no recurrent layer" in str(error) or "has no LSTM" in str(error)
            results[way], why[way] = "refused" if named else "different", str(error)
            continue
        error_size = difference(traces[way].output, expected)
        results[way] = "equal" if error_size <= most else "different"
        if error_size > most:
            why[way] = f"the output by {error_size:.2g}"
    if len(traces) == 2 and "different" not in results.values():
        live, file = ({each.name: each for each in traces[way].layers} for way in ("live", "file"))
        if live.keys() != file.keys():
            results["file"], why["file"] = "different", f"{sorted(live)} and {sorted(file)}"
        else:
            for name, one in live.items():
                if (error_size := difference(dict(one.signals), dict(file[name].signals))) > most:
                    results["file"], why["file"] = "different", f"the signals of {name} by {error_size:.2g}"
    return Outcome(results["live"], results["file"], why, made)


def main() -> None:
    """Try as many as the command line says, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    reasons: collections.Counter[str] = collections.Counter()
    seed = options.seed
    while counts["networks"] < options.count:
        outcome = compared(seed)
        seed += 1
        if outcome is None:
            counts["not built by Keras"] += 1
            continue
        counts["networks"] += 1
        for way in ("live", "file"):
            result = getattr(outcome, way)
            counts[f"{way}: {result}"] += 1
            if result == "different":
                print(f"seed {seed - 1}, {way}: {outcome.why[way][:200]}; {', '.join(outcome.made)}", flush=True)
            elif result == "refused":
                reasons[f"{way}: {_kind_of(outcome.why[way])}"] += 1
    for name, count in (*sorted(counts.items()), *reasons.most_common(30)):
        print(f"{count:6,}  {name}")


def _kind_of(sentence: str) -> str:
    """A reason without names and numbers, for counting."""
    out = io.StringIO()
    for number, part in enumerate(sentence.split("'")):
        out.write("…" if number % 2 else "".join(each for each in part if not each.isdigit()))
    return out.getvalue()[:110]


if __name__ == "__main__":
    main()
