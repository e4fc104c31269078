"""The checks that need attention, on the console: what was found, the first keys, where it is declared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text as RichText

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check, Form
from kisaan_validate.facts.differences import CheckMove, Origin, Transition
from kisaan_validate.facts.result import COUNTED, UNANSWERED, Evidence, Result, Status, message_of
from kisaan_validate.report.console_parts import MOST_CHECKS, SEVERITIES, STYLES, print_line
from kisaan_validate.report.found import found_words, more_keys
from kisaan_validate.report.past import past_words
from kisaan_validate.report.psql import environment
from kisaan_validate.report.shown import Shown as Text
from kisaan_validate.report.summary import pairs_of
from kisaan_validate.report.text import flat, plain, shortened
from kisaan_validate.verdict.judgement import JUDGED, Judgement
from kisaan_validate.verdict.waivers import Use, Waived

KEYS = 3
"""So many violating rows are named in a line; the report has more."""
LONGEST = 40
"""Characters of a key's value; a longer one is cut, and says so."""
INDENT = " " * 6
_ORDER = [Status.FAIL, Status.ERROR, Status.SKIP, Status.TOLERATED, Status.PASS, Status.NOT_APPLICABLE]
_QUIET = frozenset({Status.PASS, Status.NOT_APPLICABLE})


@dataclass(frozen=True)
class _Line:
    """One check as its two lines show it."""

    check: Check
    result: Result
    move: CheckMove | None
    use: str
    past: str = ""


def print_checks_in_need(console: Console, judged: Judgement, *, verbose: bool) -> None:
    """Every check that failed, has no answer or was tolerated, on two lines; all checks if ``verbose``,
    with the psql lines that repeat the failing ones.
    """
    lines = _lines(judged, verbose)
    shown = lines if verbose else lines[:MOST_CHECKS]
    widths = _widths(shown, console.width)
    if verbose and any(line.result.sql for line in shown if line.result.status is Status.FAIL):
        console.print(Text(environment(judged.run)), soft_wrap=True)
    for line in shown:
        print_line(console, _head(line, widths), verbose)
        # Of a check that holds, its line says enough, unless something was believed.
        if (line.result.status is not Status.PASS or line.result.trusted) and (said := _told(line)):
            print_line(console, Text(INDENT + said), verbose)
        if verbose and line.result.sql and line.result.status is Status.FAIL:
            console.print(Text(f"{INDENT}{psql_line(line.result.sql)}"), soft_wrap=True)
    if len(lines) > len(shown):
        console.print(f"        … and {len(lines) - len(shown):,} more; see the report, or pass --verbose")


def print_names(console: Console, judged: Judgement) -> None:
    """What keeps a run from passing, a line each: the failing and unanswered checks, the promises that were
    not kept or are open, the differences that nothing explains, the comparisons that could not be made.
    """
    waived = {id for id, use in judged.waived.items() if use.use is Use.HOLDS}
    pairs = [pair for pair in pairs_of(judged.run) if pair[1].status in {Status.FAIL, *UNANSWERED}]
    for check, result in sorted(pairs, key=lambda pair: _gravity(*pair)):
        if check.id not in waived:
            status = (f"{result.status.value:<6}", STYLES[result.status])
            console.print(Text.assemble(status, flat(check.id)), soft_wrap=True)
    open_ = {promise.id for promise, _ in judged.open_promises}
    for promise, outcome in judged.promises:
        if outcome.state in JUDGED or promise.id in open_:
            console.print(Text(f"promise {outcome.state.value}: {promise.id}"), soft_wrap=True)
    for group in judged.open_groups if judged.contract is not None else ():
        console.print(Text(f"unexplained  {group.words}"), soft_wrap=True)
    for item in judged.untold:
        console.print(Text(f"cannot tell  {item.what}: {item.reason}"), soft_wrap=True)


def psql_line(sql: str) -> str:
    """The shell line that hands a statement to psql to the letter."""
    return f"psql -X -v ON_ERROR_STOP=1 -c {shlex.quote(sql)}"


def _lines(judged: Judgement, verbose: bool) -> list[_Line]:
    """The checks to show, the gravest first: a long list is cut at its end."""
    moves = {move.check_id: move for move in judged.diff.moves} if judged.diff is not None else {}
    past = past_words(judged.run)
    found = [
        _Line(check, result, moves.get(check.id), _use(judged.waived.get(check.id)), past.get(check.id, ""))
        # A check whose result was lost has a line as well: nothing is known about it.
        for check, result in pairs_of(judged.run)
        if verbose or result.status not in _QUIET
    ]
    return sorted(found, key=_rank)


def _use(use: Waived | None) -> str:
    return f"{use.use.value}: {flat(use.remark)}" if use is not None else ""


def _gravity(check: Check, result: Result) -> tuple[int, int]:
    return _ORDER.index(result.status), SEVERITIES.index(check.severity)


def _rank(line: _Line) -> tuple[tuple[int, int], bool, bool]:
    """By status, then severity; new before old, rows before the catalogue; else the order of the suite."""
    new = line.move is not None and line.move.origin is Origin.SINCE
    return _gravity(line.check, line.result), not new, line.check.form is Form.CATALOGUE


