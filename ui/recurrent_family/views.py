"""What every view of the recurrent family does alike: presets, the result by input size, and the explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.common import plotting, presets
from ui.common.url_state import linked
from ui.recurrent_family import charts

Parameters = dict[str, str | int]


def text_with_presets(
    label: str, texts: Mapping[str, str], key: str, parameter: str, default: str, **options: Any
) -> tuple[str, str | None]:
    """A text input below pills that put a text into it.

    Args:
        label: of the input.
        texts: name of a preset → its text.
        key: of the input; that of the pills is `{key}_preset`.
        parameter: of the text in a link.
        default: the text at first.
        **options: of `st.text_input`.

    Returns:
        The text, and the name of its preset if it has one.
    """
    above = st.container()
    text = linked(st.text_input, label, key=key, parameter=parameter, default=default, **options)
    with above:
        chosen = presets.pills("Presets", {name: {key: each} for name, each in texts.items()}, f"{key}_preset")
    return text, chosen


def by_size(
    title: str,
    sizes: Sequence[int],
    curves: dict[str, Sequence[float]],
    trained: tuple[int, int],
    axis: str,
    current: int | None,
    key: str,
    sentence: str,
    caption: str,
) -> None:
    """The measured accuracy by the size of the input, with a sentence about it.

    Args:
        title: the heading.
        sizes: as those below, of `charts.accuracy_by_size`.
        curves: name → shares 0…1.
        trained: the smallest and the largest size of the training set.
        axis: the title of the axis of sizes.
        current: the size of the input on screen.
        key: of the figure.
        sentence: the result in words.
        caption: how it was measured.
    """
    st.markdown(f"#### {title}")
    figure = charts.accuracy_by_size(sizes, curves, trained, axis, current)
    plotting.show(figure, key, f"Lines. {sentence.replace('**', '')}")
    st.markdown(sentence)
    st.caption(caption)
