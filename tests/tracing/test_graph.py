"""Networks of Keras traced from their files alone, compared with Keras."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.nn import keras_file
from lstm_core.nn.clamps import Clamp
from lstm_core.tracing.feeding import feeds
from lstm_core.tracing.graph import Graph, trace_graph
from lstm_core.tracing.graph_file import read_graph
from lstm_core.tracing.graph_layers import compute

WIDTH, STEPS = 4, 5


def saved(model: Any, folder: Path, seed: int = 1) -> Graph:
    """A model with random weights, saved and read again; the live one has the same weights."""
    rng = np.random.default_rng(seed)
    model.set_weights([_moved(weight, rng) for weight in model.get_weights()])
    model.save(folder / "net.keras")
    return read_graph((folder / "net.keras").read_bytes())


def _moved(weight: Any, rng: Any) -> Any:
    weight = np.asarray(weight)
    return (weight + np.abs(rng.normal(size=weight.shape)) * 0.3).astype(weight.dtype)  # variances stay positive


def compared(model: Any, folder: Path, x: Any) -> Any:
    """The trace of a model's file, whose outputs equal those that Keras computes."""
    trace = trace_graph(saved(model, folder), x, compute)
    theirs = model(x, training=False)
    for ours, wanted in zip(keras.tree.flatten(trace.output), keras.tree.flatten(theirs), strict=True):
        np.testing.assert_allclose(ours, np.asarray(wanted), atol=2e-5, rtol=1e-5)
    return trace


def numbers(*shape: int) -> np.ndarray:
    found = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    if len(shape) == 3:
        found[:1, 3:] = 0  # what Masking skips
        found[1:2, :2] = 0
    return found


@pytest.mark.parametrize("mask", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Dense(3, "softmax"),
        lambda: layers.Conv1D(3, 3, padding="same", strides=2, activation="relu"),
        lambda: layers.Conv1D(3, 2, padding="causal", dilation_rate=2, use_bias=False),
        lambda: layers.MaxPooling1D(3, strides=2, padding="same"),
        lambda: layers.AveragePooling1D(2, padding="same"),
        lambda: layers.BatchNormalization(scale=False),
        lambda: layers.BatchNormalization(axis=1),
        lambda: layers.LayerNormalization(axis=[1, 2]),
        lambda: layers.LayerNormalization(center=False),
        lambda: layers.UnitNormalization(),
        lambda: layers.Normalization(mean=2.0, variance=3.0),
        lambda: layers.Rescaling(0.5, 1.0),
        lambda: layers.Activation("gelu"),
        lambda: layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2),
        lambda: layers.LeakyReLU(),
        lambda: layers.PReLU(shared_axes=[1]),
        lambda: layers.ELU(),
        lambda: layers.Permute((2, 1)),
        lambda: layers.Reshape((2, 10)),
        lambda: layers.ZeroPadding1D((1, 2)),
        lambda: layers.Cropping1D(1),
        lambda: layers.UpSampling1D(2),
        lambda: layers.SpatialDropout1D(0.5),
        lambda: layers.TimeDistributed(layers.Dense(3)),
        lambda: layers.RNN(layers.GRUCell(3, reset_after=False), return_sequences=True),
        lambda: layers.RNN([layers.LSTMCell(3), layers.LSTMCell(2), layers.SimpleRNNCell(4)], return_sequences=True),
        lambda: layers.LSTM(3, return_sequences=True, go_backwards=True, use_bias=False),
        lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="ave"),
        lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="mul"),
        lambda: layers.Bidirectional(
            layers.LSTM(3, return_sequences=True),
            backward_layer=layers.GRU(3, return_sequences=True, go_backwards=True),
        ),
    ],
)  # fmt: skip
def test_a_layer_computes_what_keras_does(layer: Callable[[], Any], mask: bool, tmp_path: Path) -> None:
    """Between two recurrent layers, so that the mask that it hands on counts."""
    x = keras.Input((STEPS, WIDTH))
    y = layers.LSTM(WIDTH, return_sequences=True)(layers.Masking()(x) if mask else x)
    y = layer()(y)
    if len(y.shape) == 3:
        y = layers.GlobalAveragePooling1D()(layers.GRU(2, return_sequences=True, zero_output_for_mask=True)(y))
    trace = compared(keras.Model(x, y), tmp_path, numbers(3, STEPS, WIDTH))
    assert trace.layers[0].mask.all() != mask


