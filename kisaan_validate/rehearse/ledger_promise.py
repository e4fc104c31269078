"""What the rehearsed runner does to its own ledger, as promises beside the contract's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kisaan_validate.contract.load import Contract, read_contract
from kisaan_validate.errors import SuiteError
from kisaan_validate.rehearse.migrating import Migrating
from kisaan_validate.sql.expressions import quote

if TYPE_CHECKING:
    from kisaan_validate.scratch.server import Scratch
    from kisaan_validate.suite.load import SuiteSettings

ID = "rehearsal.ledger"
"""The id of the promise of its rows; with ``.table`` behind it, that of the table itself."""

_FOUND = """
SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass(%s)
"""
_WOULD_COME_TO = "SELECT pg_catalog.current_schema()::text"


def with_ledger(
    contract: Contract, settings: SuiteSettings, migrating: Migrating, scratch: Scratch, database: str
) -> Contract:
    """The contract, which also promises one row for each file that the runner will apply to this database,
    and the ledger itself where the runner will create it.

    The same where it says that of the ledger itself, where nothing compares the ledger, or where
    somebody else's command writes it. Raises DatabaseError.
    """
    ledger = migrating.ledger
    if migrating.command:
        return contract
    found = scratch.execute(_FOUND, database, (ledger.quoted,))
    if not found and not ledger.create:
        return contract
    schema, name = found[0] if found else _to_be_created(ledger.table, scratch, database)
    if schema not in settings.schemas or any(fnmatchcase(name, p) for p in settings.exclude_tables):
        return contract
    column = quote(ledger.name_column)
    done = set()
    if found:
        done = {row[0] for row in scratch.execute(f"SELECT {column}::text FROM {ledger.quoted}", database)}
    coming = [source.name for source in migrating.sources if source.name not in done]
    title, made = f"{schema}.{name}", contract
    if not found and not any(_is_table(promise, name) for promise in contract.promises):
        made = _promising(made, _table(title))
    if coming and not any(_is_of(promise, name) for promise in contract.promises):
        made = _promising(made, _rows(title, column, coming))
    return made


def _to_be_created(table: str, scratch: Scratch, database: str) -> tuple[str, str]:
    """Schema and name of the ledger that the runner will create."""
    schema, _, name = table.rpartition(".")
    return schema or str(scratch.execute(_WOULD_COME_TO, database)[0][0]), name


def _is_table(promise: object, table: str) -> bool:
    return getattr(promise, "object", "") == "table" and _same(getattr(promise, "name", ""), table)


def _is_of(promise: object, table: str) -> bool:
    return _same(getattr(promise, "table", ""), table)


def _same(said: object, table: str) -> bool:
    return str(said).rpartition(".")[2].strip('"').lower() == table.lower()


def _table(title: str) -> dict[str, str | int]:
    return {
        "id": f"{ID}.table",
        "kind": "added",
        "object": "table",
        "name": title,
        "why": "the rehearsed runner creates its ledger, which the copy did not have",
    }


def _rows(title: str, column: str, names: Sequence[str]) -> dict[str, str | int]:
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in names)
    return {
        "id": ID,
        "kind": "rows_added",
        "table": title,
        "where": f"{column} IN ({listed})",
        "why": "the rehearsed runner notes each file that it applies",
        "rows": len(names),
    }


def _promising(contract: Contract, promise: Mapping[str, str | int]) -> Contract:
    lines = "".join(f"{key} = {_toml(value)}\n" for key, value in promise.items())
    whole = f"{contract.text.rstrip()}\n\n# Added by the rehearsal.\n[[promise]]\n{lines}"
    try:
        return read_contract(whole, contract.name)
    except SuiteError:
        # Names of files that the gate of expressions refuses: the rows stay a difference that is shown.
        return contract


def _toml(value: str | int) -> str:
    import json

    # A string of JSON is one of TOML, but for one escape.
    return json.dumps(value).replace("\x7f", "\\u007f")
