"""What a notebook shows of a judged run: the verdict, and what needs attention. No script, no style of its
own to leak.
"""

from __future__ import annotations

from markupsafe import Markup

from kisaan_validate.report.findings import difference_findings, promise_findings, run_findings, where
from kisaan_validate.report.shell import COLOURS, VERDICT_ICONS
from kisaan_validate.report.standing import ResultStanding, lines_of
from kisaan_validate.report.summary import verdict_sentence
from kisaan_validate.report.text import number, plain, prose, shortened
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.judgement import Judgement

MOST_ROWS = 20
"""So many lines are shown; the number left out is said."""

MOST = 400
"""So many characters of one text are shown; the number left out is said."""

_GREEN = {ResultStanding.HOLDS, ResultStanding.INAPPLICABLE}


def notebook_html(judged: Judgement) -> str:
    """A fragment of HTML: safe whatever stands in data and names, complete in itself."""
    lines = [line for line in lines_of(judged) if line.standing not in _GREEN]
    order = list(ResultStanding)
    rows = [(line.standing, line.check.severity.value, line.check.id, line.said) for line in lines]
    beside = [*run_findings(judged), *promise_findings(judged), *difference_findings(judged)]
    rows += [(f.standing, f.severity.value, f.name, f.said) for f in beside if f.standing not in _GREEN]
    # Stable: within a standing the suite's order stays.
    rows.sort(key=lambda row: order.index(row[0]))
    # Styles stand in the elements: a <style> in a notebook would reach every other output.
    head = Markup('<p><strong style="color:{}">{}</strong> {}<br><small>{}</small></p>').format(
        COLOURS[VERDICT_ICONS[judged.verdict]],
        judged.verdict.value,
        _cell(verdict_sentence(judged), 4_000),
        _cell(where(judged)),
    )
    return Markup('<div class="kisaan-validate">{}{}{}</div>').format(
        head, _table(rows[:MOST_ROWS]), _left(len(rows), judged)
    )


def _table(rows: list[tuple[ResultStanding, str, str, str]]) -> Markup:
    if not rows:
        return Markup("")
    body = Markup("").join(
        Markup(
            '<tr><td>{}</td><td>{}</td><td><code>{}</code></td><td style="text-align:left">{}</td></tr>'
        ).format(standing.value, severity, _cell(plain(name)), _cell(said))
        for standing, severity, name, said in rows
    )
    head = Markup(
        "<thead><tr><th>what it means</th><th>severity</th><th>of what</th><th>what</th></tr></thead>"
    )
    return Markup("<table>{}<tbody>{}</tbody></table>").format(head, body)


def _left(rows: int, judged: Judgement) -> Markup:
    more = f"… and {number(rows - MOST_ROWS)} more. " if rows > MOST_ROWS else ""
    return Markup("<p><small>{}{} in all.</small></p>").format(more, counted(len(judged.run.checks), "check"))


def _cell(text: str, most: int = MOST) -> Markup:
    return prose(shortened(text, most))
