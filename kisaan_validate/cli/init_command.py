"""``kisaan-validate init``: draft a suite from a live database, and prove the draft on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.folder import refuse_full, write_beside
from kisaan_validate.cli.options import target_options, the_config, the_limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kisaan_validate.author.draft.look import Ask
    from kisaan_validate.author.draft.prove import Proved
    from kisaan_validate.facts.check import Severity
    from kisaan_validate.ops.config import Config
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.request import Observer
    from kisaan_validate.suite.load import SuiteSettings


@click.command("init", short_help="Draft a suite from a live database.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
@target_options
@click.option(
    "--schema",
    "schemas",
    multiple=True,
    metavar="NAME",
    is_flag=False,
    flag_value="",
    help="A schema. Repeatable.  [default: public]",
)
@click.option("--list-schemas", is_flag=True, help="Only list schemas and their table counts.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("checks"),
    show_default=True,
    help="The folder to write.",
)
@click.option("--name", help="The suite's name.  [default: the database's]")
@click.option(
    "--catalogue-only",
    is_flag=True,
    help="Draft from the catalogue alone.",
)
@click.option("--strict", is_flag=True, help="Make what was observed blocking too.  [a warning until agreed]")
@click.option("--force", is_flag=True, help="Write into a folder with other files (kept).")
def command(
    output: Path,
    schemas: tuple[str, ...],
    name: str | None,
    catalogue_only: bool,
    force: bool,
    list_schemas: bool,
    strict: bool,
    **given: Any,
) -> int | None:
    """Draft a suite: what the catalogue declares as blocking checks, what the data shows as warnings,
    "observed, not agreed". The draft is proved before it is written, but valid constraints and unique
    indexes are taken as declared: `run` proves them from the rows.
    """
    from kisaan_validate.author.draft.look import Ask
    from kisaan_validate.cli.job import attended, progress_observer
    from kisaan_validate.facts.check import Severity
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.process.stopping import Stop

    config = the_config(
        given["config"],
        jobs=given["jobs"],
        lock_timeout_ms=given["lock_timeout"],
        statement_timeout_ms=given["statement_timeout"],
    )
    if list_schemas or "" in schemas:
        _list_schemas(find_target(given["dsn"]), config, asked=list_schemas)
        return None
    settings = _standing(output, schemas, force)
    observed_as = Severity.BLOCKING if strict else Severity.WARNING
    # Files that stand in the folder are kept, so the draft must be made for their schemas.
    ask = Ask(
        find_target(given["dsn"]),
        settings.schemas if settings else schemas or ("public",),
        settings.aliases if settings else {},
        settings.personal if settings else (),
        the_limits(config),
        config.jobs,
        config.expect,
        catalogue_only,
    )
    stopping = Stop()
    with progress_observer(False) as observer:
        proved = attended(
            lambda stop: _draft(ask, config, output, name, observed_as, _once(observer), stop), stopping
        )
    # An interrupted proof proved only part of the draft: nothing is written of it.
    if proved.run.interrupted:
        raise _unfinished(stopping)
    kept = [path for path in proved.rendered if path not in proved.files]
    write_beside(output, proved.files)
    return _tell(output, proved, kept, observed_as)


def _list_schemas(target: Target, config: Config, *, asked: bool) -> None:
    """Print the schemas and their number of tables. Raises UsageError if they were not asked for: a --schema
    without a name, whose hint they are.
    """
    from kisaan_validate.cli.job import in_session
    from kisaan_validate.errors import UsageError
    from kisaan_validate.postgres.schemas import own_schemas, schemas_said, schemas_sql
    from kisaan_validate.report.text import flat
    from kisaan_validate.text.numbers import counted

    found: dict[str, int] = dict(in_session(target, config, lambda s: s.execute(schemas_sql())))
    if not asked:
        raise UsageError("--schema names no schema", f"name one of: {schemas_said(found)}")
    for schema, tables in own_schemas(found).items():
        click.echo(f"{flat(schema)}  {counted(tables, 'table')}")


def _standing(output: Path, schemas: tuple[str, ...], force: bool) -> SuiteSettings | None:
    """The settings of a suite that stands in the folder already; None if there is none. Raises UsageError."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.suite.settings import read_settings

    refuse_full(output, force)
    if not (output / "suite.toml").exists():
        return None
    settings = read_settings(output / "suite.toml")
    if schemas and schemas != settings.schemas:
        said = ", ".join(settings.schemas)
        raise UsageError(
            f"{output / 'suite.toml'} names other schemas: {said}",
            "leave --schema out, or choose another folder",
        )
    return settings


def _once(observer: Observer) -> Observer:
    """The same observer, told of the connection only the first time."""
    from kisaan_validate.prove.request import Connected

    told = False

    def observe(event: Any) -> None:
        nonlocal told
        if not (isinstance(event, Connected) and told):
            observer(event)
        told = told or isinstance(event, Connected)

    return observe


