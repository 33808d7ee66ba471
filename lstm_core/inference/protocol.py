"""What every loaded model offers, and what the modules of single tasks share."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lstm_core.errors import ModelError
from lstm_core.library.card import ModelCard


class Model(Protocol):
    """A loaded model of any task, as `load` returns it; it never changes, so it is safe to share.

    What it answers depends on its task: the class in `card.task`'s module has those methods.
    """

    @property
    def card(self) -> ModelCard:
        """What it is, how it was trained, what it reached."""

    @property
    def model(self) -> Any:
        """The Keras model."""


def named_layers(card: ModelCard, model: Any, names: Sequence[str], kind: str) -> dict[str, Any]:
    """The layers of a Keras model by their names.

    Args:
        card: of the model, for the error.
        model: the Keras model.
        names: the layers that it must have.
        kind: what the network should be, for the error.

    Raises:
        ModelError: if a layer is missing.
    """
    found = {layer.name: layer for layer in model.layers if layer.name in names}
    if missing := [name for name in names if name not in found]:
        raise ModelError(f"The model '{card.name}' is no {kind}: its layer '{missing[0]}' is missing.")
    return found


def weighted_figures(model: Model, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`model`, `examples` and `accuracy` of rows of `count` and `accuracy`, each row weighted by its count."""
    examples = sum(row["count"] for row in rows)
    accuracy = sum(row["accuracy"] * row["count"] for row in rows) / examples
    return {"model": model.card.name, "examples": examples, "accuracy": accuracy}
