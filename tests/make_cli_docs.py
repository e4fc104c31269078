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

from kisaan_validate.cli.exits import MEANINGS  # noqa: E402
from kisaan_validate.cli.main import PROGRAM, cli  # noqa: E402
from kisaan_validate.report.formats import BUILT_IN  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"
HEAD = """# The command line

`python tests/make_cli_docs.py` makes this page from the commands; a test fails when it lags. Every command says this of itself
with `-h`. Options that several commands share are explained once, [at the end](#shared-options).
"""
SHARED = 2
"""An option that so many commands explain in the same words is explained once."""
Row = tuple[str, str]


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group with the words that call it, the groups' own first."""
    context = click.Context(group, info_name=path)
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
    parts = [HEAD]
    parts += [_section(words, command, rows, shared) for words, command, rows in all_rows]
    parts.append(
        _table("Shared options", ("option", "meaning"), sorted(shared, key=lambda row: row[0].strip("`-")))
    )
    parts.append(
        _table(
            "Exit codes", ("code", "meaning"), [(str(code), meaning) for code, meaning in MEANINGS.items()]
        )
    )
    parts.append(
        _table(
            "Formats", ("name", "what it is for"), [(f"`{name}`", what) for name, what in BUILT_IN.items()]
        )
    )
    return "\n".join(parts)


def _rows(words: str, command: click.Command) -> list[Row]:
    # click keeps the help option of whatever context came first: here it is always made anew, as the program
    # has it.
    command._help_option = None
    context = click.Context(command, info_name=words, help_option_names=["-h", "--help"])
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    return [
        (f"`{name}`", meaning) for name, meaning in filter(None, records) if meaning and name != "-h, --help"
    ]


def _section(words: str, command: click.Command, rows: Sequence[Row], shared: Sequence[Row]) -> str:
    usage = " ".join(command.collect_usage_pieces(click.Context(command, info_name=words)))
    said = _escaped(re.sub(r"\s+", " ", command.help or "").strip())
    parts = [f"## {words}\n", *([] if usage == "[OPTIONS]" else [f"`{words} {usage}`\n"]), f"{said}\n"]
    if own := [row for row in rows if row not in shared]:
        parts.append(_table("", ("option", "meaning"), own))
    if others := [name.split()[0].strip("`,") for name, _ in rows if (name, _) in shared]:
        parts.append(f"Also {', '.join(f'`{name}`' for name in others)}\n")
    return "\n".join(parts)


def _table(title: str, headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *(tuple(_escaped(cell) for cell in row) for row in rows)]
    head = f"## {title}\n\n" if title else ""
    return head + "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _escaped(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
