"""``--format markdown``: GitHub's Markdown, for a comment on a pull request or a job summary.

Everything that comes from data or declarations is written so that no character of it acts: punctuation as
entities, ids and values as code, ``@`` and ``#`` broken up so that nobody is mentioned. The tables are
capped, and say what was left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kisaan_validate.facts.result import Verdict
from kisaan_validate.report.changed import answer_words
from kisaan_validate.report.criteria import criterion_lines
from kisaan_validate.report.findings import group_findings, promise_findings, run_findings, where
from kisaan_validate.report.standing import ResultLine, ResultStanding, lines_in_order
from kisaan_validate.report.summary import counts_of, pairs_of, verdict_sentence
from kisaan_validate.report.text import flat, number, plain, shortened
from kisaan_validate.verdict.findings import findings_of
from kisaan_validate.verdict.judgement import Judgement

MOST_ROWS = 40
"""So many rows of a table are shown; the number left out is said."""

MOST = 240
"""So many characters of a cell are shown; the number left out is said."""

MOST_OF_A_TABLE = 14_000
"""A table ends where it would become longer: four fit in a comment of 65,536 characters."""

_SIGNS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "⚠️"}
_GREEN = {ResultStanding.HOLDS, ResultStanding.INAPPLICABLE}


def render(judged: Judgement) -> str:
    """Verdict and why, what came since the baseline, what needs attention, and what was looked at."""
    run = judged.run
    title = (
        f"## {_SIGNS[judged.verdict]} {judged.verdict.value}: {prose(run.suite.name)} on "
        f"{code(run.place.database)}"
    )
    # The sentence has its own limit: it is the one thing that must not be cut to a cell's length.
    parts = [title, prose(verdict_sentence(judged), 2_000)]
    if answers := answer_words(judged):
        parts.append("\n".join(f"- **{line.word}**: {prose(line.text)}" for line in answers))
    parts.append(_counts(judged))
    parts += _criteria(judged)
    parts += _findings(judged)
    parts += _checks(judged)
    beside = [*run_findings(judged), *promise_findings(judged), *group_findings(judged)]
    rows = [
        (f.standing.value, f.severity.value, code(f.name), prose(f.said))
        for f in beside
        if f.standing not in _GREEN
    ]
    parts += _table(
        "Promises, differences and the run", ("what it means", "severity", "of what", "what"), rows
    )
    parts += _table("Notices", ("notice",), [(prose(notice.message),) for notice in run.notices])
    return (
        # <sub> is one of the few elements that GitHub lets through.
        "\n\n".join([*parts, f"<sub>{code(where(judged))}, suite {code(run.suite.digest[:16])}</sub>"]) + "\n"
    )


def _counts(judged: Judgement) -> str:
    counts = [
        f"{number(count.total)} {count.status.value.replace('_', ' ')}"
        for count in counts_of(pairs_of(judged.run))
        if count.total
    ]
    return f"{number(len(judged.run.checks))} checks: {', '.join(counts) or 'none'}"


def _criteria(judged: Judgement) -> list[str]:
    lines = criterion_lines(judged.run)
    rows = [
        (line.standing.value, code(line.criterion.id), prose(f"{line.criterion.text}: {line.said}"))
        for line in lines
    ]
    return _table("Success criteria", ("standing", "criterion", "what"), rows)


def _findings(judged: Judgement) -> list[str]:
    """One line a problem, the worst first, before the checks that show it."""
    rows = [
        (
            finding.heading.value,
            finding.severity.value,
            f"**{prose(finding.title)}**",
            prose(finding.next_step),
        )
        for finding in findings_of(judged)
    ]
    return _table("Findings", ("heading", "severity", "finding", "next step"), rows)


def _checks(judged: Judgement) -> list[str]:
    rows = [_row(line) for line in lines_in_order(judged) if line.standing not in _GREEN]
    return _table("Checks that need attention", ("what it means", "severity", "check", "what"), rows)


def _row(line: ResultLine) -> tuple[str, ...]:
    why = (
        f" <br>{prose(line.check.why)}"
        if line.check.why and line.standing is not ResultStanding.UNANSWERED
        else ""
    )
    return line.standing.value, line.check.severity.value, code(line.check.id), prose(line.said) + why


def _table(title: str, headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    lines = [_line(cells) for cells in rows]
    shown = [
        # Over the lines up to this one, as entities make them many times longer than the text that they show.
        line
        for n, line in enumerate(lines[:MOST_ROWS])
        if sum(map(len, lines[: n + 1])) <= MOST_OF_A_TABLE
    ]
    table = "\n".join([_line(headings), _line(("---",) * len(headings)), *shown])
    left = len(rows) - len(shown)
    return [
        f"### {title}",
        table,
        *([f"… and {number(left)} more; report.html has them all."] if left else []),
    ]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def prose(text: object, most: int = MOST) -> str:
    """Text by people or a server, as text and nothing else, on one line."""
    return _inert(shortened(flat(text), most))


def code(text: str) -> str:
    """An id or a value, as code; empty ones are said."""
    return f"<code>{_inert(shortened(plain(text), MOST))}</code>" if text else "(empty)"


# ASCII only: letters of other scripts are not letters to \w here, and _entity gives them back as they are.
_ACTING = re.compile(r"[^\w ,;'\"/()=%?.…→−≥≤–-]|_|www\.", re.ASCII)


def _inert(text: str) -> str:
    """Every character that Markdown, HTML or GitHub could act on as an entity; ``@`` and ``#`` parted from
    what follows.
    """
    return _ACTING.sub(lambda match: _entity(match[0]), text)


def _entity(found: str) -> str:
    # GitHub links a bare www. even where every sign in it is an entity; breaking it at the dot stops that.
    if found == "www.":
        return "www&#46;"
    if ord(found) > 0x7F:
        return found
    # GitHub decodes entities before it looks for mentions; an empty comment parts the sign from the name.
    return f"&#{ord(found)};" + ("<!-- -->" if found in "@#" else "")
