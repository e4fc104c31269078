"""What a verification says: findings, each proved, wrong, not proved or worth a note; and what none of
them can prove.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.signoff.standing import SignoffStanding
from kisaan_validate.verdict.judgement import Judgement


class Mark(StrEnum):
    """What a finding says."""

    PROVED = "proved"
    WRONG = "wrong"
    OPEN = "not proved"
    NOTE = "note"


@dataclass(frozen=True)
class VerifyFinding:
    """One thing that was examined, and the result."""

    mark: Mark
    subject: str
    message: str


@dataclass
class Verified:
    """All that a verification found. ``judged`` and ``standing`` are None where there is no run to speak
    of.
    """

    source: str
    findings: list[VerifyFinding] = field(default_factory=list)
    judged: Judgement | None = None
    standing: SignoffStanding | None = None

    def add(self, mark: Mark, subject: str, message: str) -> None:
        """Say one more thing."""
        self.findings.append(VerifyFinding(mark, subject, message))

    def of(self, mark: Mark) -> list[VerifyFinding]:
        """The findings with this mark."""
        return [finding for finding in self.findings if finding.mark is mark]


LIMITS = (
    "that the database held what run.json says: repeat a check's SQL on a copy from that time",
    (
        "that nobody removed or replaced the newest sign-offs or the newest runs: only a digest "
        "kept elsewhere (in an e-mail, a ticket, a timestamp) can show that"
    ),
    "when somebody signed: the time is the signer's own claim, unless an authority timestamped it",
    "who ran it: the operator's name is a claim and was not authenticated",
    "that only its owner had a key",
)
"""What no verification of files can prove."""
