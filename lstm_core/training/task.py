"""What a task brings to the trainer: a class that fits the stages of a recipe and makes a model of what they leave."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import keras

from lstm_core.library.card import ModelCard
from lstm_core.training.recipes import training_facts
from lstm_core.training.trainer import Fit, Trainer


class Trained(NamedTuple):
    """What training leaves: the three things that `library.store.save` writes."""

    model: keras.Model
    vocabulary: Any
    card: ModelCard


class TrainingTask(Protocol):
    """A class for each task of `inference.registry`: made from a recipe, it trains that recipe."""

    def __init__(self, recipe: Any) -> None: ...

    def train(self, trainer: Trainer) -> Trained:
        """Read the data, fit the stages, and describe what came of them.

        Raises:
            NothingKeptError: if the run was ended before there was a network.
            LabError: if the data can't be had, or can't be learnt from.
        """


def trained(
    recipe: Any, trainer: Trainer, fit: Fit, vocabulary: Any, facts: Mapping[str, Any], labels: tuple[str, ...] = ()
) -> Trained:
    """The model of a finished training, with its card.

    Args:
        recipe: what was trained.
        trainer: that trained it.
        fit: the stage whose curves and epochs the card shows.
        vocabulary: what is saved beside the network.
        facts: what else the card says of the training, such as `examples` of each part.
        labels: of a classifier.
    """
    about = {
        **facts,
        "epochs": recipe.epochs,
        "kept_epoch": fit.kept_epoch,
        "parameters": int(fit.network.count_params()),
        "backend": keras.backend.backend(),
        "curves": fit.epochs,
    }
    training = training_facts(recipe.command, recipe.seed, trainer.seconds, about)
    return Trained(fit.network, vocabulary, recipe.card(training, labels))
