"""Arrays in batches of equal size, since a backend compiles a step once for each size: rows, or windows of a text."""

import keras
import numpy as np

from lstm_core.arrays import Array


class Rows(keras.utils.PyDataset):
    """Batches of `rows` rows, in another order each epoch; what doesn't fill a batch is left out of the epoch."""

    def __init__(
        self, x: Array, y: Array, batch: int, seed: int | None, partial: bool = False, weights: Array | None = None
    ) -> None:
        """`x`, `y`, `weights` (n, …); without a seed the order stays; `partial` keeps a last batch that isn't full."""
        super().__init__()
        self._arrays, self.rows = (x, y) if weights is None else (x, y, weights), min(batch, len(x))
        self._count = -(-len(x) // self.rows) if partial else len(x) // self.rows
        self._random = None if seed is None else np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return self._count

    @property
    def sizes(self) -> list[int]:
        """The rows of each batch."""
        return [min(self.rows, len(self._order) - first) for first in range(0, self._count * self.rows, self.rows)]

    def __getitem__(self, index: int) -> tuple[Array, ...]:
        rows = self._order[index * self.rows : (index + 1) * self.rows]
        return tuple(part[rows] for part in self._arrays)

    def on_epoch_end(self) -> None:
        """Prepare the next epoch."""
        count = len(self._arrays[0])
        self._order = np.arange(count) if self._random is None else self._random.permutation(count)


class TextWindows(keras.utils.PyDataset):
    """Batches of `rows` windows of a text and the ids that follow: x and y (rows, length); another cut each epoch."""

    def __init__(self, ids: Array, length: int, batch: int, seed: int | None) -> None:
        """`ids` (n,) with n above `length`; without a seed, the windows stand one behind the other."""
        super().__init__()
        self._ids, self._length = ids, length
        self.rows = min(batch, (len(ids) - 1) // length)
        self._random = None if seed is None else np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._starts) // self.rows

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        starts = self._starts[index * self.rows : (index + 1) * self.rows]
        places = starts[:, None] + np.arange(self._length)  # (batch, length)
        return self._ids[places], self._ids[places + 1]

    def on_epoch_end(self) -> None:
        """Prepare the next epoch."""
        count = (len(self._ids) - 1) // self._length
        starts = np.arange(count) * self._length
        if self._random is not None:
            spare = len(self._ids) - 1 - count * self._length
            starts = self._random.permutation(starts + int(self._random.integers(spare + 1)))
        self._starts = starts