def attention(*inputs: Any) -> Any:
    return layers.Attention(use_scale=True)([*inputs], use_causal_mask=True)


@pytest.mark.parametrize(
    "merged",
    [
        lambda a, b: layers.Add()([a, b]),
        lambda a, b: layers.Subtract()([a, b]),
        lambda a, b: layers.Multiply()([a, b]),
        lambda a, b: layers.Average()([a, b]),
        lambda a, b: layers.Maximum()([a, b]),
        lambda a, b: layers.Minimum()([a, b]),
        lambda a, b: layers.Concatenate()([a, b]),
        lambda a, b: layers.Concatenate(axis=1)([a, b]),
        lambda a, b: layers.Dot(axes=2)([a, b]),
        lambda a, b: layers.Dot(axes=(1, 1), normalize=True)([a, b]),
        lambda a, b: layers.AdditiveAttention()([a, b]),
        lambda a, b: layers.Attention(score_mode="concat")([a, b]),
        attention,
        lambda a, b: a * 2.0 + b,
        lambda a, b: a[:, 1:5] - b[:, 1:5],
    ],
)  # fmt: skip
def test_layers_of_two_inputs_compute_what_keras_does(merged: Callable[..., Any], tmp_path: Path) -> None:
    words, other = keras.Input((STEPS,), dtype="int32", name="words"), keras.Input((STEPS, WIDTH), name="other")
    a = layers.LSTM(WIDTH, return_sequences=True)(layers.Embedding(9, 3, mask_zero=True)(words))
    b = layers.GRU(WIDTH, return_sequences=True)(other)
    model = keras.Model([words, other], layers.SimpleRNN(2)(merged(a, b)))
    ids = np.array([[1, 2, 3, 0, 0], [8, 7, 6, 5, 4]], np.int32)
    compared(model, tmp_path, [ids, numbers(2, STEPS, WIDTH)])


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (lambda: layers.Conv1D(4, 2, groups=2), "has groups"),
        (lambda: layers.GlobalMaxPooling1D(data_format="channels_first"), "has channels first"),
        (lambda: layers.GlobalAveragePooling1D(data_format="channels_first"), "has channels first"),
        (lambda: layers.MaxPooling1D(2, data_format="channels_first"), "has channels first"),
        (lambda: layers.ZeroPadding1D(1, data_format="channels_first"), "has channels first"),
        (lambda: layers.Flatten(data_format="channels_first"), "has channels first"),
        (lambda: layers.LSTM(3, unroll=True, zero_output_for_mask=True, go_backwards=True), "is unrolled backwards"),
        (lambda: layers.TimeDistributed(layers.Softmax()), "gets a mask for the sequences inside"),
        (lambda: layers.TimeDistributed(keras.Sequential([layers.Dense(2)])), "gets a mask for the sequences inside"),
    ],
)
def test_settings_that_are_not_followed_are_refused_by_name(layer: Callable[[], Any], why: str, tmp_path: Path) -> None:
    x = keras.Input((STEPS, WIDTH))
    y = layer()(layers.LSTM(WIDTH, return_sequences=True)(layers.Masking()(x)))
    graph = saved(keras.Model(x, y), tmp_path)
    with pytest.raises(ModelError, match=why):
        trace_graph(graph, numbers(3, STEPS, WIDTH), compute)


