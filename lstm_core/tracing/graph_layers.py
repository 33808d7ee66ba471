"""Each kind of Keras layer over a batch, in NumPy: (batch, T, …) or (batch, …), as Keras computes it in inference.

`compute` gives a layer's outputs with their masks. What is recurrent is in `tracing/graph_recurrent.py`. Formulas are
those of Keras 3; a setting that isn't followed is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn import activations
from lstm_core.nn.cells import Activation
from lstm_core.tracing.graph import Call, Value
from lstm_core.tracing.graph_merges import MERGES
from lstm_core.tracing.graph_recurrent import bidirectional, recurrent, time_distributed


def compute(call: Call) -> Any:
    """The outputs of a layer: a `Value`, or a list of them.

    Raises:
        ModelError: naming the layer, if it can't be followed.
    """
    kind = call.layer.kind
    if call.layer.graph is not None:
        inputs = call.values
        if call.kwargs.get("mask") is not None and len(inputs) == 1:
            inputs = [Value(inputs[0].array, call.mask)]
        return call.run.graph(call.layer.graph, inputs, f"{call.name}/")
    if kind in _OPERATIONS and not (kind in MERGES and isinstance(call.args[0], list)):
        return Value(np.asarray(_OPERATIONS[kind](*map(_bare, call.args), **_options(call))))
    if kind in _WHOLE:
        return _WHOLE[kind](call)
    if kind not in _ARRAYS:
        raise call.refused("is a kind of layer")
    if call.layer.settings.get("data_format", "channels_last") not in ("channels_last", None):
        raise call.refused("has channels first")
    found = _ARRAYS[kind](call)
    return Value(found, call.mask if kind in _PASS_MASKS else None)


def _bare(value: Any) -> Any:
    if isinstance(value, Value):
        return value.array
    return [_bare(each) for each in value] if isinstance(value, list | tuple) else value


def _options(call: Call) -> dict[str, Any]:
    """The options of an operation: Keras keeps some in its settings, and some in its call."""
    own = {key: call.layer.settings[key] for key in ("axis", "axes", "keepdims") if key in call.layer.settings}
    return own | {key: _bare(value) for key, value in call.kwargs.items() if key not in ("mask", "training")}


def _activation(call: Call, setting: str = "activation") -> Activation:
    name = call.layer.settings.get(setting) or "linear"
    if isinstance(name, str) and name in activations.ACROSS_UNITS:
        return activations.ACROSS_UNITS[name]
    return activations.by_name(name, call.name, setting)


# --- Layers of one input --------------------------------------------------------------------------


def _embedding(call: Call) -> Value:
    (table,) = call.layer.arrays
    ids = call.x
    if ids.dtype.kind not in "iub" and not np.array_equal(ids, np.floor(ids)):
        raise call.refused("reads numbers that are no ids")
    ids = ids.astype(np.int64)
    if ids.size and not 0 <= ids.min() <= ids.max() < len(table):
        raise call.refused(f"knows ids from 0 to {len(table) - 1:,}, and reads {ids.min():,} to {ids.max():,}")
    call.limit(ids.size * table.shape[1])
    return Value(table[ids], ids != 0 if call.layer.settings.get("mask_zero") else None)


def _masking(call: Call) -> Value:
    kept = (call.x != call.layer.settings.get("mask_value", 0.0)).any(axis=-1)
    return Value(np.where(kept[..., None], call.x, 0).astype(call.x.dtype), kept)


def _dense(call: Call) -> Array:
    kernel, *bias = call.layer.arrays
    sums = call.x.astype(kernel.dtype) @ kernel
    return _activation(call)(sums + bias[0] if bias else sums)


def _conv1d(call: Call) -> Array:
    """A cross-correlation over time; "causal" looks back only."""
    settings, (kernel, *bias) = call.layer.settings, call.layer.arrays  # (size, channels, filters)
    stride, dilation = _one(settings["strides"]), _one(settings.get("dilation_rate", 1))
    if settings.get("groups", 1) != 1:
        raise call.refused("has groups")
    x = _padded(call.x, settings["padding"], (len(kernel) - 1) * dilation + 1, stride, 0.0)
    windows = np.lib.stride_tricks.sliding_window_view(x, (len(kernel) - 1) * dilation + 1, axis=1)[:, ::stride]
    call.limit(windows.shape[0] * windows.shape[1] * kernel.size)
    sums = np.einsum("btck,kcf->btf", windows[..., ::dilation], kernel, optimize=True)
    return _activation(call)(sums + bias[0] if bias else sums)


def _one(value: Any) -> int:
    return int(value[0] if isinstance(value, list | tuple) else value)


def _padded(x: Array, padding: str, window: int, stride: int, fill: float) -> Array:
    """Sequences with rows in front and behind, as `padding` says."""
    before = behind = 0
    if padding == "causal":
        before = window - 1
    elif padding == "same":
        total = max((-(-x.shape[1] // stride) - 1) * stride + window - x.shape[1], 0)
        before, behind = total // 2, total - total // 2
    return np.pad(x, ((0, 0), (before, behind), (0, 0)), constant_values=fill)


def _pooling(reduce: Callable[..., Array], fill: float) -> Callable[[Call], Array]:
    def pool(call: Call) -> Array:
        settings = call.layer.settings
        size, stride = _one(settings["pool_size"]), _one(settings.get("strides") or settings["pool_size"])
        x = _padded(call.x, settings["padding"], size, stride, fill)
        windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=1)[:, ::stride]
        return np.asarray(reduce(windows, axis=-1), call.x.dtype)

    return pool


def _global_average(call: Call) -> Array:
    x, keep = call.x, call.layer.settings.get("keepdims", False)
    if call.mask is None:
        return x.mean(axis=1, keepdims=keep)
    weights = call.mask[..., None].astype(x.dtype)
    return np.where(call.mask[..., None], x, 0).sum(axis=1, keepdims=keep) / weights.sum(axis=1, keepdims=keep)


def _repeat(call: Call) -> Array:
    call.limit(call.x.size * int(call.layer.settings["n"]))
    return np.repeat(call.x[:, None], int(call.layer.settings["n"]), axis=1)


def _zero_padding(call: Call) -> Array:
    before, behind = _two(call.layer.settings["padding"])
    call.limit((before + behind + call.x.shape[1]) * call.x[:, 0].size)
    return np.pad(call.x, ((0, 0), (before, behind), *((0, 0),) * (call.x.ndim - 2)))


def _cropping(call: Call) -> Array:
    before, behind = _two(call.layer.settings["cropping"])
    return call.x[:, before : call.x.shape[1] - behind]


def _two(value: Any) -> tuple[int, int]:
    return (int(value), int(value)) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _up_sampling(call: Call) -> Array:
    call.limit(call.x.size * int(call.layer.settings["size"]))
    return np.repeat(call.x, int(call.layer.settings["size"]), axis=1)


# --- Normalization --------------------------------------------------------------------------------


def _axes(call: Call) -> tuple[int, ...]:
    axis = call.layer.settings.get("axis", -1)
    return tuple(int(each) % call.x.ndim for each in (axis if isinstance(axis, list | tuple) else [axis]))


def _along(call: Call, array: Array) -> Array:
    """Weights of a layer's axes, in a shape that fits all axes of what it reads."""
    axes = sorted(_axes(call))
    return array.reshape([call.x.shape[axis] if axis in axes else 1 for axis in range(call.x.ndim)])


