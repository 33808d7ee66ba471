"""Both kinds of reader against Keras, and clamps while they write."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import lstm_core
from lstm_core import Clamp
from lstm_core.datasets import registry
from lstm_core.errors import ModelError, TextError
from lstm_core.evaluation.evaluate import evaluate
from lstm_core.inference.beam_search import beam_search
from lstm_core.inference.char_inference import WindowReader
from lstm_core.inference.char_lm import CHUNK, GeneratedCharacter, TextGenerator
from lstm_core.library import store
from lstm_core.library.card import ModelCard
from lstm_core.nn.network import Network
from lstm_core.nn.trace import trace
from lstm_core.text.alphabet import Alphabet
from tests.witness import with_keras

ALPHABET = Alphabet.of("abcde fgh.\n'-")
CARD = ModelCard("tiny", "Tiny", "generator", "macbeth", "Random weights.")
WINDOW = 12


def randomised(model: keras.Model) -> TextGenerator:
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.7, weight.shape) for weight in model.get_weights()])
    return with_keras(TextGenerator(CARD, ALPHABET, Network(model)), model)


def windowed(depth: int = 2, window: int | None = WINDOW, features: int = 1) -> TextGenerator:
    numbers = x = keras.Input((window, features))
    for number in range(depth):
        x = layers.Dropout(0.2)(layers.LSTM(7, return_sequences=number < depth - 1)(x))
    return randomised(keras.Model(numbers, layers.Dense(len(ALPHABET), activation="softmax")(x)))


def carried() -> TextGenerator:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(len(ALPHABET), 6)(tokens)
    for units in (7, 5):
        x = layers.LSTM(units, return_sequences=True)(x)
    return randomised(keras.Model(tokens, layers.Dense(len(ALPHABET), activation="softmax")(x)))


@pytest.fixture(scope="module", params=["carried", "windowed"])
def either(request: pytest.FixtureRequest) -> TextGenerator:
    return carried() if request.param == "carried" else windowed()


@pytest.fixture(scope="module")
def tiny() -> TextGenerator:
    return windowed()


def by_keras(model: TextGenerator, text: str) -> np.ndarray:
    """(n, alphabet) probabilities after each character of a text, windows padded with newlines."""
    ids = np.append(np.full(WINDOW, ALPHABET.ids["\n"]), ALPHABET.encode(text))
    windows = np.array([ids[end - WINDOW : end] for end in range(WINDOW + 1, len(ids) + 1)])
    return np.asarray(model.keras().predict_on_batch((windows / len(ALPHABET)).astype("float32")[..., None]))


def random_text(length: int) -> str:
    return "".join(np.random.default_rng(length).choice(list(ALPHABET.characters), length))


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("prompt", ["a", "bad ", "a bad egg had a cage.\nbad"])
def test_a_window_is_read_as_keras_reads_it(depth: int, prompt: str) -> None:
    model = windowed(depth)
    written = list(model.stream(prompt, 20, seed=3))
    kept = ALPHABET.decode(ALPHABET.encode(prompt))
    whole = by_keras(model, kept + "".join(each.character for each in written))
    for position, each in enumerate(written):
        np.testing.assert_allclose(each.distribution, whole[len(kept) - 1 + position], atol=1e-4)


def test_the_signals_are_those_of_the_windows_last_timestep(tiny: TextGenerator) -> None:
    first, second = tiny.read("a bad cafe").layers
    assert isinstance(tiny.reader, WindowReader)
    ids = np.append([ALPHABET.ids["\n"]] * 2, ALPHABET.encode("a bad cafe"))
    x = (ids / len(ALPHABET)).astype("float32")[:, None]
    lower, upper = (layer for layer in tiny.keras().layers if isinstance(layer, layers.LSTM))
    below = trace(lower, x)
    for found, expected in ((first, below), (second, trace(upper, below.outputs))):
        for signal in "ifgoch":
            np.testing.assert_allclose(getattr(found, signal), expected.signals[signal][-1], atol=1e-6)
        sums = np.concatenate([expected.recurrent_sums[part][-1] for part in "ifgo"])
        np.testing.assert_allclose(found.uh, sums, atol=1e-6)


@pytest.mark.parametrize("length", [2, WINDOW, CHUNK, CHUNK + 2, 2 * CHUNK + 7])
def test_a_score_is_the_surprisal_by_keras(tiny: TextGenerator, length: int) -> None:
    text = random_text(length)
    p = by_keras(tiny, text)[np.arange(length - 1), ALPHABET.encode(text)[1:]]
    np.testing.assert_allclose(tiny.score(text).surprisal, -np.log(p), atol=1e-4)


def test_only_the_window_of_a_prompt_counts(tiny: TextGenerator) -> None:
    end = random_text(WINDOW)
    np.testing.assert_array_equal(tiny.read("abc" + end).logits, tiny.read("fed. " * 9 + end).logits)


def test_a_step_goes_on_from_the_step_before(either: TextGenerator) -> None:
    step = either.read("a bad")
    for sign in " egg":
        step = either.reader.step(ALPHABET.ids[sign], step.state)
    np.testing.assert_allclose(step.logits, either.read("a bad egg").logits, atol=1e-6)


def test_a_chunk_goes_on_from_the_chunk_before(either: TextGenerator) -> None:
    ids = ALPHABET.encode(random_text(40))
    whole, _ = either.reader.read_chunk(ids, either.reader.start())
    first, state = either.reader.read_chunk(ids[:15], either.reader.start())
    second, _ = either.reader.read_chunk(ids[15:], state)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, atol=1e-5)


def test_branches_of_a_window(tiny: TextGenerator) -> None:
    (best, p), *_ = beam_search(tiny, "ab", 2, width=len(ALPHABET))
    rows = by_keras(tiny, "ab" + best)
    assert p == pytest.approx(rows[1][ALPHABET.ids[best[0]]] * rows[2][ALPHABET.ids[best[1]]], rel=1e-3)


@pytest.mark.parametrize(("window", "features"), [(None, 1), (WINDOW, 2)])
def test_windows_have_a_length_and_one_number_a_character(window: int | None, features: int) -> None:
    with pytest.raises(ModelError, match="'tiny' can't generate"):
        windowed(2, window, features)


def test_a_window_stands_on_disk_and_is_measured_with_what_stands_before(
    tiny: TextGenerator, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(tiny.keras(), tiny.alphabet, CARD, tmp_path / "tiny")
    text = random_text(400)
    monkeypatch.setattr(registry, "load_text", lambda name: text.upper())
    found = evaluate(lstm_core.load(tmp_path / "tiny"))
    assert found["examples"] == 39  # as for a model that carries its state
    p = by_keras(tiny, text)[np.arange(360, 399), ALPHABET.encode(text)[361:]]
    assert found["nats_per_character"] == pytest.approx(-np.log(p).mean(), abs=1e-5)


# --- Clamps while it writes -------------------------------------------------------------------


def written(model: TextGenerator, *clamps: Clamp, length: int = 25) -> list[GeneratedCharacter]:
    return list(model.stream("a bad", length, seed=5, clamps=clamps))


def test_no_clamps_and_clamps_that_never_hold_change_nothing(either: TextGenerator) -> None:
    plain = written(either)
    for clamps in ((), (Clamp("f", 0.0, timesteps=[900]),), (Clamp("f", 0.0, timesteps=[]),)):
        for one, other in zip(plain, written(either, *clamps), strict=True):
            assert one.character == other.character
            np.testing.assert_array_equal(one.logits, other.logits)


def test_full_forget_gates_and_closed_input_gates_keep_the_cell_state(either: TextGenerator) -> None:
    steps = written(either, Clamp("f", 1.0, layer=1), Clamp("i", 0.0, layer=1))
    for each in steps:  # the prompt was read so, too: it stays what it was before the first character
        np.testing.assert_array_equal(each.layers[1].c, 0)
        assert each.layers[0].c.any()


def test_timesteps_count_what_is_written() -> None:
    model = carried()
    plain = written(model)
    steps = written(model, Clamp("f", 1.0, timesteps=range(3, 25)), Clamp("i", 0.0, timesteps=range(3, 25)))
    for position in range(4):  # what is held while character 3 is read shows from character 4 on
        np.testing.assert_array_equal(steps[position].logits, plain[position].logits)
    for each in steps[4:]:
        np.testing.assert_array_equal(each.layers[0].c, steps[3].layers[0].c)


def test_a_closed_output_gate_hides_everything(either: TextGenerator) -> None:
    steps = written(either, Clamp("o", 0.0, layer=1))
    bias = either.keras().get_weights()[-1]
    for each in steps:
        np.testing.assert_array_equal(each.layers[1].h, 0)
        np.testing.assert_allclose(each.logits, bias, atol=1e-6)


@pytest.mark.parametrize("signal", list("ifgoch"))
def test_units_and_timesteps_are_respected(either: TextGenerator, signal: str) -> None:
    plain, steps = written(either), written(either, Clamp(signal, 0.25, units=[1, 4], timesteps=2, layer=0))
    held = getattr(steps[3].layers[0], signal)
    assert set(np.flatnonzero(held == np.float32(0.25))) == {1, 4}
    np.testing.assert_array_equal(steps[2].logits, plain[2].logits)
    assert not np.array_equal(steps[3].logits, plain[3].logits)


def test_a_window_is_clamped_where_the_character_stands(tiny: TextGenerator) -> None:
    clamp = Clamp("g", 1.0, timesteps=[1, 2])
    steps = written(tiny, clamp)
    text = "a bad" + "".join(each.character for each in steps)
    ids = np.append([ALPHABET.ids["\n"]] * WINDOW, ALPHABET.encode(text))
    lower = next(layer for layer in tiny.keras().layers if isinstance(layer, layers.LSTM))
    for n in range(1, len(steps)):
        end = WINDOW + 5 + n  # behind character n - 1, after which character n was drawn
        x = (ids[end - WINDOW : end] / len(ALPHABET)).astype("float32")[:, None]
        places = [WINDOW - n + position for position in (1, 2) if 0 <= WINDOW - n + position < WINDOW]
        expected = trace(lower, x, clamps=[Clamp("g", 1.0, timesteps=places)])
        np.testing.assert_allclose(steps[n].layers[0].c, expected.c[-1], atol=1e-5)


@pytest.mark.parametrize(
    ("clamp", "said"),
    [
        (Clamp("f", 0.0, layer=2), "names layer 2; there are 2"),
        (Clamp("f", 0.0, layer=-1), "names layer -1"),
        (Clamp("z", 0.0), "has no 'z' to clamp"),
        (Clamp("f", 0.0, units=[7], timesteps=[30]), "names unit 7"),
        (Clamp("f", 0.0, timesteps=[-1, 3]), "names timestep -1"),
    ],
)
def test_clamps_that_name_nothing_are_refused_before_anything_is_written(
    either: TextGenerator, clamp: Clamp, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        either.stream("a", 5, clamps=[clamp])


def test_a_prompt_is_needed_with_a_window_too(tiny: TextGenerator) -> None:
    with pytest.raises(TextError, match="nothing to begin with"):
        tiny.stream("世", 5)
