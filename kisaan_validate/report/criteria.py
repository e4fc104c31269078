"""The runbook's success criteria as the page shows them: proved, not met, not proved, to be attested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Criterion
from kisaan_validate.facts.result import UNANSWERED, Result, Status, vacuous
from kisaan_validate.facts.run import Run
from kisaan_validate.report.signatures import Attested
from kisaan_validate.report.summary import pairs_of
from kisaan_validate.report.text import number
from kisaan_validate.text.numbers import counted


class CriterionStanding(StrEnum):
    """What is known of a criterion. Only PROVED and ATTESTED are green; a person's word is not called a
    proof.
    """

    PROVED = "proved"
    NOT_MET = "not met"
    NOT_PROVED = "not proved"
    ATTESTED = "attested"
    DENIED = "denied"
    TO_ATTEST = "to be attested"


SIGNS = {
    CriterionStanding.PROVED: "pass",
    CriterionStanding.NOT_MET: "fail",
    CriterionStanding.NOT_PROVED: "error",
    CriterionStanding.ATTESTED: "pass",
    CriterionStanding.DENIED: "fail",
    CriterionStanding.TO_ATTEST: "error",
}
"""A standing is drawn and coloured as the status of a check of this name."""


@dataclass(frozen=True)
class CriterionLine:
    """One criterion, what is known of it, why, and the checks that a reader must look at (all of them
    where it is proved).
    """

    criterion: Criterion
    standing: CriterionStanding
    said: str
    checks: tuple[str, ...] = ()
    attested: tuple[Attested, ...] = ()

    @property
    def sign(self) -> str:
        """The status under whose sign and colour it is shown."""
        return SIGNS[self.standing]


def criterion_lines(run: Run, attested: Sequence[Attested] = ()) -> tuple[CriterionLine, ...]:
    """The criteria of a run in their order, each with what proves it or what does not."""
    results = {check.id: result for check, result in pairs_of(run)}
    return tuple(_by_person(c, attested) if c.manual else _by_checks(c, results) for c in run.criteria)


def _by_person(criterion: Criterion, attested: Sequence[Attested]) -> CriterionLine:
    found = tuple(a for a in attested if a.criterion == criterion.id)
    # A signature that does not verify, or that was replaced by its author, attests nothing.
    holding = [a for a in found if not a.problem and not a.replaced]
    # One denial outweighs any number of attestations: a person saw that it is not met.
    if any(not a.met for a in holding):
        return CriterionLine(
            criterion, CriterionStanding.DENIED, "a person attested that it is not met", attested=found
        )
    if holding:
        return CriterionLine(
            criterion, CriterionStanding.ATTESTED, "by a person, not by this run", attested=found
        )
    return CriterionLine(
        criterion, CriterionStanding.TO_ATTEST, "needs a person: no check can prove it", attested=found
    )


def _by_checks(criterion: Criterion, results: Mapping[str, Result]) -> CriterionLine:
    kinds: dict[str, list[str]] = {}
    # A criterion may name a check that was not part of this run.
    for id in criterion.checks:
        kinds.setdefault(_kind(results.get(id)), []).append(id)
    left = Counter({kind: len(ids) for kind, ids in kinds.items()})
    total = len(criterion.checks)
    if failing := kinds.get("fail"):
        said = (
            f"{number(len(failing))} of {counted(total, 'check')} {'fails' if len(failing) == 1 else 'fail'}"
        )
        return CriterionLine(criterion, CriterionStanding.NOT_MET, said + _also(left), tuple(failing))
    # Open before proved: one check without an answer leaves the criterion unproved, however many hold.
    if open_ := [id for kind in _OPEN for id in kinds.get(kind, ())]:
        return CriterionLine(
            criterion, CriterionStanding.NOT_PROVED, _also(left).removeprefix("; "), tuple(open_)
        )
    proving = [*kinds.get("hold", ()), *kinds.get("tolerated", ())]
    # Nothing fails, but nothing proved it either: vacuous and inapplicable checks read no row.
    if not proving:
        what = (
            "none of its checks had a row to examine"
            if "vacuous" in kinds
            else "none of its checks applies to this database"
        )
        return CriterionLine(criterion, CriterionStanding.NOT_PROVED, what, criterion.checks)
    said = f"by {counted(len(proving), 'check')}"
    return CriterionLine(criterion, CriterionStanding.PROVED, said + _also(left), criterion.checks)


# In the order in which they are said: an error is graver than a check that was left out.
_OPEN = {"unanswered": "has no answer", "unasked": "was not run"}
_REMARKS = {
    **_OPEN,
    "tolerated": "found violations within the tolerance",
    "vacuous": "had no row to examine",
    "inapplicable": "does not apply to this database",
}
_MANY = {
    "unanswered": "have no answer",
    "unasked": "were not run",
    "tolerated": _REMARKS["tolerated"],
    "vacuous": _REMARKS["vacuous"],
    "inapplicable": "do not apply to this database",
}


def _also(kinds: Counter[str]) -> str:
    parts = [
        f"{counted(kinds[k], 'check')} {(_REMARKS if kinds[k] == 1 else _MANY)[k]}"
        for k in _REMARKS
        if kinds[k]
    ]
    return "".join(f"; {part}" for part in parts)


def _kind(result: Result | None) -> str:
    if result is None:
        return "unasked"
    if result.status in UNANSWERED:
        return "unanswered"
    # After the unanswered, before the status: a vacuous check has status PASS.
    if vacuous(result):
        return "vacuous"
    return {
        Status.FAIL: "fail",
        Status.PASS: "hold",
        Status.TOLERATED: "tolerated",
        Status.NOT_APPLICABLE: "inapplicable",
    }[result.status]


def criteria_words(lines: Sequence[CriterionLine]) -> str:
    """How many criteria came to what, in words; "" where none is declared."""
    states = Counter(line.standing for line in lines)
    parts = [f"{number(states[state])} {state.value}" for state in CriterionStanding if states[state]]
    return f"Of {number(len(lines))}, {', '.join(parts)}" if lines else ""
