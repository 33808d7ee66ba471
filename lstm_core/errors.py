"""Errors that a user can correct. Their message is one sentence, which is shown as it is.

Any other exception is a bug in the program and isn't caught.
"""

from __future__ import annotations


class LabError(ValueError):
    """An input or a file can't be used; `str()` says why and how to correct it."""


class TextError(LabError):
    """The text can't be read: empty, or not text."""


class ModelError(LabError):
    """A model folder is missing, damaged, or holds a network that this program can't read."""


class DatasetError(LabError):
    """A data set can't be downloaded, unpacked or verified."""


class NothingKeptError(LabError):
    """A training was ended before there was a network to keep."""


class MissingLibraryError(LabError, ImportError):
    """An optional library isn't installed; the message names the extra that installs it."""