def _readying(observer: Observer) -> Observer:
    """The same observer; once rows are read, what loading the draft needs is imported meanwhile."""
    from kisaan_validate.prove.request import Progress
    from kisaan_validate.suite.ahead import pandera_ahead

    thread = pandera_ahead()

    def observe(event: Any) -> None:
        observer(event)
        if isinstance(event, Progress) and event.total and thread.ident is None:
            thread.start()

    return observe


def _unfinished(stop: Stop) -> Exception:
    """What ends the command before a draft is proved: a snapshot held for too long, or whoever interrupted
    it.
    """
    from kisaan_validate.errors import DatabaseError, Interrupted
    from kisaan_validate.process.stopping import Cause

    if stop.cause is Cause.HELD_TOO_LONG:
        return DatabaseError(f"no draft: {stop.reason}", "draft fewer schemas at a time, or raise that limit")
    return Interrupted(stop.reason, "no draft was written")


def _draft(
    ask: Ask,
    config: Config,
    output: Path,
    name: str | None,
    observed_as: Severity,
    observer: Observer,
    stop: Stop,
) -> Proved:
    """Look, propose, prove. Raises what looking and running raise, and UsageError where nothing would be
    written.
    """
    from kisaan_validate.author.draft.look import look
    from kisaan_validate.author.draft.propose import propose
    from kisaan_validate.author.draft.prove import prove
    from kisaan_validate.prove.options import Options
    from kisaan_validate.prove.run import run
    from kisaan_validate.record.files import read_file

    facts = look(ask, _readying(observer), stop)
    if stop.requested:
        raise _unfinished(stop)
    # The draft needs verdicts only: no row of the database is kept. What sound constraints declare is drafted
    # as declared; proving it from the rows takes most of a run's time, and is left to it.
    options = Options(
        jobs=config.jobs, sample=0, limits=ask.limits, expect=config.expect, trust_constraints=True
    )
    standing = output / "suite.toml"
    return prove(
        facts,
        propose(facts),
        name or facts.place.database,
        lambda path: not (output / path).exists(),
        lambda suite: run(suite, ask.target, options=options, observer=observer, stop=stop),
        read_file(standing) if standing.exists() else "",
        observed_as,
    )


def _tell(output: Path, proved: Proved, kept: list[str], severity: Severity) -> int:
    """Say what was drafted, what was left out, the verdict, and what to do next. Returns the exit code."""
    from kisaan_validate.author.draft.prove import notes_told, told
    from kisaan_validate.author.source import remark
    from kisaan_validate.cli.exits import exit_code
    from kisaan_validate.text.numbers import counted

    said = told(proved)
    click.echo(
        f"drafted {counted(said['tables'], 'table')}: {counted(said['checks'], 'check')}, "
        f"{said['declared']:,} from the catalogue (blocking), "
        f'{said["observed"]:,} observed in the data, not yet agreed ({severity.value}, tag "observed")'
    )
    for note in notes_told(proved.drafts):
        click.echo(f"note    {remark(note, 400)}")
    if said["refused"]:
        click.echo(
            f"left    {counted(said['refused'], 'check')} commented out, each with its reason: grep -rn "
            f'"not drafted" {output}'
        )
    click.echo(f"wrote   {output}: {counted(len(proved.files), 'file')}")
    if kept:
        click.echo(f"kept    {counted(len(kept), 'existing file')} unchanged: {', '.join(kept)}")
    click.echo(f"verdict {proved.run.verdict}: {_verdict_said(said)}")
    click.echo(
        f"next    read {output}: each line says why it is there. Remove **OBSERVED from the lines you "
        "agree with, delete the others"
    )
    click.echo(f"        kisaan-validate list --suite {output} --select observed   # not agreed yet")
    # It proves what was taken as declared, too.
    click.echo(f"        kisaan-validate run --suite {output}                      # prove it from the rows")
    return exit_code(proved.run, proved.run.verdict)


def _verdict_said(said: Mapping[str, int]) -> str:
    """How many checks pass, and how many were not asked of the rows, by what they rest on: a line each."""
    from kisaan_validate.text.numbers import agreeing, counted

    passed, taken, seen = said["passed"], said["taken"], said["counted"]
    lines = [f"{counted(passed, 'check')} {agreeing(passed, 'passes', 'pass')} on this database"]
    if taken:
        them, are = agreeing(taken, "it", "them"), agreeing(taken, "is", "are")
        lines.append(
            f"{taken:,} more {are} taken as declared by valid constraints and unique indexes: `run` proves "
            f"{them} from the rows"
        )
    if seen:
        lines.append(f"{seen:,} more {agreeing(seen, 'was', 'were')} counted over all rows while drafting")
    if left := said["checks"] - passed - taken - seen:
        lines.append(f"{left:,} more {agreeing(left, 'does', 'do')} not pass")
    return "\n        ".join(lines)
