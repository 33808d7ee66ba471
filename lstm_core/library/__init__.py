"""Models as files: cards, folders, bundles of one file, and the models of the user.

Loaded models are in `inference`.
"""

from lstm_core.library.bundle import LARGEST_BUNDLE, MIB, unpack_bundle
from lstm_core.library.card import ModelCard
from lstm_core.library.store import SHIPPED, list_folder
from lstm_core.library.user_models import (
    delete_model,
    list_user_models,
    model_path,
    models_of,
    rename_model,
    save_model,
)

__all__ = [
    "LARGEST_BUNDLE",
    "MIB",
    "SHIPPED",
    "ModelCard",
    "delete_model",
    "list_folder",
    "list_user_models",
    "model_path",
    "models_of",
    "rename_model",
    "save_model",
    "unpack_bundle",
]