def _batch_normalization(call: Call) -> Array:
    settings, arrays = call.layer.settings, [_along(call, each) for each in call.layer.arrays]
    scale = arrays.pop(0) if settings.get("scale", True) else 1
    offset = arrays.pop(0) if settings.get("center", True) else 0
    mean, variance = arrays[:2]
    return (call.x - mean) / np.sqrt(variance + variance.dtype.type(settings["epsilon"])) * scale + offset


def _layer_normalization(call: Call) -> Array:
    settings, arrays, x = call.layer.settings, [_along(call, each) for each in call.layer.arrays], call.x
    if settings.get("rms_scaling"):
        raise call.refused("has rms_scaling")
    axes = _axes(call)
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    found = (x - mean) / np.sqrt(variance + x.dtype.type(settings["epsilon"]))
    found = found * arrays.pop(0) if settings.get("scale", True) else found
    return found + arrays.pop(0) if settings.get("center", True) else found


def _unit_normalization(call: Call) -> Array:
    return call.x / np.sqrt(np.maximum((call.x**2).sum(axis=_axes(call), keepdims=True), 1e-12))


def _normalization(call: Call) -> Array:
    settings = call.layer.settings
    given = settings.get("mean"), settings.get("variance")
    mean, variance = (
        np.asarray(each, np.float32) for each in (given if given[0] is not None else call.layer.arrays[:2])
    )
    axes = [axis for axis in _axes(call) if settings.get("axis") is not None]
    shape = [call.x.shape[axis] if axis in axes and mean.size > 1 else 1 for axis in range(call.x.ndim)]
    mean, deviation = mean.reshape(shape), np.maximum(np.sqrt(variance.reshape(shape)), np.float32(1e-7))
    x = call.x.astype(np.float32)
    return mean + x * deviation if settings.get("invert") else (x - mean) / deviation


