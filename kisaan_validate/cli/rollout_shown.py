"""What ``rollout`` prints: a few lines, first the fact, then what to type."""

from __future__ import annotations

import shlex
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.rollout import PLAN_NAME, RolloutStep, StepEnded, StepVerdict
from kisaan_validate.facts.rollout_state import RolloutAsk, RolloutStepState, StepStanding
from kisaan_validate.report.shown import shown
from kisaan_validate.report.text import flat, utc
from kisaan_validate.text.numbers import counted

if TYPE_CHECKING:
    from kisaan_validate.rollout.book import RolloutBook
    from kisaan_validate.rollout.work import AtWork

PROGRAM = "kisaan-validate rollout"
_WORDS = {StepVerdict.PASS: "go", StepVerdict.FAIL: "no-go", StepVerdict.UNKNOWN: "unknown"}
_END = {Verdict.PASS: "done", Verdict.FAIL: "no-go", Verdict.INCONCLUSIVE: "unknown"}
_LINE_WIDTH = 110


def line(word: str, text: str) -> str:
    """A word of at most seven letters, and what it is about."""
    said = textwrap.wrap(flat(text), _LINE_WIDTH - 8) or [""]
    return "\n        ".join([f"{word:<8}{said[0]}", *said[1:]])


def print_begin(book: RolloutBook, step: RolloutStep) -> None:
    """What is being done now, and why."""
    from kisaan_validate.facts.rollout import RolloutKind
    from kisaan_validate.rollout.conduct import shown_argv

    click.echo(_headed(book, step))
    if step.why:
        click.echo(line("why", step.why))
    ours = ("kisaan-validate",) if step.kind is RolloutKind.OURS else ()
    click.echo(f"runs    {shown(shlex.join((*ours, *shown_argv(step, book))))}")


def print_line(text: str) -> None:
    """A line of a command's output, indented."""
    from kisaan_validate.cli.output import say

    say(f"  | {shown(text)}")


def print_ended(step: RolloutStep, ended: StepEnded) -> None:
    """How a step ended, and what it left."""
    through = " (the plan lets it through)" if _let_through(step, ended) else ""
    why = f": {ended.words}" if ended.words and ended.verdict is not StepVerdict.PASS else ""
    click.echo(line(_WORDS[ended.verdict], f"{step.id}, {ended.seconds:,.1f} s{through}{why}"))
    for record in ended.records[:10]:
        click.echo(line("record", f"{record.path}  SHA-256 {record.sha256}"))
    if len(ended.records) > 10:
        click.echo(line("record", f"and {len(ended.records) - 10:,} more"))


def _let_through(step: RolloutStep, ended: StepEnded) -> bool:
    return ended.verdict is not StepVerdict.PASS and ended.verdict in step.gate


def print_what_now(book: RolloutBook, *, brief: bool = False, told: bool = False) -> None:
    """What to do now, and what to type. ``brief``: as what comes next; ``told``: why it stands there was
    said.
    """
    for said in what_now(book, brief=brief, told=told):
        click.echo(said)


def what_now(book: RolloutBook, *, brief: bool = False, told: bool = False) -> Iterator[str]:
    """The lines of that."""
    from kisaan_validate.rollout.book import clock_notes

    for note in (*book.strays, *clock_notes(book.entries[-2:])):
        yield line("note", note)
    for fault in book.faults:
        yield line("note", fault.told)
    if book.changed:
        yield line("stop", f"{PLAN_NAME} was changed and not accepted")
        return
    position, now = book.position, book.position.now
    if now is None:
        yield from _at_the_end(book)
    elif position.ask is RolloutAsk.STOPPED:
        yield from list(_stopped(book, now))[told:]
    elif brief:
        yield line("next", f"{PROGRAM} next{_in(book)}    ({now.step.id}: {now.step.title})")
    else:
        yield from _to_do(book, now)


def _headed(book: RolloutBook, step: RolloutStep) -> str:
    states = book.position.states
    number = next((n for n, state in enumerate(states, 1) if state.step.id == step.id), 0)
    phase = next(phase.title for phase in book.plan.phases if phase.id == step.phase)
    return line("step", f"{number} of {len(states)}: {step.title} ({phase})")


def _to_do(book: RolloutBook, now: RolloutStepState) -> Iterator[str]:
    from kisaan_validate.rollout.deciding import asked_text

    yield _headed(book, now.step)
    if now.step.why or now.why:
        yield line("why", ". ".join(filter(None, (now.why, now.step.why))))
    for one in asked_text(now.step, book).splitlines()[1:]:
        # Whole, however long: people copy it.
        yield f"run     {shown(one)}"
    yield line("then", f"{PROGRAM} attest {now.step.id}{_in(book)} --by NAME --text '…'")
    if now.step.optional:
        yield line("or", f"{PROGRAM} attest {now.step.id}{_in(book)} --by NAME --not-done --text '…'")


