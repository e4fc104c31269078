"""Scores the comparison on the corruption gallery: is each planted corruption found, and nothing else?

    python tests/gallery_score.py [--only 07,18] [--system] [--write]     prints what was found; --write
    also writes docs/gallery.md

Each file of tests/gallery is applied to a copy of a cleanly migrated market, and the copy compared with
the original. The head of the file says what must be found: the table, exactly these rows, exactly these
columns, the pattern with exactly its number of rows, or the objects of the catalogue; anything else that
is found counts as a miss.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gallery_personal
import psycopg2
from conftest import ROOT, Server, embedded_server, system_server

from kisaan_validate.compare.patterns.watch import Watch
from kisaan_validate.facts.row_differences import Kind, PatternFound, RowChange, RowDiff, TableDiff
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.run import diff_rows
from kisaan_validate.ops.demo.assets import CLEAN, find_assets
from kisaan_validate.ops.demo.place import Playground, migrate
from kisaan_validate.postgres.target import find_target

FOLDER = ROOT / "tests" / "gallery"
SCALE = 1_000
"""Payments of the market; transactions are four fifths of it."""

Keys = set[tuple[str | None, ...]]


@dataclass(frozen=True)
class Plant:
    """Rows that one corruption adds, removes or changes. ``keys`` is a query of the keys, ``copies`` a
    number where there is no key; ``rows`` of a pattern are those of the plant if not given."""

    table: str
    kind: Kind
    keys: str = ""
    copies: int = 0
    columns: tuple[str, ...] = ()
    pattern: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Corruption:
    """One file of the gallery. ``untold`` is what the comparison must say that it cannot tell, and nothing
    else; ``personal`` are columns (table.column) of which no value may be shown."""

    name: str
    title: str
    rows: tuple[Plant, ...]
    schema: frozenset[tuple[str, str, str, str]]
    sql: str
    untold: frozenset[str] = frozenset()
    personal: tuple[str, ...] = ()


def read_gallery(folder: Path = FOLDER) -> list[Corruption]:
    """All corruptions, in the order of their files."""
    return [_read(path) for path in sorted(folder.glob("[0-9]*.sql"))]


def _read(path: Path) -> Corruption:
    sql = path.read_text(encoding="utf-8")
    head = [line.removeprefix("--").removeprefix(" ") for line in sql.splitlines() if line.startswith("--")]
    facts = tomllib.loads("\n".join(head[1:]))
    plants = [
        Plant(**{**r, "kind": Kind(r["kind"]), "columns": tuple(r.get("columns", ()))})
        for r in facts.get("rows", [])
    ]
    schema = {(s["kind"], s["table"], s["name"], s["aspect"]) for s in facts.get("schema", [])}
    untold, personal = frozenset(facts.get("untold", [])), tuple(facts.get("personal", []))
    return Corruption(path.stem, head[0], tuple(plants), frozenset(schema), sql, untold, personal)


def build_clean(server: Server, scale: int = SCALE) -> str:
    """A cleanly migrated market with the gallery's own tables; returns the name of its database."""
    assets, name = find_assets(), server.create()
    place = _Place(server.host, server.port, name)
    place.execute((assets.demo / "schema.sql").read_text(encoding="utf-8"))
    place.execute((assets.demo / "fill.sql").read_text(encoding="utf-8"), demo__payments=str(scale))
    server.sql("DO $$BEGIN CREATE ROLE demo_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$")
    assert not migrate(place, assets, CLEAN).stopped
    place.execute((FOLDER / "tables.sql").read_text(encoding="utf-8"))
    server.sql("VACUUM ANALYZE", name)
    return name


@dataclass(frozen=True)
class _Place(Playground):
    """The story's database under another name."""

    name: str

    def execute(self, sql: str, database: str = "", **settings: str) -> list[tuple[Any, ...]]:
        return super().execute(sql, database or self.name, **settings)