def _rescaling(call: Call) -> Array:
    settings = call.layer.settings
    return call.x.astype(np.float32) * np.float32(settings["scale"]) + np.float32(settings["offset"])


# --- Activations as layers ------------------------------------------------------------------------


def _relu(call: Call) -> Array:
    settings, x = call.layer.settings, call.x
    threshold, slope = settings.get("threshold", 0.0) or 0.0, settings.get("negative_slope", 0.0) or 0.0
    found = np.where(x >= threshold, x, slope * (x - threshold)).astype(x.dtype)
    most = settings.get("max_value")
    return found if most is None else np.minimum(found, x.dtype.type(most))


def _leaky_relu(call: Call) -> Array:
    slope = call.layer.settings.get("negative_slope", call.layer.settings.get("alpha", 0.3))
    return np.where(call.x > 0, call.x, call.x.dtype.type(slope) * call.x)


def _prelu(call: Call) -> Array:
    return np.where(call.x > 0, call.x, call.layer.arrays[0] * call.x)


def _elu(call: Call) -> Array:
    alpha = call.x.dtype.type(call.layer.settings.get("alpha", 1.0))
    return np.where(call.x > 0, call.x, alpha * np.expm1(np.minimum(call.x, 0)))


def _softmax(call: Call) -> Array:
    axis, x, mask = call.layer.settings.get("axis", -1), call.x, call.mask
    if not isinstance(axis, int):
        raise call.refused("has several axes")
    if mask is not None:  # it must fit the last axes, as in Keras
        x = np.where(mask, x, x.dtype.type(-1e9))
    found = np.moveaxis(activations.softmax(np.moveaxis(x, axis, -1)), -1, axis)
    return found if mask is None else np.where(mask, found, 0).astype(found.dtype)


# --- Texts ----------------------------------------------------------------------------------------


def _text_vectorization(call: Call) -> Value:
    """Texts as ids: 0 behind the text, 1 for unknown tokens."""
    settings, vocabulary = call.layer.settings, call.layer.vocabulary
    if settings.get("output_mode", "int") != "int" or settings.get("ngrams") or not vocabulary:
        raise call.refused("has another output than ids of single tokens, or no vocabulary")
    ids = {token: number for number, token in enumerate(vocabulary, start=2)}
    rows = [[ids.get(token, 1) for token in _tokens(call, str(text))] for text in call.x.reshape(-1)]
    length = settings.get("output_sequence_length") or max(map(len, rows), default=0)
    found = np.zeros((len(rows), length), np.int64)
    for row, own in zip(found, rows, strict=True):
        row[: len(own)] = own[:length]
    return Value(found)


_PUNCTUATION = re.compile(r"[" + re.escape("!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'") + "]")


def _tokens(call: Call, text: str) -> list[str]:
    standardize, split = call.layer.settings.get("standardize"), call.layer.settings.get("split")
    if standardize not in (None, "lower", "strip_punctuation", "lower_and_strip_punctuation"):
        raise call.refused("has a `standardize` of its own")
    text = text.lower() if str(standardize).startswith("lower") else text
    text = _PUNCTUATION.sub("", text) if str(standardize).endswith("strip_punctuation") else text
    if split not in (None, "whitespace", "character"):
        raise call.refused("has a `split` of its own")
    return [text] if split is None else text.split() if split == "whitespace" else list(text)