def _stopped(book: RolloutBook, now: RolloutStepState) -> Iterator[str]:
    from kisaan_validate.rollout.deciding import ways_back

    yield line(_stop_word(now.standing), f"{now.step.id}: {now.words}")
    here = _in(book)
    if now.standing is not StepStanding.BLOCKED:
        if now.step.runs:
            yield line("again", f"{PROGRAM} next --again {now.step.id}{here}")
        else:
            yield line("again", f"{PROGRAM} attest {now.step.id}{here} --by NAME --text '…'")
    # Before anything was begun that could be taken back, a way back would only do harm.
    if not book.position.back and (to := ways_back(book.position)):
        yield line("back", f"{PROGRAM} next --rollback --to {to}{here} --by NAME --reason '…'")
    yield line("go on", f"{PROGRAM} override {now.step.id}{here} --by NAME --reason '…'")


def _stop_word(standing: StepStanding) -> str:
    return "no-go" if standing is StepStanding.FAILED else "unknown"


def _at_the_end(book: RolloutBook) -> Iterator[str]:
    from kisaan_validate.rollout.night import night_of

    night = night_of(book)
    yield line(_END[night.verdict], _end_words(book))
    for reason in night.reasons:
        yield line("", reason)


def _end_words(book: RolloutBook) -> str:
    position = book.position
    if position.ask is RolloutAsk.ROLLED_BACK:
        return f"the way back was completed: {position.back}"
    if position.ask is RolloutAsk.STOPPED:
        return position.why
    return "every step is settled"


def _in(book: RolloutBook) -> str:
    return "" if str(book.folder) == "rollout" else f" --folder {shlex.quote(str(book.folder))}"


def status_text(book: RolloutBook, who: AtWork | None) -> str:
    """One look: who is at work, what is done, what is next."""
    position = book.position
    lines = [
        line(
            "rollout", f"{book.plan.name}: {position.done} of {counted(len(position.states), 'step')} settled"
        )
    ]
    if book.entries:
        lines.append(line("began", f"{utc(book.entries[0].at)}, last entry {utc(book.entries[-1].at)}"))
    if who is not None:
        doing = f", at {who.doing}" if who.doing else ""
        far = "" if who.here else f", last heard {who.beat}"
        lines.append(line("at work", f"{who.words}{doing}{far}"))
    if position.back:
        lines.append(line("back", f"turned back: {position.back}"))
    odd = {StepStanding.LET_THROUGH, StepStanding.OVERRIDDEN, StepStanding.NOT_DONE}
    for state in position.states:
        if state.standing in odd:
            lines.append(line("noted", f"{state.step.id}: {state.words}"))
    return "\n".join([*lines, *what_now(book, brief=True)])


def watched(folder: Path) -> None:
    """Print the status whenever it changes, until the rollout is at its end or a signal comes."""
    from kisaan_validate.rollout.book import read_book
    from kisaan_validate.rollout.work import busy

    last = ""
    while True:
        book = read_book(folder)
        text = status_text(book, busy(folder))
        if text != last:
            click.echo(f"\n{text}" if last else text)
            last = text
        if book.position.ask in {RolloutAsk.COMPLETE, RolloutAsk.ROLLED_BACK}:
            return
        time.sleep(2)


def check_lines(book: RolloutBook) -> tuple[int, list[str]]:
    """How much does not hold, and a summary."""
    from kisaan_validate.rollout.book import clock_notes
    from kisaan_validate.rollout.machine import accepted_plan

    wrong = [fault.told for fault in book.faults]
    wrong += book.strays
    if book.changed:
        wrong.append(f"{PLAN_NAME} is not the plan that was begun: SHA-256 {accepted_plan(book.entries)}")
    lines = [line("wrong", words) for words in wrong]
    lines += [line("note", words) for words in clock_notes(book.entries)]
    if not wrong:
        lines.append(
            line("holds", f"{counted(len(book.entries), 'entry', 'entries')}, the plan, and all evidence")
        )
    # Whoever can write the folder can rewrite the chain: only a digest kept elsewhere shows that.
    lines.append(line("head", f"SHA-256 {book.head} of entry {len(book.entries)}: keep it elsewhere"))
    return len(wrong), lines
