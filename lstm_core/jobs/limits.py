"""What visitors may ask of the workers, by the settings of this server."""

import os

from lstm_core.paths import number_setting

OWN_LIMIT = 2  # unfinished jobs of one visitor
ADDRESS_LIMIT = 20  # unfinished jobs from one network address, which a whole class may share
LIMIT = 40  # unfinished jobs of all visitors
LONGEST, LONGEST_SHARED = 720.0, 15.0  # minutes that a job may take


def shared_server() -> bool:
    """Whether many people use this server (LSTM_LAB_SHARED=1): no downloads by visitors, no recipes of hours."""
    return os.environ.get("LSTM_LAB_SHARED") == "1"


def longest_run() -> float:
    """The seconds after which a job is stopped, from the minutes in LSTM_LAB_LONGEST_RUN; LabError if that is none."""
    return 60 * number_setting("LSTM_LAB_LONGEST_RUN", LONGEST_SHARED if shared_server() else LONGEST, 10_000)


def runs_of_an_address() -> int:
    """How many unfinished jobs one network address may have: LSTM_LAB_RUNS_PER_ADDRESS, or `ADDRESS_LIMIT`."""
    return int(number_setting("LSTM_LAB_RUNS_PER_ADDRESS", ADDRESS_LIMIT, LIMIT))
