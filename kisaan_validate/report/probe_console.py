"""Probes in lines for a terminal: each step as it ends, what was created, the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.error_rate import ErrorRates
from kisaan_validate.facts.probe import Probed, ProbeState, ProbeStep, judge_probes
from kisaan_validate.report.text import aligned
from kisaan_validate.text.numbers import counted

WORDS = {ProbeState.PASS: "go", ProbeState.FAIL: "no-go", ProbeState.UNKNOWN: "cannot tell"}
"""How a state is called on the screen."""


def probe_line(step: ProbeStep) -> str:
    """One step, as it ended."""
    todo = f"; {step.todo}" if step.todo else ""
    return _line(WORDS[step.state], f"{step.name}: {step.method} {step.path}: {step.fact}{todo}")


def target_words(target: str, production: bool, prefix: str) -> str:
    """Where the requests go, and the prefix of what they create."""
    whose = "production" if production else "not production"
    return _line("target", f"{target} ({whose}), prefix {prefix}")


def created_lines(found: Probed) -> Iterator[str]:
    """What was created, with the requests that remove it, in their order."""
    if not found.created:
        return
    yield _line("created", f"{counted(len(found.created), 'thing')}; to be removed in this order:")
    for one in found.created:
        what = one.request or "no request"
        sure = "" if one.certain else ", if it is there"
        note = f" ({one.note})" if one.note else ""
        yield _line("", f"{what}: of {one.step}{sure}: {one.removal.value}{note}")


def verdict_lines(found: Probed) -> Iterator[str]:
    """The reasons in short, and the verdict."""
    bad, open_ = len(found.of(ProbeState.FAIL)), len(found.of(ProbeState.UNKNOWN))
    if found.ended is None:
        yield _line("cut off", "this is the record of a run that did not end")
    if found.interrupted:
        yield _line("stopped", found.interrupted)
    good = len(found.of(ProbeState.PASS))
    yield f"verdict      {judge_probes(found).value}: {good:,} go, {bad:,} no-go, {open_:,} cannot tell"


def _line(word: str, words: str) -> str:
    return aligned(word, words, 12)


def error_lines(found: ErrorRates, state: ProbeState, fact: str, todo: str, *, quiet: bool) -> Iterator[str]:
    """Both times, and the verdict with its reason."""
    if not quiet:
        for word, one in (("before", found.before), ("after", found.after)):
            times = f"{one.begins:%Y-%m-%d %H:%M:%S} to {one.ends:%Y-%m-%d %H:%M:%S} UTC"
            yield _line(word, f"{times}: {counted(one.requests, 'request')}, {counted(one.errors, 'error')}")
        for gap in found.gaps:
            yield _line("gap", gap)
    yield _line(WORDS[state], f"{fact}{f'; {todo}' if todo else ''}")
