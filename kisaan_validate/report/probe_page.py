"""A run of probes as one self-contained page: no script, no request, printable."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.probe import Probed, ProbeState, judge_probes
from kisaan_validate.facts.result import Verdict
from kisaan_validate.report import text
from kisaan_validate.report.page import PageKind, printed_foot
from kisaan_validate.report.shell import VERDICT_ICONS
from kisaan_validate.text.numbers import agreeing, counted

PAGE = PageKind("probe.html.j2", ("diff.css", "probe.css"))

WORDS = {
    Verdict.PASS: "Probes passed",
    Verdict.FAIL: "Probes failed",
    Verdict.INCONCLUSIVE: "Cannot tell",
}
"""The verdict for people."""

STATES = {
    ProbeState.PASS: ("Go:", "yes"),
    ProbeState.FAIL: ("No-go:", "new"),
    ProbeState.UNKNOWN: ("Cannot tell:", "known"),
}
"""How a state is called, and its class in the style sheet."""

LIMITS = (
    "The data: an application may answer although migrations failed, or did not run.",
    "Other requests than these, other users, and load.",
    "Anything after the moment in which a request was answered.",
)
"""What no probe proves, in the same words each time."""


def render_probes(found: Probed) -> str:
    """The page of a run. The same input gives the same bytes."""
    verdict = judge_probes(found)
    return PAGE.render(
        VERDICT_ICONS[verdict],
        _foot(found),
        word=WORDS[verdict],
        found=found,
        sentences=list(_sentences(found)),
        figures=_figures(found),
        steps=[(step, *STATES[step.state]) for step in found.steps],
        limits=LIMITS,
    )


def _sentences(found: Probed) -> Iterator[str]:
    """Why the verdict is so, and whether anything was written."""
    reasons = found.of(ProbeState.FAIL) or found.of(ProbeState.UNKNOWN)
    if reasons:
        more = f" (and {counted(len(reasons) - 1, 'more step')})" if len(reasons) > 1 else ""
        yield f"{reasons[0].name}: {reasons[0].fact}{more}."
    else:
        yield f"{counted(len(found.steps), 'step')} passed."
    if found.interrupted:
        yield f"It was stopped: {found.interrupted}."
    if found.ended is None:
        yield "This is the record of a run that did not end."
    where = "production" if found.production else "not production"
    allowed = "Steps that write were allowed" if found.writes_allowed else "Steps that write were not sent"
    yield f"{allowed}; the target counts as {where}."


def _figures(found: Probed) -> list[tuple[str, int, bool]]:
    numbers = [
        ("Go", len(found.of(ProbeState.PASS))),
        ("No-go", len(found.of(ProbeState.FAIL))),
        ("Cannot tell", len(found.of(ProbeState.UNKNOWN))),
        (agreeing(len(found.created), "Thing created", "Things created"), len(found.created)),
    ]
    return [(title, number, number > 0) for title, number in numbers]


def _foot(found: Probed) -> str:
    words = f"{WORDS[judge_probes(found)]}; {found.target}; {found.prefix}, {text.utc(found.started)}"
    return printed_foot(words)
