"""Traces as data frames of pandas and as arrays for `.npz` files. pandas is imported when a data frame is made."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.exhibit.cell_trace import CellTrace, in_text_order
from lstm_core.exhibit.signals import LETTERS
from lstm_core.optional import library

STATES = ("h", "c")  # in the order of a trace's `initial_state`


def cell_frame(trace: CellTrace) -> Any:
    """One row a timestep, one column a signal and unit: (T, signals·units) with the columns' levels signal, unit."""
    pandas = library("pandas", "notebook")
    letters = LETTERS[trace.kind]
    columns = pandas.MultiIndex.from_product([letters, range(trace.units)], names=["signal", "unit"])
    values = np.concatenate([in_text_order(trace, trace.signals[letter]) for letter in letters], axis=1)
    return pandas.DataFrame(values, pandas.RangeIndex(len(trace), name="timestep"), columns)


def layers_frame(traces: Mapping[str, CellTrace], level: str = "layer") -> Any:
    """`cell_frame` of several traces side by side, with a further level of columns in front, which has their names."""
    pandas = library("pandas", "notebook")
    return pandas.concat({name: cell_frame(trace) for name, trace in traces.items()}, axis=1, names=[level])


def batch_frame(frames: Sequence[Any]) -> Any:
    """The frames of a batch's sequences below each other, with a further level of rows in front, from 0."""
    pandas = library("pandas", "notebook")
    return pandas.concat(dict(enumerate(frames)), names=["sequence"])


def reading_frame(tokens: Sequence[str], labels: Sequence[str], answers: Array, traces: Mapping[str, CellTrace]) -> Any:
    """A text that was read: `layers_frame` with rows by timestep and token, and the answers in front.

    Args:
        tokens: (T,).
        labels: the names of the answers.
        answers: (T, labels); they are the columns ("answer", "p", LABEL).
        traces: each of T timesteps.
    """
    pandas = library("pandas", "notebook")
    columns = pandas.MultiIndex.from_product([["answer"], ["p"], labels], names=["layer", "signal", "unit"])
    frames = [pandas.DataFrame(answers, columns=columns), *([layers_frame(traces)] if traces else [])]
    frame = pandas.concat(frames, axis=1)
    frame.index = pandas.MultiIndex.from_arrays([range(len(tokens)), tokens], names=["timestep", "token"])
    return frame


def cell_arrays(trace: Any, prefix: str = "") -> dict[str, Array]:
    """Every array of a trace by name, such as "f", "input_sums/f", "outputs" and "initial_state/c".

    Args:
        trace: a `CellTrace`, or the same over a batch; rows are in the trace's own order.
        prefix: put before each name.
    """
    found = dict(trace.signals)
    for group in ("input_sums", "recurrent_sums"):
        found |= {f"{group}/{letter}": values for letter, values in getattr(trace, group).items()}
    found |= {name: getattr(trace, name) for name in ("outputs", "timesteps", "mask") if hasattr(trace, name)}
    for group in ("initial_state", "final_state"):
        states = zip(STATES, getattr(trace, group, ()), strict=False)
        found |= {f"{group}/{letter}": state for letter, state in states}
    return {f"{prefix}{name}": np.asarray(values) for name, values in found.items()}


def npz(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as a compressed `.npz` file, which `numpy.load(file, allow_pickle=False)` reads.

    Raises:
        TypeError: if something is neither numbers nor text.
    """
    found = {name: np.asarray(value) for name, value in arrays.items()}
    if objects := [name for name, value in found.items() if value.dtype.hasobject]:
        raise TypeError(f"{objects[0]} is neither numbers nor text.")
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **found)
    return file.getvalue()
