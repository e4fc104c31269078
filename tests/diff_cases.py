"""Comparisons for the tests of the page of ``diff``: one in which everything occurs, and quiet ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from index_cases import place_at

from kisaan_validate.facts.differences import ADDED, REMOVED, Change, NotCompared, Unknown
from kisaan_validate.facts.result import MASKED
from kisaan_validate.facts.row_differences import (
    ColumnPair,
    Kind,
    PatternFound,
    RowChange,
    RowDiff,
    TableDiff,
)

AT = datetime(2025, 10, 18, 2, 5, 9, tzinfo=UTC)
PLACES = (
    place_at(AT, "shop_before", host="restore.internal", time_zone="Asia/Kolkata"),
    place_at(AT + timedelta(seconds=2), "shop", time_zone="Asia/Kolkata"),
)
LEDGER = "kisaan_transaction_ledger"


def changed(table: str, key: str, **values: tuple[str | None, str | None]) -> RowChange:
    """A changed row by its key, and (before, after) of each column that changed."""
    old, new = ({name: both[n] for name, both in values.items()} for n in (0, 1))
    return RowChange(table, (key,), Kind.CHANGED, old, new, tuple(values))


def whole(table: str, kind: Kind, key: tuple[str, ...], copies: int = 1, **row: str | None) -> RowChange:
    """A row that came or went."""
    sides = (row, {}) if kind is Kind.REMOVED else ({}, row)
    return RowChange(table, key, kind, sides[0], sides[1], (), copies)


def _payments() -> TableDiff:
    times = [
        changed(
            "kisaan_payments",
            str(g),
            created_at=(f"2025-10-1{g} 13:51:46.15", f"2025-10-1{g} 08:21:46.15"),
            amount=(f"{g}00.00", f"{g}00.50"),
        )
        for g in range(1, 8)
    ]
    rows = (
        *times,
        changed("kisaan_payments", "8", phone=(MASKED, MASKED), note=("Fertiliser ", "Fertiliser")),
        changed("kisaan_payments", "9", note=(None, "NULL"), payment_date=(None, "2025-10-18 02:00:00")),
        changed("kisaan_payments", "10", note=("x" * 900 + "a", "x" * 900 + "b")),
        changed("kisaan_payments", "11", note=("a\tb\u202ec\u00a0d", "a\tbc d")),
        changed("kisaan_payments", "12", note=("", "empty")),
        *(
            whole(
                "kisaan_payments", Kind.REMOVED, (str(g),), id=str(g), amount="12.00", phone=MASKED, note=None
            )
            for g in (201, 202)
        ),
        whole("kisaan_payments", Kind.ADDED, ("901",), id="901", amount="-5.00", phone=None, note="क्‍ष"),
    )
    return TableDiff(
        "kisaan_payments",
        ("id",),
        300_000,
        299_999,
        added=1,
        removed=2,
        changed=1_212,
        late=4,
        columns={"created_at": 1_204, "amount": 1_204, "phone": 1, "note": 5, "payment_date": 1},
        samples=rows,
        patterns=(
            PatternFound(
                ("created_at",),
                "time shift",
                1_204,
                "shifted by -05:30 (the offset of Asia/Kolkata) in 1,204 of 1,204 changed rows",
            ),
            PatternFound(("amount",), "unexplained", 1_204, "unexplained in 1,204 of 1,204 changed rows"),
            PatternFound(("phone",), "constant", 1, f"constant, {MASKED}, in at least 1 of 1 changed row"),
            PatternFound(("note",), "trimmed", 1, "white space lost at the end in 1 of 5 changed rows"),
            PatternFound(("note",), "unexplained", 4, "unexplained in 4 of 5 changed rows"),
            PatternFound(
                (), "added twice", 1, "1 of 1 added rows repeat another added row except for the key"
            ),
        ),
        compared=(
            ColumnPair("id", "bigint", "bigint", "integer"),
            ColumnPair("amount", "numeric(12,2)", "numeric(18,2)", "numeric"),
            ColumnPair("created_at", "timestamp", "timestamp", "timestamp"),
        ),
        how="128-bit digests (hash) in buckets by spans of the key; 12 of them differ",
        masked=("phone",),
    )


def _ledger() -> TableDiff:
    samples = (
        whole(LEDGER, Kind.REMOVED, (), 40, ledger_entry_identifier="7", running_balance="61,929.73"),
        whole(LEDGER, Kind.ADDED, (), 2, ledger_entry_identifier="8", running_balance="61929.73"),
    )
    return TableDiff(
        LEDGER, (), 7_702_697, 7_702_659, added=2, removed=40, changed=0, samples=samples, how="multisets"
    )


def everything() -> RowDiff:
    """A comparison in which everything occurs that its page can show."""
    unread = "before: permission denied for table kisaan_users; grant SELECT on it"
    tables = (
        TableDiff("kisaan_shops", ("id",), 120, 120, added=0, removed=0, changed=0),
        TableDiff("kisaan_plans", ("id",), 3, 3, added=0, removed=0, changed=0),
        TableDiff(
            "kisaan_users",
            ("id",),
            None,
            None,
            unknown=(Unknown("the rows of kisaan_users", unread),),
        ),
        TableDiff(
            "kisaan_credits",
            ("id",),
            50,
            50,
            added=0,
            removed=0,
            changed=0,
            unknown=(Unknown("the values of kisaan_credits.xml", "not compared: no form in common"),),
        ),
        _ledger(),
        _payments(),
    )
    schema = (
        Change("column", "kisaan_payments", "amount", "type", "numeric(12,2)", "numeric(18,2)"),
        Change(
            "index", "kisaan_payments", "kisaan_payments_created_at_idx", REMOVED, "btree (created_at)", None
        ),
        Change("function", "", "settle(bigint)", ADDED, None, "BEGIN\n  RETURN 1;\nEND"),
        Change("sequence value", "", "kisaan_payments_id_seq", "last value", "300,000", "300,901"),
    )
    return RowDiff(
        "shop_before.public",
        "shop.public",
        tables,
        schema,
        (Unknown("catalogue entries of policies", "before: the role may not read them"),),
        "hash",
        ("declared: sales is renamed to kisaan_payments",),
        (
            NotCompared("materialized views, their rows", "2", "2"),
            NotCompared("publications", "1", "2", judged=True),
        ),
        PLACES,
    )


def same() -> RowDiff:
    """Two sides that are the same in everything."""
    return RowDiff(
        "shop_before.public",
        "shop.public",
        (TableDiff("kisaan_shops", ("id",), 120, 120, added=0, removed=0, changed=0),),
        encoding="hash",
        places=PLACES,
    )


def nothing() -> RowDiff:
    """A comparison of which nothing came."""
    table = TableDiff("t", (), None, None, unknown=(Unknown("the rows of t", "before: it was lost"),))
    return RowDiff("a.public", "b.public", (table,), unknown=(Unknown("the schema", "before: it was lost"),))


def hostile(text: str) -> RowDiff:
    """A comparison in which every name, value and message is ``text``."""
    rows = (
        changed(text, text, **{text: (text, f"{text}x")}),
        whole(text, Kind.REMOVED, (text,), **{text: text}),
    )
    table = TableDiff(
        text,
        (text,),
        1,
        1,
        added=0,
        removed=1,
        changed=1,
        columns={text: 1},
        samples=rows,
        patterns=(PatternFound((text,), text, 1, text),),
        unknown=(Unknown(text, text),),
        how=text,
    )
    place = place_at(AT, text, host=text, role=text, server_version=text)
    changes = (Change(text, text, text, text, text, f"y{text}"), Change(text, text, text, ADDED, None, text))
    left = (NotCompared(text, text, text),)
    return RowDiff(text, text, (table,), changes, (Unknown(text, text),), text, (text,), left, (place, place))
