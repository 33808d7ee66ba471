"""What the microscope can show: a text read by a classifier, a generator or a hand-set network. Nothing is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lstm_core import exhibit
from lstm_core.errors import ModelError, TextError
from lstm_core.exhibit import EXACT, Exhibit
from lstm_core.inference import CharacterTrace, TextClassifier, TextGenerator
from lstm_core.nn import NETWORKS, Array, Clamp, HandSet, LayerTrace, Network, Recur
from lstm_core.text import PAD, UNKNOWN
from ui.common import model_cache, theme, tokens, url_state, visitor

# Networks without a recurrent layer.
WITHOUT_CELL = ("imdb_bag",)
MAX_CHARACTERS = 2000  # of a hand-set network's text
MAX_BYTES = 2_500_000  # of a character network's trace: 230 characters of 400 units


@dataclass(frozen=True)
class Answers:
    """What a network answers, K values at each token."""

    title: str  # what the values are
    labels: tuple[str, ...]  # K: classes, characters, or the name of a state
    values: Array  # (T, K), row t for a text that ends at token t; (1, K) if there is only the answer at the end
    shares: bool = True  # whether they are probabilities
    colours: tuple[str, ...] = ()  # K: of the classes


@dataclass(frozen=True)
class TracedText:
    """A text that a network has read."""

    tokens: tuple[str, ...]  # length T
    layers: tuple[LayerTrace, ...]  # the trace of each recurrent layer
    answers: Answers
    reset_after: tuple[bool, ...]  # one for each layer; see `cells.gru_step`
    source: Exhibit = field(repr=False)  # all that was computed
    unknown: tuple[int, ...] = ()  # indices of tokens outside the vocabulary
    notes: tuple[str, ...] = ()  # sentences on how the network's input differs from the text
    first: int = 0  # index of the first token that isn't padding
    answer: str = ""  # a classifier's answer with its confidence; "" for other networks


def networks() -> dict[str, str]:
    """Name → title of every network with a recurrent layer: the hand-set ones first, then the models."""
    found = {name: network.title for name, network in NETWORKS.items()}
    for card in visitor.cards():
        if card.task in ("classifier", "generator") and card.name not in WITHOUT_CELL:
            found[card.name] = card.title
    return found


def read(name: str, text: str, hand_set: HandSet | None = None, clamps: Sequence[Clamp] = ()) -> TracedText:
    """Read a text with a network.

    Args:
        name: from `networks`.
        text: any text.
        hand_set: the network itself if it is a hand-set one, with its current weights.
        clamps: applied while it reads.

    Raises:
        TextError: if the text contains nothing to read.
        ModelError: if the model is missing or damaged, or has no layer that can be shown.
    """
    if hand_set is not None:
        return _read_hand_set(hand_set, text, clamps)
    model = model_cache.any_model(name)
    if isinstance(model, TextClassifier):
        return _read_words(model, text, clamps)
    return _read_characters(model, text, clamps)


def _read_hand_set(network: HandSet, text: str, clamps: Sequence[Clamp]) -> TracedText:
    notes = _cut_note(len(text), MAX_CHARACTERS)
    text = text[:MAX_CHARACTERS]
    trace = network.read(text, clamps)
    label, letter, unit = network.answer
    values = trace.signals[letter][:, unit : unit + 1]
    answers = Answers("No answer layer; its state", (label,), values, shares=False)
    return TracedText(tuple(text), (trace,), answers, (False,), trace, notes=notes)


def _cut_note(length: int, read: int) -> tuple[str, ...]:
    return (f"The text has {length:,} characters; the first {read:,} were read.",) if length > read else ()


def _read_words(model: TextClassifier, text: str, clamps: Sequence[Clamp]) -> TracedText:
    reading = url_state.cached_reading(model, text, clamps=clamps)
    encoded = reading.encoded
    layers, reset_after = _shown(model.network, reading.layers, model.card.title)
    notes = []
    real = np.flatnonzero(encoded.ids != PAD)
    unknown = tuple(int(t) for t in np.flatnonzero(encoded.ids == UNKNOWN))
    if len(unknown) == len(real):
        notes.append("None of these tokens is in the network's vocabulary: this is how it reads unknown words alone.")
    elif unknown:
        notes.append(f"{len(unknown)} of {len(real)} tokens are not in the vocabulary; they are underlined with dots.")
    if encoded.cut:
        notes.append(f"The text has {tokens.number(encoded)}; the network read the first {len(real):,}.")
    if len(real) < len(encoded.ids):
        notes.append(
            f"This network always reads {len(encoded.ids)} tokens: {len(encoded.ids) - len(real)} padding tokens "
            "precede yours, and it reads them like text."
        )
    answer = f"{theme.class_name(reading.answer)}, {reading.confidence:.1%}"
    names = tuple(theme.class_name(label) for label in reading.labels)
    colours = tuple(theme.class_colours(reading.labels))
    if reading.causal:
        answers = Answers("If the text ended here", names, reading.probabilities, colours=colours)
    else:
        title = "Answer to the whole text (the network also reads backwards)"
        answers = Answers(title, names, reading.probabilities[-1:], colours=colours)
    first = int(real[0])
    return TracedText(encoded.tokens, layers, answers, reset_after, reading, unknown, tuple(notes), first, answer)


def _read_characters(model: TextGenerator, text: str, clamps: Sequence[Clamp]) -> TracedText:
    ids = model.alphabet.encode(text)
    if not len(ids):
        raise TextError("There is nothing to read: type some characters of the model's alphabet.")
    lost = model.alphabet.lost(text)
    notes: tuple[str, ...] = ()
    if lost:
        notes = (f"Left out, because they are not in the model's alphabet: {' '.join(lost[:20])}",)
    if model.reader.memory:
        notes += (f"This network reads the last {model.reader.memory} characters again for each one that it writes.",)
    text = readable(model, text)
    if not model.reader.memory:
        notes += _cut_note(len(ids), len(text))
    found = model.trace(text, clamps)
    layers, reset_after = _shown(model.network, found.layers, model.card.title)
    answers = Answers("Next character", found.alphabet, found.probabilities)
    return TracedText(found.tokens, layers, answers, reset_after, found, notes=notes, first=found.first)


def readable(model: TextGenerator, text: str) -> str:
    """As much of a text as a character model's microscope holds, in the model's alphabet."""
    most = MAX_BYTES // (9 * EXACT * max(layer.units for layer in model.reader.layers))
    ids = model.alphabet.encode(text)
    return model.alphabet.decode(ids if model.reader.memory else ids[:most])


def python(
    name: str, text: str, traced: TracedText, hand_set: HandSet | None, clamps: Sequence[Clamp], layer: int
) -> str:
    """The lines of Python that read a text as `read` did, and take the trace of one layer.

    Args:
        name: of the network.
        text: as it was typed.
        traced: what `read` returned.
        hand_set: as for `read`.
        clamps: as for `read`.
        layer: from 0.
    """
    if hand_set is not None:
        edited = None if np.array_equal(hand_set.table, NETWORKS[name].table) else hand_set.table
        return exhibit.hand_set_code(name, "".join(traced.tokens), clamps, edited)
    own = model_cache.is_own(name)
    if isinstance(traced.source, CharacterTrace):
        return exhibit.trace_code(name, traced.source.text, clamps, layer=layer, own=own)
    return exhibit.reading_code(name, text, clamps, layer=layer, own=own)


def _shown(network: Network, traces: Sequence[object], title: str) -> tuple[tuple[LayerTrace, ...], tuple[bool, ...]]:
    """The traces of the unidirectional layers, and `reset_after` of each; a ModelError if there is none."""
    layers = tuple(trace for trace in traces if isinstance(trace, LayerTrace))
    if not layers:
        why = "is bidirectional" if traces else "has no recurrent layer"
        raise ModelError(f"“{title}” {why}: choose another network.")
    operations = [node.operation for node in network.nodes if isinstance(node.operation, Recur)]
    return layers, tuple(operation.weights.reset_after for operation in operations)
