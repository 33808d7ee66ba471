"""A tensor in a file: its type and shape, known before its numbers are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.keras_file import LARGEST_WEIGHT, MIB
from lstm_core.nn.saved import as_float

LARGEST_FILE = 1024 * MIB
MOST_TENSORS = 4_000
# PyTorch's name of a type → NumPy's, little-endian; bfloat16 is the upper half of a float32.
DTYPES = {
    "float64": "<f8", "float32": "<f4", "float16": "<f2", "bfloat16": "<u2", "int64": "<i8", "int32": "<i4",
    "int16": "<i2", "int8": "|i1", "uint8": "|u1", "bool": "|b1",
}  # fmt: skip
FLOATS = ("float64", "float32", "float16", "bfloat16")


@dataclass(frozen=True)
class StoredTensor:
    """A tensor by name in a file.

    Attributes:
        name: such as "lstm.weight_ih_l0".
        dtype: PyTorch's name of its type, such as "float32".
        shape: of its array.
        fetch: reads the array as it is stored.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    fetch: Callable[[], Array]

    @property
    def size(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)

    def read(self) -> Array:
        """Its numbers as float32, or float64 if they are stored so.

        Raises:
            ModelError: if they are whole numbers, not finite, or too large to compute with.
        """
        if self.dtype not in FLOATS:
            raise ModelError(f"The weights '{self.name}' are of the type {self.dtype}; they must be floating-point.")
        array = self.fetch()
        if self.dtype == "bfloat16":
            array = (array.astype("<u4") << 16).view("<f4")
        array = as_float(array)
        if not np.abs(array).max(initial=0) <= LARGEST_WEIGHT:  # also where one of them is no number
            raise ModelError(
                f"The weights '{self.name}' hold values that are no numbers, or above {LARGEST_WEIGHT:.0e}."
            )
        return array


def tensors_of_arrays(arrays: Mapping[str, Any]) -> dict[str, StoredTensor]:
    """A `state_dict` in memory, of arrays or of PyTorch's tensors."""
    found = {}
    for name, value in arrays.items():
        if hasattr(value, "detach"):  # a tensor
            value = value.detach().cpu()
            dtype = str(value.dtype).removeprefix("torch.")
            value = value.float().numpy() if dtype == "bfloat16" else value.numpy()
        else:
            value = np.asarray(value)
            dtype = value.dtype.name
        found[str(name)] = StoredTensor(str(name), dtype, value.shape, _returning(value))
    return found


def _returning(array: Array) -> Callable[[], Array]:
    return lambda: array


def check_sizes(tensors: Mapping[str, StoredTensor], what: str) -> None:
    """ModelError, naming the file, if its tensors are too many or too large once they are read."""
    if len(tensors) > MOST_TENSORS:
        raise ModelError(f"{what} holds {len(tensors):,} tensors; {MOST_TENSORS:,} is the most.")
    total = sum(4 * tensor.size for tensor in tensors.values())
    if total > LARGEST_FILE:
        raise ModelError(f"{what} would take {total / MIB:,.0f} MiB; {LARGEST_FILE // MIB:,} MiB is the most.")
