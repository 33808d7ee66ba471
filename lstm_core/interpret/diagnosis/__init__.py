"""The check-up of a network: what is wrong with it, how one sees it, and what to try.

`run` makes all checks; each of the other modules holds some of them, with the reasons for their thresholds.
"""

from lstm_core.interpret.diagnosis.ablation import OutputOf
from lstm_core.interpret.diagnosis.finding import NAMES, SEVERITIES, Checkup, Finding, Severity, Skipped
from lstm_core.interpret.diagnosis.given_networks import read_data
from lstm_core.interpret.diagnosis.run import checkup, is_network

__all__ = [
    "NAMES",
    "SEVERITIES",
    "Checkup",
    "Finding",
    "OutputOf",
    "Severity",
    "Skipped",
    "checkup",
    "is_network",
    "read_data",
]
