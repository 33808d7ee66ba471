"""A trained text classifier: its answer, and everything it computes for it.

`read` keeps every gate, state and intermediate answer of one text; `predict` answers many texts at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import TextError
from lstm_core.exhibit import CellTrace, Exhibit, class_answers, class_colours, class_name, markup, reading_frame
from lstm_core.inference.protocol import Model
from lstm_core.library.card import ModelCard, misfit
from lstm_core.library.store import read_network, read_vocabulary
from lstm_core.nn.clamp_syntax import clamp_notes, format_clamps
from lstm_core.nn.integrated_gradients import Attribution, integrated_gradients
from lstm_core.nn.network import Network
from lstm_core.nn.trace import BidirectionalTrace, Clamp, LayerTrace
from lstm_core.text.encoder import PAD, UNKNOWN, Encoder, Encoding

CHUNK = 512  # texts between two reports of progress


@dataclass(frozen=True)
class Reading(Exhibit):
    """One text, read token by token; T is the number of tokens that were read.

    Attributes:
        text: as given.
        encoded: its tokens, their places and ids, and what was cut off, masked or unknown.
        labels: the classes, in the order of the columns of `probabilities`.
        probabilities: (T, classes) float32, the answer for the text up to each token; rows sum to 1.
        layers: one trace a recurrent layer.
        causal: False if the network also reads backwards: then only the last row is an answer.
        clamps: the signals that were clamped.
    """

    text: str
    encoded: Encoding
    labels: tuple[str, ...]
    probabilities: Array
    layers: tuple[LayerTrace | BidirectionalTrace, ...]
    causal: bool = True
    clamps: tuple[Clamp, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """Length T: the tokens as in the vocabulary."""
        return self.encoded.tokens

    @property
    def answer(self) -> str:
        """The most probable class after the last token."""
        return self.labels[int(self.probabilities[-1].argmax())]

    @property
    def confidence(self) -> float:
        """The probability of `answer`, 0…1."""
        return float(self.probabilities[-1].max())

    def exhibits(self, sequence: int = 0) -> Mapping[str, LayerTrace]:
        """Each layer by its name, or NAME/forward and NAME/backward; see `Exhibit`."""
        found: dict[str, LayerTrace] = {}
        for number, layer in enumerate(self.layers):
            if isinstance(layer, LayerTrace):
                found[layer.name] = layer
            else:
                found |= {f"bidirectional {number}/{name}": half for name, half in layer.exhibits().items()}
        return found

    def to_dataframe(self) -> Any:
        """One row a timestep and token; columns by layer, signal and unit, and ("answer", "p", LABEL) in front."""
        return reading_frame(self.tokens, self.labels, self.probabilities, self.exhibits())

    def arrays(self) -> dict[str, Array]:
        """The names of each layer after "layers/NUMBER/", and text, tokens, ids, labels, probabilities and clamps.

        `text` is one string and `clamps` a string each, in the notation of `nn.format_clamps` after the layer's number
        and a colon; `tokens` are (T,), `ids` (T,), `labels` (classes,), `probabilities` (T, classes).
        """
        found = {
            "text": np.array(self.text),
            "tokens": np.array(self.tokens),
            "ids": np.asarray(self.encoded.ids),
            "labels": np.array(self.labels),
            "probabilities": self.probabilities,
            "clamps": np.array(clamp_notes(self.clamps), "U"),
        }
        for number, layer in enumerate(self.layers):
            found |= {f"layers/{number}/{name}": values for name, values in layer.arrays().items()}
        return found

    def _heading(self) -> str:
        colours = class_colours(self.labels)
        best = self.probabilities.argmax(axis=1)  # (T,)
        strengths = self.probabilities.max(axis=1).tolist()
        titles = [
            f"{t + 1} {token}: {class_name(self.labels[label])} {p:.1%}"
            for t, (token, label, p) in enumerate(zip(self.tokens, best, strengths, strict=True))
        ]
        shares = [(class_name(label), f"{p:.1%}") for label, p in zip(self.labels, self.probabilities[-1], strict=True)]
        tokens = markup.tinted(self.tokens, [colours[label] for label in best], strengths, titles)
        return "".join(map(markup.paragraph, self._sentences())) + markup.facts(shares) + tokens

    def _tokens(self) -> Sequence[str]:
        return self.tokens

    def _text(self) -> str:
        return self.text

    def _sentences(self) -> Sequence[str]:
        said = [f"Answer: {class_name(self.answer)}, {self.confidence:.1%}, after {len(self.tokens)} tokens"]
        return [*said, f"Clamped: {format_clamps(self.clamps)}"] if self.clamps else said

    def _view_options(self, trace: CellTrace) -> dict[str, Any]:
        names, colours = [class_name(label) for label in self.labels], class_colours(self.labels)
        halves = [list(layer.exhibits().values()) for layer in self.layers]  # of each layer, or itself
        number = next((n for n, own in enumerate(halves) if any(each is trace for each in own)), 0)
        probabilities = self.probabilities[trace.timesteps] if self.causal else self.probabilities
        return {
            "unknown": np.flatnonzero(self.encoded.ids[trace.timesteps] == UNKNOWN).tolist(),
            "answers": class_answers(names, probabilities, colours, causal=self.causal),
            "clamps": [clamp for clamp in self.clamps if clamp.layer == number],
        }


@dataclass(frozen=True)
class TokenModel(Model):
    """A loaded network over the tokens of a text. It never changes, so it is safe to share."""

    card: ModelCard
    encoder: Encoder
    network: Network
    folder: Path | None = None


class TextClassifier(TokenModel):
    """A loaded classifier; made by `lstm_core.load`."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the order of every array of probabilities."""
        return self.card.labels

    def predict(self, texts: Sequence[str], *, mask_names: bool | None = None) -> Array:
        """(n, classes) float32, the answers for n texts; `mask_names` as in `read`.

        Raises:
            TextError: naming the first text without a token.
        """
        if isinstance(texts, str):
            raise TypeError("predict takes a list of texts; for one text write predict([text]).")
        encoded = []
        for number, text in enumerate(texts):
            try:
                encoded.append(self.encoder.encode(text, mask_names))
            except TextError as error:
                raise TextError(f"Text {number + 1} of {len(texts)} is empty: there is nothing to read.") from error
        return self._predict_encoded(encoded)

    def _predict_encoded(
        self, encoded: Sequence[Encoding], report: Callable[[float], object] = lambda share: None
    ) -> Array:
        found = []
        for first in range(0, len(encoded), CHUNK):
            part = encoded[first : first + CHUNK]
            found.append(self.network.answers(*zip(*(text.inputs for text in part), strict=True)))
            report(min(first + CHUNK, len(encoded)) / len(encoded))
        return with_both_classes(np.concatenate(found)) if found else np.zeros((0, len(self.labels)), np.float32)

    def read(self, text: str, clamps: Iterable[Clamp] = (), *, mask_names: bool | None = None) -> Reading:
        """Read one text and keep everything.

        Args:
            text: any string with at least one token in it.
            clamps: signals to clamp.
            mask_names: whether names of programming languages are masked; None for the encoder's own setting.

        Raises:
            TextError: if there is nothing to read.
            ValueError: if a clamp names a signal, unit, timestep or layer that doesn't exist.
        """
        clamps = tuple(clamps)
        encoded = self.encoder.encode(text, mask_names)
        run = self.network.run(*encoded.inputs, clamps=clamps)
        probabilities = with_both_classes(run.output)
        return Reading(text, encoded, self.labels, probabilities, run.traces, self.network.causal, clamps)

    def attribute(self, text: str, label: str | None = None, *, mask_names: bool | None = None) -> Attribution:
        """The contribution of each token to one class: integrated gradients over the embeddings.

        Args:
            text: what `read` takes.
            label: the class to explain; None for the answer.
            mask_names: see `read`.

        Returns:
            (T,) nats of log-odds a token, with `.label`, `.score`, `.baseline` (every token unknown) and `.residual`,
            the difference of score - baseline and their sum.

        Raises:
            TextError: if there is nothing to read.
            ValueError: if there is no such class.
            ModelError: if the network can't be explained this way.
        """
        encoded = self.encoder.encode(text, mask_names)
        chosen = self._class(label, encoded)
        blank = tuple(np.where(ids == PAD, PAD, UNKNOWN) for ids in encoded.inputs)
        return integrated_gradients(self.network, encoded.inputs, blank, chosen, self.labels[chosen])

    def leave_one_out(
        self,
        text: str,
        label: str | None = None,
        *,
        mask_names: bool | None = None,
        report: Callable[[float], object] = lambda share: None,
    ) -> Array:
        """The log-odds of a class that are lost when each token is made unknown, in nats.

        Args:
            text: as in `attribute`; so are the errors.
            label: as in `attribute`.
            mask_names: see `read`.
            report: called with the share that is done, 0…1.

        Returns:
            (T,) float; above 0 where the token supports the class.
        """
        encoded = self.encoder.encode(text, mask_names)
        chosen = self._class(label, encoded)
        variants = [encoded]
        for t, identity in enumerate(encoded.ids):
            ids = encoded.ids.copy()
            ids[t] = PAD if identity == PAD else UNKNOWN
            pairs = self.encoder.pairs  # those with the token are unknown too
            pair_ids = None if pairs is None else np.array(pairs.encode(ids.tolist()))
            variants.append(replace(encoded, ids=ids, pair_ids=pair_ids))
        p = self._predict_encoded(variants, report)[:, chosen].astype(float)
        odds = np.log(np.maximum(p, 1e-12)) - np.log(np.maximum(1 - p, 1e-12))
        return odds[0] - odds[1:]

    def _class(self, label: str | None, encoded: Encoding) -> int:
        if label is None:
            return int(with_both_classes(self.network.run(*encoded.inputs).output)[-1].argmax())
        if label not in self.labels:
            raise ValueError(f"There is no class '{label}'; there are {', '.join(self.labels)}.")
        return self.labels.index(label)


