"""Evaluation of trained models: metrics on test data, leakage audits, and throughput."""

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
    "what_decides",
]
