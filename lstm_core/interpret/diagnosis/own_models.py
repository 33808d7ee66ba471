"""The traces of our own models for a check-up: many texts, or windows of a series, as one padded batch."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import cloze_grammar
from lstm_core.errors import ModelError, TextError
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.inference.classifier import TokenModel
from lstm_core.inference.forecaster import Forecaster
from lstm_core.inference.seq2seq import EDGE, Rewriter
from lstm_core.inference.word_lm import WordModel
from lstm_core.interpret.diagnosis.ablation import OutputOf
from lstm_core.nn.activations import softmax
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.layers import Recur, RecurBothWays
from lstm_core.nn.network import ForwardPass, Network, Node
from lstm_core.nn.trace import STATES, LayerTrace
from lstm_core.nn.weights import CellWeights
from lstm_core.paths import ASSETS
from lstm_core.timeseries.series import Series, load_series, stocks
from lstm_core.tracing.batch import run_batch
from lstm_core.tracing.model_trace import ModelTrace, RecurrentTrace

MOST_SEQUENCES, MOST_STEPS = 64, 200  # that are read
ABLATED_SEQUENCES, ABLATED_STEPS = 8, 100  # of those, in which units are clamped
NUMBERS = ("7", "42", "90", "315", "608", "1984", "4072", "7316", "12", "555", "2020", "871")


def trace_own(model: Any, data: Any = None) -> tuple[ModelTrace, OutputOf | None]:
    """The traces of a loaded model over data, and its output with clamps.

    Args:
        model: from `lstm_core.load`.
        data: texts; for a forecaster a series (`timeseries.Series`) or several; None for examples that come with the
            project. At most `MOST_SEQUENCES` are read, of each the first `MOST_STEPS` tokens.

    Raises:
        ModelError: if there is no recurrent layer, or no example for such a model.
        LabError: if the model can't read the data.
    """
    if isinstance(model, Rewriter):
        return _trace_rewriter(model, _texts(examples(model) if data is None else data)), None
    network = getattr(model, "network", None)
    if not isinstance(network, Network) or not network.recurrent_names:
        raise ModelError(f"The model '{model.card.name}' has no recurrent layer that reads a sequence to check.")
    sequences = _encoded(model, examples(model) if data is None else data)
    if not sequences:
        raise TextError("There is nothing to read: give some texts, or a longer series.")
    some = [tuple(each[:ABLATED_STEPS] for each in inputs) for inputs in sequences[:ABLATED_SEQUENCES]]
    return _trace(network, sequences), lambda clamps: _output(network, some, clamps)


# --- Data -----------------------------------------------------------------------------------------


def examples(model: Any) -> Any:
    """Data for a shipped model that come with the project; ModelError if there are none."""
    name, task = model.card.dataset, model.card.task
    files = {"stackoverflow": "questions.json", "imdb": "reviews.json"}
    if task in ("classifier", "word model") and name in files:
        found = json.loads((ASSETS / files[name]).read_text("utf-8"))
        texts = [*found["examples"].values(), *(moment["text"] for moment in found["moments"])]
        return texts if task == "classifier" else [part for text in texts for part in re.split(r"(?<=[.!?])\s", text)]
    if task == "blank filler":
        return [each.text for each in cloze_grammar.sample("test", MOST_SEQUENCES, seed=1)]
    if task == "generator":
        return [tomllib.loads((ASSETS / "presets.toml").read_text("utf-8"))["gradient"]["speech"]]
    if task == "rewriter":
        return NUMBERS
    if task == "forecaster":
        return list(stocks().values()) if name == "stocks" else [load_series(name)]
    raise ModelError(f"There are no examples for the model '{model.card.name}': give data for it to read.")


def _texts(data: Any) -> list[str]:
    texts = [data] if isinstance(data, str) else list(data)
    if not all(isinstance(text, str) for text in texts):
        raise TextError("The data of this model are texts: give a list of them.")
    return [text for text in texts if text.strip()][:MOST_SEQUENCES]


def _encoded(model: Any, data: Any) -> list[tuple[Array, ...]]:
    """For each sequence the network's inputs, (steps,) of ids or (steps, features)."""
    if isinstance(model, Forecaster):
        return _windows(model, [data] if isinstance(data, Series) else list(data))
    texts = _texts(data)
    if isinstance(model, TextGenerator):
        return _characters(model, "\n".join(texts)) if len(texts) < 2 else _each(model, texts)
    if isinstance(model, WordModel):
        words = [model.encoder.tokens_of(text)[: model.encoder.length] for text in texts]
        vocabulary = model.encoder.vocabulary
        coded = [vocabulary.encode([token.text for token in each]) for each in words if each]
        return [(np.array([model.end, *ids], np.int32),) for ids in coded]
    if isinstance(model, TokenModel):
        return [tuple(ids[:MOST_STEPS] for ids in model.encoder.encode(text).inputs) for text in texts]
    raise ModelError(f"The model '{model.card.name}' can't be checked: its task isn't known here.")


