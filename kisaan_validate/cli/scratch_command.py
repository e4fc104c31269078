"""``kisaan-validate scratch``: servers of our own, which dumps are restored into: lent, listed, erased."""

from __future__ import annotations

from pathlib import Path

import click

_PLACE = click.option(
    "--scratch-dir",
    type=click.Path(path_type=Path),
    envvar="KISAAN_SCRATCH_DIR",
    help="Where scratch servers are.  [default: KISAAN_SCRATCH_DIR, else the temporary folder]",
)


@click.group("scratch", short_help="Lend, list and erase the servers that dumps are restored into.")
def command() -> None:
    """Lend, list and erase the servers that dumps are restored into.

    They are erased by the command that made them, also when it is killed; what a crash of the machine left
    is erased by the next such command.
    """


@command.command("list", short_help="List what lies there, with size and age.")
@_PLACE
def list_(scratch_dir: Path | None) -> int:
    """List the scratch servers that lie there: in use, kept, or left over, with size and age."""
    from kisaan_validate.cli.exits import scratch_exit_code
    from kisaan_validate.report.text import plain
    from kisaan_validate.scratch.home import scratch_parent
    from kisaan_validate.scratch.leftovers import leftovers, strays
    from kisaan_validate.scratch.space import age, size

    where = scratch_parent(scratch_dir)
    found, strange = leftovers([where]), strays([where])
    for one in found:
        whose = f"process {one.pid}" if one.pid is not None else "its marker cannot be read"
        words = f"{size(one.size):>10}  {age(one.age):>6}  {one.label}, {whose}"
        click.echo(f"{one.state:<10}  {plain(str(one.path))}  {plain(words)}")
    for path in strange:
        click.echo(f"no marker   {plain(str(path))}: look at it, and erase it yourself")
    if not found and not strange:
        click.echo(f"no scratch server in {plain(str(where))}")
    return scratch_exit_code(sum(one.state == "unreadable" for one in found) + len(strange))


@command.command("clean", short_help="Stop and erase what belongs to no running command.")
@_PLACE
@click.option("--scratch-dsn", metavar="DSN", help="Also drop what was left on this adopted server.")
def clean(scratch_dir: Path | None, scratch_dsn: str | None) -> int:
    """Stop and erase the scratch servers that belong to no running command, also those that were kept."""
    from kisaan_validate.cli.exits import scratch_exit_code
    from kisaan_validate.report.text import plain
    from kisaan_validate.scratch.home import scratch_parent
    from kisaan_validate.scratch.leftovers import leftovers, strays, sweep
    from kisaan_validate.scratch.server import scratch_server

    where, told = scratch_parent(scratch_dir), list[str]()
    left = sweep([where], told.append, kept=True)
    if scratch_dsn is not None:
        # To begin on an adopted server is to drop what was left there.
        with scratch_server(dsn=scratch_dsn, parent=where, notice=told.append):
            told.append("dropped what was left on the adopted server")
    told += [f"{path} has no marker: look at it, and erase it yourself" for path in strays([where])]
    busy = (one for one in leftovers([where]) if one.state == "in use")
    told += [f"{one.path} is in use by process {one.pid}" for one in busy]
    for line in told or [f"nothing to erase in {where}"]:
        click.echo(plain(line))
    return scratch_exit_code(left + len(strays([where])))


@command.command("adopt", short_help="Mark an empty server as ours.")
@click.argument("dsn")
def adopt(dsn: str) -> int:
    """Mark an empty server as ours, so that --scratch-dsn may name it.

    Refused unless nothing and nobody is on it, and where it is, or may be, the database under validation.
    What a command made on it is dropped at its end.
    """
    from kisaan_validate.cli.exits import scratch_exit_code
    from kisaan_validate.scratch.adopted import adopt
    from kisaan_validate.scratch.emptiness import MARK_DATABASE

    id = adopt(dsn)
    click.echo(f"adopted  mark {id}, in its database {MARK_DATABASE}")
    click.echo("release  drop that database")
    return scratch_exit_code(0)
