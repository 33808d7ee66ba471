"""The task of a lesson: its data, its network, a stock Keras model, and a fixed example, for the one trainer."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from lstm_core.inference.char_lm import TextGenerator
from lstm_core.inference.classifier import TextClassifier
from lstm_core.inference.forecaster import Forecaster
from lstm_core.library.card import LONGEST_SAMPLE, ModelCard
from lstm_core.nn.network import Network
from lstm_core.training import optimizers
from lstm_core.training.architectures import CELLS
from lstm_core.training.batches import Rows, TextWindows
from lstm_core.training.forecaster import pinball_loss
from lstm_core.training.lessons import data
from lstm_core.training.lessons.data import TrainingData
from lstm_core.training.lessons.recipe import LessonRecipe
from lstm_core.training.task import Trained, trained
from lstm_core.training.trainer import Fit, Stage, Trainer

HELD_ROWS = 100  # of a validation batch, at least
# What reads the fixed example: (card, vocabulary, network) → loaded model.
_LOADED: dict[str, Callable[[ModelCard, Any, keras.Model], Any]] = {
    "classifier": lambda card, encoder, model: TextClassifier(card, encoder, Network(model)),
    "generator": lambda card, alphabet, model: TextGenerator(card, alphabet, Network(model)),
    "forecaster": lambda card, settings, model: Forecaster(card, settings, Network(model)),
}


class LessonTask:
    """Trains a `LessonRecipe`; keeps the last finite weights, and those of each epoch of a small network in `fit`."""

    def __init__(self, recipe: LessonRecipe, own: bytes | None = None) -> None:
        """`own` is the file of somebody who brings a data set along; raises LabError as `data.prepare`."""
        self.recipe, self.data = recipe, data.prepare(recipe, own)
        self.fit: Fit | None = None

    def train(self, trainer: Trainer, begins: Callable[[keras.Model], Any] = lambda model: None) -> Trained:
        """As `TrainingTask.train`; `begins` is called with the network before the first step."""
        recipe, material = self.recipe, self.data
        keras.utils.set_random_seed(recipe.seed)
        model = network(recipe, material.size, material.outputs)
        set_forget_bias(model, recipe.forget_bias)
        forecasts = recipe.task == "forecaster"
        model.compile(
            optimizer=optimizers.clipped_adam(recipe.learning_rate, recipe.clipping, recipe.clip_at),
            loss=pinball_loss if forecasts else keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[] if forecasts else [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )
        begins(model)
        training, validation = _batches(recipe, material)
        self.fit = trainer.fit(
            Stage(
                model,
                training,
                recipe.epochs,
                validation=validation,
                keep_epochs=True,
                example=self._example,
                chance=None if forecasts else math.log(material.outputs),
                logits=not forecasts,
            )
        )
        about = {
            "examples": material.sizes, "batch": recipe.batch, "ended": trainer.ended, "settings": recipe.to_json(),
            "sample": material.sample[:LONGEST_SAMPLE],
        }  # fmt: skip
        return trained(recipe, trainer, self.fit, material.vocabulary, about, material.labels)

    def _example(self, model: keras.Model) -> dict[str, Any]:
        card = self.recipe.card(labels=self.data.labels)
        return self.data.example(_LOADED[self.recipe.task](card, self.data.vocabulary, model))


def _batches(recipe: LessonRecipe, material: TrainingData) -> tuple[Any, Any]:
    """(training, validation) batches of a lesson."""
    if recipe.task == "generator":
        cut = recipe.length, recipe.batch
        return TextWindows(material.x, *cut, recipe.seed), TextWindows(material.held_x, *cut, None)
    return (
        Rows(material.x, material.y, recipe.batch, recipe.seed),
        Rows(material.held_x, material.held_y, max(recipe.batch, HELD_ROWS), None),
    )


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
