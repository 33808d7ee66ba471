"""Writing and scoring against Keras on the whole sequence, sampling against its definition."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

import lstm_core
from lstm_core.__main__ import main
from lstm_core.datasets import registry
from lstm_core.errors import ModelError, TextError
from lstm_core.evaluation.evaluate import evaluate
from lstm_core.inference.beam_search import beam_search
from lstm_core.inference.char_lm import TextGenerator, sampling_distribution
from lstm_core.library import store
from lstm_core.library.card import ModelCard
from lstm_core.nn.network import Network
from lstm_core.text.alphabet import Alphabet
from tests.witness import with_keras

ALPHABET = Alphabet.of("abcde fgh.\n'-")
CARD = ModelCard("tiny", "Tiny", "generator", "macbeth", "Random weights.")


def generator(depth: int = 2, seed: int = 0) -> TextGenerator:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(len(ALPHABET), 6)(tokens)
    for _ in range(depth):
        x = layers.Dropout(0.3)(layers.LSTM(7, return_sequences=True)(x))
    model = keras.Model(tokens, layers.Dense(len(ALPHABET), activation="softmax")(x))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.7, weight.shape) for weight in model.get_weights()])
    return with_keras(TextGenerator(CARD, ALPHABET, Network(model)), model)


@pytest.fixture(scope="module")
def tiny() -> TextGenerator:
    return generator()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_streaming_equals_reading_the_whole_text_in_one_pass(depth: int) -> None:
    model = generator(depth)
    written = list(model.stream("bad ", 40, seed=3))
    text = "bad " + "".join(each.character for each in written)
    whole = np.asarray(model.keras().predict_on_batch(model.alphabet.encode(text)[None]))[0]  # (T, alphabet)
    for position, each in enumerate(written):
        np.testing.assert_allclose(each.distribution, whole[3 + position], atol=1e-4)
        assert each.probability == pytest.approx(whole[3 + position][ALPHABET.ids[each.character]], abs=1e-4)


def test_the_states_are_those_of_the_layers_traces(tiny: TextGenerator) -> None:
    written = list(tiny.stream("abc", 10, seed=1))
    text = "abc" + "".join(each.character for each in written)
    run = tiny.network.run(tiny.alphabet.encode(text))
    for position, each in enumerate(written):
        for trace, layer in zip(run.traces, each.layers, strict=True):
            for signal in "ifgoch":
                np.testing.assert_allclose(getattr(layer, signal), trace.signals[signal][2 + position], atol=1e-5)


def test_a_seed_gives_a_text_and_another_seed_another(tiny: TextGenerator) -> None:
    def text(seed: int) -> str:
        return "".join(each.character for each in tiny.stream("a", 60, seed=seed))

    assert text(1) == text(1)
    assert text(1) != text(2)


def test_temperature_zero_takes_the_most_probable(tiny: TextGenerator) -> None:
    for each in tiny.stream("hag", 30, temperature=0.0):
        assert each.character == ALPHABET.characters[int(each.logits.argmax())]
        assert each.probability == 1


def test_samples_follow_the_shaped_distribution(tiny: TextGenerator) -> None:
    first = next(tiny.stream("a", 1, temperature=0.8, seed=0))
    drawn = [next(tiny.stream("a", 1, temperature=0.8, seed=seed)).character for seed in range(2000)]
    shares = np.array([drawn.count(sign) / 2000 for sign in ALPHABET.characters])
    np.testing.assert_allclose(shares, first.shaped, atol=0.04)


def test_the_stream_does_not_run_ahead(tiny: TextGenerator) -> None:
    assert len(list(islice(tiny.stream("a", 20_000), 3))) == 3


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=12),
    st.floats(0, 5),
    st.none() | st.integers(1, 15),
    st.none() | st.floats(0.01, 1),
)
def test_shapes_are_distributions_over_the_most_probable(
    logits: list[float], temperature: float, top_k: int | None, top_p: float | None
) -> None:
    values = np.array(logits, np.float32)
    p = sampling_distribution(values, temperature, top_k, top_p)
    assert p.sum() == pytest.approx(1, abs=1e-5)
    assert p[values.argmax()] > 0
    kept, dropped = values[p > 0], values[p == 0]
    if top_k is not None:
        assert len(kept) <= top_k
    if len(dropped) and temperature > 0.2 and (top_k is not None or top_p is not None) and np.ptp(values) < 10:
        assert dropped.max() <= kept.min()


def test_temperature_sharpens_and_truncation_keeps_the_ratio() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05]))
    np.testing.assert_allclose(sampling_distribution(logits), [0.5, 0.3, 0.15, 0.05])
    squared = np.array([0.25, 0.09, 0.0225, 0.0025])
    np.testing.assert_allclose(sampling_distribution(logits, 0.5), squared / squared.sum())
    np.testing.assert_allclose(sampling_distribution(logits, top_k=2), [0.625, 0.375, 0, 0])
    np.testing.assert_allclose(sampling_distribution(logits, top_p=0.6), [0.625, 0.375, 0, 0])
    np.testing.assert_allclose(sampling_distribution(logits, top_p=0.5), [1, 0, 0, 0])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"temperature": -1}, "temperature must be from 0"),
        ({"temperature": float("nan")}, "temperature must be from 0"),
        ({"temperature": 1e9}, "temperature must be from 0"),
        ({"top_k": 0}, "top_k must be 1 or more"),
        ({"top_p": 0.0}, "top_p must be above 0"),
        ({"top_p": 1.5}, "top_p must be above 0"),
        ({"length": 0}, "length must be from 1"),
        ({"length": 1_000_000}, "length must be from 1"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(
    tiny: TextGenerator, settings: dict, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        tiny.stream("a", **{"length": 5, **settings})


@pytest.mark.parametrize("prompt", ["", "世界", "\x00"])
def test_a_prompt_without_a_known_character_is_refused(tiny: TextGenerator, prompt: str) -> None:
    with pytest.raises(TextError, match="nothing to begin with"):
        tiny.stream(prompt, 5)


@pytest.mark.parametrize("length", [2, 3, 511, 512, 513, 1300])
def test_a_score_is_the_mean_surprisal_by_keras(tiny: TextGenerator, length: int) -> None:
    text = "".join(np.random.default_rng(length).choice(list(ALPHABET.characters), length))
    ids = ALPHABET.encode(text)
    p = np.asarray(tiny.keras().predict_on_batch(ids[None]))[0]
    expected = -np.log(p[np.arange(length - 1), ids[1:]])
    found = tiny.score(text)
    np.testing.assert_allclose(found.surprisal, expected, atol=1e-4)
    assert found.nats_per_character == pytest.approx(expected.mean(), abs=1e-5)
    assert found.text == text


def test_too_little_to_score_is_refused(tiny: TextGenerator) -> None:
    with pytest.raises(TextError, match="too little"):
        tiny.score("a世")


def test_branches_are_the_best_continuations(tiny: TextGenerator) -> None:
    found = beam_search(tiny, "ab", 2, width=len(ALPHABET))
    ids = ALPHABET.encode("ab")
    first = np.asarray(tiny.keras().predict_on_batch(ids[None]))[0, -1]
    every = {}
    for a, sign in enumerate(ALPHABET.characters):
        second = np.asarray(tiny.keras().predict_on_batch(np.append(ids, a)[None]))[0, -1]
        every |= {sign + other: first[a] * second[b] for b, other in enumerate(ALPHABET.characters)}
    best = sorted(every.items(), key=lambda item: -item[1])[: len(found)]
    assert [text for text, _ in found] == [text for text, _ in best]
    np.testing.assert_allclose([p for _, p in found], [p for _, p in best], rtol=1e-3)


def test_a_network_of_another_shape_is_refused() -> None:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.GRU(4, return_sequences=True)(layers.Embedding(len(ALPHABET), 3)(tokens))
    model = keras.Model(tokens, layers.Dense(len(ALPHABET), activation="softmax")(x))
    with pytest.raises(ModelError, match="'tiny' can't generate"):
        with_keras(TextGenerator(CARD, ALPHABET, Network(model)), model)


class TestAlphabet:
    def test_what_people_type_is_mapped_without_guessing(self) -> None:
        assert ALPHABET.decode(ALPHABET.encode("ABÉ—“x”’…")) == "abe-'..."

    def test_what_is_lost_is_named_once(self) -> None:
        assert ALPHABET.lost("a世b界世\r\n") == ("世", "界")

    def test_json_brings_it_back(self) -> None:
        assert Alphabet.from_json(ALPHABET.to_json()) == ALPHABET

    @pytest.mark.parametrize("data", [{"alphabet": ""}, {"alphabet": 3}, {"alphabet": "aa"}, {}])
    def test_damaged_json_is_refused(self, data: dict) -> None:
        with pytest.raises((KeyError, TypeError, ValueError)):
            Alphabet.from_json(data)


@pytest.fixture
def saved(tmp_path: Path, tiny: TextGenerator) -> str:
    store.save(tiny.keras(), tiny.alphabet, CARD, tmp_path / "tiny")
    return str(tmp_path / "tiny")


class TestOnDisk:
    def test_a_saved_generator_writes_the_same(self, saved: str, tiny: TextGenerator) -> None:
        again = lstm_core.load(saved)
        assert isinstance(again, TextGenerator)
        texts = ["".join(each.character for each in model.stream("a", 30, seed=4)) for model in (tiny, again)]
        assert texts[0] == texts[1]

    def test_files_that_do_not_belong_together_are_refused(self, saved: str) -> None:
        (Path(saved) / store.VOCABULARY).write_text('{"alphabet": "ab"}', encoding="utf-8")
        with pytest.raises(ModelError, match="don't belong together"):
            lstm_core.load(saved)

    def test_the_figures_are_of_the_end_of_the_text(
        self, saved: str, tiny: TextGenerator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = "".join(np.random.default_rng(0).choice(list("abcdefgh \n"), 400)).upper()
        monkeypatch.setattr(registry, "load_text", lambda name: text)
        found = evaluate(lstm_core.load(saved))
        assert found["examples"] == 39
        assert found["nats_per_character"] == pytest.approx(tiny.score(text[360:].lower()).nats_per_character)


class TestCommandLine:
    def test_the_same_seed_prints_the_same_text(self, saved: str, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["generate", saved, "--prompt", "a bad", "--length", "25", "--seed", "1"]
        printed = []
        for _ in range(2):
            assert main(arguments) == 0
            printed.append(capsys.readouterr().out)
        assert printed[0] == printed[1]
        assert printed[0].startswith("a bad")
        assert len(printed[0].rstrip("\n")) <= 30

    @pytest.mark.parametrize(
        "wrong",
        [
            ["--prompt", ""],
            ["--prompt", "世"],
            ["--prompt", "a", "--temperature", "nan"],
            ["--prompt", "a", "--temperature", "-1"],
            ["--prompt", "a", "--length", "0"],
            ["--prompt", "a", "--length", "1000000"],
            ["--prompt", "a", "--top-p", "2"],
        ],
    )
    def test_a_mistake_is_one_line(self, saved: str, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["generate", saved, *wrong]) == 2
        found = capsys.readouterr()
        assert found.out == ""
        assert len(found.err.splitlines()) == 1

    def test_a_classifier_does_not_write_nor_a_generator_classify(
        self, saved: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["generate", "stackoverflow_article", "--prompt", "a"]) == 2
        assert main(["predict", saved, "a"]) == 2
        assert "is a classifier; this takes a character model" in capsys.readouterr().err