def with_both_classes(output: Array) -> Array:
    """(n, classes) from a network's (n, classes or 1) output: a single unit is the second of two classes."""
    return output if output.shape[1] > 1 else np.concatenate([1 - output, output], axis=1)


def load_classifier(folder: Path, card: ModelCard) -> TextClassifier:
    """A text classifier from its folder; raises ModelError as `inference.load` does."""
    encoder = read_vocabulary(folder, Encoder.from_json)
    network = Network(read_network(folder))
    if why := _misfit(card, encoder, network):
        raise misfit(card, why)
    return TextClassifier(card, encoder, network, folder)


def _misfit(card: ModelCard, encoder: Encoder, network: Network) -> str:
    """Why a network doesn't fit its encoder or card; empty if it does."""
    embeddings = [layer for layer in network.saved.layers if layer.kind == "Embedding"]
    known = [len(encoder.vocabulary)] + ([] if encoder.pairs is None else [len(encoder.pairs)])
    rows = {layer.parents[0]: len(layer.weights[0]) for layer in embeddings}
    if [rows.get(name) for name in network.inputs] != known or len(embeddings) != len(known):
        sizes = " and ".join(str(len(layer.weights[0])) for layer in embeddings) or "no"
        return f"the vocabulary has {' and '.join(map(str, known))} ids, the network {sizes}"
    length = network.saved.shape(network.inputs[0])[0]
    if length not in (None, encoder.length if encoder.padding else None):
        return f"the network reads exactly {length} tokens"
    if encoder.padding and any(layer.settings["mask_zero"] for layer in embeddings):
        return "texts are padded with what the network skips"
    if network.returns_sequences or network.width not in (len(card.labels), 1 if len(card.labels) == 2 else None):
        return f"the card has {len(card.labels)} labels, the network's answer has {network.width} values"
    return ""
