"""The weights of a small network after each epoch, as 16-bit floats, and the loaded model of any of those epochs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.network import Network

MOST_BYTES = 12_000_000
LARGEST_HALF = float(np.finfo(np.float16).max)


def pack_checkpoints(kept: Sequence[Sequence[Array]]) -> dict[str, Any] | None:
    """Weights, untrained and after each epoch, ready to travel; None where none were kept.

    Where all together would be more than `MOST_BYTES`, every second, third … epoch stays, and always the last.

    Returns:
        `epochs` (numbers, 0 is untrained), `shapes` of the arrays, and `weights`, one block of bytes an epoch.
    """
    if not kept:
        return None
    size = 2 * sum(each.size for each in kept[0])
    every = max(1, -(-size * len(kept) // MOST_BYTES))
    epochs = sorted({*range(0, len(kept), every), len(kept) - 1})
    return {
        "epochs": epochs,
        "shapes": [list(each.shape) for each in kept[0]],
        "weights": [_halves(kept[epoch]) for epoch in epochs],
    }


def _halves(weights: Sequence[Array]) -> bytes:
    flat = np.concatenate([each.ravel() for each in weights])
    return np.clip(flat, -LARGEST_HALF, LARGEST_HALF).astype("<f2").tobytes()


def weights_at_epoch(snapshots: dict[str, Any], epoch: int) -> list[Array]:
    """The weights of one of the epochs that were kept, float32, in Keras's order.

    Raises:
        ModelError: if that epoch wasn't kept, or the block is damaged.
    """
    if epoch not in snapshots["epochs"]:
        raise ModelError(
            f"No weights were kept of epoch {epoch}; there are {', '.join(map(str, snapshots['epochs']))}."
        )
    flat = np.frombuffer(snapshots["weights"][snapshots["epochs"].index(epoch)], "<f2").astype(np.float32)
    sizes = [int(np.prod(shape)) for shape in snapshots["shapes"]]
    if len(flat) != sum(sizes):
        raise ModelError("The weights that were kept are damaged; train again.")
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, snapshots["shapes"], strict=True)]


def model_at_epoch(loaded: Any, snapshots: dict[str, Any], epoch: int) -> Any:
    """A loaded model as it was after an epoch; the one that is given stays as it is.

    Args:
        loaded: what `library.load` gave for the trained model: any task.
        snapshots: from `pack`.
        epoch: 0 for untrained.

    Raises:
        ModelError: as `weights_at`, or if the weights don't belong to this network.
    """
    weights = weights_at_epoch(snapshots, epoch)
    try:
        network = Network(loaded.saved.with_weights(weights))
    except ValueError as error:
        raise ModelError("The weights that were kept belong to another network; train again.") from error
    if hasattr(loaded, "reader"):  # a character model makes its reader from the network
        return type(loaded)(loaded.card, loaded.alphabet, network)
    return replace(loaded, network=network)
