"""One run as a command does it: in a thread, so that signals are heard; with progress; recorded whatever
happens.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from kisaan_validate.facts.run import Run
    from kisaan_validate.ops.config import Config
    from kisaan_validate.postgres.session import Session
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.request import Connected, Progress
    from kisaan_validate.verdict.judgement import Judgement

Outcome = TypeVar("Outcome")

AT_WORK = 0.5
"""Seconds after which servers are taken to be at work: catalogues are read, statements planned and sent."""


def attended(
    work: Callable[[Stop], Outcome], stop: Stop | None = None, get_ready: Callable[[], None] = lambda: None
) -> Outcome:
    """Do ``work`` in a thread while the main thread listens for signals: the first one becomes a Stop.

    ``get_ready`` is called once, while servers work or have their grace: it prepares what comes afterwards.

    A second signal ends the process at once. Raises what ``work`` raises, but Interrupted where a server's
    or a connection's failure is what happened to the stop.
    """
    from kisaan_validate.cli.signals import first
    from kisaan_validate.errors import DatabaseError, Interrupted, TargetError
    from kisaan_validate.process.stopping import Stop

    stop, box = stop or Stop(), _JobBox()
    # A daemon: a server that never answers must not keep the process alive after its second signal.
    thread = threading.Thread(target=_into, args=(box, work, stop), daemon=True)
    with first(stop.request):
        thread.start()
        thread.join(AT_WORK)
        # Not before: until servers are at work, it would only take the time from ``work``.
        if thread.is_alive():
            # What cannot be prepared is raised where it is needed; the work goes on.
            with suppress(Exception):
                get_ready()
        # Again and again, so that a signal is heard.
        while thread.is_alive():
            thread.join(0.1)
    # A statement that was cancelled, or a session that was ended, is how a stop looks from below.
    if stop.at is not None and isinstance(box.error, (DatabaseError, TargetError)):
        raise Interrupted(stop.reason)
    if box.error is not None:
        raise box.error
    result: Outcome = box.value
    return result


def in_session(target: Target, config: Config, ask: Callable[[Session], Outcome]) -> Outcome:
    """What a session of its own answers, within the limits of the configuration. Raises TargetError,
    DatabaseError.
    """
    from kisaan_validate.cli.options import the_limits
    from kisaan_validate.postgres.session import Session

    def work(stop: Stop) -> Outcome:
        session = Session(target, the_limits(config), ("public",), stop)
        try:
            session.begin()
            return ask(session)
        finally:
            session.close()

    return attended(work)


class _JobBox:
    value: Any = None
    error: BaseException | None = None


def _into(box: _JobBox, work: Callable[[Stop], Any], stop: Stop) -> None:
    try:
        box.value = work(stop)
    # SystemExit and KeyboardInterrupt too: in a thread they would vanish, and the command would seem to
    # succeed.
    except BaseException as error:
        box.error = error


def ready_to_record(*, compared: bool) -> None:
    """Import what recording and showing a run needs, beside a baseline or not, which takes a moment."""
    import kisaan_validate.cli.report_command
    import kisaan_validate.cli.runs_index
    import kisaan_validate.record.codec
    import kisaan_validate.report.console
    import kisaan_validate.report.html
    import kisaan_validate.signoff.chain
    import kisaan_validate.signoff.page
    from kisaan_validate.facts.run import Run
    from kisaan_validate.record.typed import adapter

    adapter(Run)
    if compared:
        import kisaan_validate.verdict.compared  # noqa: F401


@contextmanager
def progress_observer(quiet: bool) -> Iterator[Callable[[Progress | Connected], None]]:
    """An observer that says where it is connected, and draws a bar on stderr if that is a terminal."""
    from kisaan_validate.cli.output import say
    from kisaan_validate.prove.request import Connected, GuardSaid
    from kisaan_validate.report.shown import shown

    # A program without a console has no standard error.
    drawn = not quiet and sys.stderr is not None and sys.stderr.isatty()
    with _bar() if drawn else nullcontext(_unseen) as draw:

        def observe(event: Progress | Connected) -> None:
            if isinstance(event, Connected):
                at = f"{event.role}@{event.host}:{event.port}/{event.database}"
                say(shown(f"target  {at}  (from {event.source})"))
                return
            # Also where no bar is drawn: whoever wonders why nothing happens looks into the log.
            if isinstance(event, GuardSaid):
                say(shown(event.phase))
            draw(event)

        yield observe


def _unseen(event: Progress) -> None:
    """Without a terminal no bar is drawn, and what draws it is not imported."""


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("connecting", total=None)

        def draw(event: Progress) -> None:
            # A total of 0 is one that is not known yet.
            bar.update(task, description=event.phase, completed=event.done, total=event.total or None)

        yield draw


def record(judged: Judgement, folder: Path) -> Path:
    """Write ``run.json``, what it was judged beside, and ``report.html``; returns the run's folder.

    run.json comes first: whatever goes wrong later, the facts are kept. Raises RecordError.
    """
    from kisaan_validate.record.codec import baseline_to_json, run_to_json
    from kisaan_validate.record.files import write_file
    from kisaan_validate.report.html import render_html
    from kisaan_validate.signoff.page import signatures_of
    from kisaan_validate.signoff.standing import standing_of

    place = folder / judged.run.id
    write_file(place / "run.json", run_to_json(judged.run))
    if judged.baseline is not None:
        write_file(place / BASELINE_FILE, baseline_to_json(judged.baseline))
    if judged.contract is not None:
        write_file(place / CONTRACT_FILE, judged.contract.text)
    if judged.waivers is not None:
        write_file(place / WAIVERS_FILE, judged.waivers.text)
    # As nobody signed it: a run is younger than every sign-off of it.
    write_file(place / "report.html", render_html(judged, signatures_of(standing_of(judged.run))))
    return place


def _as_it_is(judged: Judgement) -> Judgement:
    return judged


def record_after(
    judged: Judgement, folder: Path, settle: Callable[[Judgement], Judgement] = _as_it_is
) -> tuple[Judgement, Path]:
    """Record a run after the one that was recorded before it in ``folder``, with the sources of its suite.
    ``settle`` adds what rests on the runs before it, while no other run is recorded.

    Returns the judgement of the run as recorded, and its folder. Where the chain of runs or the sources
    cannot be kept, the run is recorded all the same, and that is said. Raises RecordError.
    """
    from dataclasses import replace

    from kisaan_validate.errors import RecordError
    from kisaan_validate.signoff.chain import linked
    from kisaan_validate.signoff.provenance import keep_sources

    # The folder is locked within, so that two runs at once do not both follow the same one.
    with _without_fail(linked(judged.run, folder), judged.run) as run:
        judged = settle(replace(judged, run=run))
        place = record(judged, folder)
    if judged.sources and run.suite.sources:
        try:
            keep_sources(Path(judged.sources), run.suite.sources, run.suite.digest, place)
        except RecordError as error:
            print(f"note    {error.fact}", file=sys.stderr)
    return judged, place


@contextmanager
def _without_fail(link: AbstractContextManager[Run], run: Run) -> Iterator[Run]:
    """``link``, or where it cannot be entered, the run alone: facts are kept whatever happens to the
    chain.
    """
    from kisaan_validate.errors import RecordError

    # Only entering is excused: what goes wrong within must still reach the caller.
    with ExitStack() as stack:
        try:
            run = stack.enter_context(link)
        except RecordError as error:
            print(
                f"note    the run is recorded without a link to the run before it: {error.fact}",
                file=sys.stderr,
            )
        yield run


BASELINE_FILE, CONTRACT_FILE, WAIVERS_FILE = "baseline.json", "contract.toml", "waivers.toml"
"""The names under which a run's folder keeps what the run was judged beside."""
