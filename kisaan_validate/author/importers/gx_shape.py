"""Expectations about the columns of a table, and those that are SQL."""

from __future__ import annotations

from dataclasses import replace

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.gx_expected import Expected, whole
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said


def positions(e: Expected, wrong: str, kind: str) -> list[str]:
    """The table's columns as rows (name, position), and which of them are wrong."""
    name = sql.table_ref(e.table)
    statement = (
        "SELECT c.name, c.position\nFROM (\n  SELECT a.attname::text AS name, row_number() OVER (ORDER "
        "BY a.attnum) AS position\n"
        f"  FROM pg_catalog.pg_attribute AS a\n  WHERE a.attrelid = {sql.value_sql(name)}::regclass AND "
        f"a.attnum > 0 AND NOT a.attisdropped\n"
        f") AS c\nWHERE {wrong}"
    )
    said = replace(e.said, title="the columns are as expected")
    return [e.maker.assertion(e.table, statement, ["name"], e.id(kind), said)]


def column_count(e: Expected) -> list[str]:
    """The number of columns lies within bounds, or is given."""
    name = sql.value_sql(sql.table_ref(e.table))
    condition = (
        f"m.columns_found = {whole(e, 'value')}" if "value" in e.kwargs else e.counts("m.columns_found")
    )
    source = (
        f"FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = {name}::regclass AND a.attnum > 0 "
        f"AND NOT a.attisdropped"
    )
    said = replace(e.said, title="the number of columns is as expected")
    return [
        e.maker.measure(
            e.table, [("columns_found", "count(*)")], condition, e.id("column_count"), said, source=source
        )
    ]


def column_set(e: Expected) -> list[str]:
    """The table has these columns, and no others unless ``exact_match`` is false."""
    names = e.columns("column_set")
    made = [e.maker.declare("column", e.table, [c], e.id(c, "present"), e.said, [c]) for c in names]
    if e.kwargs.get("exact_match") is not False:
        made += positions(e, f"NOT ({sql.in_list('c.name', names)})", "no_other_column")
    return made


def column_order(e: Expected) -> list[str]:
    """The columns come in this order."""
    names = e.columns()
    made = [e.maker.declare("column", e.table, [c], e.id(c, "present"), e.said, [c]) for c in names]
    places = " OR ".join(
        f"(c.position = {n} AND c.name = {sql.value_sql(c)})" for n, c in enumerate(names, 1)
    )
    return [*made, *positions(e, f"NOT ({places})", "column_order")]


def query(e: Expected) -> list[str]:
    """The author's own SQL returns no row."""
    text = sql.as_text(e.kwargs.get("unexpected_rows_query"), "a query").replace(
        "{batch}", sql.table_ref(e.table)
    )
    if e.where:
        raise NoCounterpart("a row condition together with a query")
    return [custom_query(e.maker, e.table, text, e.id("unexpected_rows"), e.said)]


def custom_query(maker: Maker, table: str, text: str, id: str, said: Said) -> str:
    """An author's SELECT of wrong rows. Where its outputs have no names, the rows are numbered. Raises
    NoCounterpart, SuiteError.
    """
    from kisaan_validate.sql.assertion import parse_select
    from kisaan_validate.sql.reading import output_columns

    body = sql.as_text(text, "a query").strip().rstrip(";").strip()
    sql._refuse_templates(body)
    parse_select(body, "")
    names = list(output_columns(body))
    plain = [n for n in names if n and n != "*" and n.isidentifier() and n.isascii() and n == n.lower()]
    if names and len(plain) == len(names):
        return maker.assertion(table, body, plain[:1], id, said)
    # Without names the rows are numbered, since a key must be named.
    numbered = f"SELECT row_number() OVER () AS row_number\nFROM (\n{body}\n) AS v"
    return maker.assertion(table, numbered, ["row_number"], id, said)
