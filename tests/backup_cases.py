"""Evidence about backups, made by hand: a good one, and the same with one thing changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kisaan_validate.facts.certificate import (
    BackupAsked,
    BackupEvidence,
    BackupTaken,
    ComparedBaseline,
    EarlierBackup,
    IndexCheck,
    Integrity,
    KeyCheck,
    NewestValue,
)
from kisaan_validate.facts.differences import Change, Diff, TableRowCounts
from kisaan_validate.facts.dump import DumpContents, DumpedTable, DumpFacts, DumpFormat, LeftOut, Restored
from kisaan_validate.facts.result import Verdict

AT = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
TAKEN = datetime(2026, 11, 29, 22, 0, tzinfo=UTC)


def contents(**changed: Any) -> DumpContents:
    """Two tables with rows, and a sequence."""
    tables = (
        DumpedTable("public.orders", defined=True, data=True, rows=7),
        DumpedTable("public.shops", defined=True, data=True, rows=2),
    )
    return replace(DumpContents(tables, ("public.orders_id_seq",), schema=True), **changed)


def dump(**changed: Any) -> DumpFacts:
    """A whole dump of the database ``shop``."""
    made = DumpFacts(
        "shop.dump",
        DumpFormat.CUSTOM,
        "gzip",
        12_345,
        "ab" * 32,
        "18.6",
        "18.6",
        "shop",
        TAKEN,
        "UTF8",
        complete=True,
        damage="",
        contents=contents(),
    )
    return replace(made, **changed)


def restored(**changed: Any) -> Restored:
    """It restored whole."""
    counted = (("public.orders", 7), ("public.shops", 2))
    return replace(Restored(1.5, "pg_restore 18.6", "18.6", (), (), (), counted, 0), **changed)


def against(**changed: Any) -> ComparedBaseline:
    """A baseline of the dumped snapshot."""
    made = ComparedBaseline(
        "shop.json",
        "cd" * 32,
        TAKEN,
        "shop",
        "db.example",
        same_snapshot=True,
        how="recorded by backup take",
        digests=True,
        younger=False,
    )
    return replace(made, **changed)


def integrity(**changed: Any) -> Integrity:
    """Two keys hold, and pg_amcheck found nothing."""
    keys = (
        KeyCheck("primary key", "orders", "orders_pkey", ("id",), 0),
        KeyCheck("foreign key", "orders", "orders_shop_fkey", ("shop",), 0),
    )
    return replace(Integrity(keys, IndexCheck(0)), **changed)


def good(**changed: Any) -> BackupEvidence:
    """Evidence of a good backup, with these fields changed."""
    made = BackupEvidence(
        BackupAsked(AT, 7, max_age_seconds=86_400),
        dump(),
        restored=restored(),
        against=against(),
        counts=(TableRowCounts("orders", 7, 7), TableRowCounts("shops", 2, 2)),
        diff=Diff(),
        integrity=integrity(),
        newest=(NewestValue("orders", "at", "2026-11-29 21:59:58+00"),),
    )
    return replace(made, **changed)


def differing(*changes: Change, **changed: Any) -> BackupEvidence:
    """The same, with differences from the baseline."""
    return good(diff=Diff(changes=changes), **changed)


def taken(**changed: Any) -> BackupTaken:
    """The record of the good dump."""
    made = BackupTaken(
        dump="shop.dump",
        format="custom",
        size=12_345,
        sha256="ab" * 32,
        snapshot="00000003-0000001B-1",
        baseline="shop.json",
        baseline_digest="cd" * 32,
        database="shop",
        host="db.example",
        port="5432",
        system_identifier="7",
        server_version="18.6",
        client="embedded 18.6",
        started_at=TAKEN,
        finished_at=TAKEN,
        dump_seconds=1.0,
        held_seconds=2.0,
        exit_code=0,
        warnings=(),
        taken_by="asha",
        tool_version="0.5.0",
    )
    return replace(made, **changed)


def everything() -> BackupEvidence:
    """A dump in which much is wrong: what a page may have to show."""
    change = Change("rows", "orders", "", "count", "7", "6", -1)
    left = LeftOut("event trigger", "audit", "only a superuser may create it")
    key = KeyCheck("unique", "shops", "shops_name_key", ("name",), 1)
    late = KeyCheck("foreign key", "orders", "orders_late", ("late",), 2, validated=False)
    unread = KeyCheck("unique", "orders", "orders_when", ("span",), None, message="it is temporal")
    earlier = EarlierBackup("old.certificate.json", TAKEN, "old.dump", 20_000, "shop", None, Verdict.PASS)
    return differing(
        change,
        taken=taken(),
        counts=(TableRowCounts("orders", 7, 6), TableRowCounts("shops", 2, 2)),
        restored=restored(left_out=(left,), notes=("The role app was created.",)),
        integrity=integrity(keys=(key, late, unread), indexes=IndexCheck(None, "there is no pg_amcheck")),
        earlier=(earlier,),
        ahead=("orders_id_seq",),
        complaints=("query failed",),
    )
