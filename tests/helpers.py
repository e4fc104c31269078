"""What the tests of suites, rules and semantics share: build a suite, run it, read one result."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import psycopg2
import pytest
from conftest import Server, wait_until

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.catalogue import Catalogue
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.postgres.catalogue import read_catalogue
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.options import Before, Comparing, Keeping, KeptColumns, Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import Suite, SuiteSettings, load_suite, suite_of

Row = Sequence[Any]


def examples(ordinary: int) -> int:
    """How many random examples a law is tried on: KISAAN_EXAMPLES, a whole number or a share as 1/3, times
    so many.
    """
    return max(1, round(ordinary * Fraction(os.environ.get("KISAAN_EXAMPLES", "1"))))


def rows_written(server: Server, database: str) -> int:
    """How many rows the server has counted as inserted, updated or deleted in one database, whoever works
    beside it.

    Counters of the cluster, or of its shared catalogues, move with other tests and prove nothing.
    """
    sessions_ended(server, database)
    counted = "SELECT tup_inserted + tup_updated + tup_deleted FROM pg_stat_database WHERE datname ="
    return int(server.sql(f"{counted} '{database}'")[0][0])


def sessions_ended(server: Server, database: str) -> None:
    """Wait until nobody is connected to a database: a session adds to the counters when it ends at the
    latest.
    """
    connected = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{database}'"
    wait_until(lambda: not server.sql(connected))


def settings(**more: Any) -> SuiteSettings:
    """Settings of a nameless suite over schema public."""
    return SuiteSettings(**{"name": "test", **more})


def write_suite(folder: Path, files: Mapping[str, str]) -> Path:
    """A suite folder with these files; texts are dedented."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return folder


def assertion(sql: str, key: str = "id", **header: str) -> str:
    """The text of one SQL assertion file."""
    lines = {"id": "t.assertion", "key": key, **header}
    return "".join(f"-- {name}: {value}\n" for name, value in lines.items()) + sql + "\n"


def refusal(folder: Path, files: Mapping[str, str]) -> SuiteError:
    """The error with which loading these files fails; its origin must name a file and a line."""
    with pytest.raises(SuiteError) as caught:
        load_suite(write_suite(folder, files))
    return caught.value


def prove(server: Server, database: str, suite: Suite, **options: Any) -> Run:
    """Run a suite with one worker; keyword arguments go to ``run`` or, if it has them, to ``Options``."""
    choice = {key: options.pop(key) for key in ("select", "exclude") if key in options}
    return run(suite, server.dsn(database), options=measuring(**{"jobs": 1, **options}), **choice)


def catalogue_of(server: Server, database: str) -> Catalogue:
    """What the catalogue says of the schema public."""
    session = Session(find_target(server.dsn(database)), Limits(), ("public",))
    try:
        session.begin()
        return read_catalogue(session, ("public",), {})
    finally:
        session.close()


def results(server: Server, database: str, *sources: Any, **options: Any) -> dict[str, Result]:
    """The results of models, schemas and declarations, by check id."""
    made = suite_of(*sources, settings=options.pop("settings", None) or settings())
    return {r.check_id: r for r in prove(server, database, made, **options).results}


def result(server: Server, database: str, source: Any, **options: Any) -> Result:
    """The result of a source that declares exactly one check."""
    found = results(server, database, source, **options)
    assert len(found) == 1, sorted(found)
    return next(iter(found.values()))


def folder_results(server: Server, database: str, folder: Path, **options: Any) -> dict[str, Result]:
    """The results of a suite folder, by check id."""
    return {r.check_id: r for r in prove(server, database, load_suite(folder), **options).results}


def counts(found: Mapping[str, Result]) -> dict[str, int | None]:
    """The violating count of every check; an unanswered check must not pass for a count."""
    unanswered = {id: r.message for id, r in found.items() if r.status in {Status.ERROR, Status.SKIP}}
    assert not unanswered, unanswered
    return {id: r.violations for id, r in found.items()}


def keys(found: Result, *columns: str) -> list[tuple[str | None, ...]]:
    """The sampled keys of a result, only these columns of them."""
    return [tuple(dict(row)[column] for column in columns) for row in found.sample]


def pandera_counts(schema: Any, frame: pd.DataFrame) -> dict[str, int]:
    """The failure cases that pandera finds, by ``column.check``; a check that could not be run must not
    pass for one.
    """
    try:
        schema.validate(frame, lazy=True)
        return {}
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    found: Counter[str] = Counter()
    for column, check, index in cases[["column", "check", "index"]].itertuples(index=False):
        name = str(check).partition("(")[0]
        assert name == "unique_values_eq" or (name != "dtype" and index is not None), cases
        found[f"{column}.{name}"] += 1
    return dict(found)


def insert(server: Server, database: str, table: str, rows: Iterable[Row]) -> None:
    """Insert rows as bound parameters: every value arrives exactly."""
    # As text, because psycopg2 makes a NaN of a Decimal's infinity.
    listed = [tuple(str(v) if isinstance(v, Decimal) else v for v in row) for row in rows]
    if not listed:
        return
    with psycopg2.connect(server.dsn(database)) as connection, connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(listed[0]))
        cursor.executemany(f"INSERT INTO {table.replace('%', '%%')} VALUES ({marks})", listed)
    connection.close()


_BEFORE = {"baseline": "baseline", "baseline_digest": "digest", "other_database": "other_database"}
_BEFORE |= {"row_file": "rows", "value_file": "values"}
_COMPARING = ("contract", "keys", "digests", "zone", "added_since")


def measuring(**words: Any) -> Options:
    """The options of a run, from words without nesting: ``count_all``, those of what came before, of
    comparing and of keeping, and those of ``Options`` itself.
    """
    before = {name: words.pop(word) for word, name in _BEFORE.items() if word in words}
    compared = {name: words.pop(name) for name in _COMPARING if name in words}
    if before.get("baseline") is not None:
        compared["before"] = Before(**before)
    if words.pop("count_all", False) or "before" in compared:
        words["compare"] = Comparing(**compared)
    rows, columns = words.pop("row_writer", None), words.pop("keep_values", ())
    path, public = words.pop("values_path", None), words.pop("public", ())
    values = KeptColumns(path, columns, public) if columns else None
    return Options(**words, keep=Keeping(rows, values))