def test_a_nested_encoder_decoder_with_a_shared_layer(tmp_path: Path) -> None:
    source, target = keras.Input((None, 3), name="source"), keras.Input((None, 3), name="target")
    shared = keras.Sequential([keras.Input((None, 3)), layers.Dense(WIDTH, "tanh"), layers.LayerNormalization()])
    _, h, c = layers.LSTM(5, return_state=True, name="encoder")(shared(source))
    y = layers.LSTM(5, return_sequences=True, name="decoder")(shared(target), initial_state=[h, c])
    model = keras.Model({"source": source, "target": target}, {"answer": layers.Dense(3, "softmax")(y), "state": c})
    x = {"source": numbers(2, 4, 3), "target": numbers(2, 6, 3)}
    trace = compared(model, tmp_path, x)
    np.testing.assert_array_equal(trace["decoder"].initial_state[1], trace["encoder"].final_state[1])
    assert {"source", "target"} == set(trace.inputs)


def test_a_layer_that_reads_states_gets_no_mask_from_keras_unless_it_is_given_one(tmp_path: Path) -> None:
    """What Keras 3 does, whether or not one likes it; the layers behind have the mask again."""
    words = keras.Input((STEPS,), dtype="int32", name="words")
    read = layers.Embedding(9, 3, mask_zero=True)(words)
    _, h, c = layers.LSTM(WIDTH, return_state=True, name="encoder")(read)
    one = layers.LSTM(WIDTH, return_sequences=True, name="decoder")(read, initial_state=[h, c])
    both = layers.Bidirectional(layers.GRU(WIDTH, return_sequences=True), name="both")(read, initial_state=[h, c])
    model = keras.Model(words, layers.SimpleRNN(2, name="last")(layers.Concatenate()([one, both])))
    trace = compared(model, tmp_path, np.array([[1, 2, 3, 0, 0], [8, 7, 6, 5, 4]]))
    unmasked = {layer.name for layer in trace.layers if layer.mask.all()}
    assert unmasked == {"decoder", "both/forward", "both/backward"}


def test_clamps_change_all_that_follows(tmp_path: Path) -> None:
    x = keras.Input((STEPS, WIDTH))
    y = layers.GRU(3)(layers.LSTM(5, return_sequences=True, name="first")(x))
    graph, values = saved(keras.Model(x, y), tmp_path), numbers(2, STEPS, WIDTH)
    before = trace_graph(graph, values, compute)
    after = trace_graph(graph, values, compute, [Clamp("f", 0.0, layer="first")])  # type: ignore[arg-type]
    assert not after["first"].f.any()
    assert np.abs(after.output - before.output).max() > 1e-3


