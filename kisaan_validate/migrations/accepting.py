"""Known and accepted oddities of migrations: they are still listed, and fail nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.migrations import MigrationFinding, Oddity
from kisaan_validate.facts.states import StandingState
from kisaan_validate.text.nearest import did_you_mean

NEVER_ACCEPTED = frozenset({Oddity.PENDING, Oddity.FAILED, Oddity.LOCKED})
"""What is not applied cannot be accepted away."""


@dataclass(frozen=True)
class Acceptance:
    """One line "oddity: pattern": it accepts such findings about migrations with fitting names."""

    oddity: Oddity
    pattern: str

    def fits(self, finding: MigrationFinding) -> bool:
        """Whether it covers a finding. One without a name, about the whole, is never accepted."""
        named = bool(finding.name) and finding.oddity is self.oddity
        return named and fnmatchcase(finding.name, self.pattern)


def read_acceptance(text: str) -> Acceptance:
    """The acceptance that a text states. Raises UsageError."""
    word, colon, pattern = text.partition(":")
    words = [oddity.value for oddity in Oddity if oddity not in NEVER_ACCEPTED]
    if not colon or not pattern.strip():
        raise UsageError(f"{text!r} accepts nothing", 'write what and of which: "only reads: 007_*"')
    if word.strip() not in words:
        said = did_you_mean(word.strip(), words) or f"it can be {', '.join(words)}"
        raise UsageError(f"{word.strip()!r} cannot be accepted", said)
    return Acceptance(Oddity(word.strip()), pattern.strip())


def with_accepted(
    findings: Iterable[MigrationFinding], accept: Sequence[str]
) -> tuple[tuple[MigrationFinding, ...], tuple[str, ...]]:
    """The findings, those that are accepted marked so, and sentences about acceptances that fit nothing.
    Raises UsageError.
    """
    lines = [(text, read_acceptance(text)) for text in accept]
    used: set[str] = set()

    def judged(finding: MigrationFinding) -> MigrationFinding:
        fitting = [text for text, line in lines if line.fits(finding)]
        used.update(fitting)
        return replace(finding, state=StandingState.PASS, accepted=True) if fitting else finding

    made = tuple(judged(finding) for finding in findings)
    return made, tuple(f"accepted, but not found: {text}" for text, _ in lines if text not in used)
