"""Figures of trained models on test data, and audits of how they were reached."""

from lstm_core.evaluation.leakage import PLANTED, Audit, audit, audit_forecaster, planted
from lstm_core.evaluation.speed import (
    BATCH,
    CELL_MODELS,
    FAMILY_MEMBERS,
    Member,
    Speed,
    cell_weights,
    moved_by_beginning,
    throughput,
    trial_of,
    what_decides,
)

__all__ = [
    "BATCH",
    "CELL_MODELS",
    "FAMILY_MEMBERS",
    "PLANTED",
    "Audit",
    "Member",
    "Speed",
    "audit",
    "audit_forecaster",
    "cell_weights",
    "moved_by_beginning",
    "planted",
    "throughput",
    "trial_of",
    "what_decides",
]
