"""Clamps of a whole network by the names of its recurrent layers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lstm_core.nn.clamps import Clamp


def clamps_by_name(clamps: Iterable[Clamp], names: Sequence[str]) -> dict[str, tuple[Clamp, ...]]:
    """The clamps of each recurrent layer.

    Args:
        clamps: their `layer` is a name, that of a layer with several parts, such as a bidirectional one, or a number,
            which is that of both directions of one layer.
        names: of the recurrent layers, in their order.

    Raises:
        ValueError: if there is no such layer.
    """
    found: dict[str, tuple[Clamp, ...]] = {}
    layers = list(dict.fromkeys(re.sub("/(forward|backward)$", "", name) for name in names))
    for clamp in clamps:
        wanted = layers[int(clamp.layer)] if clamp.layer in range(len(layers)) else clamp.layer
        own = [name for name in names if name == wanted or name.startswith(f"{wanted}/")]
        if not own:
            raise ValueError(f"A clamp names layer {wanted!r}; there are {len(layers)}, from 0: {', '.join(layers)}.")
        for name in own:
            found[name] = (*found.get(name, ()), clamp)
    return found
