"""The layers in the weights of a PyTorch network, as far as the names and shapes of its arrays say it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lstm_core.tracing.files.tensors import StoredTensor
from lstm_core.tracing.model_report import InputReport, LayerReport
from lstm_core.tracing.state_dict import TorchStacks

CLASSES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


def torch_layers(tensors: Mapping[str, StoredTensor], network: TorchStacks | None) -> list[LayerReport]:
    """The modules that have weights, in the order of the file.

    Args:
        tensors: of the file, by name.
        network: the recurrent modules; None if they can't be traced.
    """
    modules: dict[str, dict[str, StoredTensor]] = {}
    for name, tensor in tensors.items():
        module, _, last = name.rpartition(".")
        modules.setdefault(module, {})[last] = tensor
    stacks = {stack.name: stack for stack in network.stacks} if network else {}
    found = []
    for module, arrays in modules.items():
        count = sum(tensor.size for tensor in arrays.values())
        recurrent = any("weight_hh" in name for name in arrays)
        stack = stacks.get(module) or (network.stacks[0] if network and recurrent and not module else None)
        if stack:
            layers = f", {len(stack.layers)} layers" if len(stack.layers) > 1 else ""
            kind = f"{CLASSES[stack.kind]}{layers}{', bidirectional' if stack.directions > 1 else ''}"
            shape = (None, None, stack.units * stack.directions)
            found.append(LayerReport(stack.name, kind, shape, count, traced=True))
        else:
            kind, width = _kind(module, arrays)
            found.append(LayerReport(module or "(no name)", kind, (None, None, width) if width else None, count))
    return found


def _kind(module: str, arrays: Mapping[str, StoredTensor]) -> tuple[str, int | None]:
    """What a module looks like, and the width of its output where that is sure."""
    weight = arrays.get("weight")
    if any("weight_hh" in name for name in arrays):
        return "LSTM, GRU or RNN", None
    if "running_mean" in arrays:
        return "BatchNorm", arrays["running_mean"].shape[0] if arrays["running_mean"].shape else None
    if weight is None:
        return "tensors", None
    if len(weight.shape) == 1:
        return "LayerNorm", weight.shape[0]
    if len(weight.shape) > 2:
        return f"Conv{len(weight.shape) - 2}d", None
    if "bias" in arrays:
        return "Linear", weight.shape[0]
    return ("Embedding", weight.shape[1]) if re.search("emb|wte", module.lower()) else ("Embedding or Linear", None)


def torch_inputs(network: TorchStacks) -> list[InputReport]:
    """What the first recurrent module reads."""
    stack = network.stacks[0]
    numbers = f"numbers of shape (batch, T, {stack.features})"
    name = network.embedding_for(stack)
    ids = f"ids 0…{len(network.embeddings[name]) - 1} of shape (batch, T), by way of '{name}', or " if name else ""
    return [InputReport(stack.name, (None, None, stack.features), ids + numbers)]
