"""What people see in a terminal: the target, a short table, the verdict, where the report is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text as RichText

from kisaan_validate.compare.tables import row_counts
from kisaan_validate.contract.promise import State
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.result import UNANSWERED, FailOn, Status, Verdict
from kisaan_validate.report.beside import not_compared_lines
from kisaan_validate.report.changed import STATE_ORDER, answer_words, open_hints
from kisaan_validate.report.criteria import criteria_words, criterion_lines
from kisaan_validate.report.depth import depth_words
from kisaan_validate.report.guarded import guard_words, unwatched
from kisaan_validate.report.past import past_sentence
from kisaan_validate.report.profile_gaps import profile_gaps
from kisaan_validate.report.shown import Shown as Text
from kisaan_validate.report.summary import WORTH_SAYING, held_words, pairs_of
from kisaan_validate.report.text import flat
from kisaan_validate.report.values import print_values
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.proved import proved_earlier
from kisaan_validate.verdict.resumed import read_so_far

if TYPE_CHECKING:
    from kisaan_validate.facts.differences import TableRowCounts
    from kisaan_validate.verdict.judgement import Judgement

from kisaan_validate.report.console_checks import INDENT, print_checks_in_need, print_names
from kisaan_validate.report.console_parts import (
    MOST_LISTED,
    MOST_ROWS,
    new_console,
    new_table,
    print_line,
    rows_shown,
)

_ORDER = [Status.FAIL, Status.ERROR, Status.SKIP, Status.TOLERATED, Status.PASS, Status.NOT_APPLICABLE]
STATE_STYLES = {
    State.KEPT: "green",
    State.BROKEN: "bold red",
    State.NOT_DONE: "bold red",
    State.UNKNOWN: "bold yellow",
    State.NOT_APPLICABLE: "dim",
}
_VERDICT_STYLES = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}


def print_run(judged: Judgement, folder: Path | None, *, quiet: bool, verbose: bool) -> None:
    """The run as a short table: whose fault it is, what needs attention, the verdict, and where the report
    is.
    """
    console, run = new_console(), judged.run
    if quiet:
        print_names(console, judged)
    for line in answer_lines(judged) if not quiet else ():
        # Never wrapped: a line of this answer is copied into tickets and found by grep.
        console.print(line, soft_wrap=True)
    if not quiet:
        if judged.diff is not None and judged.before is not None:
            _print_rows(console, row_counts(judged.before, baseline_of(run)))
            if words := depth_words(judged):
                console.print(Text(f"compared  {words}"), soft_wrap=True)
        _print_promises(console, judged, verbose)
        _print_groups(console, judged, verbose)
        _print_remarks(console, judged, verbose)
        print_values(console, run.values, verbose=verbose)
        _print_hints(console, judged, verbose)
        _print_untold(console, judged, verbose)
        for beside in not_compared_lines(judged.diff.not_compared if judged.diff is not None else ()):
            console.print(Text(beside, style="yellow"), soft_wrap=True)
        print_checks_in_need(console, judged, verbose=verbose)
        _print_next_steps(console, judged, verbose)
        for check, result in pairs_of(run):
            # Also of a check that holds now: somebody was still writing.
            if result.settled and (result.settled.healed or result.settled.fresh):
                console.print(Text(f"flight  {flat(check.id)}: {result.message}"), soft_wrap=True)
        for gap in profile_gaps(run.tables):
            console.print(Text(f"profile {gap}", style="yellow"), soft_wrap=True)
        for notice in (n for n in run.notices if n.code != "drill"):
            console.print(Text(f"note    {notice.message}", style="yellow"))
    # Said only if the snapshot was held long enough to matter for vacuum.
    if not quiet and run.held_seconds >= WORTH_SAYING:
        console.print(Text(held_words(run)))
    # Also with --quiet: why a night took long, or ended early, is what its log is read for.
    if run.pauses or unwatched(run) or (run.guard is not None and run.guard.given_up):
        console.print(Text(guard_words(run), style="yellow"), soft_wrap=True)
    if not quiet and (words := criteria_words(criterion_lines(run))):
        console.print(Text(f"success criteria: {words[0].lower()}{words[1:]}"))
    console.print(verdict_line(judged))
    for text in _unproved_lines(judged):
        console.print(Text(text))
    if folder is not None:
        console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)


def answer_lines(judged: Judgement) -> list[RichText]:
    """The answer to the first question of the night: since the baseline, there before, or unknown."""
    styles = ("bold red", "bold", "bold yellow")
    return [
        Text.assemble((f"{line.word}: ", style if line.some else "bold"), line.text)
        # Without a baseline there are no lines to style.
        for line, style in zip(answer_words(judged), styles, strict=False)
    ]


def _print_promises(console: Console, judged: Judgement, verbose: bool) -> None:
    if judged.contract is None:
        return
    states = Counter(outcome.state for _, outcome in judged.promises)
    said = ", ".join(f"{states[state]:,} {state.value}" for state in State if states[state]) or "none made"
    wanted = [state for state in STATE_ORDER if verbose or state is not State.KEPT]
    for state in wanted:
        for id, lines in _by_promise(judged, state).items():
            words = f"  {id}  {_said(lines, verbose)}"
            print_line(console, Text.assemble((state.value, STATE_STYLES[state]), words), verbose)
    console.print(Text(f"promises of {judged.contract.name}: {said}"))


def _by_promise(judged: Judgement, state: State) -> dict[str, list[str]]:
    """What is said of the promises in a state: those that were declared as one, for several columns,
    together.
    """
    found: dict[str, list[str]] = {}
    for promise, outcome in judged.in_state(state):
        # A promise for several columns is one promise to its author, with an id per column behind the "/".
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


def _print_groups(console: Console, judged: Judgement, verbose: bool) -> None:
    """What no promise explains, or, without a contract, all that differs: a line for each cause."""
    if not (groups := judged.open_groups):
        return
    from kisaan_validate.compare.causes.base import sides_of

    style = "bold red" if judged.contract is not None else "bold"
    word = "unexplained" if judged.contract is not None else "differs"
    shown = groups if verbose else groups[:MOST_LISTED]
    for group in shown:
        print_line(console, Text.assemble((f"{word:<13}", style), group.words), verbose)
        for change in group.changes if verbose and len(group.changes) > 1 else ():
            console.print(Text(f"{INDENT}{sides_of(change)}"), soft_wrap=True)
    if left := groups[len(shown) :]:
        tables = counted(len({group.table for group in left}), "table")
        console.print(f"        … and {len(left):,} more in {tables}; see the report, or pass --verbose")


def _print_remarks(console: Console, judged: Judgement, verbose: bool) -> None:
    """Remarks on columns and tables that went, explained or not: values may be lost."""
    shown = list(judged.remarks.items())[: None if verbose else MOST_ROWS]
    for (kind, table, name, _), remark in shown:
        console.print(
            Text(f"removed {table if kind == 'table' else f'{table}.{name}'}: {remark}"), soft_wrap=True
        )
    if len(judged.remarks) > len(shown):
        console.print(
            f"        … and {len(judged.remarks) - len(shown):,} more; see the report, or pass --verbose"
        )


def _print_hints(console: Console, judged: Judgement, verbose: bool) -> None:
    if judged.diff is None:
        return
    from kisaan_validate.compare.causes.values import EndsMoved

    told = {c for g in judged.groups if isinstance(g.cause, EndsMoved) for c in g.changes}
    # A group that names the pattern has said it already.
    named = {(change.table, change.name) for change in told}
    found = open_hints(judged, baseline_of(judged.run))
    said = [hint for hint in found if (hint.table, hint.column) not in named]
    for hint in said[: None if verbose else MOST_ROWS]:
        # Text, never markup: a table named [bold] must not style the line or vanish from it.
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


def verdict_line(judged: Judgement) -> RichText:
    """The verdict, and how many checks had which outcome."""
    run, verdict = judged.run, judged.verdict
    counts = Counter(result.status for _, result in pairs_of(run))
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
    unanswered = sum(r.status in {Status.ERROR, Status.SKIP} for _, r in pairs_of(run))
    if past := past_sentence(run):
        lines.append(f"        {past}")
    if judged.failing:
        lines.append(f"        {counted(len(judged.failing), 'blocking check')} failed")
    uses = Counter(use.use for use in judged.waived.values())
    if uses:
        lines.append(f"        waivers: {', '.join(f'{n:,} {use.value}' for use, n in uses.items())}")
    # Counted over all results, not over those shown: a capped table must not look complete.
    if unanswered:
        lines.append(f"        {counted(unanswered, 'check')} without an answer")
    if believed := sum(bool(r.trusted) for r in run.results):
        lines.append(
            f"        {counted(believed, 'check')} {'relies' if believed == 1 else 'rely'} on an index "
            "or constraint: not all rows were read"
        )
    # Said in every mode: a total that was not measured keeps a run from passing.
    for total in run.unanswered_totals:
        lines.append(f"        no answer to the control total {total.table}: {total.name}: {total.message}")
    if run.interrupted:
        lines.append(f"        {run.interrupted}; what was measured before is kept")
    if late := [f"{flat(table)} ({at})" for table, at in proved_earlier(run)]:
        more = f"; and {len(late) - MOST_ROWS:,} more" if len(late) > MOST_ROWS else ""
        lines.append(f"        last proved: {'; '.join(late[:MOST_ROWS])}{more}")
    lines += [f"        over several nights: {flat(words)}" for words in read_so_far(run)]
    return lines


def _print_rows(console: Console, counts: Sequence[TableRowCounts]) -> None:
    table = new_table("rows of", "before", "after", "delta")
    # A delta of None stays in: an unknown number may have moved.
    moved = [c for c in counts if c.delta != 0]
    for count in moved:
        delta = "not known" if count.delta is None else f"{count.delta:+,}"
        table.add_row(Text(count.table), rows_shown(count.before), rows_shown(count.after), delta)
    for column in table.columns[1:]:
        column.justify = "right"
    if moved:
        console.print(table)
    same = counted(len(counts) - len(moved), "table")
    console.print(
        f"rows    {same} with the same number of rows, {len(moved):,} with a different or unknown number"
    )


def _print_next_steps(console: Console, judged: Judgement, verbose: bool) -> None:
    """What to do about checks without an answer: each hint once, with the checks that it helps."""
    helped: dict[str, list[str]] = {}
    for result in judged.run.results:
        if result.status in UNANSWERED and result.hint:
            helped.setdefault(result.hint, []).append(result.check_id)
    for hint, ids in list(helped.items())[: None if verbose else MOST_LISTED]:
        shown = ", ".join(ids[:3]) + (f" and {len(ids) - 3:,} more" if len(ids) > 3 else "")
        console.print(Text(f"to do   {hint} ({shown})"), soft_wrap=True)
