"""Digests of personal columns under a baseline's own random key: statements, and what their rows say. Pure.

Each row gives SHA-256 over the baseline's key, the row's key and the value; both halves of its first 128
bits are summed over all rows, and what leaves this module is SHA-256 over their number and the two sums
(docs/digest.md says why, and what it withstands).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.columns import value_hash
from kisaan_validate.digest.rows import SEEDS, SHA256, row_digest, staged
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.table import KeyedDigest
from kisaan_validate.plan.fingerprints import (
    Digesting,
    SqlPart,
    elements_of,
    facts_of_column,
    part_of,
    why_not,
)
from kisaan_validate.plan.measure.whole import DigestKey
from kisaan_validate.sql.expressions import quote, table_sql
from kisaan_validate.sql.qualify import qualified

LEAST_DISTINCT = 1_000
"""A column with fewer distinct values is not digested: who knows most of them could guess the others."""

SECRET_BYTES = 16
"""So long is the key of digests."""

# A power of two, because the class is a bit mask of the hash.
_COARSE = 4_096
"""So many classes of values are counted first: whoever has LEAST_DISTINCT classes has at least as many
values.
"""


@dataclass(frozen=True)
class KeyedColumn:
    """A personal column as it is digested: the part under its form, and the statements that count its
    distinct values.
    """

    name: str
    part: SqlPart
    classes: str
    values: str


@dataclass(frozen=True)
class KeyedTable:
    """The statement for the personal columns of one table.

    ``sql`` gives the number of rows, then two sums for each of ``columns``; then, where a contract removes
    rows, the same of those that stay. ``refused`` are columns that have no digest, each with the reason.
    ``secret`` is the key, in hex. ``known`` are the baseline's digests, by column; none while one is
    taken.
    """

    title: str
    secret: str
    columns: tuple[KeyedColumn, ...] = ()
    sql: str = ""
    refused: tuple[KeyedDigest, ...] = ()
    known: tuple[KeyedDigest, ...] = ()

    def only(
        self, columns: Iterable[KeyedColumn], key: DigestKey, how: Digesting, table: Table
    ) -> KeyedTable:
        """The same for a part of its columns."""
        kept = tuple(columns)
        return replace(self, columns=kept, sql=_sums(table, kept, key, how, self.secret) if kept else "")

    def read(self, row: Sequence[object]) -> list[KeyedDigest]:
        """What the statement's row says of each column: its digest, or beside a baseline only whether it
        is the same.
        """
        width = 1 + 2 * len(self.columns)
        whole, staying = row[:width], row[width:]
        return [
            self._said(column, _sealed(whole, n), _sealed(staying, n) if staying else "")
            for n, column in enumerate(self.columns)
        ]

    def _said(self, column: KeyedColumn, digest: str, stays: str) -> KeyedDigest:
        form = str(column.part.form)
        old = next((k for k in self.known if k.column == column.name), None)
        if old is None:
            return KeyedDigest(self.title, column.name, form, digest, stays)
        # Removals may have been done or not; the digest of either state proves that nothing else changed.
        outcome = "same" if digest in (old.digest, old.stays) else "differs"
        # Only the outcome leaves: a second digest would tell who keeps both baselines what changed.
        return KeyedDigest(self.title, column.name, form, outcome=outcome)


@dataclass
class SealedDigests:
    """Digests of columns with few distinct values, which a key beside them would give away: ``secret`` is
    kept where only the holder of the data finds it. ``known`` is filled while a baseline is taken, by
    (table, column); beside one it says which of the baseline's digests are under this key.
    """

    secret: str
    known: dict[tuple[str, str], KeyedDigest] = field(default_factory=dict)

    @classmethod
    def fresh(cls) -> SealedDigests:
        """Under a random key."""
        return cls(secrets.token_hex(SECRET_BYTES))

    def keep(self, digests: Iterable[KeyedDigest]) -> None:
        """Take these in."""
        self.known |= {(one.table, one.column): one for one in digests}

    def put_into(self, baseline: Baseline) -> Baseline:
        """The baseline with these digests in the place of the reasons why it has none."""
        kept = (
            self.known.get((one.table, one.column), one) if one.message else one for one in baseline.keyed
        )
        return replace(baseline, keyed=tuple(kept))


def _sealed(row: Sequence[object], column: int) -> str:
    """What is kept of a number of rows and a column's two sums."""
    # The number of rows is sealed with the sums, so that one digest cannot stand for a part of the rows.
    rows, high, low = row[0], row[1 + 2 * column], row[2 + 2 * column]
    return hashlib.sha256(f"{rows}|{high}|{low}".encode()).hexdigest()


