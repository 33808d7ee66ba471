"""What can lie under the microscope: shipped classifiers and generators, and the tiny hand-set networks.

A specimen is a text that one of them has read: tokens, the trace of every layer, and what must be said about it.
Nothing is drawn here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import lstm_core
from lstm_core.errors import ModelError, TextError
from lstm_core.inference import TextClassifier, TextGenerator
from lstm_core.nn import NETWORKS, Clamp, HandSet, LayerTrace, Network, Recur
from lstm_core.text import PAD, UNKNOWN
from ui.cell_microscope.payload import EXACT
from ui.common import model_cache, theme, url_state

# Networks that read a text without any cell.
WITHOUT_CELL = ("imdb_bag",)
MOST_SIGNS = 2000  # of a hand-set network's text
MOST_BYTES = 2_000_000  # of a character network's trace: 230 characters of 320 units


@dataclass(frozen=True)
class TracedText:
    """A text that a network has read.

    Attributes:
        tokens: length T.
        layers: one trace a recurrent layer.
        reset_after: one a layer; see `cells.gru_step`.
        unknown: the tokens that the network doesn't know, from 0.
        notes: plain sentences on what was not read as it was written.
        first: the first token that isn't a pad, from 0.
        shown_text: as much of the text as an address should carry.
        answer: what a classifier says in the end, in words; "" for other networks.
    """

    tokens: tuple[str, ...]
    layers: tuple[LayerTrace, ...]
    reset_after: tuple[bool, ...]
    unknown: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    first: int = 0
    shown_text: str = ""
    answer: str = ""


def networks() -> dict[str, str]:
    """Name → title of every network with a cell: the hand-set ones first, then those in the models folder."""
    found = {name: network.title for name, network in NETWORKS.items()}
    for card in lstm_core.list_models():
        if card.task in ("classifier", "generator") and card.name not in WITHOUT_CELL:
            found[card.name] = card.title
    return found


def read(name: str, text: str, hand_set: HandSet | None = None, clamps: Sequence[Clamp] = ()) -> TracedText:
    """Let a network read a text.

    Args:
        name: from `networks`.
        text: whatever was pasted.
        hand_set: the network itself where it is one of the hand-set ones, with weights as they are now.
        clamps: signals to hold while it reads.

    Raises:
        TextError: if there is nothing to read.
        ModelError: if the model is missing or damaged, or has no cell that can be shown.
    """
    if hand_set is not None:
        return _read_signs(hand_set, text, clamps)
    model = model_cache.any_model(name)
    if isinstance(model, TextClassifier):
        return _read_words(model, text, clamps)
    return _read_characters(model, text, clamps)


def _read_signs(network: HandSet, text: str, clamps: Sequence[Clamp]) -> TracedText:
    notes = [f"The text has {len(text):,} signs; the first {MOST_SIGNS:,} were read."] if len(text) > MOST_SIGNS else []
    text = text[:MOST_SIGNS]
    return TracedText(tuple(text), (network.read(text, clamps),), (False,), notes=tuple(notes), shown_text=text)


def _read_words(model: TextClassifier, text: str, clamps: Sequence[Clamp]) -> TracedText:
    reading = model.read(text, clamps=clamps) if clamps else url_state.reading_of(model, text)
    encoded = reading.encoded
    layers, reset_after = _shown(model.network, reading.layers, model.card.title)
    notes = []
    real = np.flatnonzero(encoded.ids != PAD)
    unknown = tuple(int(t) for t in np.flatnonzero(encoded.ids == UNKNOWN))
    if len(unknown) == len(real):
        notes.append("None of these tokens is known to the network: what you see is how it reads unknown words alone.")
    elif unknown:
        notes.append(f"{len(unknown)} of {len(real)} tokens are unknown to the network; they are underlined with dots.")
    if encoded.cut:
        notes.append(f"The text has {encoded.total:,} tokens; the network read the first {len(real):,}.")
    if len(real) < len(encoded.ids):
        notes.append(
            f"This network reads {len(encoded.ids)} tokens at all times: {len(encoded.ids) - len(real)} pads stand in "
            "front of yours, and it reads them as if they were text."
        )
    answer = f"{theme.class_name(reading.answer)}, {reading.confidence:.1%}"
    link_text = url_state.text_for_link(reading)
    return TracedText(encoded.tokens, layers, reset_after, unknown, tuple(notes), int(real[0]), link_text, answer)


def _read_characters(model: TextGenerator, text: str, clamps: Sequence[Clamp]) -> TracedText:
    ids = model.alphabet.encode(text)
    if not len(ids):
        raise TextError("There is nothing to read: type some letters that the model knows.")
    notes = []
    if lost := model.alphabet.lost(text):
        notes.append(f"Left out, because the model doesn't know them: {' '.join(lost[:20])}")
    if model.reader.memory:
        return _read_window(model, ids, tuple(notes), clamps)
    widest = max(layer.units for layer in model.reader.layers)
    most = MOST_BYTES // (9 * EXACT * widest)
    if len(ids) > most:
        notes.append(f"The text has {len(ids):,} characters; the first {most:,} were read.")
    ids = ids[:most]
    layers, reset_after = _shown(model.network, model.network.run(ids, clamps=clamps).traces, model.card.title)
    characters = model.alphabet.decode(ids)
    return TracedText(
        tuple(characters), layers, reset_after, notes=tuple(notes), shown_text=text[: url_state.LONGEST_IN_LINK]
    )


def _read_window(model: TextGenerator, ids: np.ndarray, notes: tuple[str, ...], clamps: Sequence[Clamp]) -> TracedText:
    """What a network that reads a window anew for each character reads before it writes the next one."""
    window = np.append(model.reader.start(), ids)[-model.reader.memory :]  # (memory,)
    x = (window / len(model.alphabet)).astype(np.float32)[:, None]  # (memory, 1)
    layers, reset_after = _shown(model.network, model.network.run(x, clamps=clamps).traces, model.card.title)
    note = f"This network reads the last {model.reader.memory} characters anew for each one that it writes: these."
    first = max(0, model.reader.memory - len(ids))
    text = model.alphabet.decode(window)
    return TracedText(tuple(text), layers, reset_after, notes=(*notes, note), first=first, shown_text=text[first:])


def _shown(network: Network, traces: Sequence[object], title: str) -> tuple[tuple[LayerTrace, ...], tuple[bool, ...]]:
    """The layers that read in one direction, and how each one's reset gate works.

    Raises:
        ModelError: if there is none, or if a layer reads both ways.
    """
    layers = tuple(trace for trace in traces if isinstance(trace, LayerTrace))
    if not layers:
        why = "reads in both directions" if traces else "has no recurrent layer, so there is no cell to look into"
        raise ModelError(f"“{title}” {why}: choose another network.")
    operations = [node.operation for node in network.nodes if isinstance(node.operation, Recur)]
    return layers, tuple(operation.weights.reset_after for operation in operations)


def telling_unit(trace: LayerTrace) -> int:
    """The unit whose state moves most in this text: a good one to begin with."""
    state = trace.signals["c" if trace.kind == "lstm" else "h"]
    return int((state.max(axis=0) - state.min(axis=0)).argmax())
