"""Our figures against Plotly's: the same calls give the same figure, for everything that the charts use."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from ui.common import plotting
from ui.common.figure import Figure


def decoded(value: Any) -> Any:
    """A part of a figure with typed buffers as lists."""
    if isinstance(value, dict) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        return array.reshape([int(n) for n in value.get("shape", str(len(array))).split(",")]).tolist()
    if isinstance(value, dict):
        return {key: decoded(each) for key, each in value.items()}
    return [decoded(each) for each in value] if isinstance(value, list | tuple) else value


def same(ours: Figure, theirs: go.Figure) -> None:
    found, expected = decoded(ours.to_dict()), decoded(theirs.to_dict())
    for figure in (found, expected):
        figure["layout"].pop("template", None)
        for trace in figure["data"]:  # Plotly leaves the first axes out where there are no subplots
            trace.setdefault("xaxis", "x")
            trace.setdefault("yaxis", "y")
    assert found == expected


def lines(figure: Any) -> Any:
    figure.add_scatter(x=np.arange(3), y=np.array([0.5, np.pi, 2]), line={"color": "red", "width": 2}, marker_size=4)
    figure.add_bar(x=[1, 2], y=np.array([1, -300]), marker_color=["red", "blue"], textfont_size=16, name="bars")
    figure.update_xaxes(title="time", tickfont_size=13, range=[0, 1], labelalias={"0": "a_b"})
    figure.update_layout(
        height=300, margin={"t": 8}, margin_b=4, legend_y=1.06, title={"text": "a", "font": {"size": 17}}
    )
    return figure.update_yaxes(visible=False)


def marks(figure: Any) -> Any:
    figure.add_heatmap(z=np.ones((2, 3), np.float32), colorbar={"title": {"text": "c", "side": "top"}}, zmin=0)
    figure.add_vline(x=2, line={"color": "red", "dash": "dot"}, annotation_text="here", annotation_position="top")
    figure.add_hline(y=0.5, line={"color": "red", "width": 1}, layer="below")
    figure.add_vrect(x0=0, x1=1, fillcolor="red", line_width=0, annotation_text="a", annotation_position="bottom left")
    figure.add_annotation(x=0, y=1, text="note", showarrow=False, font_size=15, xref="paper")
    figure.update_annotations(font_color="blue")
    return figure.update_traces(showscale=False)


GRIDS: dict[str, dict[str, Any]] = {
    "rows": {"rows": 2, "cols": 1, "shared_xaxes": True, "row_heights": [0.6, 0.4], "vertical_spacing": 0.1},
    "titles": {"rows": 2, "cols": 3, "shared_yaxes": True, "subplot_titles": list("abcdef")},
    "two axes": {"rows": 2, "cols": 1, "specs": [[{"secondary_y": True}], [{}]]},
}


def grid(figure: Any, name: str) -> Any:
    figure.add_scatter(y=np.zeros(2), row=1, col=1)
    figure.add_scatter(y=[1.0, 2.0], row=2, col=1)
    if name == "two axes":
        figure.add_scatter(y=[3.0], row=1, col=1, secondary_y=True)
        figure.update_yaxes(title="second", row=1, col=1, secondary_y=True)
    figure.add_vline(x=1, line={"color": "red"})
    figure.add_hline(y=1, line={"color": "red"}, row=2, col=1)
    figure.add_annotation(x=1, y=1, text="note", row=2, col=1)
    figure.update_xaxes(fixedrange=True)
    return figure.update_yaxes(range=[0, 2], row=2, col=1)


@pytest.mark.parametrize("draw", [lines, marks])
def test_a_plot_is_that_of_plotly(draw: Callable[[Any], Any]) -> None:
    same(draw(Figure()), draw(go.Figure()))


@pytest.mark.parametrize("name", GRIDS)
def test_subplots_are_those_of_plotly(name: str) -> None:
    same(grid(Figure(**GRIDS[name]), name), grid(make_subplots(**GRIDS[name]), name))


def test_a_grid_is_not_changed_by_the_figure_before() -> None:
    first = Figure(**GRIDS["rows"]).update_xaxes(title="changed")
    assert "changed" in str(first.to_dict())
    assert "changed" not in str(Figure(**GRIDS["rows"]).to_dict())


def test_a_property_that_does_not_exist_is_found_by_the_check() -> None:
    with pytest.raises(ValueError, match="colour"):
        Figure().add_scatter(y=[1], line_colour="red").checked()


def test_defaults_give_way_to_what_is_set() -> None:
    found = Figure().update_layout(margin_l=80).set_defaults(margin_l=8, margin_r=8).to_dict()["layout"]["margin"]
    assert found == {"l": 80, "r": 8}


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, 300, -5]),
        np.array([0.1, np.nan]),
        np.array([True, False]),
        np.array(["a", "b"]),
        np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"),
        np.zeros(0),
        np.arange(6, dtype=np.uint64).reshape(2, 3),
    ],
    ids=lambda values: str(values.dtype),
)
def test_arrays_reach_the_browser_with_their_values(values: np.ndarray) -> None:
    found = decoded(Figure().add_scatter(customdata=values).to_dict())["data"][0]["customdata"]
    expected = values.astype(str).tolist() if values.dtype.kind == "M" else values.tolist()
    np.testing.assert_equal(found, expected)


def test_a_figure_is_described_with_its_values() -> None:
    figure = Figure(2, 1).add_scatter(y=[0.5, np.nan, -0.25], x=[0, 1, 2], name="C &amp; D", row=1, col=1)
    figure.add_bar(x=[1e-9, 3000.0], y=["a", "b"], orientation="h", row=2, col=1)
    figure.add_heatmap(z=np.array([[0.1, 0.9]])).add_histogram(x=[2, 2]).add_scatter(y=[7.0], hoverinfo="skip")
    figure.update_xaxes(labelalias={"2": "end"})
    assert plotting.described(figure, "Lines.").split("Values") == [
        "Lines. C & D: from −0.25 at end to 0.5 at 0. ",
        " from 0 at a to 3e+03 at b. ",
        " from 0.1 to 0.9. ",
        " 2.",
    ]
    assert plotting.described(Figure().add_scatter(x=["a"], y=["b"]), "Words.") == "Words."


def test_many_lines_are_counted() -> None:
    figure = Figure()
    for name in range(9):
        figure.add_scatter(y=[name], name=str(name))
    assert plotting.described(figure, "Nine.").endswith("5: 5. And 3 more.")


def test_a_signed_number_has_a_true_minus_and_zero_none() -> None:
    assert [plotting.signed(value, ".1%") for value in (-0.2, 0.05, -0.0001)] == ["−20.0%", "+5.0%", "+0.0%"]
