"""What `inspect` returns: the layers of a network in a file, and how they are shown."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class LayerReport:
    """One layer of a network.

    Attributes:
        name: as in the network.
        kind: its class, such as "LSTM".
        shape: of its output, batch first, None for any size; None where the file doesn't say it.
        parameters: the number of its weights.
        reads: the names of the layers that it reads from, as far as the file says it.
        traced: whether a trace has its gates and states.
        problem: why it can't be followed, and the way round, in a sentence; empty if it can.
    """

    name: str
    kind: str
    shape: Shape | None
    parameters: int
    reads: tuple[str, ...] = ()
    traced: bool = False
    problem: str = ""


@dataclass(frozen=True)
class InputReport:
    """One input of a network: its name, its shape, batch first, and what to feed, in words."""

    name: str
    shape: Shape | None
    feed: str


@dataclass(frozen=True)
class ModelReport:
    """What is in the file of a network.

    Attributes:
        file: its name.
        format: such as "Keras file (.keras)".
        framework: "Keras" or "PyTorch".
        layers: in the order of the file.
        inputs: what the network reads.
        parameters: the number of all weights.
        dtypes: the types of the weights as they are stored.
        problem: why the network can't be traced from the file, in a sentence; empty if it can.
        notes: what the file leaves open.
    """

    file: str
    format: str
    framework: str
    layers: tuple[LayerReport, ...]
    inputs: tuple[InputReport, ...]
    parameters: int
    dtypes: tuple[str, ...]
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def traceable(self) -> bool:
        """Whether `lstm_core.trace` can follow the network from the file alone."""
        return not self.problem

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {**asdict(self), "traceable": self.traceable}

    def __str__(self) -> str:
        rows = [("layer", "kind", "output", "parameters", "reads from", "trace"), *self._rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        table = []
        for row in rows:
            cells = [_aligned(cell, widths[column], column) for column, cell in enumerate(row)]
            table.append("  ".join(cells).rstrip())
        return "\n".join([self._title(), "", *table, "", *self._sentences()])

    def _repr_html_(self) -> str:
        def row(cells: Iterable[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        head = row(("layer", "kind", "output", "parameters", "reads from", "trace"), "th")
        body = "".join(row(cells, "td") for cells in self._rows())
        below = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self._sentences())
        return f"<p><b>{html.escape(self._title())}</b></p><table>{head}{body}</table>{below}"

    def _title(self) -> str:
        stored = ", ".join(self.dtypes) or "no weights"
        return f"{self.file}: {self.format}, {self.framework}, {self.parameters:,} parameters ({stored})"

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                layer.name,
                layer.kind,
                shown_shape(layer.shape),
                f"{layer.parameters:,}",
                ", ".join(layer.reads) or "–",
                "no" if layer.problem else "gates" if layer.traced else "value",
            )
            for layer in self.layers
        ]

    def _sentences(self) -> list[str]:
        found = [f"Input '{each.name}': {each.feed}." for each in self.inputs]
        found += dict.fromkeys(layer.problem for layer in self.layers if layer.problem)
        if self.problem and self.problem not in found:
            found.append(self.problem)
        return [*found, *self.notes]


def shown_shape(shape: Sequence[int | None] | None) -> str:
    """A shape in words, "(batch, T, 4)"; "?" where it isn't known."""
    if shape is None:
        return "?"
    names = ("batch", "T")
    sizes = [
        names[n] if size is None and n < 2 else "any" if size is None else str(size) for n, size in enumerate(shape)
    ]
    return f"({', '.join(sizes)})"


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column == 3 else cell.ljust(width)
