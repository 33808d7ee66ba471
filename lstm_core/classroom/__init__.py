"""Live classes: a code to join by, the lecturer's view, questions and votes. All of it is in the database for a day.

Nothing here names a person: a visitor is a hash that is another one in each class.
"""

from lstm_core.classroom.classes import (
    NOWHERE,
    admit_lecturer,
    end,
    forget_ended,
    is_lecturer,
    start,
    write_presence,
    write_view,
)
from lstm_core.classroom.codes import Attempts, plain_code, shown_code
from lstm_core.classroom.questions import ask, close, dismiss, reveal, show_votes, vote, vote_again, vote_of
from lstm_core.classroom.results import results_csv
from lstm_core.classroom.schema import ClassError
from lstm_core.classroom.state import Asked, ClassState, find, news

__all__ = [
    "NOWHERE", "Asked", "Attempts", "ClassError", "ClassState", "admit_lecturer", "ask", "close", "dismiss", "end",
    "find", "forget_ended", "is_lecturer", "news", "plain_code", "results_csv", "reveal", "show_votes", "shown_code",
    "start", "vote", "vote_again", "vote_of", "write_presence", "write_view",
]  # fmt: skip