class Tee(Watch):
    """Names patterns, and keeps what a score needs of every row."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[tuple[str, Kind], Keys] = defaultdict(set)
        self.copies: dict[tuple[str, Kind], int] = defaultdict(int)

    def see(self, change: RowChange) -> None:
        """One row that differs."""
        self.keys[change.table, change.kind].add(change.key)
        self.copies[change.table, change.kind] += change.copies
        super().see(change)


@dataclass(frozen=True)
class Score:
    """What happened to one corruption; all four hold, or ``missed`` says what was wrong."""

    corruption: Corruption
    rows: int
    table: bool
    exact: bool
    columns: bool
    pattern: bool
    missed: tuple[str, ...]
    said: str

    @property
    def found(self) -> bool:
        """Whether all of it was found, and nothing else."""
        return not self.missed


def compare(server: Server, before: str, after: str, personal: Sequence[str] = ()) -> tuple[RowDiff, Tee]:
    """The comparison of two databases of one server, with all that its observer saw."""
    seen = Tee()
    targets = [find_target(server.dsn(name)) for name in (before, after)]
    options = DiffOptions(samples=5, asked=gallery_personal.rule(personal))
    return diff_rows(targets[0], targets[1], options, seen), seen


@dataclass(frozen=True)
class Examined:
    """One corruption's comparison: the keys that were to be found, plant by plant, and what was found;
    ``missed`` of personal columns."""

    expected: tuple[Keys, ...]
    found: RowDiff
    seen: Tee
    missed: tuple[str, ...] = ()


def examine(server: Server, clean: str, corruption: Corruption) -> Examined:
    """Apply one corruption to a copy, and compare."""
    copy = server.create(template=clean)
    try:
        server.sql(corruption.sql, copy)
        expected = [_keys(server, copy if p.kind is Kind.ADDED else clean, p) for p in corruption.rows]
        found, seen = compare(server, clean, copy, corruption.personal)
        missed = gallery_personal.missed(
            server, clean, copy, corruption.personal, found, _planted(corruption)
        )
        return Examined(tuple(expected), found, seen, tuple(missed) if corruption.personal else ())
    finally:
        server.drop(copy)


def _planted(corruption: Corruption) -> set[str]:
    """The personal columns that it changes."""
    return {f"{p.table}.{column}" for p in corruption.rows for column in p.columns} & set(corruption.personal)


def score(server: Server, clean: str, corruption: Corruption) -> Score:
    """Apply one corruption to a copy, compare, and look whether exactly it is found."""
    return judged(corruption, examine(server, clean, corruption))


def _keys(server: Server, database: str, plant: Plant) -> Keys:
    if not plant.keys:
        return set()
    connection = psycopg2.connect(server.dsn(database))
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({plant.keys}) AS planted")
            keys = {tuple(str(value) for value in row) for row in cursor.fetchall()}
    finally:
        connection.close()
    assert keys, f"a corruption that touches no row: {plant.keys}"
    return keys


def judged(corruption: Corruption, examined: Examined) -> Score:
    """Whether exactly what was planted was found."""
    expected, found, seen = examined.expected, examined.found, examined.seen
    one_sided = {c.table for c in found.schema if c.kind == "table" and c.aspect in {"added", "removed"}}
    tables = {t.table: t for t in found.tables if t.table not in one_sided}
    unknown = [*(u for t in tables.values() for u in t.unknown), *found.unknown]
    missed = [f"cannot tell: {u.what}: {u.reason}" for u in unknown if u.what not in corruption.untold]
    missed += [
        f"not said to be unknown: {what}" for what in sorted(corruption.untold - {u.what for u in unknown})
    ]
    right = {p.table for p in corruption.rows}
    other = {name for name, table in tables.items() if table.differs} ^ right
    schema = {c.key for c in found.schema} ^ corruption.schema
    missed += [f"table {name}" for name in sorted(other)] + [f"schema {key}" for key in sorted(schema)]
    rows = list(_wrong_rows(corruption.rows, expected, tables, seen))
    columns = list(_wrong_columns(corruption.rows, expected, tables))
    patterns = list(_wrong_patterns(corruption.rows, expected, tables))
    touched = sum(len(keys) or plant.copies for plant, keys in zip(corruption.rows, expected, strict=True))
    said = [_words(p) for name in sorted(right & tables.keys()) for p in tables[name].patterns]
    said += [f"cannot tell {u.what}: {u.reason}" for u in unknown if u.what in corruption.untold]
    said += [" ".join(part for part in (c.kind, c.name, c.aspect) if part) for c in found.schema]
    misses = (*missed, *rows, *columns, *patterns, *examined.missed)
    return Score(
        corruption,
        touched,
        not (other or schema),
        not rows,
        not columns,
        not patterns,
        misses,
        "; ".join(said),
    )


def _words(pattern: PatternFound) -> str:
    return f"{', '.join(pattern.columns)}: {pattern.words}" if pattern.columns else pattern.words


def _wrong_rows(
    plants: Sequence[Plant], expected: Sequence[Keys], tables: Mapping[str, TableDiff], seen: Tee
) -> Iterator[str]:
    planned: dict[tuple[str, Kind], int] = defaultdict(int)
    keys: dict[tuple[str, Kind], Keys] = defaultdict(set)
    for plant, mine in zip(plants, expected, strict=True):
        planned[plant.table, plant.kind] += len(mine) or plant.copies
        keys[plant.table, plant.kind] |= mine
    for table in {plant.table for plant in plants} & tables.keys():
        counted = {
            Kind.ADDED: tables[table].added,
            Kind.REMOVED: tables[table].removed,
            Kind.CHANGED: tables[table].changed,
        }
        for kind, number in counted.items():
            if number != planned[table, kind]:
                yield f"{number} rows {kind} of {table}, not {planned[table, kind]}"
            if keys[table, kind] and seen.keys[table, kind] != keys[table, kind]:
                yield f"other rows {kind} of {table}"
            if seen.copies[table, kind] != planned[table, kind]:
                yield f"{seen.copies[table, kind]} rows {kind} of {table} were shown"


def _wrong_columns(
    plants: Sequence[Plant], expected: Sequence[Keys], tables: Mapping[str, TableDiff]
) -> Iterator[str]:
    planned: dict[str, dict[str, int]] = defaultdict(dict)
    for plant, keys in zip(plants, expected, strict=True):
        for column in plant.columns:
            planned[plant.table][column] = planned[plant.table].get(column, 0) + len(keys)
    for table in {plant.table for plant in plants} & tables.keys():
        if dict(tables[table].columns) != planned[table]:
            yield f"columns {dict(tables[table].columns)} of {table}, not {planned[table]}"


def _wrong_patterns(
    plants: Sequence[Plant], expected: Sequence[Keys], tables: Mapping[str, TableDiff]
) -> Iterator[str]:
    wanted: dict[str, list[tuple[str, str, int, dict[str, str]]]] = defaultdict(list)
    for plant, keys in zip(plants, expected, strict=True):
        columns = plant.columns if plant.pattern != "columns swapped" else plant.columns[:1]
        for column in columns or ("",):
            if plant.pattern:
                wanted[plant.table].append((column, plant.pattern, len(keys), dict(plant.facts)))
    for table in {plant.table for plant in plants} & tables.keys():
        left = list(tables[table].patterns)
        for column, name, rows, facts in wanted[table]:
            match = next((p for p in left if _is(p, column, name, rows, facts)), None)
            if match is None:
                yield f"no pattern {name} in {rows} rows of {table}.{column}"
            else:
                left.remove(match)
        yield from (f"pattern {p.name} in {p.rows} rows of {table}" for p in left)


def _is(pattern: PatternFound, column: str, name: str, rows: int, facts: Mapping[str, str]) -> bool:
    if pattern.name != name or pattern.rows != rows or "".join(pattern.columns[:1]) != column:
        return False
    return all(pattern.facts.get(fact) == value for fact, value in facts.items())


def lists_of(scores: Sequence[Score]) -> str:
    """How many were found of what they damage, as Markdown, and what was missed."""
    lines = []
    for title in ("Values", "Rows", "Schema"):
        these = [s for s in scores if _damaged(s.corruption) == title]
        lines.append(f"- {title}: {sum(s.found for s in these)} of {len(these)}")
    return "\n".join(
        [*lines, *(f"- MISSED {s.corruption.name}: {'; '.join(s.missed)}" for s in scores if s.missed)]
    )


def _damaged(corruption: Corruption) -> str:
    if not corruption.rows and not corruption.untold:
        return "Schema"
    return "Values" if {plant.kind for plant in corruption.rows} == {Kind.CHANGED} else "Rows"


PAGE = """# The corruption gallery

