"""``kisaan-validate backup``: take a dump with its baseline; prove that a dump holds everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.backup_shown import show, sign
from kisaan_validate.cli.options import target_options, the_config, the_options, the_suite
from kisaan_validate.cli.places import column_of

if TYPE_CHECKING:
    from kisaan_validate.backup.taking import TakeWish, Taking
    from kisaan_validate.backup.verifying import VerifyWish
    from kisaan_validate.facts.certificate import Certificate
    from kisaan_validate.facts.run import Run
    from kisaan_validate.ops.config import Config
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.options import Options
    from kisaan_validate.suite.load import Suite

PATH = click.Path(path_type=Path)


def _shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """--config, --suite, --pg-bin, --quiet."""
    for option in (
        click.option("--quiet", "-q", is_flag=True, help="Print only problems and the verdict."),
        click.option("--pg-bin", type=PATH, metavar="FOLDER", help="The folder with PostgreSQL's programs."),
        click.option(
            "--suite", type=PATH, help="The suite's folder; without one only its settings are missed."
        ),
        click.option("--config", type=PATH, help="The configuration file.  [default: ./kisaan.toml]"),
    ):
        function = option(function)
    return function


@click.group("backup", short_help="Take a dump with its baseline; prove that a dump is a good backup.")
def command() -> None:
    """A dump is a backup only if it restores and holds every row. `take` writes a dump and a baseline of one
    snapshot, `verify` restores a dump into a server of its own and compares all of it, `show` reads a
    certificate, `sign` signs it.
    """


@command.command("take", short_help="Write a dump and a baseline of one snapshot.")
@_shared
@target_options
@click.option("--dump", type=PATH, required=True, help="The dump to write: a file, or a folder.")
@click.option("-o", "--output", type=PATH, required=True, help="The baseline to write.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["custom", "plain", "directory"]),
    default="custom",
    show_default=True,
    help="The format of pg_dump.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def take(**given: Any) -> int:
    """Write a dump by pg_dump and a baseline with digests, both of one snapshot, and a record beside the dump
    that binds them. All tables are locked in ACCESS SHARE mode until both are done: writers go on, ALTER
    TABLE waits, and VACUUM keeps rows that died meanwhile. If pg_dump reports an error, nothing is kept.
    """
    from kisaan_validate.backup.taking import TakeWish, Taking, check_wish
    from kisaan_validate.cli.exits import backup_taken_exit_code
    from kisaan_validate.cli.job import attended, progress_observer
    from kisaan_validate.facts.baseline import baseline_of
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.report.console_baseline import gap_lines
    from kisaan_validate.report.console_certificate import print_taken

    config = _config(given)
    wish = TakeWish(
        given["dump"],
        given["output"],
        given["form"],
        config.jobs,
        config.lock_timeout_ms,
        given["pg_bin"],
        given["force"],
    )
    check_wish(wish)
    target, stop = find_target(given["dsn"]), Stop()
    suite = _whole(_suite(config, given), target, config)
    with progress_observer(given["quiet"]) as observer:
        taking = Taking(wish, target, observer, stop)
        measured = attended(lambda stop: _measured(suite, taking, config, stop), _patient(stop))
    _require_taken(taking, wish, measured)
    if taking.taken is not None:
        gaps = gap_lines(baseline_of(measured))
        print_taken(taking.taken, wish.dump, wish.baseline, gaps=gaps, quiet=given["quiet"])
    return backup_taken_exit_code(measured, taken=taking.taken is not None)


def _measured(suite: Suite, taking: Taking, config: Config, stop: Stop) -> Run:
    from kisaan_validate.prove.options import Comparing, Keeping
    from kisaan_validate.prove.run import run

    options = the_options(
        config,
        sample=0,
        compare=Comparing(digests=True),
        keep=Keeping(sealed=taking.sealed),
        while_held=taking,
    )
    return run(suite, taking.target, options=options, observer=taking.observer, stop=stop)


def _require_taken(taking: Taking, wish: TakeWish, measured: Run) -> None:
    """Say why there is no dump. Raises Interrupted and DatabaseError; what pg_dump reported is printed."""
    from kisaan_validate.errors import DatabaseError, Interrupted
    from kisaan_validate.report.shown import shown

    dumped = taking.dumped
    if dumped is None or dumped.cut:
        why = (dumped.cut if dumped is not None else "") or measured.interrupted or "the run ended early"
        raise Interrupted(why, "no dump and no baseline were written")
    if taking.unkept is not None:
        click.echo(f"error: {taking.unkept.fact}", err=True)
        click.echo("HINT: no dump and no baseline were kept; free some space, and take both again", err=True)
    if dumped.good:
        return
    if taking.lost:
        raise DatabaseError(
            f"the session that held the snapshot was lost: {dumped.errors[0]}",
            "nothing was kept; take both again",
        )
    for error in dumped.errors:
        click.echo(f"error: pg_dump: {shown(error)}", err=True)
    click.echo(
        f"HINT: {wish.dump} and {wish.baseline} were not written; pg_dump must end without an error", err=True
    )


def _patient(stop: Stop) -> Stop:
    """A stop after which there is something to put away: the watching process must have patience."""
    from kisaan_validate.process import watched

    stop.on_request(lambda: watched.say(watched.WRITING))
    return stop


@command.command("verify", short_help="Prove that a dump restores and holds everything.")
@click.argument("dump", type=PATH)
@_shared
@click.option(
    "--baseline", type=PATH, help="Compare with this baseline.  [default: the dump's own, or newest]"
)
@click.option("--same-snapshot", is_flag=True, help="The baseline is of the snapshot that was dumped.")
@click.option(
    "--added-since",
    multiple=True,
    metavar="TABLE.COLUMN",
    help="Rows above this column's old maximum came later. Repeatable.",
)
@click.option("--may-shrink", multiple=True, metavar="TABLE", help="May have fewer rows. Repeatable.")
@click.option(
    "--newest",
    multiple=True,
    metavar="TABLE.COLUMN",
    help="A time column whose newest value is named. Repeatable.",
)
@click.option(
    "--accept",
    multiple=True,
    metavar="NAME",
    help="May be left out: a kind, or a kind and a name. Repeatable.",
)
@click.option("--max-age", metavar="SPAN", help='How old the dump may be: "26 h".')
@click.option(
    "--valid-days",
    type=click.IntRange(1, 366),
    default=7,
    show_default=True,
    help="How long a certificate holds.",
)
@click.option("--log", type=PATH, help="What pg_dump printed when it wrote the dump.")
@click.option("-o", "--output", type=PATH, help="The certificate.  [default: DUMP.certificate.json]")
@click.option("--jobs", type=click.IntRange(1, 64), help="Sessions that restore and read.  [default: 2]")
@click.option("--scratch-dir", type=PATH, help="Where the server is made that restores.")
@click.option("--scratch-dsn", metavar="DSN", help="Restore into this adopted server.")
@click.option("--verbose", "-v", is_flag=True, help="Print every table and what is not proved.")
def verify(dump: Path, **given: Any) -> int:
    """Restore a dump into a server of its own, compare all rows, values, schema and sequences with a
    baseline,
    check its keys against its rows, and write a certificate: DUMP.certificate.json and .html. Exit 0:
    proved; 1: not a good backup; 3: cannot tell.
    """
    from kisaan_validate.backup.verifying import verify as verified
    from kisaan_validate.cli.exits import backup_exit_code
    from kisaan_validate.cli.job import attended, progress_observer
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.report.console_certificate import print_certificate

    config = _config(given)
    suite = _suite(config, given)
    wish = _wish(dump, suite, config, given)
    with progress_observer(given["quiet"]) as observer:
        made = attended(
            lambda stop: verified(wish, suite, _options(config), observer, stop), _patient(Stop())
        )
    kept = keep_certificate(made, wish.certificate)
    place = wish.certificate if kept else None
    print_certificate(made, place, quiet=given["quiet"], verbose=given["verbose"])
    return backup_exit_code(made.verdict, kept=kept)


def _wish(dump: Path, suite: Suite | None, config: Config, given: dict[str, Any]) -> VerifyWish:
    from datetime import UTC, datetime

    from kisaan_validate.backup.verifying import ScratchWish, VerifyWish
    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.certificate import BackupAsked
    from kisaan_validate.facts.suite import BackupDeclared
    from kisaan_validate.record.files import check_place
    from kisaan_validate.text.durations import DURATION_HINT, read_duration

    said = suite.settings.backup if suite is not None else BackupDeclared()
    age = read_duration(given["max_age"]) if given["max_age"] else said.max_age
    if given["max_age"] and age is None:
        raise UsageError(f"--max-age {given['max_age']} is not a duration", DURATION_HINT)
    since = (*given["added_since"], *said.added_since)
    asked = BackupAsked(
        datetime.now(UTC),
        given["valid_days"],
        age or None,
        tuple(column_of(text, "--added-since") for text in since),
        (*given["may_shrink"], *said.may_shrink),
        (*given["accept"], *said.accept),
    )
    newest = tuple(column_of(text, "--newest") for text in (*given["newest"], *said.newest))
    wish = VerifyWish(
        dump,
        asked,
        given["baseline"],
        given["same_snapshot"],
        given["log"],
        newest,
        config.jobs,
        ScratchWish(given["pg_bin"], given["scratch_dir"], given["scratch_dsn"]),
        given["output"],
    )
    # Said before hours of restoring.
    check_place(wish.certificate)
    return wish


def keep_certificate(made: Certificate, path: Path) -> bool:
    """Write a certificate and its page, both or neither; whether they could be written."""
    from kisaan_validate.cli.output import kept
    from kisaan_validate.record.certificate import certificate_to_json
    from kisaan_validate.record.codec import digest_of
    from kisaan_validate.record.files import write_files
    from kisaan_validate.report.certificate_page import render_certificate

    text = certificate_to_json(made)
    page = render_certificate(made, path.name, digest_of(text))
    return kept(lambda: write_files([(path, text), (path.with_suffix(".html"), page)]))


def _config(given: dict[str, Any]) -> Config:
    return the_config(
        given["config"],
        suite=given["suite"],
        jobs=given["jobs"],
        lock_timeout_ms=given.get("lock_timeout"),
        statement_timeout_ms=given.get("statement_timeout"),
    )


def _suite(config: Config, given: dict[str, Any]) -> Suite | None:
    """The suite; None where none was named and there is none: a backup can be proved without."""
    if given["suite"] is None and not config.suite.is_dir():
        return None
    return the_suite(config)


def _whole(suite: Suite | None, target: Any, config: Config) -> Suite:
    """The suite over every schema of the database."""
    from kisaan_validate.backup.taking import whole_suite
    from kisaan_validate.cli.job import in_session
    from kisaan_validate.postgres.schemas import schemas_sql

    rows = in_session(target, config, lambda session: session.execute(schemas_sql()))
    return whole_suite(suite, {str(name): int(tables) for name, tables, *_ in rows})


def _options(config: Config) -> Options:

    return the_options(config, sample=0, expect={})


command.add_command(show)
command.add_command(sign)
