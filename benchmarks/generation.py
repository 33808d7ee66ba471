"""How long a character takes that `model.stream` writes: its distribution, its shaping and its draw included.

Three peers: the articles' loop, which has Keras predict from a window of 50 characters for each one;
a PyTorch LSTM of the same size that steps with carried state; and the bare matrix-vector products
that no step can do without. Run it from the root: `python -m benchmarks.generation`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import lstm_core
from benchmarks import timing
from lstm_core.errors import ModelError
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.library.card import ModelCard
from lstm_core.nn.network import Network
from lstm_core.text.alphabet import Alphabet
from lstm_core.training.recipes.char_lm import MACBETH_ARTICLE, SHAKESPEARE

RANDOM = "random"  # in place of a model's name
LENGTH = 200  # characters of one measure
STREAM, LOOP, PRODUCTS = "stream", "Keras predict, 50 characters each", "bare matrix products"
TORCH, TORCH_THREADS = "PyTorch, one thread", "PyTorch, its own threads"
FEW = {LOOP: 5}  # the articles' loop is so slow that a few characters must do


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    options = timing.parser(__doc__, repeats=20)
    options.add_argument(
        "--model",
        help="a model's name or folder, or 'random' for a fresh one of our sizes "
        "(default: macbeth, shakespeare or random, the first that is there)",
    )
    return options


def ours(name: str | None) -> TextGenerator:
    """The model that was asked for.

    Raises:
        ModelError: if it isn't there, or doesn't carry its state.
    """
    if name is None:
        shipped = {card.name for card in lstm_core.list_models()}
        name = next((each for each in ("macbeth", "shakespeare") if each in shipped), RANDOM)
    model = fresh() if name == RANDOM else lstm_core.load(name)
    if not isinstance(model, TextGenerator) or not model.carries:
        raise ModelError(
            f"'{model.card.name}' carries no state from character to character; this benchmark needs that."
        )
    return model


def fresh(characters: int = 80) -> TextGenerator:
    """A network of our recipe's sizes that has learnt nothing; what it writes takes as long."""
    from lstm_core.training.char_lm import writer

    alphabet = Alphabet(tuple(chr(ord(" ") + number) for number in range(characters)))
    model = writer(characters, SHAKESPEARE)
    return TextGenerator(ModelCard(RANDOM, "Random", "generator", "", ""), alphabet, model, Network(model))


def articles_loop(length: int) -> Callable[[], None]:
    """Writes as the articles do, with their network: shipped, or else of its sizes."""
    from lstm_core.training.char_lm_window import window_writer

    shipped = {card.name for card in lstm_core.list_models()}
    name = MACBETH_ARTICLE.name
    model: Any = lstm_core.load(name).model if name in shipped else window_writer(40, MACBETH_ARTICLE)
    alphabet, window = model.outputs[0].shape[-1], model.inputs[0].shape[1]

    def write() -> None:
        ids = [0] * window
        for _ in range(length):
            x = np.reshape(ids[-window:], (1, window, 1)) / alphabet
            p = model.predict(x, verbose=0)[0]  # (alphabet,)
            ids.append(int(np.argmax(p)))

    return write


def torch_steps(model: TextGenerator, length: int, threads: int | None) -> Callable[[], None]:
    """The same sizes in PyTorch, one character at a time; None for as many threads as it takes by itself.

    Its LSTMCell, since its LSTM packs the weights anew in every call, which makes a step seven
    times slower.
    """
    import torch

    own = torch.get_num_threads()
    width, units = len(model.reader.layers[0].kernel), [layer.units for layer in model.reader.layers]
    embedding = torch.nn.Embedding(len(model.alphabet), width)
    cells = [torch.nn.LSTMCell(*sizes) for sizes in pairwise([width, *units])]
    answer = torch.nn.Linear(units[-1], len(model.alphabet))

    def write() -> None:
        torch.set_num_threads(threads or own)
        identity, states = torch.zeros(1, dtype=torch.long), [None] * len(units)
        with torch.no_grad():
            for _ in range(length):
                x = embedding(identity)  # (1, width)
                for number, cell in enumerate(cells):
                    x, _ = states[number] = cell(x, states[number])  # (1, units)
                identity = torch.multinomial(torch.softmax(answer(x[0]), 0), 1)
                identity.item()

    return write


def bare_products(model: TextGenerator, length: int) -> Callable[[], None]:
    """The matrix-vector products of so many steps; what is multiplied doesn't matter.

    The first layer's input needs none: it is looked up for each character.
    """
    random = np.random.default_rng(0)
    first, *others = model.reader.layers
    answer = model.model.layers[-1].get_weights()[0]
    kernels = [first.recurrent, *(kernel for each in others for kernel in (each.kernel, each.recurrent)), answer]
    pairs = [(random.standard_normal(len(kernel), np.float32), kernel) for kernel in kernels]

    def multiply() -> None:
        for _ in range(length):
            for h, kernel in pairs:
                h @ kernel  # (4·units,), or (alphabet,)

    return multiply


def per_character(action: Callable[[], object], length: int) -> timing.Measure:
    """Seconds a character of an action that writes so many."""
    measure = timing.timed(action)
    return lambda: measure() / length


def measure(model: TextGenerator, repeats: int) -> list[timing.Comparison]:
    """Compare `stream` with its peers, and with the better of PyTorch's two ways."""
    prompt = model.alphabet.characters[-1]

    def stream() -> None:
        for _ in model.stream(prompt, LENGTH, seed=1):
            pass

    actions = {
        STREAM: stream,
        LOOP: articles_loop(FEW[LOOP]),
        TORCH: torch_steps(model, LENGTH, 1),
        TORCH_THREADS: torch_steps(model, LENGTH, None),
        PRODUCTS: bare_products(model, LENGTH),
    }
    measures = {name: per_character(action, FEW.get(name, LENGTH)) for name, action in actions.items()}
    times = timing.interleaved(measures, repeats)
    better = min(TORCH, TORCH_THREADS, key=lambda name: float(np.median(times[name])))
    aims = {LOOP: 0.01, better: 1.0, PRODUCTS: 3.0}
    return [timing.compare(times, STREAM, peer, aim) for peer, aim in aims.items()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        model = ours(options.model)
    except lstm_core.LabError as error:
        print(error, file=sys.stderr)
        return 2
    rows = measure(model, options.repeats)
    sizes = " and ".join(str(layer.units) for layer in model.reader.layers)
    timing.show("generation, one character", rows, as_json=options.json, model=model.card.name, units=sizes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
