"""A view as Python: the lines that compute it again, written so that any text and any clamp survives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lstm_core.exhibit.cell_trace import ClampLike

_WIDTH = 100  # characters of a line above which the arguments of a call get lines of their own


def clamps_code(clamps: Iterable[ClampLike]) -> str:
    """A list of clamps, such as `[lstm_core.Clamp("f", 0.0)]`; "" if there are none."""
    parts = ", ".join(_clamp(clamp) for clamp in clamps)
    return f"[{parts}]" if parts else ""


def _clamp(clamp: ClampLike) -> str:
    layer = repr(clamp.layer) if clamp.layer else ""
    places = {"units": _places(clamp.units), "timesteps": _places(clamp.timesteps), "layer": layer}
    given = "".join(f", {name}={value}" for name, value in places.items() if value)
    return f"lstm_core.Clamp({clamp.gate!r}, {float(clamp.value)!r}{given})"


def _places(chosen: Sequence[int] | int | None) -> str:
    """Positions as code: a range where they follow each other; "" for all."""
    if chosen is None:
        return ""
    numbers = [int(each) for each in np.atleast_1d(chosen)]
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"range({numbers[0]}, {numbers[-1] + 1})"
    return repr(numbers)


def call(function: str, *arguments: Any, **named: str) -> str:
    """A call on one line, or with a line for each argument if that is long.

    Args:
        function: its name.
        *arguments: values, written by `repr`.
        **named: code, by the argument's name; an empty one is left out.
    """
    parts = [*map(repr, arguments), *(f"{name}={code}" for name, code in named.items() if code)]
    line = f"{function}({', '.join(parts)})"
    return line if len(line) <= _WIDTH else f"{function}(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def program(*statements: str, imports: Sequence[str] = ("import lstm_core",)) -> str:
    """Statements below their imports."""
    return "\n".join([*imports, "", *statements]) + "\n"


def loading(name: str, *, own: bool = False) -> str:
    """The statement that loads a model.

    Args:
        name: of the model.
        own: whether it is a visitor's, whose file lies wherever it was downloaded to.
    """
    if own:
        return 'model = lstm_core.load("model.zip")  # the file that “Your models” in the training studio downloads'
    return f"model = lstm_core.load({name!r})"


def reading_code(
    name: str, text: str, clamps: Iterable[ClampLike] = (), *, layer: int = 0, own: bool = False, **named: str
) -> str:
    """The lines that read a text with a classifier.

    Args:
        name: of the model.
        text: as it was typed.
        clamps: those of the view.
        layer: of which the trace is taken, from 0.
        own: see `loading`.
        **named: further arguments of `TextClassifier.read`, as code.
    """
    return program(
        loading(name, own=own),
        "reading = " + call("model.read", text, clamps=clamps_code(clamps), **named),
        "print(reading.answer, reading.confidence)",
        _of_layer("reading", layer),
    )


def trace_code(name: str, text: str, clamps: Iterable[ClampLike] = (), *, layer: int = 0, own: bool = False) -> str:
    """The lines that read a text with a character model; arguments as of `reading_code`."""
    return program(
        loading(name, own=own),
        "reading = " + call("model.trace", text, clamps=clamps_code(clamps)),
        _of_layer("reading", layer),
    )


def hand_set_code(name: str, text: str, clamps: Iterable[ClampLike] = (), table: Any = None) -> str:
    """The lines that read a text with a hand-set network.

    Args:
        name: of the network.
        text: as it was typed.
        clamps: those of the view.
        table: its weights as rows, if they have been edited.
    """
    edited = "" if table is None else f".with_table({np.asarray(table).tolist()!r})"
    return program(
        f"network = NETWORKS[{name!r}]{edited}",
        "trace = " + call("network.read", text, clamps=clamps_code(clamps)) + _SIGNALS,
        imports=("import lstm_core", "from lstm_core.nn import NETWORKS"),
    )


_SIGNALS = "  # .signals: letter → (T, units)"


def _of_layer(name: str, layer: int) -> str:
    return f"trace = {name}.layers[{layer}]{_SIGNALS}"


def stream_code(name: str, prompt: str, settings: Mapping[str, Any], *, own: bool = False, clamps: str = "") -> str:
    """The lines that write a text with a character model.

    Args:
        name: of the model.
        prompt: read first.
        settings: further arguments of `TextGenerator.stream`.
        own: see `loading`.
        clamps: see `clamps_code`.
    """
    given = {key: repr(value) for key, value in settings.items() if value is not None}
    return program(
        loading(name, own=own),
        "characters = list(" + call("model.stream", prompt, **given, clamps=clamps) + ")",
        'text = "".join(each.character for each in characters)',
        "print(text)",
    )


def network_code(path: str, inputs: Sequence[str], clamps: Iterable[ClampLike] = ()) -> str:
    """The lines that trace the network in a file, on inputs that the arrays of the view hold.

    Args:
        path: of the file.
        inputs: the names of the network's inputs.
        clamps: those of the view.
    """
    x = [f"arrays[{f'inputs/{name}'!r}]" for name in inputs]
    fed = x[0] if len(x) == 1 else "{" + ", ".join(f"{n!r}: {code}" for n, code in zip(inputs, x, strict=True)) + "}"
    return program(
        'arrays = numpy.load("lstm-lab-trace.npz")  # what “Arrays as NPZ” gives',
        "trace = " + call("lstm_core.trace", path, x=fed, clamps=clamps_code(clamps)),
        "print(trace.output)  # .layers: each recurrent layer; its .f, .i, .c, .h … are (batch, T, units)",
        imports=("import numpy", "import lstm_core"),
    )
