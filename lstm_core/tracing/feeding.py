"""What the network in a file is fed with: ids, numbers or texts, how many of them, and for how many timesteps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lstm_core.tracing.graph import Graph
from lstm_core.tracing.graph_file import refs_in
from lstm_core.tracing.open_file import Saved


@dataclass(frozen=True)
class FeedSpec:
    """One input.

    Attributes:
        name: as in the network.
        kind: "ids" where an embedding reads it, "texts" where a TextVectorization does, else "numbers".
        size: the number of ids, from 0; or of features.
        sequence: whether it has timesteps.
        steps: how many timesteps it must have; None for any number.
    """

    name: str
    kind: Literal["ids", "numbers", "texts"]
    size: int
    sequence: bool = True
    steps: int | None = None


def feeds(network: Saved) -> tuple[FeedSpec, ...]:
    """Each input of a network that was read from a file."""
    if not isinstance(network, Graph):
        stack = network.stacks[0]
        table = network.embedding_for(stack)
        if table:
            return (FeedSpec(table, "ids", len(network.embeddings[table])),)
        return (FeedSpec(stack.name or "input", "numbers", stack.features),)
    return tuple(_of_input(network, spec.name, tuple((spec.shape or (None,))[1:])) for spec in network.specs)


def _of_input(graph: Graph, name: str, shape: tuple[int | None, ...]) -> FeedSpec:
    readers = [
        layer
        for node in graph.nodes
        if any(ref.layer == name for ref in refs_in(node))
        for layer in [graph.layers[node.layer]]
    ]
    for layer in readers:
        if layer.graph is not None:  # a nested network: what its own input is
            inner = _of_input(layer.graph, layer.graph.inputs[0].layer, shape)
            if inner.kind != "numbers":
                return FeedSpec(name, inner.kind, inner.size, inner.sequence, inner.steps)
        if layer.kind == "TextVectorization":
            return FeedSpec(name, "texts", 1, sequence=False)
        if layer.kind == "Embedding":
            return FeedSpec(name, "ids", int(layer.settings["input_dim"]), steps=shape[0] if shape else None)
    if len(shape) < 2:
        return FeedSpec(name, "numbers", int((shape[0] if shape else 1) or 1), sequence=False)
    return FeedSpec(name, "numbers", int(shape[-1] or 1), steps=shape[0])