def test_texts_go_through_the_vocabulary_of_the_file(tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow")
    vectorize = layers.TextVectorization(output_sequence_length=6)
    vectorize.adapt(["the film was great", "the film was bad"])
    x = keras.Input((1,), dtype="string")
    y = layers.LSTM(3)(layers.Embedding(20, WIDTH, mask_zero=True)(vectorize(x)))
    model = keras.Model(x, y)
    texts = ["The film, GREAT!", "an unknown bad"]
    trace = trace_graph(saved(model, tmp_path), texts, compute)
    wanted = model(tensorflow.constant([[text] for text in texts]))
    np.testing.assert_allclose(trace.output, np.asarray(wanted), atol=1e-5)


def test_what_a_file_is_fed_with_follows_from_its_first_layers(tmp_path: Path) -> None:
    words, weather = keras.Input((None,), dtype="int32", name="words"), keras.Input((STEPS, WIDTH), name="weather")
    place = keras.Input((2,), name="place")
    read = layers.LSTM(3)(keras.Sequential([layers.Embedding(9, 3), layers.LSTM(2, return_sequences=True)])(words))
    model = keras.Model([words, weather, place], layers.Concatenate()([read, layers.GRU(2)(weather), place]))
    ids, table, single = feeds(saved(model, tmp_path))
    assert (ids.name, ids.kind, ids.size, ids.steps) == ("words", "ids", 9, None)
    assert (table.kind, table.size, table.steps) == ("numbers", WIDTH, STEPS)
    assert (single.kind, single.size, single.sequence) == ("numbers", 2, False)


# --- Bad files --------------------------------------------------------------------------------------


def changed(model: Any, folder: Path, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The file of a model whose description was changed."""
    model.save(folder / "net.keras")
    out = io.BytesIO()
    with zipfile.ZipFile(folder / "net.keras") as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return out.getvalue()


def layer_config(config: Mapping[str, Any], number: int) -> dict[str, Any]:
    return config["config"]["layers"][number]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda config: layer_config(config, 1).update(registered_name="my>LSTM"), "isn't Keras's own"),
        (lambda config: layer_config(config, 1).update(module="evil.layers"), "isn't Keras's own"),
        (lambda config: layer_config(config, 2).update(class_name="Lambda"), "'repeat_vector.*' is a Lambda"),
        (lambda config: layer_config(config, 1)["config"].update(units=10**9), "but its settings say"),
        (lambda config: layer_config(config, 2)["config"].update(n=10**9), "more than 67,108,864"),
        (lambda config: config["config"]["layers"].clear(), "damaged"),
        (lambda config: config.update(class_name="Custom"), "neither a functional nor a built Sequential"),
    ],
)
def test_a_hostile_description_is_refused_in_one_sentence(
    change: Callable[[dict[str, Any]], None], why: str, tmp_path: Path
) -> None:
    model = keras.Sequential([keras.Input((STEPS, WIDTH)), layers.LSTM(3), layers.RepeatVector(2), layers.GRU(2)])
    data = changed(model, tmp_path, change)
    with pytest.raises(ModelError, match=why):
        trace_graph(read_graph(data), numbers(1, STEPS, WIDTH), compute)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\0" * 100])
def test_what_is_no_file_of_keras_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        read_graph(data)


def test_one_function_traces_a_path_a_network_in_memory_and_a_live_model_alike(tmp_path: Path) -> None:
    model = keras.Sequential(
        [layers.Input((None, WIDTH)), layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.GRU(2)]
    )
    x = numbers(3, STEPS, WIDTH)
    graph = saved(model, tmp_path)
    live = lstm_core.trace(model, x)
    in_memory = keras_file.read_network((tmp_path / "net.keras").read_bytes())
    for other in (tmp_path / "net.keras", str(tmp_path / "net.keras"), graph, in_memory):
        found = lstm_core.trace(other, x)
        assert [layer.name for layer in found.layers] == [layer.name for layer in live.layers]
        for ours, theirs in zip(found.layers, live.layers, strict=True):
            np.testing.assert_allclose(ours.h, theirs.h, atol=1e-6)
    with pytest.raises(ModelError, match="can't be read"):
        lstm_core.trace(tmp_path / "missing.keras", x)
    with pytest.raises(ModelError, match="A int can't be traced"):
        lstm_core.trace(3, x)


@pytest.mark.parametrize(
    "between", [[layers.RepeatVector(5_000_000)], [layers.RepeatVector(3000), layers.UpSampling1D(900)]]
)
def test_a_small_file_that_asks_for_very_many_numbers_is_refused_at_once(between: list[Any], tmp_path: Path) -> None:
    model = keras.Sequential([layers.Input((2,)), *between, layers.LSTM(1, return_sequences=True), layers.LSTM(1)])
    graph = saved(model, tmp_path)
    with pytest.raises(ModelError, match="would have computed more than"):
        trace_graph(graph, np.zeros((1, 2), np.float32), compute, most=2**22)
    small = keras.Sequential([layers.Input((2,)), layers.RepeatVector(5), layers.LSTM(1)])
    assert trace_graph(saved(small, tmp_path), np.zeros((1, 2), np.float32), compute, most=2**22).layers[0].units == 1
