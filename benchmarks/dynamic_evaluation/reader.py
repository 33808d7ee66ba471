"""A network that learns from each segment of a text after it has predicted it (Krause et al. 2018)."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_core.arrays import Array
from lstm_core.datasets import registry, splits
from lstm_core.inference import registry as model_registry
from lstm_core.training import char_lm
from lstm_core.training.recipes import RECIPES

SEGMENT = 32  # characters between two updates
SAMPLES = 300  # segments of the training part whose gradients are averaged
EPSILON = 1e-4  # beside the root of the average square


class DynamicUpdate(keras.optimizers.Optimizer):
    """After Krause et al. 2018: w ← w - learning_rate · g / (√s + ε) + decay · n · (w₀ - w).

    s is the average of g² over the training part, w₀ the trained weight and n = √s divided by its mean over a weight
    array, at most 1 / decay. While `counting` is 1, s is summed up.
    """

    def __init__(self) -> None:
        super().__init__(learning_rate=0.0, name="dynamic_update")

    def build(self, variables: Any) -> None:
        """As in Keras, with the squares, the trained weights and two settings."""
        super().build(variables)
        self.decay, self.counting = (self.add_variable((), name=name) for name in ("decay", "counting"))
        self.squares = [self.add_variable_from_reference(each, name="squares") for each in variables]
        self.trained = [self.add_variable_from_reference(each, name="trained") for each in variables]
        for kept, variable in zip(self.trained, variables, strict=True):
            kept.assign(ops.convert_to_numpy(variable))  # a buffer of its own

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """As in Keras."""
        index = self._get_variable_index(variable)
        squares, trained = self.squares[index], self.trained[index]
        self.assign_add(squares, self.counting * ops.square(gradient))
        root = ops.sqrt(squares)
        norm = ops.minimum(root / (ops.mean(root) + EPSILON), 1 / ops.maximum(self.decay, EPSILON))
        step = self.decay * norm * (trained - variable) - learning_rate * gradient / (root + EPSILON)
        self.assign_add(variable, (1 - self.counting) * step)


class DynamicReader:
    """A shipped generator that learns from each segment of a text after it has predicted it."""

    def __init__(self, name: str) -> None:
        """Load it, and average the squares of the gradients over its training part.

        Raises:
            ModelError: if the model isn't there.
            DatasetError: if its text isn't there and can't be had.
        """
        recipe, model = RECIPES[name], model_registry.load(name)
        one = dataclasses.replace(recipe, dropout=0.0, batch=1, bptt_steps=SEGMENT)
        network = char_lm.writer(len(model.alphabet), one)
        char_lm.copy_weights(model, network, model.alphabet)
        self.model, self.optimizer = char_lm.carrying(network, one), DynamicUpdate()
        self._encode = model.alphabet.encode
        self.model.compile(self.optimizer, keras.losses.SparseCategoricalCrossentropy())
        self.optimizer.build(self.model.trainable_variables)
        self._trained = self.model.get_weights()
        training, *_ = splits.hold_out(registry.load_text(recipe.dataset))
        self._average_squares(self._encode(training.lower() if recipe.lowercase else training))

    def surprisal(self, text: str, learning_rate: float, decay: float) -> Array:
        """(segments,) nats per character of whole segments of a text, each before the network learns from it.

        Args:
            text: read from an empty state on.
            learning_rate: of the steps; 0 for the weights as they ship.
            decay: the share of the way back to the trained weights in each step.
        """
        self.model.set_weights(self._trained)  # the states too
        self.optimizer.learning_rate.assign(learning_rate)
        self.optimizer.decay.assign(decay)
        ids = self._encode(text)
        return np.array([self._step(ids, first) for first in range(0, len(ids) - SEGMENT, SEGMENT)])

    def _average_squares(self, ids: Array) -> None:
        firsts = range(0, len(ids) - SEGMENT, max(SEGMENT, len(ids) // SAMPLES))
        self.optimizer.counting.assign(1)
        for first in firsts:
            self._step(ids, first)
        self.optimizer.counting.assign(0)
        for squares in self.optimizer.squares:
            squares.assign(squares / len(firsts))

    def _step(self, ids: Array, first: int) -> float:
        """The nats per character of one segment, with the weights before it."""
        x, y = (ids[None, at : at + SEGMENT] for at in (first, first + 1))
        return float(self.model.train_on_batch(x, y))
