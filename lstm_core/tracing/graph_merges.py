"""Layers of several inputs of a saved graph: merges and attention, with their masks, as Keras computes them."""

from __future__ import annotations

import string
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn import activations
from lstm_core.tracing.graph import Call, Value


def _equal_ranks(call: Call) -> list[Value]:
    """What is merged; as in Keras, a value of fewer axes gets them behind the batch."""
    most = max(value.array.ndim for value in call.values)

    def wide(array: Array) -> Array:
        return array.reshape(len(array), *(1,) * (most - array.ndim), *array.shape[1:])

    return [Value(wide(value.array), value.mask) for value in call.values]


def _any_mask(values: list[Value]) -> Array | None:
    """Where any of the values counts; None unless each has a mask."""
    masks = [value.mask for value in values if value.mask is not None]
    return np.logical_or.reduce(masks) if len(masks) == len(values) else None


def _merge(function: Callable[[Array, Array], Array], share: bool = False) -> Callable[[Call], Value]:
    """A sum or the like, which looks at no mask."""

    def merge(call: Call) -> Value:
        values = _equal_ranks(call)
        found = reduce(function, (value.array for value in values))
        return Value(found / len(values) if share else found, _any_mask(values))

    return merge


def _multiply(call: Call) -> Value:
    """A product in which masked timesteps count as 1, and as 0 where all are masked."""
    values = _equal_ranks(call)
    factors = [each.array if each.mask is None else np.where(each.mask[..., None], each.array, 1) for each in values]
    found, mask = reduce(np.multiply, factors).astype(call.x.dtype), _any_mask(values)
    return Value(found if mask is None else np.where(mask[..., None], found, 0).astype(found.dtype), mask)


def _extreme(function: Callable[[Array, Array], Array]) -> Callable[[Call], Value]:
    """The maximum or minimum of the values that aren't masked."""

    def merge(call: Call) -> Value:
        first, *rest = _equal_ranks(call)
        found, mask = first.array, first.mask
        for each in rest:
            x = each.array if each.mask is None else np.where(each.mask[..., None], each.array, found)
            found = found if mask is None else np.where(mask[..., None], found, x)
            mask = None if mask is None or each.mask is None else mask | each.mask
            found = function(found, x)
        return Value(found, mask)

    return merge


def _concatenate(call: Call) -> Value:
    axis = int(call.layer.settings.get("axis", -1))
    values = call.values
    found = np.concatenate([value.array for value in values], axis=axis)
    if all(value.mask is None for value in values):
        return Value(found)
    masks = []
    for value in values:
        mask = np.ones_like(value.array, bool) if value.mask is None else value.mask
        masks.append(mask[..., None] | np.zeros_like(value.array, bool) if mask.ndim < value.array.ndim else mask)
    return Value(found, np.asarray(np.concatenate(masks, axis=axis).any(axis=-1)))


def _dot(call: Call) -> Value:
    a, b = (value.array for value in call.values)
    axes = call.layer.settings["axes"]
    first, second = (axes, axes) if isinstance(axes, int) else axes
    if call.layer.settings.get("normalize"):
        a, b = (_normalized(each, axis) for each, axis in ((a, first), (b, second)))
    letters = string.ascii_lowercase
    left, right = list(letters[: a.ndim]), ["a", *letters[a.ndim : a.ndim + b.ndim - 1]]
    right[second % b.ndim] = left[first % a.ndim]
    kept = ["a", *(each for each in left[1:] + right[1:] if each != left[first % a.ndim])]
    call.limit(a.size * b.size // max(1, a.shape[0] * a.shape[first]))
    found = np.einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", a, b, optimize=True)
    return Value(found if found.ndim > 1 else found[:, None])


def _normalized(x: Array, axis: int) -> Array:
    return x / np.sqrt(np.maximum((x**2).sum(axis=axis, keepdims=True), 1e-12))


def _attention(call: Call) -> Any:
    """Dot-product attention (Luong et al. 2015), or additive (Bahdanau et al. 2015): softmax over the values."""
    values = call.values
    query, value = values[0], values[1]
    key = values[2].array if len(values) > 2 else value.array
    if call.kwargs.get("mask") is not None:
        raise call.refused("is called with a mask of its own")
    scores = _scores(call, query.array, key)
    kept = None if value.mask is None else value.mask[:, None]
    if call.kwargs.get("use_causal_mask"):
        causal = np.tri(scores.shape[1], scores.shape[2], dtype=bool)[None]
        kept = causal if kept is None else kept & causal
    if kept is not None:
        scores = np.where(kept, scores, scores - scores.dtype.type(1e9))
    shares = activations.softmax(scores)
    found = shares @ value.array
    if query.mask is not None:
        found = np.where(query.mask[..., None], found, 0).astype(found.dtype)
    answer = Value(found, query.mask)
    return [answer, Value(shares)] if call.kwargs.get("return_attention_scores") else answer


def _scores(call: Call, query: Array, key: Array) -> Array:
    """(batch, queries, keys)."""
    settings, weights = call.layer.settings, list(call.layer.arrays)
    scale = weights.pop(0) if settings.get("use_scale") else 1
    additive = call.layer.kind == "AdditiveAttention"
    if not additive and settings.get("score_mode", "dot") == "dot":
        call.limit(query[..., 0].size * key.shape[1])
        return query @ key.swapaxes(1, 2) * scale
    call.limit(query.size * key.shape[1])
    sums = query[:, :, None] + key[:, None]  # (batch, queries, keys, width)
    if additive:
        return (scale * np.tanh(sums)).sum(axis=-1)
    return weights[0] * np.tanh(scale * sums).sum(axis=-1)


MERGES: dict[str, Callable[[Call], Any]] = {
    "Add": _merge(np.add), "Subtract": _merge(np.subtract), "Average": _merge(np.add, share=True),
    "Multiply": _multiply, "Maximum": _extreme(np.maximum), "Minimum": _extreme(np.minimum),
    "Concatenate": _concatenate, "Dot": _dot, "Attention": _attention, "AdditiveAttention": _attention,
}  # fmt: skip
