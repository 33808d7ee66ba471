"""Models as files: cards, folders, bundles that travel as one file, and the user's own models.

What a loaded model does is in `inference`.
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