def _each(model: TextGenerator, texts: Iterable[str]) -> list[tuple[Array, ...]]:
    return [part for text in texts for part in _characters(model, text)[:1]]


def _characters(model: TextGenerator, text: str) -> list[tuple[Array, ...]]:
    """A text in pieces; for a network that reads windows, the windows."""
    ids = model.alphabet.encode(text)
    if model.carries:
        pieces = max(1, min(MOST_SEQUENCES, len(ids) // 64))
        return [(piece[:MOST_STEPS],) for piece in np.array_split(ids, pieces) if len(piece)]
    length = model.reader.memory
    if len(ids) < length:
        raise TextError(f"The network reads {length} characters; this text has {len(ids)} that it knows.")
    windows = np.lib.stride_tricks.sliding_window_view(ids, length)
    chosen = windows[:: max(1, len(windows) // MOST_SEQUENCES)][:MOST_SEQUENCES]
    return [((each / len(model.alphabet)).astype(np.float32)[:, None],) for each in chosen]


def _windows(model: Forecaster, many: Sequence[Series]) -> list[tuple[Array, ...]]:
    found: list[tuple[Array, ...]] = []
    share = max(1, MOST_SEQUENCES // max(len(many), 1))
    for series in many:
        origins = model.origins(series)
        chosen = origins[:: max(1, -(-len(origins) // share))]
        inputs = model.scaling(series).inputs(series.values, chosen, model.settings.window)  # (k, window, 1)
        found += [(each[:MOST_STEPS].astype(np.float32),) for each in inputs]
    return found


# --- Networks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Group:
    """Sequences that are read as one batch: as they stand in `places`, padded at their ends."""

    places: list[int]
    lengths: Array  # (n,)
    inputs: tuple[Array, ...]  # each (T, n, …)


def _groups(network: Network, sequences: Sequence[tuple[Array, ...]]) -> Iterator[_Group]:
    """All at once for a network that reads forwards: what stands behind a sequence doesn't count there."""

    def length(place: int) -> int:
        return 0 if network.causal else len(sequences[place][0])

    for _, same in groupby(sorted(range(len(sequences)), key=length), length):
        places = list(same)
        lengths = np.array([len(sequences[place][0]) for place in places])
        columns = zip(*(sequences[place] for place in places), strict=True)
        yield _Group(places, lengths, tuple(_padded(column, int(lengths.max())) for column in columns))


def _padded(sequences: Sequence[Array], length: int) -> Array:
    """(T, n, …): each one's last row again behind it."""
    rows = [each[np.minimum(np.arange(length), len(each) - 1)] for each in sequences]
    return np.stack(rows, axis=1)


def _trace(network: Network, sequences: Sequence[tuple[Array, ...]]) -> ModelTrace:
    nodes = [node for node in network.nodes if node.name in network.recurrent_names]
    longest = max(len(each[0]) for each in sequences)
    parts: list[list[RecurrentTrace]] = []
    output = np.zeros((len(sequences), network.width), np.float32)
    for group in _groups(network, sequences):
        run = network.run(*group.inputs)
        output[group.places] = run.output[group.lengths - 1, np.arange(len(group.lengths))]
        parts.append([trace for node, traced in zip(nodes, run.traces, strict=True) for trace in _of_node(
            node, traced, run, group.lengths
        )])  # fmt: skip
    layers = tuple(_joined(each, longest) for each in zip(*parts, strict=True))
    return ModelTrace(layers, {}, {}, output)


def _of_node(node: Node, traced: Any, run: ForwardPass, lengths: Array) -> list[RecurrentTrace]:
    x = run.values[node.parents[0]]
    if isinstance(node.operation, Recur):
        return [_recurrent(node.operation.weights, node.name, traced, x, lengths)]
    assert isinstance(node.operation, RecurBothWays)
    ahead, back = node.operation.ahead, node.operation.back
    return [
        _recurrent(ahead, f"{node.name}/forward", traced.forward, x, lengths),
        _recurrent(back, f"{node.name}/backward", traced.backward, x, lengths),
    ]


def _recurrent(weights: CellWeights, name: str, trace: LayerTrace, x: Array, lengths: Array) -> RecurrentTrace:
    """A trace with time on its first axis as one with the batch on its first."""
    order = slice(None, None, -1) if weights.go_backwards else slice(None)

    def rows(values: Array) -> Array:
        return values[order].swapaxes(0, 1)

    signals = {key: rows(values) for key, values in trace.signals.items()}
    last = np.zeros_like(lengths) if weights.go_backwards else lengths - 1
    final = tuple(signals[state][np.arange(len(lengths)), last] for state in STATES[weights.kind])
    return RecurrentTrace(
        name=name,
        kind=weights.kind,
        inputs=x.swapaxes(0, 1),
        signals=signals,
        input_sums={key: rows(values) for key, values in trace.input_sums.items()},
        recurrent_sums={key: rows(values) for key, values in trace.recurrent_sums.items()},
        outputs=rows(trace.outputs),
        mask=np.arange(x.shape[0]) < lengths[:, None],
        initial_state=trace.initial_state,
        final_state=final,
        weights=weights,
    )


def _joined(parts: Sequence[RecurrentTrace], longest: int) -> RecurrentTrace:
    """One batch from several of different lengths, padded with masked steps."""
    first = parts[0]
    if len(parts) == 1:
        return first

    def stacked(rows: Sequence[Array]) -> Array:
        widths = [[(0, 0), (0, longest - each.shape[1]), *[(0, 0)] * (each.ndim - 2)] for each in rows]
        return np.concatenate([np.pad(each, width) for each, width in zip(rows, widths, strict=True)])

    def by_name(parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
        return {name: stacked([part[name] for part in parts]) for name in parts[0]}

    def states(parts: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
        return tuple(np.concatenate(each) for each in zip(*parts, strict=True))

    return replace(
        first,
        signals=by_name([part.signals for part in parts]),
        input_sums=by_name([part.input_sums for part in parts]),
        recurrent_sums=by_name([part.recurrent_sums for part in parts]),
        initial_state=states([part.initial_state for part in parts]),
        final_state=states([part.final_state for part in parts]),
        inputs=stacked([part.inputs for part in parts]),
        outputs=stacked([part.outputs for part in parts]),
        mask=stacked([part.mask for part in parts]),
    )


def _output(network: Network, sequences: Sequence[tuple[Array, ...]], clamps: tuple[Clamp, ...]) -> Array:
    """The answer of each sequence, (n, width); at every step where the network answers at every step."""
    longest = max(len(each[0]) for each in sequences)
    steps = longest if network.returns_sequences else 1
    found = np.zeros((len(sequences), steps, network.width), np.float32)
    for group in _groups(network, sequences):
        output = network.run(*group.inputs, clamps=clamps).output.swapaxes(0, 1)  # (n, T, width)
        for place, length, rows in zip(group.places, group.lengths, output, strict=True):
            kept = rows[:length] if network.returns_sequences else rows[length - 1 : length]
            found[place, : len(kept)] = kept
    return found.reshape(len(sequences), -1)


def _trace_rewriter(model: Rewriter, numbers: Sequence[str]) -> ModelTrace:
    """The encoder over numbers, and the decoder over what it writes itself."""
    weights = {layer.name: layer.weights for layer in model.saved.layers}
    read = [model.rewrite(number) for number in numbers]
    fed = [[EDGE, *model.alphabet.encode_words(each.written.text)] for each in read]
    ids = [model.alphabet.encode_number(each.number) for each in read]
    encoder = run_batch(model.encoder, weights["read"][0][_rows(ids)], mask=_mask(ids))
    decoder = run_batch(
        model.decoder, weights["written"][0][_rows(fed)], mask=_mask(fed), initial_state=encoder.final_state
    )
    kernel, bias = weights["answer"]
    return ModelTrace((encoder, decoder), {}, {}, softmax(decoder.outputs @ kernel + bias))


def _rows(sequences: Sequence[Any]) -> Array:
    """(n, T) of ids, 0 behind each sequence."""
    found = np.zeros((len(sequences), max(map(len, sequences))), np.int32)
    for row, ids in zip(found, sequences, strict=True):
        row[: len(ids)] = ids
    return found


def _mask(sequences: Sequence[Any]) -> Array:
    lengths = np.array([len(each) for each in sequences])
    return np.arange(lengths.max()) < lengths[:, None]
