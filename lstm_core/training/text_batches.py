"""Encoded texts in batches, as training reads them: shuffled, augmented, with soft or hard targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from lstm_core.arrays import Array
from lstm_core.text.encoder import PAD, UNKNOWN, Bigrams

Inputs = tuple[Array, ...]
# Batches are padded to a multiple of this, so that Keras compiles a handful of shapes, not hundreds.
LENGTH_STEP = 64


def pad(ids: Sequence[Array], up_to: int) -> Array:
    """One batch of n arrays of ids, (n, length) int32, padded with zeros at the end.

    The length is that of the longest, rounded up to `LENGTH_STEP` as far as `up_to` allows.
    """
    longest = max(len(row) for row in ids)
    batch = np.zeros((len(ids), max(longest, min(up_to, -(-longest // LENGTH_STEP) * LENGTH_STEP))), np.int32)
    for row, values in zip(batch, ids, strict=True):
        row[: len(values)] = values
    return batch


@dataclass(frozen=True)
class Prefixes:
    """Prefixes of questions that are made to name a language; what they name is their label, since little else is said.

    Attributes:
        share: of the texts that are replaced by one.
        blank: the id of the data set's "blank".
        names: (classes,) the id of each class's own name.
    """

    share: float
    blank: int
    names: tuple[int, ...]
    pairs: Bigrams | None

    def sample(self, texts: Sequence[Inputs], random: np.random.Generator) -> tuple[Inputs, Array]:
        """(the first 10…60 tokens of one of the texts with every "blank" named, its target)."""
        ids = texts[int(random.integers(len(texts)))][0]
        label = int(random.integers(len(self.names)))
        first = int(np.argmax(ids == self.blank))
        ids = ids[: max(int(random.integers(10, 60)), first + 2)].copy()
        ids[ids == self.blank] = self.names[label]
        target = np.full(len(self.names), 0.06 / len(self.names), np.float32)
        target[label] += 0.94
        pairs = () if self.pairs is None else (np.array(self.pairs.encode(ids.tolist()), np.int32),)
        return (ids, *pairs), target

    def among(self, texts: Sequence[Inputs]) -> list[Inputs]:
        """The texts that say "blank" early enough."""
        return [inputs for inputs in texts if self.blank in inputs[0][:60]]


@dataclass(frozen=True)
class Augmentation:
    """What is sampled anew each time a text is read; shares are 0…1.

    Attributes:
        named: share of the texts of which the second reading is taken, with the hard target.
        unknown: share of the tokens that become "unknown", and their pair with them.
        deleted: share of the tokens that are left out.
        anywhere: read `length` tokens from anywhere in the text, or else the first.
    """

    named: float = 0.0
    unknown: float = 0.0
    deleted: float = 0.0
    anywhere: bool = False
    prefixes: Prefixes | None = None


class TextBatches(keras.utils.PyDataset):
    """Batches of ids and targets. Texts of like length share a batch, so that little is padding.

    Each text has one or two readings (as in the data; with its language's name restored), of
    which one is chosen at random in each epoch.

    Args:
        readings: one or two lists of the inputs of n texts, each a tuple of (T,) ids.
        targets: (n, outputs) float32; what the first reading should be answered with.
        hard: (n, outputs), the same for the second; None for `targets`.
        batch: texts a batch.
        length: the most tokens that are read.
        augmentation: none where it is None.
        twice: read each text of a batch twice, with other words dropped; the second half is in the order of the first.
        seed: None reads every text as it is, in order of length.
    """

    def __init__(
        self,
        readings: Sequence[Sequence[Inputs]],
        targets: Array,
        *,
        hard: Array | None = None,
        batch: int,
        length: int,
        augmentation: Augmentation | None = None,
        twice: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self._readings, self._targets = readings, targets
        self._hard = targets if hard is None else hard
        self._batch, self._length, self._augmentation = batch, length, augmentation or Augmentation()
        self._times = 2 if twice else 1
        self._random = None if seed is None else np.random.default_rng(seed)
        self._prefixes = self._augmentation.prefixes.among(readings[0]) if self._augmentation.prefixes else []
        self._lengths = np.array(
            [min(len(inputs[0]) * (1 - self._augmentation.deleted), length) for inputs in readings[0]]
        )
        self._plan = self._planned()

    @property
    def plain(self) -> Sequence[Inputs]:
        """The texts as they are in the data."""
        return self._readings[0]

    def __len__(self) -> int:
        return len(self._plan)

    @property
    def sizes(self) -> list[int]:
        """The rows of each batch of this epoch."""
        return [len(texts) * self._times for texts in self._plan]

    def __getitem__(self, index: int) -> tuple[Any, Array]:
        chosen = self._plan[index]
        rows, targets = zip(*(self._read(text) for text in chosen), strict=True)
        inputs = tuple(pad(ids * self._times, up_to=self._length) for ids in zip(*rows, strict=True))
        if self._random is not None and self._augmentation.unknown:
            dropped = self._random.random(inputs[0].shape) < self._augmentation.unknown
            for ids in inputs:
                ids[dropped & (ids != PAD)] = UNKNOWN
        return inputs if len(inputs) > 1 else inputs[0], np.stack(targets * self._times)

    def _read(self, text: int) -> tuple[Inputs, Array]:
        """One text's ids and target, with its augmentation."""
        inputs, random, augmentation = self._readings[0][text], self._random, self._augmentation
        if random is None:
            return tuple(ids[: self._length] for ids in inputs), self._targets[text]
        if augmentation.prefixes is not None and self._prefixes and random.random() < augmentation.prefixes.share:
            return augmentation.prefixes.sample(self._prefixes, random)
        target = self._targets[text]
        if len(self._readings) > 1 and random.random() < augmentation.named:
            inputs, target = self._readings[1][text], self._hard[text]
        return self._cut(inputs, random), target

    def _cut(self, inputs: Inputs, random: np.random.Generator) -> Inputs:
        whole = round(self._length / (1 - self._augmentation.deleted))
        spare = len(inputs[0]) - whole
        first = int(random.integers(spare + 1)) if self._augmentation.anywhere and spare > 0 else 0
        inputs = tuple(ids[first : first + whole] for ids in inputs)
        if self._augmentation.deleted:
            kept = random.random(len(inputs[0])) >= self._augmentation.deleted
            kept[random.integers(len(kept))] = True  # something is left to read
            inputs = tuple(ids[kept][: self._length] for ids in inputs)
        return tuple(ids[: self._length] for ids in inputs)

    def on_epoch_end(self) -> None:
        """Prepare the next epoch."""
        self._plan = self._planned()

    def _planned(self) -> list[Array]:
        if self._random is None:
            order = np.argsort(self._lengths, kind="stable")
            return np.split(order, range(self._batch, len(order), self._batch))
        order = self._random.permutation(len(self._lengths))
        pool = self._batch * 32  # sorted by length within a pool, so batches stay random between epochs
        pools = [part[np.argsort(self._lengths[part], kind="stable")] for part in _split(order, pool)]
        plan = [rows for part in pools for rows in _split(part, self._batch)]
        return [plan[index] for index in self._random.permutation(len(plan))]

    def answers(self, model: keras.Model) -> Array:
        """(n, outputs): what a model answers to each text, in the order of the texts."""
        found = np.zeros_like(self._targets)
        for index, rows in enumerate(self._plan):
            found[rows] = np.asarray(model.predict_on_batch(self[index][0]))
        return found


def _split(order: Array, size: int) -> list[Array]:
    return np.split(order, range(size, len(order), size))
