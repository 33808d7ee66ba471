"""A lesson on paper: the picture of each view, its question, room for an answer, and a code that leads to the view."""

from lstm_core.handout.document import handout
from lstm_core.handout.pictures import Picture, picture

__all__ = ["Picture", "handout", "picture"]
