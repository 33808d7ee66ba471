"""One job and its state."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

WAITING, RUNNING, FINISHED, STOPPED, FAILED = "waiting", "running", "finished", "stopped", "failed"
INTERRUPTED = "interrupted"  # it was under way when the web process ended
OWN_FINISHED_LIMIT = 12  # jobs of one owner that are kept when they are over
FINISHED_LIMIT = 120  # of all owners


@dataclass
class Job:
    """One submitted function and its state. Pages read it and never write to it."""

    identity: str  # a random string, part of its link; whoever has it may see the job
    owner: str  # who submitted it
    title: str  # as displayed
    work: str  # its function, "lstm_core.module:function"
    arguments: dict[str, Any]  # of the function
    state: str = WAITING  # one of the states above
    # Its reports, oldest first; cleared when it is restarted.
    events: list[dict[str, Any]] = field(default_factory=list)
    restarts: int = 0  # how often it was restarted because its worker was lost
    message: str = ""  # why it failed, in one sentence
    result: dict[str, Any] | None = None  # what the function returned
    stop_requested: bool = False  # whether `JobQueue.stop` was called
    submitted: float = field(default_factory=time.time)  # seconds since the epoch, as all times here
    begun: float = 0.0  # 0 for not yet, as below
    ended: float = 0.0
    last_seen: float = 0.0  # the time of the last event
    address: str = ""  # of the network, from which it was submitted; empty for this machine
    done: threading.Event = field(default_factory=threading.Event, repr=False)  # set when the job is over

    @property
    def over(self) -> bool:
        """Whether it has finished, was stopped or interrupted, or failed."""
        return self.state in (FINISHED, STOPPED, FAILED, INTERRUPTED)


def plain(value: Any) -> Any:
    """NumPy scalars and arrays as Python numbers and lists, so that an event can be serialized."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def uploads_of(job: Job) -> dict[str, bytes]:
    """The arguments that are uploaded files: they are in the store while the run goes on, and nowhere afterwards."""
    return {name: value for name, value in job.arguments.items() if isinstance(value, bytes)}
