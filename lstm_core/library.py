"""The models folder: what is in it, and how a model is loaded from it and saved to it.

One folder a model: `model.keras` (a stock Keras model), `vocabulary.json` (how text becomes ids, or
how the values of a series are scaled) and `card.json` (what it is, how it was trained, what it
reached). Listing reads cards only; loading brings Keras in. Folders are trusted no further than Keras's safe mode.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lstm_core.cards import CARD, ModelCard, damaged, misfit, read_json, write_json
from lstm_core.errors import ModelError

if TYPE_CHECKING:
    from lstm_core.characters import Alphabet
    from lstm_core.classify import TextClassifier
    from lstm_core.forecast import Settings
    from lstm_core.generate import TextGenerator
    from lstm_core.text import Encoder
    from lstm_core.word_model import WordModel

SHIPPED = Path(__file__).resolve().parent.parent / "models"
WEIGHTS, VOCABULARY = "model.keras", "vocabulary.json"
Read = TypeVar("Read")


def list_models(folder: Path | None = None) -> list[ModelCard]:
    """The cards of all models that can be read, by name; a damaged one is left out.

    Args:
        folder: where to look; None for the models shipped with LSTM Lab, and the user's own behind them.
    """
    if folder is None:
        from lstm_core import workshop

        return [*list_models(SHIPPED), *workshop.list_own()]
    found = []
    for path in sorted(folder.glob(f"*/{CARD}")):
        try:
            found.append(ModelCard.read(path.parent))
        except ModelError:
            continue  # `load` says what is wrong with it when somebody asks for it by name
    return found


def find(name: str | os.PathLike[str]) -> Path:
    """The folder of a model, by its name or by a path to it.

    Raises:
        ModelError: if there is none.
    """
    # `os.path.isdir` says no to what can't be a path, such as a whole question; `Path.is_dir` may raise.
    if name and Path(name).name == str(name):
        from lstm_core import workshop

        for shelf in (SHIPPED, workshop.own_folder()):
            if os.path.isdir(shelf / name):
                return shelf / name
    if name and os.path.isdir(name):
        return Path(name)
    names = ", ".join(card.name for card in list_models()) or "none"
    asked = " ".join(str(name).split())[:200]  # one line, whatever was given
    raise ModelError(f"There is no model '{asked}'. Models here: {names}.")


def load(name: str | os.PathLike[str]) -> TextClassifier | TextGenerator | WordModel:
    """Load a model by its name, or from a path to a model's folder.

    Raises:
        ModelError: if it is missing, damaged, or holds a network that can't be followed.
    """
    folder = find(name)
    card = ModelCard.read(folder)
    if card.task not in _LOADERS:
        raise ModelError(f"The model '{card.name}' is a '{card.task}', which this version doesn't know.")
    module, function = _LOADERS[card.task].split(":")
    return getattr(import_module(module), function)(folder, card)


def read_vocabulary(folder: Path, reader: Callable[[dict[str, Any]], Read]) -> Read:
    """What a model's vocabulary file holds, as a reader makes it; ModelError if it is missing or damaged."""
    data = read_json(folder, VOCABULARY)
    try:
        return reader(data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(folder, VOCABULARY, error) from error


def load_classifier(folder: Path, card: ModelCard) -> TextClassifier:
    """A text classifier from its folder; raises ModelError as `load` does."""
    from lstm_core.classify import TextClassifier
    from lstm_core.forward import Network
    from lstm_core.text import Encoder

    encoder = read_vocabulary(folder, Encoder.from_json)
    model = load_network(folder)
    network = Network(model)
    if why := _misfit(card, encoder, model):
        raise misfit(card, why)
    return TextClassifier(card, encoder, model, network)


def _misfit(card: ModelCard, encoder: Encoder, model: Any) -> str:
    """Why a network can't answer for this encoder and card; empty if it can."""
    from lstm_core.weights import is_a

    embeddings = [layer for layer in model.layers if is_a(layer, "Embedding")]
    known = [len(encoder.vocabulary)] + ([] if encoder.pairs is None else [len(encoder.pairs)])
    if sorted(layer.input_dim for layer in embeddings) != sorted(known) or len(model.inputs) != len(known):
        sizes = " and ".join(str(layer.input_dim) for layer in embeddings) or "no"
        return f"the vocabulary has {' and '.join(map(str, known))} ids, the network {sizes}"
    if model.inputs[0].shape[1] not in (None, encoder.length if encoder.padding else None):
        return f"the network reads exactly {model.inputs[0].shape[1]} tokens"
    if encoder.padding and any(layer.mask_zero for layer in embeddings):
        return "texts are padded with what the network skips"
    answers = model.outputs[0].shape  # (batch, classes)
    if len(answers) != 2 or answers[-1] not in (len(card.labels), 1 if len(card.labels) == 2 else None):
        return f"the card has {len(card.labels)} labels, the network's answer has shape {tuple(answers[1:])}"
    return ""


def load_generator(folder: Path, card: ModelCard) -> TextGenerator:
    """A text generator from its folder; raises ModelError as `load` does."""
    from lstm_core.characters import Alphabet
    from lstm_core.forward import Network
    from lstm_core.generate import TextGenerator

    alphabet = read_vocabulary(folder, Alphabet.from_json)
    model = load_network(folder)
    network = Network(model)
    if model.outputs[0].shape[-1] != len(alphabet):
        answers = model.outputs[0].shape[-1]
        raise misfit(card, f"the alphabet has {len(alphabet)} characters, the network's answer {answers}")
    return TextGenerator(card, alphabet, model, network)


# What loads a model of each task: (folder, card) → model. By name, so that listing brings none of them in.
_LOADERS: dict[str, str] = {
    "classifier": "lstm_core.library:load_classifier",
    "generator": "lstm_core.library:load_generator",
    "forecaster": "lstm_core.forecast:load_forecaster",
    "blank filler": "lstm_core.blank_filler:load_blank_filler",
    "rewriter": "lstm_core.rewriting:load_rewriter",
    "tree reader": "lstm_core.tree_reader:load_tree_reader",
    "word model": "lstm_core.word_model:load_word_model",
}


def quiet_tensorflow() -> None:
    """Keep TensorFlow's remarks about its build off standard error; only before it is imported.

    It can be told to speak again by setting the two variables oneself.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its remark can't be silenced; results repeat better, too


def load_network(folder: Path) -> Any:
    """The stock Keras model in a folder, in safe mode; ModelError if it is missing or damaged."""
    quiet_tensorflow()
    import keras

    # Keras warns that max pooling ignores a mask; ours is exact without it (see `networks.py`).
    warnings.filterwarnings("ignore", message=r".*GlobalMaxPooling1D.*does not support masking")
    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(f"The model '{folder.name}' is incomplete: {path} is missing. Get the folder again.")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zip, HDF5 and JSON libraries each have their own; a damaged file meets any of them
        raise damaged(folder, WEIGHTS, error) from error


def save(model: Any, encoder: Encoder | Alphabet | Settings, card: ModelCard, folder: Path) -> None:
    """Write a model's three files; each is written beside its place first and then moved there.

    Raises:
        OSError: if the disk is full or the folder can't be written; what was there stays.
    """
    import keras

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:  # inside, so that nobody lists it as a model
        workshop = Path(temporary)
        keras.Model(model.inputs, model.outputs, name=model.name).save(workshop / WEIGHTS)  # no optimizer state
        write_json(workshop / VOCABULARY, encoder.to_json(), indent=None)
        write_json(workshop / CARD, asdict(card), indent=2)
        for name in (WEIGHTS, VOCABULARY, CARD):
            os.replace(workshop / name, folder / name)


def save_card(card: ModelCard, folder: Path) -> None:
    """Write the card alone, as `evaluate` does with what it measured."""
    temporary = folder / f".{CARD}.new"
    write_json(temporary, asdict(card), indent=2)
    os.replace(temporary, folder / CARD)
