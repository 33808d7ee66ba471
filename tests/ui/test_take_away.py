"""What views can be taken away as: the lines of Python are executed, and the files compared with what was computed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from lstm_core import Clamp, exhibit
from lstm_core.inference import CharacterTrace, Reading, TextGenerator
from lstm_core.nn import NETWORKS, LayerTrace, softmax
from ui.cell_microscope import traced_text
from ui.common import gate, model_cache
from ui.take_away import files
from ui.text_generation import take_away as writing_files
from ui.text_generation.run import Settings, Writing


def executed(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    return names


@pytest.mark.parametrize(
    ("name", "text", "layer"),
    [
        ("stackoverflow", 'How do I "sort"\n a list?', 0),
        ("shakespeare", "To be, or not to be\\n…", 1),
        ("macbeth_article", "Is this a dagger", 0),
        ("brackets", "((a)'", 0),
    ],
)
@pytest.mark.parametrize("clamped", [False, True])
def test_the_lines_of_the_microscope_compute_its_view(name: str, text: str, layer: int, clamped: bool) -> None:
    clamps = (Clamp("f", 0.25, units=[0, 1], timesteps=[2], layer=layer),) if clamped else ()
    hand_set = NETWORKS.get(name)
    traced = traced_text.read(name, text, hand_set, clamps)
    found = executed(traced_text.python(name, text, traced, hand_set, clamps, layer))["trace"]
    expected = traced.layers[layer]
    for letter in "figoch":
        np.testing.assert_array_equal(found.signals[letter], expected.signals[letter])


def test_edited_weights_are_part_of_the_lines() -> None:
    table = NETWORKS["brackets"].table.copy()
    table[0, 0] = -3.5
    edited = NETWORKS["brackets"].with_table(table.tolist())
    traced = traced_text.read("brackets", "(()", edited)
    found = executed(traced_text.python("brackets", "(()", traced, edited, (), 0))["trace"]
    np.testing.assert_array_equal(found.c, traced.layers[0].c)
    assert not np.array_equal(found.c, NETWORKS["brackets"].read("(()").c)


@pytest.mark.parametrize("kind", [Reading, CharacterTrace, LayerTrace])
def test_the_arrays_are_those_of_what_was_computed(kind: type) -> None:
    name = {Reading: "imdb", CharacterTrace: "macbeth", LayerTrace: "brackets"}[kind]
    traced = traced_text.read(name, "a (b", NETWORKS.get(name))
    assert isinstance(traced.source, kind)
    prefix = "" if kind is LayerTrace else "layers/0/"
    np.testing.assert_array_equal(traced.source.arrays()[f"{prefix}c"], traced.layers[0].c)


@pytest.fixture
def writing() -> Writing:
    model = model_cache.model(TextGenerator, "macbeth")
    found = Writing(model, "Is this ", Settings(temperature=0.6, top_k=9, seed=4, length=30))
    found.advance(25)
    found.stop()
    return found


def test_a_text_is_written_again_also_if_it_was_stopped(writing: Writing) -> None:
    assert executed(writing_files.python_of(writing))["text"] == writing.text
    assert len(writing.text) == 25


def test_the_arrays_of_a_text(writing: Writing) -> None:
    with np.load(io.BytesIO(exhibit.npz(writing_files.arrays(writing))), allow_pickle=False) as loaded:
        alphabet = loaded["alphabet"].tolist()
        chosen = [alphabet.index(character) for character in str(loaded["text"])]
        p = np.array([softmax(row) for row in loaded["logits"]])[np.arange(25), chosen]
        np.testing.assert_allclose(loaded["surprisal"], -np.log(p), rtol=1e-4)
        assert loaded["layers/1/c"].shape == (25, 400)


def test_a_file_is_made_in_a_place_of_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    full = gate.Gate(1)
    monkeypatch.setattr(gate, "GATE", full)
    assert files._in_turn(lambda: bytes([full._free]))() == b"\0"
    assert full._free == 1
