"""Models as files: cards, folders, bundles of one file, and the models of the user.

Loaded models are in `inference`.
"""

from lstm_core.library.bundle import LARGEST_BUNDLE, MIB, unpack_bundle
from lstm_core.library.card import ModelCard
from lstm_core.library.store import SHIPPED
from lstm_core.library.user_models import is_taken, list_user_models, own_folder, save_as

__all__ = [
    "LARGEST_BUNDLE",
    "MIB",
    "SHIPPED",
    "ModelCard",
    "is_taken",
    "list_user_models",
    "own_folder",
    "save_as",
    "unpack_bundle",
]
