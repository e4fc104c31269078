"""Write docs/cli.md from the commands themselves: ``python tests/make_cli_docs.py``."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.cli.examples import HELP_OPTIONS  # noqa: E402
from kisaan_validate.cli.main import PROGRAM, cli  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"
HEAD = """# The command line

Brackets: default and range; `…`: may be repeated. `-h` says more. All but {without} take `--config`.
[Formats](formats.md). Exit codes: [all](../README.md#your-own-database), [import](adoption.md#from-another-tool-import),
[diff](diff.md), [verify](signoff.md#verifying).
"""
SHARED = 2
"""An option that so many commands explain in the same words is explained once."""
GROUPS = {
    "selection": ("--suite", "--select", "--exclude"),
    "connection": ("--dsn", "--jobs", "--lock-timeout", "--statement-timeout"),
    "signing": ("--as", "--key", "--timestamp"),
    "trust": ("--allowed-signers", "--revoked-signers", "--tsa-ca"),
}
"""Options that stand together in most commands, by what a command calls them all."""
COMMON = "--config"
"""An option of so many commands that only the head of the page speaks of it."""
Row = tuple[str, str]


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group with the words that call it, the groups' own first."""
    context = click.Context(group, info_name=path, help_option_names=HELP_OPTIONS)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def every_command() -> list[tuple[str, click.Command]]:
    """The program itself and all its commands."""
    return [(PROGRAM, cli), *commands(cli, PROGRAM)]


def page() -> str:
    """The page."""
    all_rows = [(words, command, _rows(words, command)) for words, command in every_command()]
    times = Counter(row for _, _, rows in all_rows for row in rows)
    often = [row for row, count in times.items() if count >= SHARED]
    names = Counter(name for name, _ in often)
    shared = [row for row in often if names[row[0]] == 1]  # -o means one thing here and another there
    without = [words for words, _, rows in all_rows[1:] if COMMON not in map(_long, rows)]
    # Of a group that is named, its commands are not named again.
    without = [words for words in without if words.rpartition(" ")[0] not in without]
    head = HEAD.format(without=", ".join(f"`{words.removeprefix(f'{PROGRAM} ')}`" for words in without))
    # The program itself has only --version.
    parts = [head, *(_section(words, command, rows, shared) for words, command, rows in all_rows[1:])]
    parts.append("## Shared options\n")
    titles = {name: title for title, group in GROUPS.items() for name in group}
    rest = sorted((row for row in shared if _long(row) not in titles), key=_long)
    for title, group in GROUPS.items():
        parts.append(f"{title}:\n\n" + _list([row for row in shared if _long(row) in group]))
    return "\n".join([*parts, f"others:\n\n{_list(rest)}"])


def _long(row: Row) -> str:
    """The name of an option alone."""
    return re.split(r"[=…]", row[0])[0]


def _grouped(names: Sequence[str]) -> list[str]:
    """Names of options; of a whole group its title instead."""
    whole = {title: group for title, group in GROUPS.items() if set(group) <= set(names)}
    left = [name for name in names if not any(name in group for group in whole.values())]
    return [*(f"[{title}](#shared-options)" for title in whole), *(f"`{name}`" for name in left)]


def _rows(words: str, command: click.Command) -> list[Row]:
    # click keeps the help option of whatever context came first: here it is always made again, as the program
    # has it.
    command._help_option = None
    context = click.Context(command, info_name=words, help_option_names=HELP_OPTIONS)
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    rows = (_row(name, meaning) for name, meaning in filter(None, records) if meaning)
    return [row for row in rows if row[0] != "-h/--help"]


def _row(name: str, meaning: str) -> Row:
    """An option as the page shows it: its kind of value short, its default and range in brackets."""
    name = name.replace("INTEGER RANGE", "N")
    if "Repeatable." in meaning:
        name, meaning = f"{name}…", re.sub(r"\s*Repeatable\.", "", meaning)
    name = name.replace(" / ", "/").replace(" | ", "|").replace(", -", "/-").replace(" ", "=", 1)
    meaning = (
        meaning.replace("[default: ", "[").replace("<=x<=", "–").replace("x>=", "≥").replace("]  [", "; ")
    )
    return name, re.sub(r"\s+", " ", meaning).strip()


def _section(words: str, command: click.Command, rows: Sequence[Row], shared: Sequence[Row]) -> str:
    pieces = (
        []
        if isinstance(command, click.Group)
        else command.collect_usage_pieces(click.Context(command, help_option_names=HELP_OPTIONS))
    )
    usage = [u for u in pieces if u != "[OPTIONS]"]
    title = " ".join([words.removeprefix(f"{PROGRAM} "), *usage])
    parts = [f"## {title}\n", _said(command) + "\n"]
    if own := [row for row in rows if row not in shared]:
        parts.append(_list(own))
    if others := [name for row in rows if row in shared if (name := _long(row)) != COMMON]:
        parts.append(f"Also {', '.join(_grouped(others))}.\n")
    return "\n".join(parts)


def _said(command: click.Command) -> str:
    """The short help of a command."""
    return command.get_short_help_str(200)


def _list(rows: Sequence[Row]) -> str:
    """Options as a terminal shows them."""
    return "".join(["```text\n", *(f"{name}  {meaning}\n" for name, meaning in rows), "```\n"])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
