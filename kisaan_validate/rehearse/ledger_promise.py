"""The rows that the rehearsed runner writes into its own ledger: a promise beside the contract's."""

from __future__ import annotations

from collections.abc import Sequence
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
"""The promise's id."""

_FOUND = """
SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass(%s)
"""


def with_ledger(
    contract: Contract, settings: SuiteSettings, migrating: Migrating, scratch: Scratch, database: str
) -> Contract:
    """The contract, which also promises one row for each file that the runner will apply to this database.

    The same where it says something of the ledger itself, where nothing compares the ledger, or where
    somebody else's command writes it. Raises DatabaseError.
    """
    ledger = migrating.ledger
    found = scratch.execute(_FOUND, database, (ledger.quoted,))
    if migrating.command or not found:
        return contract
    ((schema, name),) = found
    compared = schema in settings.schemas and not any(fnmatchcase(name, p) for p in settings.exclude_tables)
    mentioned = any(_names(promise, name) for promise in contract.promises)
    if mentioned or not compared:
        return contract
    column = quote(ledger.name_column)
    done = {row[0] for row in scratch.execute(f"SELECT {column}::text FROM {ledger.quoted}", database)}
    coming = [source.name for source in migrating.sources if source.name not in done]
    return _promising(contract, f"{schema}.{name}", column, coming) if coming else contract


def _names(promise: object, table: str) -> bool:
    said = str(getattr(promise, "table", "")).rpartition(".")[2].strip('"')
    return said.lower() == table.lower()


def _promising(contract: Contract, table: str, column: str, names: Sequence[str]) -> Contract:
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in names)
    lines = {
        "id": ID,
        "kind": "rows_added",
        "table": table,
        "where": f"{column} IN ({listed})",
        "why": "the rehearsed runner notes each file that it applies",
    }
    text = "".join(f"{key} = {_toml(value)}\n" for key, value in lines.items())
    whole = f"{contract.text.rstrip()}\n\n# Added by the rehearsal.\n[[promise]]\n{text}rows = {len(names)}\n"
    try:
        return read_contract(whole, contract.name)
    except SuiteError:
        # Names of files that the gate of expressions refuses: the rows stay a difference that is shown.
        return contract


def _toml(value: str) -> str:
    import json

    # A string of JSON is one of TOML, but for one escape.
    return json.dumps(value).replace("\x7f", "\\u007f")
