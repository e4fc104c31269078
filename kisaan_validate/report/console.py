"""What people see in a terminal: the target, a short table, the verdict, where the report is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text as RichText

from kisaan_validate.compare.changes import changes_by_table, lacking, rows_not_kept
from kisaan_validate.compare.tables import row_counts
from kisaan_validate.contract.rules import State
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.differences import CheckMove, TableRowCounts, Transition, catalogue_of, rows_of
from kisaan_validate.facts.result import COUNTED, Evidence, FailOn, Result, Status, Verdict
from kisaan_validate.report.beside import not_compared_lines
from kisaan_validate.report.changed import STATE_ORDER, answer_words, open_hints, words_of
from kisaan_validate.report.criteria import criteria_words, criterion_lines
from kisaan_validate.report.depth import depth_words
from kisaan_validate.report.found import found_words
from kisaan_validate.report.shown import Shown as Text
from kisaan_validate.report.shown import shown
from kisaan_validate.report.summary import WORTH_SAYING, held_words
from kisaan_validate.report.values import print_values
from kisaan_validate.text.numbers import counted
from kisaan_validate.text.pairs import pair
from kisaan_validate.verdict.judgement import Judgement

if TYPE_CHECKING:
    from kisaan_validate.facts.table import Profile
    from kisaan_validate.ops.demo import DemoStory
    from kisaan_validate.prove.asked import Connected

STYLES = {
    Status.PASS: "green",
    Status.TOLERATED: "cyan",
    Status.FAIL: "bold red",
    Status.ERROR: "bold yellow",
    Status.SKIP: "yellow",
    Status.NOT_APPLICABLE: "dim",
}
_ORDER = [Status.FAIL, Status.ERROR, Status.SKIP, Status.TOLERATED, Status.PASS, Status.NOT_APPLICABLE]
STATE_STYLES = {
    State.KEPT: "green",
    State.BROKEN: "bold red",
    State.NOT_DONE: "bold red",
    State.UNKNOWN: "bold yellow",
    State.NOT_APPLICABLE: "dim",
}
_VERDICT_STYLES = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}
_SEVERITIES = [Severity.BLOCKING, Severity.WARNING, Severity.INFO]
MOST_LISTED = 10
"""So many differences that no contract judges are listed unless --verbose asks for all."""
MOST_ROWS = 40
"""So many checks are listed unless --verbose asks for all; the report has them all."""


def target_line(place: Connected) -> str:
    """The first line of every run: which database, and where that was said."""
    return shown(f"target  {place.role}@{place.host}:{place.port}/{place.database}  (from {place.source})")


def print_run(judged: Judgement, folder: Path | None, *, quiet: bool, verbose: bool) -> None:
    """The run as a short table: whose fault it is, what needs attention, the verdict, and where the report
    is.
    """
    console, run = _console(), judged.run
    for line in answer_lines(judged):
        console.print(line, soft_wrap=True)
    if not quiet:
        if judged.diff is not None and judged.before is not None:
            _print_rows(console, row_counts(judged.before, baseline_of(run)))
            if words := depth_words(judged):
                console.print(Text(f"compared  {words}"), soft_wrap=True)
        _print_promises(console, judged, verbose)
        _print_unexplained(console, judged, verbose)
        _print_listed(console, judged, verbose)
        _print_remarks(console, judged, verbose)
        print_values(console, run.values, verbose=verbose)
        _print_hints(console, judged, verbose)
        _print_untold(console, judged, verbose)
        for beside in not_compared_lines(judged.diff.not_compared if judged.diff is not None else ()):
            console.print(Text(beside, style="yellow"), soft_wrap=True)
        _print_attention(console, judged, verbose)
        for notice in run.notices:
            console.print(Text(f"note    {notice.message}", style="yellow"))
    if not quiet and run.held_seconds >= WORTH_SAYING:
        console.print(Text(held_words(run)))
    if words := criteria_words(criterion_lines(run)):
        console.print(Text(f"success criteria: {words[0].lower()}{words[1:]}"))
    console.print(_verdict_line(judged))
    for text in _unproved_lines(judged):
        console.print(Text(text))
    if folder is not None:
        console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)


def answer_lines(judged: Judgement) -> list[RichText]:
    """The answer to the first question of the night: since the baseline, there before, or not to be told."""
    styles = ("bold red", "bold", "bold yellow")
    return [
        Text.assemble((f"{line.word}: ", style if line.some else "bold"), line.text)
        for line, style in zip(answer_words(judged), styles, strict=False)
    ]


def _print_promises(console: Console, judged: Judgement, verbose: bool) -> None:
    if judged.contract is None:
        return
    states = Counter(outcome.state for _, outcome in judged.promises)
    said = ", ".join(f"{states[state]:,} {state.value}" for state in State if states[state]) or "none made"
    wanted = [state for state in STATE_ORDER if verbose or state is not State.KEPT]
    table = _table("promise", "state", "what")
    for state in wanted:
        for id, lines in _by_promise(judged, state).items():
            table.add_row(Text(id), Text(state.value, style=STATE_STYLES[state]), Text(_said(lines, verbose)))
    if table.row_count:
        console.print(table)
    console.print(Text(f"promises of {judged.contract.name}: {said}"))


def _by_promise(judged: Judgement, state: State) -> dict[str, list[str]]:
    """What is said of the promises in a state: those that were declared as one, for several columns,
    together.
    """
    found: dict[str, list[str]] = {}
    for promise, outcome in judged.in_state(state):
        id, _, member = promise.id.partition("/")
        found.setdefault(id, []).append(
            f"{member}: {outcome.message}" if member and outcome.message else member or outcome.message
        )
    return found


def _said(lines: list[str], verbose: bool) -> str:
    shown = lines if verbose else lines[:3]
    head = f"{len(lines):,} × " if len(lines) > 1 else ""
    more = f"; … and {len(lines) - len(shown):,} more" if len(lines) > len(shown) else ""
    return head + "; ".join(shown) + more


def _print_unexplained(console: Console, judged: Judgement, verbose: bool) -> None:
    changes = judged.unexplained
    table = _table("unexplained", "of", "what", "before", "after")
    for change in changes[: None if verbose else MOST_ROWS]:
        texts = (
            change.kind,
            change.table,
            f"{change.name} {change.aspect}".strip(),
            *pair(change.before, change.after, none="–", quoted=False),
        )
        table.add_row(*(Text(text) for text in texts))
    if changes:
        console.print(table)
    if len(changes) > MOST_ROWS and not verbose:
        console.print(f"        … and {len(changes) - MOST_ROWS:,} more; see the report, or pass --verbose")


def _print_remarks(console: Console, judged: Judgement, verbose: bool) -> None:
    """What is said of what went, whether a promise explains it or not: values may be gone."""
    shown = list(judged.remarks.items())[: None if verbose else MOST_ROWS]
    for (kind, table, name, _), remark in shown:
        console.print(
            Text(f"removed {table if kind == 'table' else f'{table}.{name}'}: {remark}"), soft_wrap=True
        )
    if len(judged.remarks) > len(shown):
        console.print(
            f"        … and {len(judged.remarks) - len(shown):,} more; see the report, or pass --verbose"
        )


def _print_listed(console: Console, judged: Judgement, verbose: bool) -> None:
    """The differences that no contract judges, table by table."""
    found = [change for changes in changes_by_table(judged.listed).values() for change in changes]
    shown = found if verbose else found[:MOST_LISTED]
    table = _table("difference of", "what", "before", "after")
    for change in shown:
        texts = (change.table or "the database", words_of(change), _cell(change.before), _cell(change.after))
        table.add_row(*(Text(text) for text in texts))
    if shown:
        console.print(table)
    if left := found[len(shown) :]:
        tables = counted(len({change.table for change in left}), "table")
        console.print(
            f"        … and {counted(len(left), 'more difference')} in {tables}; see the report, or "
            "pass --verbose"
        )


def _print_hints(console: Console, judged: Judgement, verbose: bool) -> None:
    said = open_hints(judged, baseline_of(judged.run))
    for hint in said[: None if verbose else MOST_ROWS]:
        console.print(Text(f"figures  {hint.table}.{hint.column}: {hint.words}"), soft_wrap=True)


def _print_untold(console: Console, judged: Judgement, verbose: bool) -> None:
    shown = judged.untold if verbose else judged.untold[:MOST_ROWS]
    for item in shown:
        console.print(Text(f"cannot tell  {item.what}: {item.reason}", style="yellow"))
    if len(judged.untold) > len(shown):
        console.print(
            f"        … and {len(judged.untold) - len(shown):,} more; see the report, or pass --verbose"
        )
    for id in judged.rewritten:
        console.print(Text(f"rewritten  check {id} changed since the baseline; judged as now written"))


def _cell(text: str | None) -> str:
    short = " ".join((text or "–").split())
    return short if len(short) <= 60 else short[:59] + "…"


class PipeConsole(Console):
    """A console whose reader may go away: rich would end the process with 1, which means that data failed."""

    def on_broken_pipe(self) -> None:
        """Let whoever decides exit codes know. Called where BrokenPipeError is being handled."""
        raise BrokenPipeError


def _console() -> Console:
    console = PipeConsole(highlight=False)
    # Without a terminal there is no width to respect: lines are for grep and mail.
    return console if console.is_terminal else PipeConsole(highlight=False, width=160)


def _verdict_line(judged: Judgement) -> RichText:
    run, verdict = judged.run, judged.verdict
    counts = Counter(result.status for result in run.results)
    parts = [f"{counts[status]:,} {status.value.replace('_', ' ')}" for status in _ORDER if counts[status]]
    line = Text.assemble((f"{verdict.value:<12}", _VERDICT_STYLES[verdict]), f"  {', '.join(parts)}")
    if run.fail_on is FailOn.NEW:
        line.append("  only new failures count (--fail-on new)", style="bold yellow")
    if run.selection.partial:
        line.append(
            f"  PARTIAL: {len(run.checks):,} of {run.suite.total_checks:,} checks", style="bold yellow"
        )
    return line


def _unproved_lines(judged: Judgement) -> list[str]:
    run, lines = judged.run, []
    unanswered = sum(r.status in {Status.ERROR, Status.SKIP} for r in run.results)
    if judged.failing:
        lines.append(f"        {counted(len(judged.failing), 'blocking check')} failed")
    uses = Counter(use.use for use in judged.waived.values())
    if uses:
        lines.append(f"        waivers: {', '.join(f'{n:,} {use.value}' for use, n in uses.items())}")
    if unanswered:
        lines.append(f"        {counted(unanswered, 'check')} without an answer")
    if believed := sum(bool(r.trusted) for r in run.results):
        lines.append(
            f"        {counted(believed, 'check')} {'relies' if believed == 1 else 'rely'} on an index "
            "or constraint: not all rows were read"
        )
    if run.interrupted:
        lines.append(f"        {run.interrupted}; what was measured before is kept")
    return lines


def _print_rows(console: Console, counts: Sequence[TableRowCounts]) -> None:
    table = _table("rows of", "before", "after", "delta")
    moved = [c for c in counts if c.delta != 0]
    for count in moved:
        delta = "not known" if count.delta is None else f"{count.delta:+,}"
        table.add_row(Text(count.table), _number(count.before), _number(count.after), delta)
    for column in table.columns[1:]:
        column.justify = "right"
    if moved:
        console.print(table)
    same = counted(len(counts) - len(moved), "table")
    console.print(
        f"rows    {same} with the same number of rows, {len(moved):,} with a different or unknown number"
    )


def _number(rows: int | None) -> str:
    return "–" if rows is None else f"{rows:,}"


def _print_attention(console: Console, judged: Judgement, verbose: bool) -> None:
    run, checks = judged.run, judged.run.by_id
    results = sorted(
        run.results, key=lambda r: (_ORDER.index(r.status), _SEVERITIES.index(checks[r.check_id].severity))
    )
    listed = [r for r in results if verbose or r.status not in {Status.PASS, Status.NOT_APPLICABLE}]
    shown = listed if verbose else listed[:MOST_ROWS]
    moves = {move.check_id: move for move in judged.diff.moves} if judged.diff is not None else {}
    table = _table(
        "status", "severity", "check", "violations", *(["since baseline"] if moves else []), "what"
    )
    for result in shown:
        check, use = checks[result.check_id], judged.waived.get(result.check_id)
        row = [
            Text(result.status.value, style=STYLES[result.status]),
            Text(check.severity.value),
            Text(check.id),
            _count(result, check),
        ]
        if moves:
            row.append(Text(_move(moves[check.id])))
        table.add_row(
            *row, Text(f"{use.use.value}: {use.remark}" if use is not None else _what(result, check))
        )
    if shown:
        console.print(table)
    if len(listed) > len(shown):
        console.print(f"        … and {len(listed) - len(shown):,} more; see the report, or pass --verbose")


def _move(move: CheckMove) -> str:
    if move.transition is Transition.UNKNOWN:
        return f"not comparable: {move.reason}" if move.reason else "not comparable"
    words = move.transition.value if move.before is None else f"{move.transition.value} (was {move.before:,})"
    if move.transition is Transition.STILL_FAILING and move.reason:
        return f"{words}, {move.reason}"
    return words


def _what(result: Result, check: Check) -> str:
    """What was found, and what was believed; where the count says what was found, what does not hold."""
    found, believed = found_words(result, check.claim), f"by {result.trusted}" if result.trusted else ""
    # Of rows that were counted the claim says what they break; elsewhere the finding says more than the
    # claim.
    counted_rows = result.violations and result.evidence in {*COUNTED, Evidence.STREAMED}
    plain = [check.claim, result.message] if counted_rows else [result.message or check.claim]
    said = [found, result.message] if found else plain
    return "; ".join(part for part in (*said, believed) if part)


def _count(result: Result, check: Check) -> Text:
    """How many of how many rows; "in" so many rows where what is counted need not be rows: groups,
    segments, a figure.
    """
    if result.violations is None:
        return Text("–", justify="right")
    of = "in" if check.form in {Form.QUERY, Form.PYTHON} else "of"
    return Text(
        f"{result.violations:,}" + (f" {of} {result.examined:,}" if result.examined is not None else ""),
        justify="right",
    )


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in {"status", "severity", "violations"})
    return table


def print_baseline(baseline: Baseline, path: Path, *, quiet: bool) -> None:
    """What was frozen, and what could not be read."""
    console = _console()
    known = [t for t in baseline.tables if t.rows is not None]
    rows = sum(t.rows or 0 for t in known)
    if not quiet:
        console.print(
            f"rows    {rows:,} in {len(known):,} tables, {len(baseline.checks):,} checks, at "
            f"{baseline.taken_at:%Y-%m-%d %H:%M:%S} UTC"
        )
        for line in _gaps(baseline):
            console.print(Text(line, style="bold yellow"))
        for line in _beside(baseline):
            console.print(Text(line), soft_wrap=True)
    console.print(Text(f"baseline  {path}"), soft_wrap=True)


def _beside(baseline: Baseline) -> list[str]:
    """The files that belong to it, and must stay beside it."""
    return [
        f"and     {file.name}, {file.size:,} bytes"
        for file in (baseline.row_file, baseline.value_file)
        if file is not None
    ]


def _gaps(baseline: Baseline) -> list[str]:
    """What it lacks, and what to do about it."""
    lines = [f"not counted: {t.title}: {t.reason}" for t in baseline.tables if t.rows is None]
    lines += [f"not read: {what}: {reason}" for what, reason in baseline.unread.items()]
    lines += [f"not measured: {m.id}: {m.message}" for m in baseline.measured if m.message]
    said = {rows_of(t.title) for t in baseline.tables if t.rows is None}
    said |= {catalogue_of(what) for what in baseline.unread}
    lines += [f"not known: {item.what}: {item.reason}" for item in lacking(baseline) if item.what not in said]
    lines += [notice.message for notice in rows_not_kept(baseline)]
    hint = (
        "HINT: what is missing here cannot be compared later: fix it and take the baseline again, or "
        "compare live databases with kisaan-validate diff"
    )
    few = [f"not compared later: {k.table}.{k.column}: {k.message}" for k in baseline.keyed if k.message]
    return [*lines, hint, *few] if lines else few


def show_baseline(baseline: Baseline, *, verbose: bool) -> None:
    """A baseline as people read it."""
    console, place = _console(), baseline.place
    console.print(
        Text(f"baseline of {place.database} on {place.host}:{place.port}, as {place.role}, {baseline.id}")
    )
    console.print(
        Text(
            f"taken   {baseline.taken_at:%Y-%m-%d %H:%M:%S} UTC, snapshot {place.snapshot}, log position "
            f"{place.lsn or 'not known'}"
        )
    )
    console.print(
        Text(
            f"suite   {baseline.suite.name}, {len(baseline.checks):,} checks, digest "
            f"{baseline.suite.digest[:16]}"
        )
    )
    contract = f"contract {baseline.contract_digest[:16]}" if baseline.contract_digest else "no contract"
    console.print(Text(f"kept    for {contract}"))
    _print_tables(console, baseline, verbose)
    failing = [c for c in baseline.checks if c.status is Status.FAIL]
    table = _table("failing", "severity", "violations")
    for check in failing:
        table.add_row(
            Text(check.id),
            Text(check.severity.value),
            Text("–" if check.violations is None else f"{check.violations:,}"),
        )
    if failing:
        console.print(table)
    console.print(
        f"checks  "
        f"{', '.join(f'{n:,} {s.value}' for s, n in Counter(c.status for c in baseline.checks).items())}"
    )
    kinds = Counter(item.kind for item in baseline.objects)
    console.print(Text(f"schema  {', '.join(counted(n, kind) for kind, n in sorted(kinds.items()))}"))
    console.print(Text(f"sequences (outside the snapshot)  {len(baseline.sequences):,}"))
    for line in (*_beside(baseline), *_gaps(baseline)):
        console.print(Text(line, style="" if line.startswith("and ") else "bold yellow"))


def _figures(profile: Profile | None) -> tuple[str, ...]:
    """NULLs, smallest, largest, sum."""
    if profile is None:
        return ("not measured",)
    nulls = "–" if profile.nulls is None else f"{profile.nulls:,}"
    if profile.personal:
        return (nulls, "personal")
    return (nulls, _cell(profile.minimum), _cell(profile.maximum), _cell(profile.total))


def _print_tables(console: Console, baseline: Baseline, verbose: bool) -> None:
    table = (
        _table("table", "rows", "column", "type", "NULLs", "smallest", "largest", "sum")
        if verbose
        else _table("table", "rows", "columns")
    )
    for facts in baseline.tables:
        rows = "not known" if facts.rows is None else f"{facts.rows:,}"
        if not verbose:
            table.add_row(Text(facts.title), rows, f"{len(facts.columns):,}")
            continue
        for number, column in enumerate(facts.columns):
            figures = _figures(column.profile)
            head = ("", "") if number else (facts.title, rows)
            table.add_row(*(Text(text) for text in (*head, column.name, column.type, *figures)))
    console.print(table)


def print_checks(checks: Sequence[Check], total: int) -> None:
    """The declared checks: id, severity, what must hold."""
    console = _console()
    table = _table("check", "severity", "what must hold")
    for check in checks:
        table.add_row(Text(check.id), Text(check.severity.value), Text(check.claim))
    console.print(table)
    console.print(f"{len(checks):,} of {total:,} checks")


def print_story(story: DemoStory, folder: Path, *, clean: bool) -> None:
    """What the migration of the demonstration fixed, left and broke, and whether all that was planted was
    found.
    """
    console, judged = _console(), story.judged
    for line in answer_lines(judged):
        console.print(line, soft_wrap=True)
    counts = row_counts(story.before, baseline_of(story.after))
    moved = [f"{c.table} {_number(c.before)} → {_number(c.after)} ({c.delta:+,})" for c in counts if c.delta]
    if stopped := story.migrated.stopped:
        more = f"{story.migrated.applied:,} files applied; no later file ran, and the service keeps running"
        console.print(Text(f"runner  stopped at {stopped}: {story.migrated.reason}; {more}"), soft_wrap=True)
    console.print(
        "rows    "
        f"{'; '.join([*moved, f'{sum(c.delta == 0 for c in counts):,} tables with the same number of rows'])}"
    )
    states = Counter(outcome.state for _, outcome in judged.promises)
    console.print(
        f"promises  {', '.join(f'{states[state]:,} {state.value}' for state in State if states[state])}"
    )
    if not clean:
        for state, word in (("fixed", "fixed"), ("left", "left"), ("introduced", "broke")):
            faults = [fault for fault in story.faults if fault["after_migration"] == state]
            told = [fault["story"] for fault in faults if fault.get("told")]
            if not faults:
                continue
            for number, sentence in enumerate(told):
                console.print(Text(f"{'' if number else word:<8}{sentence}"))
            console.print(f"        … and {len(faults) - len(told):,} more")
    console.print(_verdict_line(judged))
    for title, ids in (("missed", story.missed), ("not planted", story.invented)):
        for id, count in ids.items():
            console.print(Text(f"{title}: {id} ({count:,})", style="bold red"))
    if not story.missed and not story.invented:
        found = (
            f"all {len(story.faults):,} planted faults were found, or seen fixed, with exact counts, "
            "and nothing else"
        )
        console.print(f"proof   {'nothing found after a clean migration' if clean else found}")
    console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)
