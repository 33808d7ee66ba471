"""The networks that lessons train, as stock Keras models, and the optimizer that tells its gradient's norm.

No data and no loop. Everything is backend-neutral, and what is saved holds nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import layers, ops

from lstm_core.training.lessons.recipe import LessonRecipe

CELLS = {"rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}


def network(recipe: LessonRecipe, size: int, outputs: int) -> keras.Model:
    """The network of a lesson.

    Args:
        recipe: of any task.
        size: ids of the embedding; ignored for a forecaster.
        outputs: labels, characters, or values that are forecast.

    Returns:
        A classifier (batch, T) → (batch, outputs) and a writer (batch, T) → (batch, T, outputs) end in a
        softmax; a forecaster (batch, T, 1) → (batch, outputs) ends in plain numbers.
    """
    if recipe.task == "forecaster":
        x = start = keras.Input((None, 1), name="window")
    else:
        start = keras.Input((None,), dtype="int32", name="tokens" if recipe.task == "classifier" else "characters")
        masked = recipe.task == "classifier"
        x = layers.Embedding(size, recipe.embedding, mask_zero=masked, name="embedding")(start)
        x = _dropout(recipe, x, "embedding_dropout") if masked else x
    whole = recipe.task == "generator" or recipe.pooling == "strongest"
    for number in range(recipe.layers):
        above = number < recipe.layers - 1
        x = _cell(recipe, number, return_sequences=above or (whole and recipe.task != "forecaster"))(x)
        x = _dropout(recipe, x, f"dropout_{number}") if above or recipe.task == "generator" else x
    if recipe.task == "classifier" and recipe.pooling == "strongest":
        x = layers.GlobalMaxPooling1D(name="strongest")(x)
    if recipe.task != "generator":
        x = _dropout(recipe, x, "answer_dropout")
    activation = None if recipe.task == "forecaster" else "softmax"
    return keras.Model(start, layers.Dense(outputs, activation=activation, name="answer")(x), name=recipe.task)


def _cell(recipe: LessonRecipe, number: int, **settings: Any) -> layers.Layer:
    name = recipe.cell if recipe.layers == 1 else f"{recipe.cell}_{number}"
    return CELLS[recipe.cell](recipe.units, name=name, **settings)


def _dropout(recipe: LessonRecipe, x: Any, name: str) -> Any:
    return layers.Dropout(recipe.dropout, name=name)(x) if recipe.dropout else x


def set_forget_bias(model: keras.Model, bias: float) -> None:
    """Put the forget gate's bias of every LSTM layer to a value; Keras starts it at 1."""
    for layer in model.layers:
        if isinstance(layer, layers.LSTM):
            kernel, recurrent, biases = layer.get_weights()
            biases[layer.units : 2 * layer.units] = bias  # in Keras's order i, f, g, o
            layer.set_weights([kernel, recurrent, biases])


class NormKeepingAdam(keras.optimizers.Adam):
    """Adam that keeps the norm of the last gradient, as it came and before it was clipped, in `gradient_norm`."""

    def build(self, variables: Any) -> None:
        """Adds the one number to Adam's own."""
        super().build(variables)
        self.gradient_norm = self.add_variable((), name="gradient_norm")

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Keeps the norm of all gradients together, then does what Adam does."""
        grads = list(grads)
        self.gradient_norm.assign(ops.sqrt(sum(ops.sum(ops.square(grad)) for grad in grads)))
        super().apply(grads, trainable_variables)


def optimizer(recipe: LessonRecipe) -> NormKeepingAdam:
    """Adam at the lesson's rate, clipping as the lesson says."""
    clipping = {"norm": {"global_clipnorm": recipe.clip_at}, "value": {"clipvalue": recipe.clip_at}}
    return NormKeepingAdam(recipe.learning_rate, **clipping.get(recipe.clipping, {}))


@contextmanager
def answering_with_logits(model: keras.Model) -> Iterator[None]:
    """Within the block, the last layer leaves its softmax to the loss.

    Keras cuts off probabilities before it takes their logarithm, so a network that diverges would look as if its loss
    stopped at 16 nats.
    """
    answer = model.layers[-1]
    activation, answer.activation = answer.activation, keras.activations.linear
    try:
        yield
    finally:
        answer.activation = activation
