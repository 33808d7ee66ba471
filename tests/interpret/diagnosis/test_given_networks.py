"""The check-up of networks that others have built: live ones of Keras, trained with each fault, and files with data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import lstm_core
from lstm_core.__main__ import main
from lstm_core.errors import ModelError, TextError
from lstm_core.interpret import read_data
from lstm_core.interpret.diagnosis import ablation
from lstm_core.tracing import opened
from tests.tracing import networks

STEPS, UNITS = 24, 16


@pytest.fixture
def few_clamps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network runs once for each unit that is clamped; a test that isn't about them needs no dozen."""
    monkeypatch.setattr(ablation, "MOST_UNITS", 3)


def recall(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise, and in it at the second step what has to be answered at the end; seeds Keras, too."""
    keras.utils.set_random_seed(seed)
    x = np.random.default_rng(seed).normal(size=(count, STEPS, 3)).astype(np.float32)
    return x, (x[:, 1, 0] > 0).astype(np.float32)[:, None]


def trained(layer: Any, x: np.ndarray, y: np.ndarray, epochs: int = 2, readout: str = "glorot_uniform") -> Any:
    """A network of one layer after a short training."""
    answer = layers.Dense(1, "sigmoid", kernel_initializer=readout)
    model = keras.Sequential([layers.Input(x.shape[1:]), layer, answer])
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    model.optimizer.build(model.trainable_variables)  # TensorFlow would trace a step that makes variables twice
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)
    return model


def constant(values: np.ndarray) -> Any:
    """An initializer with these values."""
    return lambda shape, dtype=None: keras.ops.convert_to_tensor(values.astype(np.float32))


def forgetful() -> tuple[Any, np.ndarray]:
    """The forget gate's bias begins at −5, from where so short a training doesn't bring it back."""
    x, y = recall(256, 0)
    bias = constant(np.repeat([0.0, -5.0, 0.0, 0.0], UNITS))
    return trained(layers.LSTM(UNITS, unit_forget_bias=False, bias_initializer=bias), x, y), x


def unscaled() -> tuple[Any, np.ndarray]:
    """Figures of several hundreds, as a table of prices has them."""
    x, y = recall(256, 1)
    x = 400 + 250 * x
    return trained(layers.LSTM(UNITS), x, y), x


def exploding() -> tuple[Any, np.ndarray]:
    """relu in place of tanh, with a recurrent kernel that enlarges the state."""
    x, y = recall(256, 2)
    enlarging = keras.initializers.Identity(1.5)
    return trained(layers.SimpleRNN(UNITS, activation="relu", recurrent_initializer=enlarging), x, y, epochs=1), x


def too_many() -> tuple[Any, np.ndarray]:
    """Each unit twice: the second half begins as the first and gets the same gradients ever since."""
    x, y = recall(256, 3)
    random = np.random.default_rng(0)
    kernel = np.tile(random.uniform(-0.5, 0.5, (3, 4, UNITS // 2)), 2)  # (features, gates, units)
    recurrent = np.tile(random.normal(0, 0.5 / np.sqrt(UNITS), (UNITS // 2, 4, UNITS // 2)), (2, 1, 2))
    begin = {"kernel_initializer": constant(kernel.reshape(3, -1))}
    begin["recurrent_initializer"] = constant(recurrent.reshape(UNITS, -1))
    return trained(layers.LSTM(UNITS, **begin), x, y, readout="ones"), x


TRAINED: dict[str, tuple[str, Callable[[], tuple[Any, np.ndarray]]]] = {
    "forget bias -5": ("forget bias", forgetful),
    "unscaled inputs": ("input scale", unscaled),
    "relu states": ("state size", exploding),
    "twice too many units": ("redundant units", too_many),
}


@pytest.mark.usefixtures("few_clamps")
@pytest.mark.parametrize("name", TRAINED)
def test_the_fault_of_a_trained_network_is_named(name: str) -> None:
    fault, make = TRAINED[name]
    found = lstm_core.checkup(*make())
    assert found.findings[0].name == fault, [(each.name, each.severity, each.sentence) for each in found.findings[:4]]
    assert found.findings[0].severity == "fault"
    assert found.findings[0].advice
    assert found.sequences == 64
    assert "ablation" in {each.name for each in found.findings}


def test_a_network_that_was_trained_as_usual_has_no_fault() -> None:
    x, y = recall(512, 4)
    model = trained(layers.LSTM(UNITS), x, y, epochs=3)
    found = lstm_core.checkup(model, x)
    assert [each.sentence for each in found.of("fault")] == []


@pytest.mark.usefixtures("few_clamps")
def test_live_models_paths_and_graphs_are_checked_alike(tmp_path: Path) -> None:
    model, x = networks.build("weather")
    model.save(tmp_path / "net.keras")
    x = np.random.default_rng(3).normal(size=(70, 24, 5)).astype(np.float32)
    live = lstm_core.checkup(model, x)
    assert live.sequences == 64
    for other in (tmp_path / "net.keras", str(tmp_path / "net.keras"), opened(tmp_path / "net.keras")):
        found = lstm_core.checkup(other, x)
        assert [(each.name, each.layer, each.severity) for each in found.findings] == [
            (each.name, each.layer, each.severity) for each in live.findings
        ]
        for ours, theirs in zip(found.findings, live.findings, strict=True):
            assert dict(ours.numbers) == pytest.approx(dict(theirs.numbers), rel=1e-3, abs=1e-4)
    single = layers.GRU(4)
    single.build((None, None, 5))
    assert {each.layer for each in lstm_core.checkup(single, x).findings} == {single.name}
    with pytest.raises(ModelError, match="give data"):
        lstm_core.checkup(model)


@pytest.mark.usefixtures("few_clamps")
def test_several_inputs_masks_and_texts() -> None:
    for name in ("two_inputs", "imdb_bilstm", "text_vectorization", "stateful", "seq2seq"):
        model, x = networks.build(name)
        found = lstm_core.checkup(model, x)
        count = len(next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, list) else x)
        assert found.sequences == count
        assert found.findings


def test_the_command_line_checks_a_file_on_data_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = networks.save("weather", tmp_path)
    random = np.random.default_rng(0)
    rows = "\n".join(",".join(f"{value:.3f}" for value in row) for row in random.normal(size=(24 * 3, 5)))
    (tmp_path / "table.csv").write_text(f"a,b,c,d,e\n{rows}\n")
    np.save(tmp_path / "x.npy", random.normal(size=(2, 24, 5)).astype(np.float32))
    for data, count in (("table.csv", 3), ("x.npy", 2)):
        assert main(["checkup", str(path), "--data", str(tmp_path / data), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["sequences"] == count
    assert main(["checkup", str(path)]) == 2
    assert "give data" in capsys.readouterr().err
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY nothing")
    assert main(["checkup", str(path), "--data", str(tmp_path / "bad.npy")]) == 2
    assert "no array of numbers" in capsys.readouterr().err


def test_data_in_files_are_what_each_network_reads(tmp_path: Path) -> None:
    two, ids = opened(networks.save("two_inputs", tmp_path)), opened(networks.save("imdb_bilstm", tmp_path))
    texts, words = opened(networks.save("text_vectorization", tmp_path)), tmp_path / "lines.txt"
    words.write_text("a good film\n\nwhat a plot\n")
    assert read_data(words, texts) == ["a good film", "what a plot"]
    with pytest.raises(TextError, match=r"several inputs.*'title', 'figures'"):
        read_data(words, two)
    np.savez(tmp_path / "two.npz", **networks.build("two_inputs")[1])
    assert set(read_data(tmp_path / "two.npz", two)) == {"title", "figures"}
    (tmp_path / "ids.csv").write_text("3\n4\n5\n")
    np.testing.assert_array_equal(read_data(tmp_path / "ids.csv", ids), [[3, 4, 5]])
    with pytest.raises(TextError, match="can't be read"):
        read_data(tmp_path / "missing.npy", ids)
