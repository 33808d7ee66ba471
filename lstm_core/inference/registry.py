"""Every task of a trained model, and what loads a model of it: the one place that names them all.

Which models there are is read from their cards alone; loading one brings in the module of its task.
"""

import os
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.library import store
from lstm_core.library.bundle import unpack_bundle_into
from lstm_core.library.card import ModelCard
from lstm_core.library.store import list_folder
from lstm_core.library.user_models import BUNDLE, list_user_models, model_path


@dataclass(frozen=True)
class Task:
    """One kind of model. Functions are named by strings, so that listing models imports none of them."""

    noun: str  # what such a model is called in a sentence
    load: str  # (folder, card) → loaded model
    train: str  # the class of `training.task.TrainingTask` that trains its recipes
    evaluate: str  # (loaded model) → figures on its test data, in plain values


# By the name that cards give a task. Every model is saved and bundled alike, as the three files of `library.store`.
TASKS: dict[str, Task] = {
    name: Task(noun, *(f"lstm_core.{each}" for each in functions))
    for name, noun, *functions in (
        ("classifier", "classifier", "inference.classifier:load_classifier", "training.classifier:ClassifierTask",
         "evaluation.evaluate:reading_figures"),
        ("generator", "character model", "inference.char_lm:load_generator", "training.char_lm:CharacterTask",
         "evaluation.evaluate:writing_figures"),
        ("forecaster", "forecaster", "inference.forecaster:load_forecaster", "training.forecaster:ForecastTask",
         "inference.forecaster:forecasting_figures"),
        ("word model", "word model", "inference.word_lm:load_word_model", "training.word_lm:WordTask",
         "evaluation.word_lm:word_figures"),
        ("blank filler", "network that fills blanks", "inference.cloze:load_blank_filler", "training.cloze:BlankTask",
         "inference.cloze:blank_figures"),
        ("rewriter", "encoder–decoder", "inference.seq2seq:load_rewriter", "training.seq2seq:Seq2SeqTask",
         "inference.seq2seq:rewriting_figures"),
        ("tree reader", "recursive network", "inference.tree_rnn:load_tree_reader", "training.tree_rnn:TreeTask",
         "inference.tree_rnn:tree_figures"),
    )
}  # fmt: skip


def function_of(where: str) -> Any:
    """What a string such as "lstm_core.inference.classifier:load_classifier" names, imported."""
    module, name = where.split(":")
    return getattr(import_module(module), name)


def list_models(folder: Path | None = None) -> list[ModelCard]:
    """The cards of the readable models in a folder, by name; None for the shipped models and then the user's own."""
    return list_folder(folder) if folder is not None else [*list_folder(store.SHIPPED), *list_user_models()]


def find_model(name: str | os.PathLike[str]) -> Path:
    """The folder or the bundle of a model, by its name or by a path to it; raises ModelError if there is none."""
    found = model_path(str(name)) or Path(name)
    # `os.path.isdir` says no to what can't be a path, such as a whole question; `Path.is_dir` may raise.
    if name and (os.path.isdir(found) or (os.path.isfile(found) and found.suffix == BUNDLE)):
        return found
    names = ", ".join(card.name for card in list_models()) or "none"
    asked = " ".join(str(name).split())[:200]  # one line, whatever was given
    raise ModelError(f"There is no model '{asked}'. Models here: {names}.")


def load(name: str | os.PathLike[str]) -> Any:
    """Load a model by its name, or from a path to a model's folder or bundle.

    Raises:
        ModelError: if it is missing, damaged, or holds a network that can't be followed.
    """
    found = find_model(name)
    if found.is_file():
        return load_bundle(found.read_bytes(), found.stem)
    card = ModelCard.read(found)
    if card.task not in TASKS:
        raise ModelError(f"The model '{card.name}' is a '{card.task}', which this version doesn't know.")
    return function_of(TASKS[card.task].load)(found, card)


def load_bundle(data: bytes, name: str = "model") -> Any:
    """The model in a bundle, under a name, ready to be used; raises ModelError as `unpack_bundle`, or as `load`."""
    with tempfile.TemporaryDirectory() as folder:
        unpack_bundle_into(data, Path(folder) / name)
        return load(Path(folder) / name)
