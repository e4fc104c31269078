"""An import as the files of a suite, and the report that accounts for every item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import ImportOutcome, Made
from kisaan_validate.author.source import code_span, file_stem, remark, settings_text
from kisaan_validate.facts.titles import split_name
from kisaan_validate.suite.personal import guessed_personal
from kisaan_validate.version import VERSION

TOOLS = {"great-expectations": "Great Expectations", "soda": "SodaCL", "dbt": "dbt"}
"""The tools whose suites are read, by the word of ``--from``."""


def render(maker: Maker, tool: str, name: str, schemas: Sequence[str]) -> dict[str, str]:
    """The files: path within the suite's folder to text. Without any check there is only the report."""
    files = {"import.md": report(maker.outcomes, tool)}
    if not maker.made:
        return files
    origins = {id: outcome for outcome in maker.outcomes for id in outcome.ids}
    # Schemas that only the files name must be read too, or their tables would be missing.
    named = dict.fromkeys((*schemas, *(split_name(made.table)[0] for made in maker.made)))
    files["suite.toml"] = settings_text(
        "import", name, [s for s in named if s], guessed_personal(_columns(maker))
    )
    tables: dict[str, list[Made]] = defaultdict(list)
    for made in maker.made:
        if made.path:
            files[made.path] = made.source
        else:
            tables[made.table].append(made)
    taken: set[str] = set()
    for table, members in tables.items():
        files[f"{file_stem(table, taken)}.py"] = _module(table, members, origins, tool)
    return files


def _columns(maker: Maker) -> set[str]:
    return {f"{made.table}.{column}" for made in maker.made for column in made.columns}


def _module(table: str, members: Sequence[Made], origins: dict[str, ImportOutcome], tool: str) -> str:
    parts = [
        (
            '"""Imported by kisaan-validate: read it and fix it, it is yours. import.md says '
            'what happened to every item."""\n'
        ),
        "from __future__ import annotations\n",
        "from kisaan_validate import declare\n",
        f"# {remark(table)}, imported from {TOOLS[tool]} by kisaan-validate {VERSION}\n",
    ]
    lines, last = [], None
    for made in members:
        origin = origins.get(made.id)
        # Said once above all checks of one item.
        if origin is not None and origin is not last:
            lines.append(f"# {remark(f'{origin.file} {origin.place}: {origin.text}')}")
        last = origin
        lines.append(made.source)
    return "\n".join(parts) + "\n" + "\n".join(lines) + "\n"


def counted(outcomes: Sequence[ImportOutcome]) -> tuple[int, int, int]:
    """(items, imported, not imported); the last two add up to the first."""
    imported = sum(outcome.imported for outcome in outcomes)
    return len(outcomes), imported, sum(not outcome.imported for outcome in outcomes)


def report(outcomes: Sequence[ImportOutcome], tool: str) -> str:
    """Every item with the checks that it became, or with the reason why it has no counterpart. Markdown."""
    total, imported, left = counted(outcomes)
    lines = [
        f"# What happened to every item of {TOOLS[tool]}",
        "",
        f"{total} items: {imported} imported, {left} not imported.",
        "",
        "Shares are compared exactly. A tool that rounds before it compares may judge differently.",
        "",
        "## Not imported",
        "",
    ]
    lines += _table(
        "reason",
        [
            # A bar ends a cell and < begins a tag.
            (o, remark(o.reason, 400).replace("|", "\\|").replace("<", "&lt;"))
            for o in outcomes
            if not o.imported
        ],
    )
    lines += ["", "## Imported", ""]
    lines += _table("checks", [(o, ", ".join(code_span(id) for id in o.ids)) for o in outcomes if o.imported])
    return "\n".join([*lines, ""])


def _table(heading: str, rows: Sequence[tuple[ImportOutcome, str]]) -> list[str]:
    if not rows:
        return ["None."]
    lines = [f"| item | where | {heading} |", "| --- | --- | --- |"]
    return lines + [
        f"| {code_span(o.text)} | {code_span(f'{o.file} {o.place}')} | {said} |" for o, said in rows
    ]
