"""What every trace offers in a notebook, and as files to take away: one mixin for all kinds of traces.

pandas, Plotly and anywidget are imported when they are needed; the extra `notebook` installs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_core.arrays import Array
from lstm_core.exhibit import markup, plots, tables, widget
from lstm_core.exhibit.cell_trace import CellTrace, most_varying_unit, resets_after
from lstm_core.exhibit.html_file import Handout, html_file
from lstm_core.exhibit.payload import View, answers


class Exhibit:
    """A trace that can be looked at. Classes define `exhibits`, and more where they know more.

    In a notebook it is drawn as heat maps. `layer` is the place or the name of one of several layers or directions, and
    `sequence` the place in a batch; both are ignored where there is one only.
    """

    def exhibits(self, sequence: int = 0) -> Mapping[str, CellTrace]:
        """The traces of single layers in it by name, each over one sequence; at least one."""
        raise NotImplementedError

    def arrays(self) -> dict[str, Array]:
        """Every array in it by name: what `save_npz` writes."""
        raise NotImplementedError

    def to_dataframe(self) -> Any:
        """The signals as a data frame of pandas: one row a timestep, in the order of the text.

        The columns have the levels signal and unit, so that `frame["f"]` is the forget gate of all units and
        `frame["f"][3]` that of unit 3; in front of them is the level layer (or direction) where there are several. The
        rows of a batch have the level sequence in front of timestep. `frame.stack(["signal", "unit"])` makes it long.

        Raises:
            MissingLibraryError: if pandas isn't installed.
        """
        return tables.layers_frame(self.exhibits())

    def plot(
        self,
        signal: str | None = None,
        *,
        units: Sequence[int] | int | None = None,
        layer: int | str = 0,
        sequence: int = 0,
    ) -> Any:
        """A `plotly.graph_objects.Figure` of one layer: heat maps of all units, or the lines of some.

        Args:
            signal: its letter; None for all signals, one below the other.
            units: those whose lines are drawn; None for a heat map of all, similar units side by side.
            layer: see the class.
            sequence: see the class.

        Raises:
            ValueError: if there is no such signal, unit or layer.
            MissingLibraryError: if Plotly isn't installed.
        """
        return plots.figure(self._chosen(layer, sequence), signal, units, self._tokens())

    def microscope(self, *, timestep: int = 0, unit: int | None = None, layer: int | str = 0, sequence: int = 0) -> Any:
        """The cell microscope as a widget: one cell with all its numbers, played or stepped through the timesteps.

        Args:
            timestep: at which it begins, from 0, in the order in which the layer reads.
            unit: the one that is shown first; None for the one whose state varies most.
            layer: see the class.
            sequence: see the class.

        Raises:
            ValueError: if there is no such layer.
            MissingLibraryError: if anywidget isn't installed.
        """
        return widget.microscope(self.view(timestep=timestep, unit=unit, layer=layer, sequence=sequence))

    def view(self, *, timestep: int = 0, unit: int | None = None, layer: int | str = 0, sequence: int = 0) -> View:
        """What the microscope shows; the arguments are those of `microscope`."""
        trace = self._chosen(layer, sequence)
        tokens = self._tokens() or [str(t) for t in range(len(trace))]
        return View(
            tokens=[tokens[int(t)] for t in trace.timesteps],
            trace=trace,
            t=timestep,
            unit=most_varying_unit(trace) if unit is None else unit,
            reset_after=resets_after(trace),
            **{"clamps": trace.clamps, **self._view_options(trace)},
        )

    def html(self, *, title: str = "", link: str = "", python: str = "", **place: Any) -> bytes:
        """The microscope and the heat maps of one layer as one HTML file that works offline.

        Args:
            title: its heading; "" for the layer's name.
            link: an http address that the file leads to.
            python: the lines that compute the trace again.
            **place: as for `microscope`.
        """
        view = self.view(**place)
        title = title or f"Layer {view.trace.name}"
        return html_file(view, Handout(title, self._sentences(), self._text(), python, link))

    def save_html(self, path: str | Path, **options: Any) -> Path:
        """Write `html` into a file, which is replaced; returns its path. The options are those of `html`."""
        path = Path(path)
        path.write_bytes(self.html(**options))
        return path

    def save_npz(self, path: str | Path) -> Path:
        """Write `arrays` as a file that `numpy.load(path, allow_pickle=False)` reads; returns its path."""
        path = Path(path)
        path.write_bytes(tables.npz(self.arrays()))
        return path

    def _repr_html_(self) -> str:
        """Drawn by notebooks: no scripts, all text escaped."""
        sections = {name: markup.cell_section(trace) for name, trace in self.exhibits().items()}
        if len(sections) == 1:
            return "".join([self._heading(), *sections.values()])
        parts = (markup.details(name, content, n == 0) for n, (name, content) in enumerate(sections.items()))
        return self._heading() + "".join(parts)

    def _chosen(self, layer: int | str, sequence: int) -> CellTrace:
        found = self.exhibits(sequence)
        if isinstance(layer, str) and layer in found:
            return found[layer]
        if isinstance(layer, int) and -len(found) <= layer < len(found):
            return list(found.values())[layer]
        if not found:
            raise ValueError("There is no recurrent layer in this trace.")
        raise ValueError(f"There is no layer {layer!r}; there are {', '.join(found)}.")

    def _heading(self) -> str:
        """HTML above the heat maps."""
        return ""

    def _tokens(self) -> Sequence[str]:
        """(T,) what was read at each timestep, if it is known."""
        return ()

    def _text(self) -> str:
        """What was read, as it was typed."""
        return ""

    def _sentences(self) -> Sequence[str]:
        """What an HTML file says first."""
        return ()

    def _view_options(self, trace: CellTrace) -> dict[str, Any]:
        """Further fields of a `View`: an answer at each token, clamps, unknown tokens."""
        return {}


def class_answers(labels: Sequence[str], probabilities: Array, colours: Sequence[str], *, causal: bool) -> Any:
    """What a classifier answers at each token, for the microscope.

    Args:
        labels: the classes as they are shown.
        probabilities: (T, classes).
        colours: one for each class.
        causal: whether each row is an answer; else only the last one is.
    """
    if causal:
        return answers("If the text ended here", labels, probabilities, colours=colours)
    title = "Answer to the whole text (the network also reads backwards)"
    return answers(title, labels, probabilities[-1:], colours=colours)
