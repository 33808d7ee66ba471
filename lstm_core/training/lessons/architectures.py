"""The networks that lessons train, as stock Keras models."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from lstm_core.training.architectures import CELLS
from lstm_core.training.lessons.recipe import LessonRecipe


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
