"""A draft is proved on the database that it came from: what does not pass there is commented out, with the
reason.

What was counted while looking, by a sort of a large table, is not counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kisaan_validate.author.draft.facts import Facts
from kisaan_validate.author.draft.lines import Key, TableDraft
from kisaan_validate.author.draft.render import DraftRefused, render
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.personal.masking import mask_values
from kisaan_validate.suite.files import load_files
from kisaan_validate.suite.load import Suite

ROUNDS = 4
"""So often a draft is corrected and run again: on a living database another check may fail the next time."""


@dataclass(frozen=True)
class Proved:
    """The files of a draft, the run that proved them, and what was commented out on the way.

    ``run`` has all checks of ``suite`` but those that were ``counted`` while looking (ids). ``rendered`` are
    the names of all files of the draft, also of those that stand already and were not proved.
    """

    files: Mapping[str, str]
    rendered: tuple[str, ...]
    suite: Suite
    run: Run
    refused: DraftRefused
    drafts: tuple[TableDraft, ...]
    counted: frozenset[str]


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
    counted = frozenset(line.id for draft in drafts for line in draft.observed if line.counted)
    last: tuple[Suite, Run] | None = None
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
        asked = _but(suite, counted)
        # Mostly nothing new is left to prove when a line is commented out: the rest passed in one snapshot.
        done = (_rest(*last, asked) if last else None) or run(asked)
        last = (asked, done)
        more = _refused(done, suite, facts)
        # A living database may refuse another check in each round.
        if not more or done.interrupted:
            break
        refused = DraftRefused({**refused.lines, **more.lines}, {**refused.columns, **more.columns})
    return Proved(files, tuple(rendered), suite, done, refused, tuple(drafts), _ids(suite) & counted)


def _ids(suite: Suite) -> frozenset[str]:
    return frozenset(check.id for check in suite.checks)


def _but(suite: Suite, ids: frozenset[str]) -> Suite:
    """The same suite without these checks."""
    return replace(suite, checks=tuple(check for check in suite.checks if check.id not in ids))


def _rest(before: Suite, done: Run, suite: Suite) -> Run | None:
    """What a run of the suite ``before`` proved of a corrected one; None if that asks anything else than
    what passed there.
    """
    passed = {result.check_id for result in done.results if result.status is Status.PASS}
    known = _meanings(_but(before, _ids(before) - passed))
    wanted = _meanings(suite)
    if any(known.get(id) != what for id, what in wanted.items()):
        return None
    return replace(done, checks=suite.checks, results=tuple(r for r in done.results if r.check_id in wanted))


def _meanings(suite: Suite) -> dict[str, tuple[Check, str]]:
    """What each check asks, wherever it is written."""
    return {check.id: (replace(check, origin=""), suite.rules[check.id].meaning()) for check in suite.checks}


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


def is_taken(result: Result) -> bool:
    """Whether a check passed because something sound is declared of its rows, or left some of them unread."""
    return result.status is Status.PASS and (result.evidence is Evidence.PROVED or bool(result.trusted))


def told(proved: Proved) -> dict[str, int]:
    """How many tables and checks a draft has, by the words that name them.

    ``passed``, ``taken`` (as declared) and ``counted`` (while looking) have no check in common; what is left
    of ``checks`` did not pass.
    """
    checks, results = proved.suite.checks, proved.run.results
    observed = sum("observed" in check.tags for check in checks)
    taken = sum(is_taken(result) for result in results)
    return {
        "passed": sum(result.status is Status.PASS for result in results) - taken,
        "taken": taken,
        "counted": len(proved.counted),
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
