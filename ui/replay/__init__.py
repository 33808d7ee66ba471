"""One run of a page for many: a follower's page is recorded, and the others of the class get its finished messages.

A recording is used only by a session whose run would do the same: all that the recorded run has read of its session,
its visitor and its address is compared first. Whatever can't be compared, or belongs to a person, isn't recorded.
"""

from ui.replay.sending import in_pieces
from ui.replay.session import Recording
from ui.replay.views import VIEWS, run
from ui.replay.visitor import observed

__all__ = ["VIEWS", "Recording", "in_pieces", "observed", "run"]
