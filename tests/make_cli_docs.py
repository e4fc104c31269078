"""Write docs/cli.md from the commands themselves: ``python tests/make_cli_docs.py``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.cli.exits import MEANINGS  # noqa: E402
from kisaan_validate.cli.main import PROGRAM, cli  # noqa: E402
from kisaan_validate.report.formats import BUILT_IN  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"
HEAD = """# The command line

Made from the commands themselves by `python tests/make_cli_docs.py`; a test fails when it lags. Every command says this of
itself with `-h`.
"""


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
    parts = [HEAD]
    parts += [_section(words, command) for words, command in every_command()]
    parts.append(_table("Exit codes", ("code", "meaning"), [(str(code), meaning) for code, meaning in MEANINGS.items()]))
    parts.append(_table("Formats", ("name", "what it is for"), [(f"`{name}`", what) for name, what in BUILT_IN.items()]))
    return "\n".join(parts)


def _section(words: str, command: click.Command) -> str:
    # click keeps the help option of whatever context came first: here it is always made anew, as the program has it.
    command._help_option = None
    context = click.Context(command, info_name=words, help_option_names=["-h", "--help"])
    usage = " ".join(command.collect_usage_pieces(context))
    text = re.sub(r"\s+", " ", command.help or "").strip()
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and parameter.name != "help":  # every command has it
            rows.append((f"`{record[0]}`", record[1]))
    return f"## {words}\n\n```\n{words} {usage}\n```\n\n{_escaped(text)}\n\n" + _table("", ("option", "meaning"), rows)


def _table(title: str, headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *(tuple(_escaped(cell) for cell in row) for row in rows)]
    head = f"## {title}\n\n" if title else ""
    return head + "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _escaped(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