def _widths(shown: Sequence[_Line], width: int) -> tuple[int, int, int, int]:
    """The widths of status, id, count and movement. Ids get what the others leave of the console's width:
    a longer one keeps its letters and moves what follows it to the right.
    """
    parts = [(x.result.status.value, flat(x.check.id), _count(x), _since(x)) for x in shown] or [("",) * 4]
    status, id, count, since = (max(map(len, column)) for column in zip(*parts, strict=True))
    left = width - status - count - since - len("  blocking      ")
    return status, min(id, max(left, 0)), count, since


def _head(line: _Line, widths: tuple[int, int, int, int]) -> RichText:
    """Status, severity, id, how many rows, since when."""
    word, id, count, since = widths
    status = (f"{line.result.status.value:<{word}}", STYLES[line.result.status])
    severity = f"  {line.check.severity.value:<8}  "
    tail = f"  {_count(line):>{count}}  {_since(line):<{since}}"
    return Text.assemble(status, severity, (f"{flat(line.check.id):<{id}}", "bold"), tail.rstrip())


def _count(line: _Line) -> str:
    """How many of how many rows; "in" so many rows where what is counted need not be rows: groups,
    segments, a figure. Nothing for the catalogue, where one thing is as declared or not.
    """
    result = line.result
    if result.violations is None or line.check.form is Form.CATALOGUE:
        return "–"
    # A query may count groups or segments: "3 of 1,000" would say that three rows are wrong.
    of = "in" if line.check.form in {Form.QUERY, Form.PYTHON} else "of"
    return f"{result.violations:,}" + (f" {of} {result.examined:,}" if result.examined is not None else "")


def _since(line: _Line) -> str:
    """How it moved since the baseline, in a word or two; "" without one."""
    move = line.move
    if move is None or (line.result.status in _QUIET and move.transition is not Transition.FIXED):
        return ""
    if move.transition is Transition.UNKNOWN:
        return "not comparable"
    if move.transition is Transition.NEWLY_FAILING:
        return "new"
    words = "known" if move.transition is Transition.STILL_FAILING else move.transition.value
    moved = move.before is not None and move.before != move.after
    return f"{words} (was {move.before:,})" if moved else words


def _told(line: _Line) -> str:
    """The second line: keys, where the check is declared, what does not hold. The claim comes last, for a
    terminal cuts the end.
    """
    keys = keys_in_line(line.result)
    parts = [line.use, line.past, keys, flat(line.check.origin), _reason(line), _found(line)]
    if not keys and line.result.status is not Status.FAIL:
        parts = [line.use, line.past, _found(line), _reason(line), flat(line.check.origin)]
    return " · ".join(part for part in parts if part)


def _reason(line: _Line) -> str:
    """Why before and after could not be compared, where they could not."""
    move = line.move
    known = move is None or line.result.status in _QUIET
    return "" if known or not move or not move.reason else f"since the baseline: {flat(move.reason)}"


def _found(line: _Line) -> str:
    """What was found, and what was believed; where the count says what was found, what does not hold."""
    result, claim = line.result, line.check.claim
    found, believed = found_words(result, claim), f"by {result.trusted}" if result.trusted else ""
    # Of rows that were counted the claim says what they break; elsewhere the finding says more than the
    # claim.
    counted_rows = result.violations and result.evidence in {*COUNTED, Evidence.STREAMED}
    message = message_of(result)
    usual = [claim, message] if counted_rows else [message or claim]
    said = [found, message] if found else usual
    return flat("; ".join(part for part in (*said, believed) if part))


def keys_in_line(result: Result) -> str:
    """The first keys of the violating rows: ``id 1, 2, 3 and 134 more``; "" where no key is known."""
    if result.status not in {Status.FAIL, Status.TOLERATED} or not result.sample or not result.key:
        return ""
    rows = [[pair for pair in row if pair[0] in result.key] for row in result.sample[:KEYS]]
    left = more_keys(result, len(rows))
    more = f" and {left}" if left else ""
    return ", ".join(_named(rows)) + more if rows and rows[0] else ""


def _named(rows: Sequence[Sequence[tuple[str, str | None]]]) -> Iterator[str]:
    """A key of one column is named once; a key of several, in each row."""
    single = all(len(row) == 1 for row in rows)
    for number, row in enumerate(rows):
        if single:
            yield (f"{flat(row[0][0])} " if not number else "") + _value(row[0][1])
        else:
            yield f"({', '.join(f'{flat(name)} {_value(value)}' for name, value in row)})"


def _value(value: str | None) -> str:
    """A key as it is; in quotes where blanks or commas would run into the line around it."""
    if value is None:
        return "NULL"
    text = shortened(plain(value), LONGEST)
    # 'NULL' in quotes is a text; without them it is no value.
    bare = re.fullmatch(r"[\w.:+/@-]+", text) is not None and text.upper() != "NULL"
    return text if bare and text == value else f"'{text}'"
