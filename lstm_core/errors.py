"""The errors that a user can mend. Their text is one plain sentence, fit to be shown as it is.

Everything else that is raised is a fault of the program and is left to surface as one.
"""

from __future__ import annotations


class LabError(ValueError):
    """Something the user gave or has on disk can't be used; `str()` says what and how to mend it."""


class TextError(LabError):
    """The text can't be read: empty, or not text."""


class ModelError(LabError):
    """A model folder is missing, damaged, or holds a network that this program can't read."""


class DatasetError(LabError):
    """A data set can't be fetched, unpacked or trusted."""
