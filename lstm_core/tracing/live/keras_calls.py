"""Follows the calls of all layers inside a live Keras model while it runs eagerly.

Each layer gets, for one run and in one thread, a `call` of its own on the instance; the class isn't touched. Names are
paths through the nested layers, such as "encoder/bidirectional/backward".
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_ONE_AT_A_TIME = threading.RLock()


@dataclass
class Frame:
    """A call that is under way."""

    layer: Any
    name: str
    calls: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer.

    Attributes:
        layer: the live layer.
        name: its path in the model, with "#2" at the second call; "" for the model itself.
        arguments: the arguments of its `call` by name.
        original: runs the layer's own `call`.
        inside: the layers whose calls are under way, the outermost first.
    """

    layer: Any
    name: str
    arguments: dict[str, Any]
    original: Callable[[], Any]
    inside: tuple[Any, ...]


class Calls:
    """The calls of one run; `paused` while the observer itself calls layers."""

    def __init__(self, observe: Callable[[LayerCall], Any]) -> None:
        self.observe, self.thread = observe, threading.get_ident()
        self.stack: list[Frame] = []
        self.paused = False
        self.error: Exception | None = None  # as the observer raised it: Keras changes messages on their way up

    def of(self, layer: Any, original: Callable[..., Any]) -> Callable[..., Any]:
        """A `call` for a layer that goes through the observer."""
        signature = inspect.signature(original)

        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.paused or threading.get_ident() != self.thread:
                return original(*args, **kwargs)
            inside = tuple(frame.layer for frame in self.stack)
            self.stack.append(Frame(layer, self._name(layer)))
            try:
                bound = signature.bind(*args, **kwargs)
                path = "/".join(frame.name for frame in self.stack if frame.name)
                return self.observe(
                    LayerCall(layer, path, dict(bound.arguments), lambda: original(*args, **kwargs), inside)
                )
            except Exception as error:
                self.error = self.error or error
                raise
            finally:
                self.stack.pop()

        return call

    @contextmanager
    def pause(self) -> Iterator[None]:
        """While open, layers are called as if nobody followed."""
        self.paused = True
        try:
            yield
        finally:
            self.paused = False

    def _name(self, layer: Any) -> str:
        """The layer's name among the calls of the one that calls it."""
        import keras

        name = str(layer.name)
        if not self.stack:
            return name if isinstance(layer, keras.layers.RNN) else ""
        parent = self.stack[-1]
        if isinstance(parent.layer, keras.layers.Bidirectional):
            name = "backward" if layer is parent.layer.backward_layer else "forward"
        parent.calls[name] += 1
        number = parent.calls[name]
        # The calls of a TimeDistributed layer, one a step, become one batch.
        if number == 1 or isinstance(parent.layer, keras.layers.TimeDistributed):
            return name
        return f"{name}#{number}"


@contextmanager
def followed(model: Any, observe: Callable[[LayerCall], Any]) -> Iterator[Calls]:
    """While open, each call of a layer inside a model, and of the model itself, is answered by `observe`."""
    calls = Calls(observe)
    with _ONE_AT_A_TIME:
        changed: list[tuple[Any, str, Any]] = []
        try:
            for layer in {id(each): each for each in model._flatten_layers()}.values():
                for method, function in _methods(layer, calls).items():
                    changed.append((layer, method, vars(layer).get(method)))
                    object.__setattr__(layer, method, function)
            yield calls
        finally:
            for layer, method, before in changed:
                if before is None:
                    object.__delattr__(layer, method)
                else:
                    object.__setattr__(layer, method, before)


def _methods(layer: Any, calls: Calls) -> dict[str, Callable[..., Any]]:
    """What stands in for the layer's own methods."""
    method = "quantized_call" if getattr(layer, "quantization_mode", None) else "call"
    # On a GPU, Bidirectional may run both directions as one, past its layers.
    fused = [name for name in ("_can_attempt_fused_lstm", "_can_attempt_fused_gru") if hasattr(layer, name)]
    return {method: calls.of(layer, getattr(layer, method)), **dict.fromkeys(fused, lambda *args, **kwargs: False)}
