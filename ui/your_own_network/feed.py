"""What is fed into a visitor's own network: a text with a vocabulary, ids, a table of numbers, or an example."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from lstm_core.errors import TextError
from lstm_core.nn import Array, parse_indices
from lstm_core.text import read_vocabulary
from lstm_core.timeseries import read_number_table
from lstm_core.tracing import FeedSpec
from ui.common import tokens, url_state
from ui.common.errors import once
from ui.your_own_network.opened import KEY, Opened

EXAMPLE_STEPS = 40  # timesteps of an example
LONGEST_TABLE = 10  # MB
SAMPLE_TEXT = "It began slowly, and I nearly left. Then it became the best evening of the year."
OWN_TEXT, TEXT, IDS, RANDOM, TABLE = "Its own words", "A text with a vocabulary", "Ids", "Random ids", "A table (CSV)"
WAVES: dict[str, Callable[[Array, int], Array]] = {
    "Sine waves": lambda t, width: np.sin(t[:, None] / (3 + np.arange(width))),
    "An impulse": lambda t, width: np.repeat((t == 2)[:, None], width, axis=1),
    "Noise": lambda t, width: np.random.default_rng(1).normal(size=(len(t), width)),
}


@dataclass(frozen=True, eq=False)
class Feed:
    """One input of a network.

    Attributes:
        values: (T,) ids, (T, features) or (features,) numbers, or a text.
        steps: (T,) what each timestep is called; empty if the input has no timesteps.
        padded: how many of the first timesteps are padding, the id 0.
    """

    values: Any
    steps: tuple[str, ...] = ()
    padded: int = 0

    @property
    def batch(self) -> Any:
        """The values as a batch of one sequence."""
        return [self.values] if isinstance(self.values, str) else self.values[None]

    @property
    def identity(self) -> tuple[Any, ...]:
        """Says everything that a trace depends on."""
        return (self.values,) if isinstance(self.values, str) else (self.values.tobytes(), self.values.shape)


def choose(spec: FeedSpec, number: int, opened: Opened, most: int) -> Feed:
    """Draw the controls of one input and return what the visitor has chosen.

    Args:
        spec: of the input.
        number: of the input, from 0.
        opened: the network.
        most: timesteps.

    Raises:
        TextError: in one sentence, if it doesn't fit the network.
    """
    name = f"Input “{tokens.plain(spec.name)}”"
    # Another version of the same network keeps what was typed; another network begins anew.
    key = f"{KEY}_{spec.kind}{spec.size}{'' if opened.encode is None else '_own'}_{number}"
    draw = {"texts": _text, "ids": _ids}.get(spec.kind, _table if spec.sequence else _single)
    return draw(spec, key, name, opened, most)


def _linked(widget: Callable[..., Any], key: str, part: str, label: str, *options: Any, **more: Any) -> Any:
    """A control of one input, whose number is the end of its key; see `url_state.linked`."""
    parameter = part + key.rpartition("_")[2]
    return url_state.linked(widget, label, *options, key=f"{key}_{part}", parameter=parameter, **more)


def _source(key: str, name: str, options: list[str]) -> str:
    return str(_linked(st.segmented_control, key, "source", name, options))


def _typed(key: str, label: str, default: str) -> str:
    text = _linked(st.text_area, key, "text", label, default=default, height=90, help="Ctrl+Enter reads it.")
    if not text.strip():
        raise TextError("There is nothing to read; type a text.")
    return str(text)


def _text(spec: FeedSpec, key: str, name: str, opened: Opened, most: int) -> Feed:
    """The network splits a text itself; its tokens are known once it has read."""
    return Feed(_typed(key, name, SAMPLE_TEXT))


def _ids(spec: FeedSpec, key: str, name: str, opened: Opened, most: int) -> Feed:
    source = _source(key, name, [*([OWN_TEXT] if opened.encode else []), TEXT, IDS, RANDOM])
    if source == IDS:
        about = "Numbers with commas between them; 1-9 is a range."
        line = _linked(st.text_input, key, "ids", "Ids", default="1, 2, 3", help=about)
        ids = np.array(_numbered(line, spec.size, most), np.int32)
        steps = tuple(map(str, ids))
    elif source == RANDOM:
        count = spec.steps or EXAMPLE_STEPS
        ids = np.random.default_rng(1).integers(min(1, spec.size - 1), spec.size, count, np.int32)
        steps = tuple(map(str, ids))
    elif source == OWN_TEXT and opened.encode is not None:
        ids, steps = opened.encode(_typed(key, "Text", opened.sample or SAMPLE_TEXT))
    else:
        ids, steps = _encoded(key)
    if len(outside := np.flatnonzero((ids < 0) | (ids >= spec.size))):
        what = f"“{steps[outside[0]]}” has the id {ids[outside[0]]:,}"
        raise TextError(f"{what}, and the network knows the ids 0 to {spec.size - 1:,}; is it its vocabulary?")
    return _fitted(spec, ids, steps, most)


def _numbered(line: str, size: int, most: int) -> list[int]:
    """Ids as they were typed, in their order; a few more than `most` at the most."""
    found: list[int] = []
    for part in line.split(","):
        if len(found) <= most:
            found += parse_indices(part, size, "id")[: most + 1]
    return found


def _encoded(key: str) -> tuple[Array, tuple[str, ...]]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        file = st.file_uploader(
            "Its vocabulary", key=f"{key}_vocabulary", max_upload_size=8, width=420,
            help="JSON: a list of tokens, or the id of each token, or what Keras's Tokenizer writes. Or one token a "
            "line.",
        )  # fmt: skip
        shift = st.number_input(
            "Added to each id", -1, 10, 0, key=f"{key}_shift", width=160, help="3 for Keras's IMDB reviews."
        )
    text = _typed(key, "Text", SAMPLE_TEXT)
    if file is None:
        raise TextError("Choose the network's vocabulary, or feed it with ids.")
    data = file.getvalue()
    vocabulary = once(f"_{key}_vocabulary", file.file_id, lambda: read_vocabulary(data))
    return vocabulary.encode(text, int(shift))


def _table(spec: FeedSpec, key: str, name: str, opened: Opened, most: int) -> Feed:
    """Numbers, one row a timestep."""
    source = _source(key, name, [*WAVES, TABLE])
    if source in WAVES:
        values = WAVES[source](np.arange(spec.steps or EXAMPLE_STEPS), spec.size)
    else:
        columns = f"{spec.size} column{'s' * (spec.size != 1)}"
        file = st.file_uploader(
            f"A CSV file with {columns} of numbers, one row a timestep", key=f"{key}_table",
            max_upload_size=LONGEST_TABLE,
        )  # fmt: skip
        if file is None:
            raise TextError("Choose a table, or one of the examples.")
        data = file.getvalue()
        table = once(f"_{key}_table", (file.file_id, spec.size), lambda: read_number_table(data, spec.size))
        if table.left_out:
            st.caption(tokens.plain(f"Left out, because they hold no numbers: {', '.join(table.left_out[:6])}."))
        values = table.values
    return _fitted(spec, values.astype(np.float32), tuple(str(t) for t in range(1, len(values) + 1)), most)


def _single(spec: FeedSpec, key: str, name: str, opened: Opened, most: int) -> Feed:
    """Numbers without timesteps."""
    size = f"{spec.size} number{'s' * (spec.size != 1)}"
    zeros = ", ".join(["0"] * spec.size)
    line = _linked(st.text_input, key, "numbers", f"{name}: {size}", default=zeros)
    try:
        values = np.array([float(part) for part in line.replace(";", ",").split(",")], np.float32)
    except ValueError:
        raise TextError(f"{name} takes numbers with commas between them, such as 0.5, 1.") from None
    if len(values) != spec.size or not np.isfinite(values).all():
        raise TextError(f"{name} takes {size}; these are {len(values)}.")
    return Feed(values)


def _fitted(spec: FeedSpec, values: Array, steps: tuple[str, ...], most: int) -> Feed:
    """A sequence of the length that the network reads."""
    longest = spec.steps or most
    if len(values) > longest:
        st.caption(f"The first {longest:,} of {len(values):,} timesteps are read.")
        values, steps = values[:longest], steps[:longest]
    elif spec.steps and len(values) < spec.steps:
        if spec.kind != "ids":
            raise TextError(f"The network reads exactly {spec.steps:,} timesteps; these are {len(values):,}.")
        missing = spec.steps - len(values)
        st.caption(f"The network reads exactly {spec.steps:,} timesteps: {missing:,} zeros precede the text.")
        values, steps = np.append(np.zeros(missing, values.dtype), values), ("·",) * missing + steps
    padded = int(np.argmax(values != 0)) if spec.kind == "ids" else 0
    return Feed(values, steps, padded)
