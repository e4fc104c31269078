"""The damages: each makes one dump and says by which reasons, and no other, a verification must judge it."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gallery_dumps.material import Material, within, without
from kisaan_validate.facts.result import Verdict

Make = Callable[[Material, Path], Path]
FAIL, OPEN, PASS = Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS


@dataclass(frozen=True)
class Damage:
    """One damaged dump. ``codes`` are those of all reasons of its certificate. ``days`` have passed since it was
    taken; ``baseline``: whether it is compared with the baseline of its snapshot.
    """

    name: str
    verdict: Verdict
    codes: frozenset[str]
    make: Make
    days: int = 0
    log: str = ""
    baseline: bool = True
    quick: bool = False


@dataclass
class Gallery:
    """All damages, in their order."""

    every: list[Damage] = field(default_factory=list)

    def add(self, name: str, verdict: Verdict, codes: str, make: Make, **more: object) -> None:
        """One more; ``codes`` are words."""
        self.every.append(Damage(name, verdict, frozenset(codes.split()), make, **more))  # type: ignore[arg-type]


def _dumped(form: str, *options: str, database: str = "") -> Make:
    def make(m: Material, folder: Path) -> Path:
        name = m.other if database == "other" else ""
        return m.dump(folder / f"shop.{form}", form, *options, database=name)

    return make


def _text(change: Callable[[str], str], *options: str) -> Make:
    return lambda m, folder: m.plain(folder / "shop.sql", change, *options)


def _bytes(form: str, change: Callable[[bytes], bytes], *options: str) -> Make:
    def make(m: Material, folder: Path) -> Path:
        path = m.dump(folder / f"shop.{form}", form, *options)
        data = path.read_bytes()
        assert change(data) != data, "the damage did nothing"
        path.write_bytes(change(data))
        return path

    return make


def _packed(change: Callable[[bytes], bytes]) -> Make:
    """A plain dump, packed by gzip, then changed."""

    def make(m: Material, folder: Path) -> Path:
        data = gzip.compress(m.dump(folder / "plain", "plain").read_bytes(), mtime=0)
        (folder / "plain").unlink()
        path = folder / "shop.sql.gz"
        path.write_bytes(change(data))
        return path

    return make


def _folder(change: Callable[[Path], None]) -> Make:
    """A directory dump, then changed."""

    def make(m: Material, folder: Path) -> Path:
        path = m.dump(folder / "shop.d", "directory")
        change(path)
        return path

    return make


def _written(data: bytes) -> Make:
    def make(_: Material, folder: Path) -> Path:
        (folder / "shop.dump").write_bytes(data)
        return folder / "shop.dump"

    return make


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flipped(at: Callable[[bytes], int]) -> Callable[[bytes], bytes]:
    def flip(data: bytes) -> bytes:
        n = at(data)
        return data[:n] + bytes([data[n] ^ 0x10]) + data[n + 1 :]

    return flip


def _in_block(data: bytes) -> int:
    """In the middle of the last tenth of an archive: within rows."""
    return len(data) - len(data) // 20


def _largest(folder: Path) -> Path:
    return max((p for p in folder.iterdir() if p.name != "toc.dat"), key=lambda p: p.stat().st_size)


def _recorded(m: Material, folder: Path) -> Path:
    """A dump that was exchanged after its record was written."""
    from backup_cases import taken

    from kisaan_validate.record.certificate import taken_to_json

    path = m.dump(folder / "shop.dump", "custom")
    record = taken(database=m.database, baseline=str(m.baseline), size=path.stat().st_size)
    (folder / "shop.dump.backup.json").write_text(taken_to_json(record), encoding="utf-8")
    assert json.loads((folder / "shop.dump.backup.json").read_text())["sha256"] == "ab" * 32
    return path


def _swap_columns(lines: list[str]) -> list[str]:
    """The two amounts of each row exchanged: what a wrong list of columns does."""
    rows = (line.split("\t") for line in lines)
    return ["\t".join([a, b, paid, total, *rest]) for a, b, total, paid, *rest in rows]


def _columns(at: int, change: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    def changed(lines: list[str]) -> list[str]:
        rows = [line.split("\t") for line in lines]
        return ["\t".join([change(v) if n == at else v for n, v in enumerate(row)]) for row in rows]

    return changed


def _once(change: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    """Changes the third row alone."""
    return lambda lines: [*lines[:2], change(lines[2]), *lines[3:]]


def _both(*changes: Callable[[str], str]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        for change in changes:
            text = change(text)
        return text

    return changed


ORDERS, SHOPS = "public.orders", "public.shops"
UNIQUE = r"ALTER TABLE ONLY public\.shops\n    ADD CONSTRAINT shops_name_key[^;]*;\n"
FOREIGN = r"ALTER TABLE ONLY public\.orders\n    ADD CONSTRAINT orders_shop_fkey[^;]*;\n"
HTML = b"<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head><body>Access denied</body></html>\n"
MYSQL = b"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: shop\n"
NOISE = "pg_dump: error: query failed: server closed the connection unexpectedly\n"


def _whole(g: Gallery) -> None:
    for form in ("plain", "custom", "directory", "tar"):
        g.add(f"whole, {form}", PASS, "", _dumped(form))
    g.add("whole, gzip", PASS, "", _packed(lambda data: data))


def _cut(g: Gallery) -> None:
    g.add("cut: half a plain dump", FAIL, "damaged", _bytes("plain", _half), quick=True)
    g.add(
        "cut: without its last line",
        FAIL,
        "damaged",
        _text(lambda t: t[: t.rindex("-- PostgreSQL database")]),
    )
    g.add("cut: half a custom dump", FAIL, "damaged", _bytes("custom", _half))
    g.add("cut: half a tar", FAIL, "damaged", _bytes("tar", _half))
    g.add("cut: half a gzip", FAIL, "damaged", _packed(_half))
    g.add(
        "cut: second half is zeros",
        FAIL,
        "damaged",
        _bytes("custom", lambda d: _half(d) + bytes(len(d) // 2)),
    )
    g.add(
        "cut: a file of a folder",
        FAIL,
        "damaged",
        _folder(lambda f: _largest(f).write_bytes(_half(_largest(f).read_bytes())) and None),
    )
    g.add("missing: a file of a folder", FAIL, "damaged", _folder(lambda f: _largest(f).unlink()))
    g.add("missing: toc.dat", FAIL, "no-dump", _folder(lambda f: (f / "toc.dat").unlink()))
    g.add("missing: every row of a table", FAIL, "rows", _text(within(ORDERS, lambda _: [])))


def _corrupt(g: Gallery) -> None:
    g.add("flipped: in packed rows", FAIL, "damaged", _bytes("custom", _flipped(_in_block)))
    g.add(
        "flipped: in the contents",
        FAIL,
        "damaged",
        _bytes("custom", _flipped(lambda d: d.index(b"CREATE TABLE") - 4)),
    )
    g.add(
        "flipped: in a plain row",
        FAIL,
        "values",
        _text(within(ORDERS, _once(lambda r: r.replace("3.75", "3.85")))),
    )
    g.add("flipped: the checksum of gzip", FAIL, "damaged", _packed(_flipped(lambda d: len(d) - 6)))
    g.add(
        "encoding: broken UTF-8",
        FAIL,
        "restore-errors",
        _bytes("plain", lambda d: d.replace(b"caf\xc3\xa9 number 3\n", b"caf\xc3 number 3\n")),
    )
    g.add(
        "encoding: Latin-1 called UTF8",
        FAIL,
        "restore-errors",
        _bytes("plain", lambda d: d.replace(b"\xc3\xa9", b"\xe9")),
    )
    g.add(
        "noise: an error of pg_dump in it",
        FAIL,
        "pg-dump-errors",
        _text(lambda t: t.replace("COPY public.shops", NOISE + "COPY public.shops")),
    )
    g.add("packed twice", FAIL, "no-dump", _packed(gzip.compress))


def _edited(g: Gallery) -> None:
    g.add("a row removed", FAIL, "rows", _text(within(ORDERS, lambda rows: rows[:-1])), quick=True)
    g.add("a row twice", FAIL, "rows", _text(within("extra.audit", lambda rows: [*rows, rows[0]])))
    g.add(
        "a row exchanged", FAIL, "rows", _text(within(ORDERS, _once(lambda r: r.replace("3\t", "9003\t", 1))))
    )
    g.add("two columns exchanged", FAIL, "values", _text(within(ORDERS, _swap_columns)))
    g.add(
        "NULL became empty",
        FAIL,
        "values",
        _text(within(ORDERS, _columns(5, lambda v: v.replace("\\N", "")))),
    )
    g.add(
        "times moved by an hour",
        FAIL,
        "values",
        _text(within(ORDERS, _columns(4, lambda v: v.replace("+00", "-01")))),
    )
    g.add(
        "an orphan",
        FAIL,
        "restore-errors",
        _text(within(ORDERS, _once(lambda r: r.replace("\t4\t", "\t99\t")))),
    )
    g.add("a key twice", FAIL, "restore-errors", _text(within(SHOPS, lambda rows: [*rows, rows[0]])))
    double = within(SHOPS, lambda rows: [*rows, "21\tshop 1\n"])
    g.add("a key twice, its constraint left out", FAIL, "rows schema", _text(_both(double, without(UNIQUE))))
    g.add(
        "sequences behind",
        FAIL,
        "sequences",
        _text(lambda t: t.replace("orders_id_seq', 400", "orders_id_seq', 300")),
    )
    g.add("a function's body", FAIL, "schema", _text(lambda t: t.replace("SELECT n / 2", "SELECT n / 3")))


def _left_out(g: Gallery) -> None:
    g.add("left out: a table", FAIL, "table-left-out", _dumped("custom", "-T", "extra.audit"))
    g.add("left out: a schema", FAIL, "table-left-out schema", _dumped("custom", "-N", "extra"))
    g.add(
        "left out: the data of a table",
        FAIL,
        "data-left-out",
        _dumped("custom", "--exclude-table-data=orders"),
    )
    g.add("left out: all data", FAIL, "schema-only", _dumped("plain", "-s"), quick=True)
    g.add("left out: the schema", FAIL, "data-only", _dumped("custom", "-a"))
    g.add(
        "left out: indexes and keys",
        FAIL,
        "schema",
        _dumped("custom", "--section=pre-data", "--section=data"),
    )
    g.add("left out: a foreign key", FAIL, "schema", _text(without(FOREIGN)))
    g.add("left out: an index", FAIL, "schema", _text(without(r"CREATE INDEX orders_at[^;]*;\n")))


def _others(g: Gallery) -> None:
    g.add("of another database", FAIL, "other-database", _dumped("custom", database="other"))
    g.add("of another database, unnamed", FAIL, "other-database", _dumped("plain", database="other"))
    g.add("stale", FAIL, "stale", _dumped("custom"), days=3)
    g.add("empty", FAIL, "empty", _written(b""), quick=True)
    g.add("an error page", FAIL, "no-dump", _written(HTML))
    g.add("of MySQL", FAIL, "no-dump", _written(MYSQL))
    g.add("exchanged since it was taken", FAIL, "changed", _recorded)
    g.add("pg_dump reported an error", FAIL, "pg-dump-errors", _dumped("custom"), log=NOISE)
    newer = lambda t: t.replace("Dumped from database version ", "Dumped from database version 9")  # noqa: E731
    g.add("of a newer server", OPEN, "not-restored", _text(newer))
    g.add("nothing to compare with", OPEN, "no-baseline", _dumped("custom"), baseline=False)
    g.add("line ends of Windows", FAIL, "schema", _text(lambda t: t.replace("\n", "\r\n")))


def damages() -> list[Damage]:
    """Every dump of the gallery, whole ones first: of those nothing may be found."""
    gallery = Gallery()
    for part in (_whole, _cut, _corrupt, _edited, _left_out, _others):
        part(gallery)
    return gallery.every


def made(damage: Damage, m: Material, folder: Path) -> Iterator[Path]:
    """The dump of a damage in a folder of its own, which is gone afterwards."""
    folder.mkdir()
    try:
        yield damage.make(m, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
