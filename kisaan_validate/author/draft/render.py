"""A draft as the files of a suite: plain code to be read, edited and owned."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import field

from kisaan_validate.author.draft.facts import Facts, names_of, seen_personal
from kisaan_validate.author.draft.lines import DraftLine, Key, TableDraft, sources
from kisaan_validate.author.source import file_stem, python_text, python_value, remark, settings_text
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.suite.personal import guessed_personal
from kisaan_validate.version import VERSION

ONE_FILE_EACH = 50
"""Up to so many tables, each has a file of its own; more are grouped by the first word of their names."""

MOST_TABLES = 25
"""A file of more tables is not read in one sitting."""

FAMILY = 3
"""So many tables that begin with the same word make a file of their own."""


@dataclass(frozen=True)
class DraftRefused:
    """Which checks of a draft do not pass on the database that it came from, and why: by id, and by key of
    a model.
    """

    lines: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[Key, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines) + len(self.columns)


def render(
    facts: Facts,
    drafts: Sequence[TableDraft],
    refused: DraftRefused,
    name: str,
    observed_as: Severity = Severity.WARNING,
) -> dict[str, str]:
    """The files of the suite: path within its folder to text. ``observed_as`` is the severity of what was
    observed and nobody agreed to.
    """
    files = {"suite.toml": settings_text("init", name, facts.catalogue.schemas, _personal(facts))}
    for stem, members in _grouped(drafts):
        files[f"{stem}.py"] = _module(facts, members, refused, observed_as)
    return files


def _personal(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Patterns by names, and the full names of columns that are personal by what was seen of their values."""
    return {**guessed_personal(names_of(facts.catalogue)), **seen_personal(facts)}


def _grouped(drafts: Sequence[TableDraft]) -> list[tuple[str, list[TableDraft]]]:
    """The tables of each file, with the file's name."""
    taken: set[str] = set()
    if len(drafts) <= ONE_FILE_EACH:
        return [(file_stem(draft.name.replace('"', ""), taken), [draft]) for draft in drafts]
    several, made = len({draft.schema for draft in drafts}) > 1, []
    for schema in sorted({draft.schema for draft in drafts}):
        for word, members in sorted(_families([d for d in drafts if d.schema == schema]).items()):
            title = f"{schema}_{word}" if several else word
            made += [
                (file_stem(title, taken), members[i : i + MOST_TABLES])
                for i in range(0, len(members), MOST_TABLES)
            ]
    return made


def _families(drafts: Sequence[TableDraft]) -> dict[str, list[TableDraft]]:
    """Tables by the first word of their names (the second, where most begin with the same); the rest under
    "others".
    """
    words = {draft.name: _words(draft.bare) for draft in drafts}
    ((common, number),) = Counter(w[0] for w in words.values()).most_common(1)
    found: dict[str, list[TableDraft]] = defaultdict(list)
    for draft in drafts:
        first, *more = words[draft.name]
        # A prefix that most tables share tells them nothing apart.
        found[more[0] if first == common and number > len(drafts) / 2 and more else first].append(draft)
    grouped: dict[str, list[TableDraft]] = defaultdict(list)
    for word, members in found.items():
        grouped[word if len(members) >= FAMILY else "others"] += members
    return grouped


def _words(name: str) -> list[str]:
    """The words of a table's name: "OrderItems" and "order_items" both give "order", "items"."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return [word.lower() for word in re.split(r"[^A-Za-z]+", apart) if word] or ["table"]


def _module(facts: Facts, members: Sequence[TableDraft], refused: DraftRefused, observed_as: Severity) -> str:
    # Nothing that the database calls things may stand on the first two lines, where Python looks for an
    # encoding.
    first = (
        '"""A draft by kisaan-validate init: read it and fix it, it is yours. Each line says why '
        'it is there."""\n'
    )
    parts = [
        first,
        "from __future__ import annotations\n",
        _imports(members, refused),
        (
            f"# Drafted by kisaan-validate {VERSION} on {facts.on} from database "
            f"{remark(facts.place.database)}.\n"
        ),
    ]
    if _observes(members, refused):
        parts.append(_observed(facts, observed_as))
    return "\n".join(parts) + "\n\n" + "\n\n\n".join(_section(draft, refused) for draft in members) + "\n"


def _observes(members: Sequence[TableDraft], refused: DraftRefused) -> bool:
    return any(line.id not in refused.lines for draft in members for line in draft.observed)


def _imports(members: Sequence[TableDraft], refused: DraftRefused) -> str:
    dtypes = [c.dtype for draft in members for c in draft.columns if c.typed not in refused.columns]
    lines = [line for draft in members for line in (*draft.declared, *draft.observed)]
    # Commented-out lines need no import, and a linter would complain about an unused one.
    declared = any(isinstance(line, DraftLine) and line.id not in refused.lines for line in lines)
    annotated = any(dtype.startswith("Annotated") for dtype in dtypes)
    commented = any(draft.comment for draft in members)
    used = {"Annotated": annotated, "Any": _observes(members, refused), "ClassVar": commented}
    typing = [name for name in used if used[name]]
    made = [f"from typing import {', '.join(typing)}\n"] if typing else []
    made.append(
        ("import pandas as pd\n" if any("pd." in dtype for dtype in dtypes) else "")
        + "import pandera.pandas as pa\n"
    )
    made += ["from kisaan_validate import declare\n"] if declared else []
    return "\n".join(made)


def _observed(facts: Facts, severity: Severity) -> str:
    why = f"observed, not agreed: true of every row on {facts.on}, but nobody has confirmed it"
    fields = [
        f'    "severity": "{severity.value}",',
        '    "tags": ["observed"],',
        f'    "why": {python_text(why)},',
        '    "hint": "confirm it by removing **OBSERVED from the line, or delete the line",',
    ]
    return "OBSERVED: dict[str, Any] = {\n" + "\n".join(fields) + "\n}\n"


def _section(draft: TableDraft, refused: DraftRefused) -> str:
    title = remark(draft.title)
    head = [
        f"# --- {title} {'-' * max(3, 113 - len(title))}",
        *(f"# {remark(note, 400)}" for note in draft.notes),
    ]
    fields = [column.source(refused.columns) for column in draft.columns]
    config = f"    class Config:\n        name = {python_text(draft.name)}"
    if draft.comment:
        config += (
            f"\n        metadata: ClassVar[dict[str, str]] = "
            f"{python_value({'why': draft.comment})}  # the comment on the table"
        )
    model = (
        f"class {draft.model}(pa.DataFrameModel):\n"
        + "".join(f"{line}\n" for line in fields)
        + ("\n" if fields else "")
        + config
    )
    parts = ["\n".join(head) + "\n\n\n" + model]
    if draft.declared:
        parts.append(sources(draft.declared, refused.lines))
    if draft.observed:
        parts.append(sources(draft.observed, refused.lines))
    return "\n\n\n".join(parts)