`make gallery` damages a copy of a database in one way after another ([tests/gallery](../tests/gallery)),
compares it with the original by `diff`, and writes this page. Found means: the right table, exactly these rows
and columns, the right [pattern](patterns.md) with its exact number, and nothing else.

**{found} of {all} found**, and the undamaged copy yields {clean}:

{lists}
"""


def main(words: Sequence[str]) -> int:
    """Score all corruptions, or those asked for; 0 if all were found and the clean copy yields nothing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    parser.add_argument(
        "--system", action="store_true", help="on the PostgreSQL that the system has, not the embedded one"
    )
    asked = parser.parse_args(words)
    only = tuple(filter(None, asked.only.split(",")))
    gallery = [c for c in read_gallery() if not only or c.name.startswith(only)]
    start = time.monotonic()
    with system_server() if asked.system else embedded_server() as server:
        clean = build_clean(server)
        copy = server.create(template=clean)
        untouched = compare(server, clean, copy)[0]
        scores = []
        for corruption in gallery:
            scores.append(score(server, clean, corruption))
            print(
                f"{'found ' if scores[-1].found else 'MISSED'} {corruption.name}: "
                f"{'; '.join(scores[-1].missed) or scores[-1].said}",
                flush=True,
            )
    found, nothing = sum(s.found for s in scores), untouched.known and not untouched.differs
    verdict = "nothing" if nothing else "SOMETHING"
    print(
        f"{found} of {len(scores)} found, the clean copy yields {verdict}; {time.monotonic() - start:.0f} s"
    )
    if asked.write:
        page = PAGE.format(found=found, all=len(scores), clean=verdict, lists=lists_of(scores))
        (ROOT / "docs" / "gallery.md").write_text(page, encoding="utf-8")
    return int(found < len(scores) or not nothing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
