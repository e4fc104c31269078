"""A judged run as one JSON document: the facts exactly as in ``run.json``, and beside them what they came to.

It is made for machines that act on it, and is not read back: what is recorded is the run, and judging is a
function of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from kisaan_validate.compare.causes.base import ChangeGroup, Proof
from kisaan_validate.compare.changes import changes_by_table
from kisaan_validate.contract.promise import State
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.differences import Change, ChangeKey, CheckMove, NotCompared, Unknown
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.record.codec import digest_of, in_full, run_to_json, without_keyed_digests
from kisaan_validate.record.typed import adapter
from kisaan_validate.verdict.findings import Finding, Heading, findings_of
from kisaan_validate.verdict.judgement import Answer, Judgement, answer_of
from kisaan_validate.verdict.waivers import Use

JUDGED_FORMAT = 1
"""Version of the document. 1: first form."""


@dataclass(frozen=True)
class WaivedFacts:
    """What a waiver came to. ``use`` is "waived" where the failure does not count, and else says why it
    does.
    """

    use: Use
    remark: str
    reason: str
    owner: str
    expires: date


@dataclass(frozen=True)
class PromiseFacts:
    """What happened to one promise; ``explains`` is the number of differences that it explains."""

    id: str
    kind: str
    claim: str
    why: str
    severity: Severity
    state: State
    message: str
    before: str
    after: str
    explains: int


@dataclass(frozen=True)
class ChangeFacts:
    """One difference. ``explained_by`` and ``contradicts`` hold ids of promises; null where no contract
    could explain it.

    ``remark`` says of what went whether it is found under a name that came.
    """

    kind: str
    table: str
    name: str
    aspect: str
    before: str | None
    after: str | None
    delta: int | None
    explained_by: tuple[str, ...] | None
    contradicts: tuple[str, ...]
    remark: str


@dataclass(frozen=True)
class GroupFacts:
    """Differences of one table that follow from one cause, as (kind, table, name, aspect) each.

    ``proof`` is "follows" where the cause makes them, "possible" where it can have.
    """

    table: str
    cause: str
    proof: Proof
    words: str
    changes: tuple[ChangeKey, ...]
    explained_by: tuple[str, ...]


@dataclass(frozen=True)
class FindingFacts:
    """One problem, and all that shows it; ``groups`` are the words of its groups of differences."""

    title: str
    heading: Heading
    severity: Severity
    checks: tuple[str, ...]
    promises: tuple[str, ...]
    groups: tuple[str, ...]
    owners: tuple[str, ...]
    next_step: str


@dataclass(frozen=True)
class JudgedFacts:
    """What was judged. ``failing`` are the checks that fail the run; ``waived`` is by check id.

    Without a baseline ``answer`` is null. ``changes`` are all differences, table by table, ``differences``
    their number. Without a contract nobody judges them: ``promises`` and ``unexplained`` are empty.
    ``groups`` hold each difference once, ``findings`` each problem once.
    """

    verdict: Verdict
    failing: tuple[str, ...]
    waived: Mapping[str, WaivedFacts]
    answer: Answer | None
    moves: tuple[CheckMove, ...]
    differences: int | None
    changes: tuple[ChangeFacts, ...]
    untold: tuple[Unknown, ...]
    not_compared: tuple[NotCompared, ...]
    contract: str | None
    promises: tuple[PromiseFacts, ...]
    unexplained: tuple[Change, ...]
    groups: tuple[GroupFacts, ...]
    findings: tuple[FindingFacts, ...]


def judged_to_json(judged: Judgement) -> str:
    """The text of the document; ``run`` in it is what ``run.json`` holds, defaults included, ``run_sha256``
    that file's digest.
    """
    run = _escaped(run_to_json(judged.run))
    document = {
        "kind": "judged",
        "format_version": JUDGED_FORMAT,
        "judgement": adapter(JudgedFacts).dump_python(facts_of(judged), mode="json"),
        "run_sha256": digest_of(run),
        "run": {"kind": "run", **in_full(Run, without_keyed_digests(judged.run))},
    }
    return _escaped(json.dumps(document, indent=1, ensure_ascii=False)) + "\n"


def _escaped(text: str) -> str:
    # Half a surrogate pair is no UTF-8; backslashreplace writes the escape that JSON has for it.
    return text.encode("utf-8", "backslashreplace").decode()


def judged_schema() -> dict[str, Any]:
    """The JSON Schema of the document, as published in ``docs/schemas``; the run's own is referred to."""
    schema = adapter(JudgedFacts).json_schema(mode="serialization")
    parts = schema.pop("$defs")
    properties = {
        "kind": {"const": "judged"},
        "format_version": {"const": JUDGED_FORMAT},
        "judgement": schema,
        "run_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "run": {"$ref": "run.schema.json"},
    }
    dialect = "https://json-schema.org/draft/2020-12/schema"
    title, required = "Judged", list(properties)
    return {
        "$schema": dialect,
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
        "$defs": parts,
    }


def _by_table(judged: Judgement) -> list[Change]:
    grouped = changes_by_table(judged.diff.changes) if judged.diff is not None else {}
    return [change for changes in grouped.values() for change in changes]


def _change(change: Change, judged: Judgement) -> ChangeFacts:
    explained = judged.explained.get(change.key, ()) if judged.contract is not None else None
    return ChangeFacts(
        # vars: a field that a difference gains must show up here, or fail loudly.
        **vars(change),
        explained_by=explained,
        contradicts=judged.contradicted(change.key),
        remark=judged.remarks.get(change.key, ""),
    )


def facts_of(judged: Judgement) -> JudgedFacts:
    """What a judgement says, as plain facts."""
    diff = judged.diff
    return JudgedFacts(
        verdict=judged.verdict,
        failing=judged.failing,
        waived={
            id: WaivedFacts(use.use, use.remark, use.waiver.reason, use.waiver.owner, use.waiver.expires)
            for id, use in judged.waived.items()
        },
        answer=answer_of(judged),
        moves=diff.moves if diff is not None else (),
        differences=len(diff.changes) if diff is not None else None,
        changes=tuple(_change(change, judged) for change in _by_table(judged)),
        untold=judged.untold,
        not_compared=diff.not_compared if diff is not None else (),
        contract=judged.contract.name if judged.contract is not None else None,
        promises=tuple(
            PromiseFacts(
                p.id,
                p.kind,
                p.claim(),
                p.why,
                p.severity,
                o.state,
                o.message,
                o.before,
                o.after,
                len(o.explains),
            )
            for p, o in judged.promises
        ),
        unexplained=judged.unexplained,
        groups=tuple(map(_group, judged.groups)),
        findings=tuple(map(_finding, findings_of(judged))),
    )


def _group(group: ChangeGroup) -> GroupFacts:
    keys = tuple(change.key for change in group.changes)
    cause = group.cause
    return GroupFacts(group.table, cause.kind, cause.proof, group.words, keys, group.explained_by)


def _finding(finding: Finding) -> FindingFacts:
    words = tuple(group.words for group in finding.groups)
    return FindingFacts(**{**vars(finding), "groups": words})