def keyed_before(
    table: Table, personal: Iterable[str], key: DigestKey, how: Digesting, secret: str
) -> KeyedTable:
    """The statements for the personal columns of a table whose baseline is being taken."""
    columns, refused = [], []
    for name in personal:
        part = part_of(quote(name), facts_of_column(table.columns[name]), column=name)
        if part is None or key.reason:
            reason = key.reason or why_not(table.columns[name])
            refused.append(KeyedDigest(table.title, name, message=reason))
        else:
            columns.append(_column(table, name, part, how))
    return KeyedTable(table.title, secret, tuple(columns), "", tuple(refused)).only(columns, key, how, table)


def keyed_again(
    table: Table | None, title: str, known: Sequence[KeyedDigest], key: DigestKey, how: Digesting, secret: str
) -> KeyedTable:
    """The statement for the columns of which a baseline has a digest; for others the reason that it gave
    stands.
    """
    columns, refused = [], []
    for old in known:
        found = _again(table, old, key)
        if isinstance(found, SqlPart) and table is not None:
            columns.append(_column(table, old.column, found, how))
        else:
            # A column that had no digest then has nothing to be compared with now.
            refused.append(replace(old, digest="", message=str(found)))
    made = KeyedTable(title, secret, tuple(columns), "", tuple(refused), tuple(known))
    return made.only(columns, key, how, table) if table is not None else made


def _again(table: Table | None, old: KeyedDigest, key: DigestKey) -> SqlPart | str:
    """The column under the form that the baseline's digest has, or why it has none."""
    if old.message or table is None or key.reason:
        return old.message or key.reason or "the table no longer exists"
    column = table.columns.get(old.column)
    if column is None:
        return "the column no longer exists"
    # In the form of the baseline: a digest in another form would differ though no value changed.
    part = part_of(quote(old.column), facts_of_column(column), wanted=old.form, column=old.column)
    if part is not None:
        return part
    return f"its values now have a different form, not {old.form}"


def _column(table: Table, name: str, part: SqlPart, how: Digesting) -> KeyedColumn:
    hashed = value_hash(part, how.context, how.version)
    # Not IS NOT NULL, which is false for a composite whose fields are all NULL: that is a value.
    inner = staged(table_sql(table), {"v": hashed.inner}, f"{quote(name)} IS DISTINCT FROM NULL")
    # A fixed seed: it only tells values apart here, and is not kept.
    of = hashed.of("v", str(SEEDS[0]))
    # Grouped by a few bits, so that a column of a billion values groups in memory.
    classes = f"SELECT count(*) FROM (SELECT 1 FROM {inner} GROUP BY ({of} & {_COARSE - 1})) AS q"
    values = f"SELECT count(*) FROM (SELECT 1 FROM {inner} GROUP BY {of}) AS q"
    return KeyedColumn(name, part, qualified(classes), qualified(values))


def _sums(table: Table, columns: Sequence[KeyedColumn], key: DigestKey, how: Digesting, secret: str) -> str:
    # The salt is the first element of each row's digest: without it a guessed value could be tried.
    salt = f"'\\x{secret}'::bytea"
    rows = [
        row_digest(SHA256, (salt, *elements_of((*key.parts, column.part), how.server_encoding)), f"r{n}")
        for n, column in enumerate(columns)
    ]
    items = {row.name: row.inner for row in rows} | ({"stays": key.stays} if key.stays else {})
    inner = staged(table_sql(table), items, key.condition)
    lanes = [lane for row in rows for lane in row.lanes]
    outputs = ["count(*)", *(f"sum({lane})::text" for lane in lanes)]
    if key.stays:
        kept = "FILTER (WHERE stays)"
        outputs += [f"count(*) {kept}", *(f"(sum({lane}) {kept})::text" for lane in lanes)]
    return qualified(f"SELECT {', '.join(outputs)} FROM {inner}")


def without_secret(text: str, secret: str) -> str:
    """A statement as it may be recorded."""
    return text.replace(secret, "…") if secret else text
