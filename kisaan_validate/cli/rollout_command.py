"""``kisaan-validate rollout``: the runbook, one command at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kisaan_validate.facts.result import Verdict
    from kisaan_validate.facts.rollout import RolloutStep
    from kisaan_validate.facts.rollout_state import RolloutPosition
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.rollout.book import RolloutBook

PATH = click.Path(path_type=Path)


def _folder_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--folder", type=PATH, default="rollout", show_default=True, help="The folder of this rollout."
    )(function)


def _deciding(function: Callable[..., Any]) -> Callable[..., Any]:
    """--folder, --take-over, --by."""
    for option in (
        click.option("--by", default="", metavar="NAME", help="Who decides; shown on the page."),
        click.option(
            "--take-over", is_flag=True, help="Take over from an operator on another host who has gone."
        ),
    ):
        function = option(function)
    return _folder_option(function)


@click.group("rollout", short_help="Go through a runbook step by step; stop at a no-go.")
def command() -> None:
    """`next` says what to do now and why, runs our own commands, and says what comes next; what people
    do, they `attest`. After a no-go it goes on only after an `override` with a name and a reason. The folder
    holds plan, record and evidence: copy it, and go on elsewhere. It deploys nothing by itself.
    """


@command.command("next", short_help="Say what to do now; do it if it is our own command.")
@click.option(
    "--plan", type=PATH, help="The plan to begin with.  [default: FOLDER/rollout.toml, ./rollout.toml]"
)
@click.option("--again", metavar="STEP", help="Run a step again; its earlier attempts are kept.")
@click.option("--rollback", is_flag=True, help="Take the way back that the plan declares; needs --by.")
@click.option("--to", "phase", default="", metavar="PHASE", help="With --rollback: the way back to take.")
@click.option("--reason", default="", help="With --rollback: why.")
@click.option("--quiet", "-q", is_flag=True, help="Do not show the lines of commands.")
@_deciding
def next_(**given: Any) -> int:
    """Do one step. Exit 0: the next one may begin, or at the end, everything is proved or attested; 1: no-go;
    3: cannot tell; 6: somebody else is at work; 7: it waits for a person.
    """
    from kisaan_validate.cli.exits import rollout_exit_code, rollout_step_exit_code
    from kisaan_validate.cli.rollout_shown import print_what_now
    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.rollout_state import RolloutAsk
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.rollout.deciding import turn_back

    stop = Stop()
    if given["again"] and given["rollback"]:
        raise UsageError("--again and --rollback exclude each other", "name one")
    with _at_work(given, stop) as book:
        book.require_plan()
        if given["rollback"]:
            turn_back(book, given["phase"], given["by"], given["reason"])
        position = book.position
        step = _step_to_run(book, position, given["again"])
        if step is None:
            print_what_now(book)
            _page_at_the_end(book)
            # Showing a person's step does not do it.
            return rollout_exit_code(position, _verdict(book))
        _run(book, step, given["quiet"], stop)
        after = book.position
        stands = after.now is not None and after.now.step.id == step.id
        print_what_now(book, brief=after.ask in {RolloutAsk.RUN, RolloutAsk.ATTEST}, told=stands)
        _page_at_the_end(book)
        return rollout_step_exit_code(after, _verdict(book))


def _step_to_run(book: RolloutBook, position: RolloutPosition, again: str | None) -> RolloutStep | None:
    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.rollout_state import RolloutAsk, StepStanding
    from kisaan_validate.text.nearest import did_you_mean

    now = position.now
    if not again:
        return now.step if now is not None and position.ask is RolloutAsk.RUN else None
    order = [state.step.id for state in position.states]
    if again not in order:
        raise UsageError(f"there is no step {again!r} on this way", did_you_mean(again, order))
    if now is not None and order.index(again) > order.index(now.step.id):
        raise UsageError(f"the rollout stands at {now.step.id}", "steps are done one after the other")
    state = position.states[order.index(again)]
    if not state.step.runs:
        raise UsageError(f"{again} is done by a person", f"kisaan-validate rollout attest {again} --by NAME")
    if state.standing in {StepStanding.BLOCKED, StepStanding.NOT_NEEDED}:
        raise UsageError(
            f"{again} is {state.standing.value}: {state.why}", "see kisaan-validate rollout status"
        )
    return state.step


def _run(book: RolloutBook, step: RolloutStep, quiet: bool, stop: Stop) -> None:
    from kisaan_validate.cli.job import attended
    from kisaan_validate.cli.rollout_shown import print_begin, print_ended, print_line
    from kisaan_validate.rollout.conduct import run_step

    print_begin(book, step)
    assert book.holding is not None
    book.holding.doing(step.id)
    show = (lambda _: None) if quiet else print_line
    print_ended(step, attended(lambda stop: run_step(book, step, show, stop), stop))


@command.command("attest", short_help="Record how a step that a person does ended.")
@click.argument("step")
@click.option("--text", default="", help="What you saw or did.")
@click.option("--file", type=PATH, help="A file that shows it; it is copied into the folder.")
@click.option("--failed", is_flag=True, help="It was done, but failed: a no-go.")
@click.option("--not-done", is_flag=True, help="It was not done; only for an optional step.")
@_deciding
def attest(step: str, **given: Any) -> int:
    """Record, by name, what a person did or saw at the step where the rollout stands. Exit codes as of
    `rollout next`.
    """
    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.rollout import AttestOutcome
    from kisaan_validate.rollout.deciding import attest as attested

    if given["failed"] and given["not_done"]:
        raise UsageError("--failed and --not-done exclude each other", "name one")
    outcome = AttestOutcome.FAILED if given["failed"] else AttestOutcome.DONE
    outcome = AttestOutcome.NOT_DONE if given["not_done"] else outcome
    with _at_work(given) as book:
        attested(book, step, outcome, given["by"], given["text"], given["file"])
        return _noted(book, f"{step}: {outcome.value}")


@command.command("override", short_help="Go on after a no-go, by name and with a reason.")
@click.argument("step")
@click.option("--reason", default="", help="Why; shown on the page.")
@_deciding
def override(step: str, **given: Any) -> int:
    """Go on without a pass of the step where the rollout stands. The step stays overridden, never green,
    and the page says by whom and why. STEP rollout.toml accepts a plan that was changed. Exit codes as of
    `rollout next`.
    """
    from kisaan_validate.facts.rollout import PLAN_NAME
    from kisaan_validate.rollout.deciding import accept_plan
    from kisaan_validate.rollout.deciding import override as overridden

    with _at_work(given) as book:
        if step == PLAN_NAME:
            accept_plan(book, given["by"], given["reason"])
        else:
            overridden(book, step, given["by"], given["reason"])
        return _noted(book, f"{step}: overridden")


@command.command("status", short_help="Show where it stands and who is at work, for a second screen.")
@_folder_option
@click.option("--watch", is_flag=True, help="Show it again whenever it changes, until Ctrl-C.")
def status(folder: Path, watch: bool) -> int:
    """Show where a rollout stands. It takes no lock. Exit 0: at its end, everything proved or attested; 1:
    no-go; 3: cannot tell; 6: somebody is at work; 7: it waits for its next step.
    """
    from kisaan_validate.cli.exits import rollout_status_exit_code
    from kisaan_validate.cli.rollout_shown import status_text, watched
    from kisaan_validate.rollout.book import read_book
    from kisaan_validate.rollout.work import busy

    if watch:
        watched(folder)
    book, who = read_book(folder), busy(folder)
    click.echo(status_text(book, who))
    return rollout_status_exit_code(book.position, _verdict(book), busy=who is not None)


@command.command("page", short_help="Write the page of the night.")
@_folder_option
@click.option("-o", "--output", type=PATH, help="The page.  [default: FOLDER/rollout.html]")
def page(folder: Path, output: Path | None) -> int:
    """Write the whole night as one page: times, decisions, success criteria with their proof, overrides,
    what was left undone, digests. Exit codes as of `rollout status`.
    """
    from kisaan_validate.cli.exits import rollout_exit_code
    from kisaan_validate.rollout.book import read_book

    book = read_book(folder, whole=True)
    click.echo(f"page    {_write_page(book, output)}")
    return rollout_exit_code(book.position, _verdict(book))


@command.command("check", short_help="Follow the chain of the record, and digest all evidence.")
@_folder_option
def check(folder: Path) -> int:
    """Check that no entry of the record was changed, that the plan is the one that was begun or accepted,
    and that each file that counts is unchanged. Exit 0 if all of it holds, 1 if not.
    """
    from kisaan_validate.cli.exits import rollout_check_exit_code
    from kisaan_validate.cli.rollout_shown import check_lines
    from kisaan_validate.rollout.book import read_book

    book = read_book(folder, whole=True)
    wrong, lines = check_lines(book)
    for line in lines:
        click.echo(line)
    return rollout_check_exit_code(wrong)


@contextmanager
def _at_work(given: dict[str, Any], stop: Stop | None = None) -> Iterator[RolloutBook]:
    """The rollout in the folder, locked against others."""
    from kisaan_validate.cli.main import COMMANDS
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.rollout.book import open_book, require_folder
    from kisaan_validate.rollout.deciding import a_name
    from kisaan_validate.rollout.work import at_the_helm

    stop, folder = stop or Stop(), given["folder"]
    require_folder(folder)
    by = a_name(given["by"]) if given["take_over"] else ""
    with at_the_helm(folder, stop.request, take_over=given["take_over"]) as holding:
        yield open_book(folder, holding, given.get("plan"), COMMANDS, by)


def _noted(book: RolloutBook, words: str) -> int:
    """Say what was recorded and what comes next; the exit code."""
    from kisaan_validate.cli.exits import rollout_step_exit_code
    from kisaan_validate.cli.rollout_shown import print_what_now

    click.echo(f"noted   {words}")
    print_what_now(book, brief=True)
    _page_at_the_end(book)
    return rollout_step_exit_code(book.position, _verdict(book))


def _verdict(book: RolloutBook) -> Verdict:
    from kisaan_validate.rollout.night import night_of

    return night_of(book).verdict


def _page_at_the_end(book: RolloutBook) -> None:
    from kisaan_validate.facts.rollout_state import RolloutAsk

    if book.position.ask in {RolloutAsk.COMPLETE, RolloutAsk.ROLLED_BACK}:
        click.echo(f"page    {_write_page(book, None)}")


def _write_page(book: RolloutBook, output: Path | None) -> Path:
    from kisaan_validate.record.files import write_file
    from kisaan_validate.report.rollout_page import render_rollout
    from kisaan_validate.rollout.night import night_of

    path = output or book.folder / "rollout.html"
    write_file(path, render_rollout(night_of(book)))
    return path