# --- Tables ---------------------------------------------------------------------------------------


def _item(x: Array, key: Any) -> Array:
    return x[_key(key)]


def _key(key: Any) -> Any:
    if isinstance(key, Mapping) and key.get("class_name") in ("slice", "__slice__"):
        return slice(*key["config"].values()) if isinstance(key["config"], Mapping) else slice(*key["config"])
    if isinstance(key, Mapping) and key.get("class_name") in ("__ellipsis__", "ellipsis"):
        return ...
    return tuple(_key(each) for each in key) if isinstance(key, list | tuple) else key


# Operations of `keras.ops` that appear in functional models, most of them to compute masks.
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "NotEqual": np.not_equal, "Equal": np.equal, "Greater": np.greater, "Less": np.less,
    "LogicalOr": np.logical_or, "LogicalAnd": np.logical_and, "LogicalNot": np.logical_not,
    "Add": np.add, "Subtract": np.subtract, "Multiply": np.multiply, "Divide": np.divide, "TrueDivide": np.divide,
    "Maximum": np.maximum, "Minimum": np.minimum, "Negative": np.negative, "Absolute": np.abs, "Exp": np.exp,
    "Log": np.log, "Sqrt": np.sqrt, "Square": np.square, "Tanh": np.tanh,
    "ExpandDims": lambda x, axis: np.expand_dims(x, axis), "Squeeze": lambda x, axis=None: np.squeeze(x, axis),
    "Any": lambda x, axis=None, keepdims=False: np.any(x, axis=axis, keepdims=keepdims),
    "Mean": lambda x, axis=None, keepdims=False: np.mean(x, axis=axis, keepdims=keepdims),
    "Sum": lambda x, axis=None, keepdims=False: np.sum(x, axis=axis, keepdims=keepdims),
    "ConvertToTensor": lambda x, dtype=None: np.asarray(x, dtype),
    "Max": lambda x, axis=None, keepdims=False, initial=None: np.max(x, axis=axis, keepdims=keepdims),
    "ZerosLike": lambda x, dtype=None: np.zeros_like(x, dtype),
    "OnesLike": lambda x, dtype=None: np.ones_like(x, dtype),
    "GetItem": _item, "Transpose": lambda x, axes=None: np.transpose(x, axes), "Matmul": np.matmul,
}  # fmt: skip
# Layers that give their outputs with masks.
_WHOLE: dict[str, Callable[[Call], Any]] = {
    **MERGES,
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "RNN"), recurrent),
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
    "Embedding": _embedding,
    "Masking": _masking,
    "TextVectorization": _text_vectorization,
}
_IDENTITY = (
    *("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization"),
    "Identity",
)
# Layers that give their output as an array.
_ARRAYS: dict[str, Callable[[Call], Array]] = {
    **dict.fromkeys(_IDENTITY, lambda call: call.x),
    "Dense": _dense,
    "Conv1D": _conv1d,
    "MaxPooling1D": _pooling(np.max, -np.inf),
    "AveragePooling1D": _pooling(np.nanmean, np.nan),
    "GlobalMaxPooling1D": lambda call: call.x.max(axis=1, keepdims=call.layer.settings.get("keepdims", False)),
    "GlobalAveragePooling1D": _global_average,
    "RepeatVector": _repeat,
    "Flatten": lambda call: call.x.reshape(len(call.x), -1),
    "Reshape": lambda call: call.x.reshape(len(call.x), *call.layer.settings["target_shape"]),
    "Permute": lambda call: call.x.transpose(0, *call.layer.settings["dims"]),
    "ZeroPadding1D": _zero_padding,
    "Cropping1D": _cropping,
    "UpSampling1D": _up_sampling,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "UnitNormalization": _unit_normalization,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Activation": lambda call: _activation(call)(call.x),
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "PReLU": _prelu,
    "ELU": _elu,
    "Softmax": _softmax,
}
_PASS_MASKS = frozenset((
    *_IDENTITY, "Dense", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "BatchNormalization",
    "LayerNormalization", "UnitNormalization", "Normalization", "Rescaling",
))  # fmt: skip
KINDS = frozenset((*_OPERATIONS, *_WHOLE, *_ARRAYS))
