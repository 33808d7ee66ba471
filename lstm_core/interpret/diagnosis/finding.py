"""What a check-up reports: findings, the most severe first, and what could not be checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lstm_core.arrays import Array

Severity = Literal["fine", "worth a look", "fault"]
SEVERITIES: tuple[Severity, ...] = ("fine", "worth a look", "fault")

# Every check in the order of cause and effect: of two findings of equal severity in one layer, the first one is more
# likely the cause of the second.
NAMES = (
    "input scale",
    "state size",
    "forget bias",
    "saturated gates",
    "dead units",
    "redundant units",
    "gradient through time",
    "memory",
    "ablation",
)


@dataclass(frozen=True)
class Finding:
    """What one check found in one layer.

    Attributes:
        name: of the check, one of `NAMES`.
        layer: name of the recurrent layer.
        severity: "fine", "worth a look" or "fault".
        sentence: what was found.
        advice: what to try; empty if it is fine.
        source: the papers that the measure or the advice is from: authors and year. Thresholds are choices of this
            project, for the reason beside each, unless a paper stands there.
        numbers: the figures behind the sentence.
        arrays: what its picture is drawn from; their names depend on the check.
    """

    name: str
    layer: str
    severity: Severity
    sentence: str
    advice: str
    source: str
    numbers: Mapping[str, float]
    arrays: Mapping[str, Array] = field(default_factory=dict, repr=False)

    @property
    def rank(self) -> int:
        """0 if it is fine, 2 for a fault."""
        return SEVERITIES.index(self.severity)

    def to_json(self) -> dict[str, Any]:
        """All but the arrays, as plain values; a number that isn't finite is None."""
        numbers = {key: float(value) if abs(value) < float("inf") else None for key, value in self.numbers.items()}
        words = {key: getattr(self, key) for key in ("name", "layer", "severity", "sentence", "advice", "source")}
        return words | {"numbers": numbers}


@dataclass(frozen=True)
class Skipped:
    """A check that could not be made in one layer."""

    name: str
    layer: str
    why: str  # one sentence


class NotCheckedError(Exception):
    """Raised by a check that can't be made; its text is the reason, one sentence."""


@dataclass(frozen=True)
class Checkup:
    """The result of a check-up.

    Attributes:
        findings: one a check and layer: faults first; of equal severity in the order of the layers, and within a
            layer from cause to effect.
        skipped: the checks that could not be made.
        sequences: how many sequences were read.
        steps: the timesteps of all of them together.
    """

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    sequences: int
    steps: int

    @property
    def severity(self) -> Severity:
        """The highest severity of all findings."""
        return SEVERITIES[max((finding.rank for finding in self.findings), default=0)]

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity, in their order."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`."""
        skipped = [{"name": each.name, "layer": each.layer, "why": each.why} for each in self.skipped]
        findings = [finding.to_json() for finding in self.findings]
        counts = {"sequences": self.sequences, "steps": self.steps}
        return {"severity": self.severity, **counts, "findings": findings, "skipped": skipped}


def ordered(findings: Iterable[Finding], layers: list[str]) -> tuple[Finding, ...]:
    """Findings in the order of `Checkup.findings`; `layers` are the names of the layers in the order of computation."""

    def place(finding: Finding) -> tuple[int, int, int]:
        return -finding.rank, layers.index(finding.layer), NAMES.index(finding.name)

    return tuple(sorted(findings, key=place))
