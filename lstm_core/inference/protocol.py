"""What every loaded model offers, and what the modules of single tasks share."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.library.card import ModelCard
from lstm_core.library.store import load_keras
from lstm_core.nn.network import Network
from lstm_core.nn.saved import SavedLayer, SavedNetwork


class Model:
    """A loaded model of any task, as `load` returns it; it never changes, so it is safe to share.

    What it answers depends on its task: the class in `card.task`'s module has those methods.
    """

    card: ModelCard  # what it is, how it was trained, what it reached
    network: Network  # its layers, which run in NumPy; where a task runs them in its own way, it sets `_saved` instead
    folder: Path | None = None  # where it was loaded from; None if it was made in memory
    _saved: SavedNetwork | None = None

    @property
    def saved(self) -> SavedNetwork:
        """Its layers and their arrays."""
        return self._saved or self.network.saved

    def keras(self) -> Any:
        """The Keras model, loaded from its file, which imports Keras.

        Raises:
            ModelError: if the model has no file, or its file is damaged.
        """
        if self.folder is None:
            raise ModelError(f"The model '{self.card.name}' was not loaded from a file.")
        return load_keras(self.folder)


Expected = tuple[str, tuple[str, ...], Mapping[str, Any]]  # the kind, parents and settings that a layer must have


def named_layers(
    card: ModelCard, saved: SavedNetwork, expected: Mapping[str, Expected], kind: str
) -> dict[str, SavedLayer]:
    """The layers of a network by their names.

    Args:
        card: of the model, for the error.
        saved: the network.
        expected: the layers that it must have, by name.
        kind: what the network should be, for the error.

    Raises:
        ModelError: if a layer is missing or another one: what is computed here wouldn't be what Keras computes.
    """
    found = {layer.name: layer for layer in saved.layers if layer.name in expected}
    if missing := [name for name in expected if name not in found]:
        raise ModelError(f"The model '{card.name}' is no {kind}: its layer '{missing[0]}' is missing.")
    for name, (layer_kind, parents, settings) in expected.items():
        own = found[name]
        rest = {key: own.settings.get(key) for key in settings}
        if (own.kind, own.parents) != (layer_kind, parents) or rest != settings:
            how = " and ".join(f"{key}={value}" for key, value in settings.items())
            raise ModelError(
                f"The model '{card.name}' is no {kind}: its layer '{name}' must be of the kind {layer_kind}, read from "
                f"{' and '.join(parents)}{', and have ' * bool(how)}{how}."
            )
    return found


def weighted_figures(model: Model, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`model`, `examples` and `accuracy` of rows of `count` and `accuracy`, each row weighted by its count."""
    examples = sum(row["count"] for row in rows)
    accuracy = sum(row["accuracy"] * row["count"] for row in rows) / examples
    return {"model": model.card.name, "examples": examples, "accuracy": accuracy}
