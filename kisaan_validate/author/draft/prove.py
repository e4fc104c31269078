"""A draft is proved on the database that it came from: what does not pass there is commented out, with the
reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kisaan_validate.author.draft.facts import Facts
from kisaan_validate.author.draft.lines import Key, TableDraft
from kisaan_validate.author.draft.render import DraftRefused, render
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.personal.masking import mask_values
from kisaan_validate.suite.files import load_files
from kisaan_validate.suite.load import Suite

ROUNDS = 4
"""So often a draft is corrected and run again: on a living database another check may fail the next time."""


@dataclass(frozen=True)
class Proved:
    """The files of a draft, the run that proved them, and what was commented out on the way.

    ``rendered`` are the names of all files of the draft, also of those that stand already and were not
    proved.
    """

    files: Mapping[str, str]
    rendered: tuple[str, ...]
    suite: Suite
    run: Run
    refused: DraftRefused
    drafts: tuple[TableDraft, ...]


def prove(
    facts: Facts,
    drafts: Sequence[TableDraft],
    name: str,
    keep: Callable[[str], bool],
    run: Callable[[Suite], Run],
    settings: str = "",
    observed_as: Severity = Severity.WARNING,
) -> Proved:
    """Render the draft, load it, run it, and comment out what is no PASS, until all that is left passes.

    ``keep`` tells which files will be written: only these are proved. ``settings`` is the text of a
    suite.toml that stands already, ``observed_as`` the severity of what was observed. Raises what ``run``
    raises, and UsageError if nothing would be written.
    """
    refused = DraftRefused()
    # Rendered again each time, never edited as text: what is commented out may change the imports.
    for _ in range(ROUNDS):
        rendered = render(facts, drafts, refused, name, observed_as)
        files = {path: text for path, text in rendered.items() if keep(path)}
        if not any(path.endswith(".py") for path in files):
            raise UsageError(
                "every file of the draft already exists: there is nothing to write",
                "choose another folder with --output",
            )
        # Files that stand there are not loaded, but their settings hold for the draft.
        suite = load_files({**files, "suite.toml": settings} if settings else files)
        done = run(suite)
        more = _refused(done, suite, facts)
        # A living database may refuse another check in each round.
        if not more or done.interrupted:
            break
        refused = DraftRefused({**refused.lines, **more.lines}, {**refused.columns, **more.columns})
    return Proved(files, tuple(rendered), suite, done, refused, tuple(drafts))


def _refused(run: Run, suite: Suite, facts: Facts) -> DraftRefused:
    lines: dict[str, str] = {}
    columns: dict[Key, str] = {}
    modelled = {"type", "not_null"}
    for result in run.results:
        check = run.by_id[result.check_id]
        if result.status is Status.PASS:
            continue
        reason = _reason(result, check, facts)
        # Type and NOT NULL belong to a model's field, which must change; other checks are lines of their own.
        if check.kind in modelled and len(check.columns) == 1 and suite.rules[check.id].kind == check.kind:
            columns[check.table, check.columns, check.kind] = reason
        lines[check.id] = reason
    return DraftRefused(lines, columns)


def _reason(result: Result, check: Check, facts: Facts) -> str:
    # Counts of a scan are shown; other messages may quote values.
    if result.status in {Status.FAIL, Status.TOLERATED} and result.evidence.value == "scanned":
        of = f" of {result.examined:,}" if result.examined is not None else ""
        return f"{result.violations:,}{of} rows violated it on {facts.on}"
    table = facts.catalogue.find(check.table)
    known = {
        check.table,
        *check.columns,
        *(table.columns if table is not None else ()),
        table.name if table is not None else "",
    }
    # A FAIL is our own words; what the server said is masked.
    said = result.message if result.status is Status.FAIL else mask_values(result.message, known)
    return f"on {facts.on} {said}{f' ({result.sqlstate})' if result.sqlstate else ''}"


def told(proved: Proved) -> dict[str, int]:
    """How many tables and checks a draft has, by the words that name them."""
    checks = proved.suite.checks
    observed = sum("observed" in check.tags for check in checks)
    return {
        "tables": len(proved.drafts),
        "checks": len(checks),
        "declared": len(checks) - observed,
        "observed": observed,
        "refused": len(proved.refused.lines),
        "blocking": sum(check.severity is Severity.BLOCKING for check in checks),
    }


def notes_told(drafts: Sequence[TableDraft]) -> list[str]:
    """What was left out of the drafts, each sentence once: of many like tables with their number and the
    first three.
    """
    sharing: dict[str, list[TableDraft]] = {}
    for draft in drafts:
        for note in draft.notes:
            if "catalogue only: " in note or note.startswith("withheld: "):
                sharing.setdefault(note, []).append(draft)
    return [f"{_tables_said(of)}: {note}" for note, of in sharing.items()]


NAMED = 3
"""So many of the tables that share a note are named."""


def _tables_said(drafts: Sequence[TableDraft]) -> str:
    if len(drafts) == 1:
        return drafts[0].title
    named = ", ".join(draft.name for draft in drafts[:NAMED])
    return f"{len(drafts):,} tables ({named}{', …' if len(drafts) > NAMED else ''})"
