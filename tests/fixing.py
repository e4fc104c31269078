"""Fix kits on a small database: a suite with repairs, a run, the kit, and ways to run its files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from conftest import SYSTEM_BIN, Server
from helpers import write_suite
from shop import Shop

from kisaan_validate.facts.repair import FixKit
from kisaan_validate.facts.run import Run
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.files import write_file
from kisaan_validate.record.repair import fix_kit_to_json
from kisaan_validate.repair.ground import read_ground
from kisaan_validate.repair.kits import make_fix_kit, wanted_kits
from kisaan_validate.suite.load import load_suite
from kisaan_validate.suite.repairs import load_repairs

CHECKS = """
from kisaan_validate import declare

declare.holds("payments", "paid IS NOT NULL", id="payments.paid")
declare.unique("fees", ["shop", "rate"], id="fees.once")
declare.holds("payments", "amount > 0", id="payments.amount")
"""
PAID = """
format = 1
check = "payments.paid"
title = "Date payments by their entry"
text = "The entry is known."
review = "finance"
[[step]]
table = "payments"
action = "update"
key = ["id"]
columns = ["paid"]
books = ["amount"]
rows = "SELECT p.id, p.made::timestamptz AS paid FROM payments AS p JOIN failing USING (id)"
"""
ONCE = '''
format = 1
check = "fees.once"
title = "Keep the oldest of equal fees"
text = "NULL equals NULL."
review = "finance"
[[step]]
table = "fees"
action = "delete"
key = ["id"]
kept = ["stays"]
references = ["notes.fee"]
books = ["shop", "rate"]
rows = """
SELECT id, stays FROM (SELECT id, shop, rate, min(id) OVER (PARTITION BY shop, rate) AS stays FROM fees) AS f

WHERE id <> stays"""
'''
TABLES = """
CREATE TABLE payments (id int PRIMARY KEY, amount numeric(12,2) NOT NULL, made timestamp NOT NULL, paid timestamptz, note json,
  doubled numeric GENERATED ALWAYS AS (amount * 2) STORED);
INSERT INTO payments (id, amount, made, paid, note)
SELECT g, g, '2026-01-01 09:30'::timestamp + g * interval '1 hour', CASE WHEN g % 10 <> 0 THEN '2026-02-01 00:00Z'::timestamptz END, '{"a": 1}'
FROM generate_series(1, 50) AS g;
CREATE TABLE fees (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shop bigint, rate numeric(5,2) NOT NULL);
INSERT INTO fees (shop, rate) VALUES (1, 5), (1, 5), (2, 5), (NULL, 4), (NULL, 4), (1, 5), (NULL, 4.5);
CREATE TABLE sales (id int PRIMARY KEY, fee bigint REFERENCES fees ON DELETE CASCADE);
INSERT INTO sales VALUES (1, 1), (2, 2), (3, 5), (4, NULL), (5, 6);
CREATE TABLE notes (id int PRIMARY KEY, fee bigint);
INSERT INTO notes VALUES (1, 2), (2, 3);
"""


@dataclass
class Fixing:
    """A shop whose suite declares repairs. ``said`` are the server's words of the last refusal. ``copy_of`` is
    the database that its kit was written for, where it is a copy of that.
    """

    shop: Shop
    said: str = ""
    copy_of: str = ""

    @property
    def folder(self) -> Path:
        """Where kits are written."""
        return self.shop.folder / "kit"

    def recorded(self, *words: str) -> Path:
        """A run of the suite; its folder."""
        known = self._runs()
        done = self.shop.cli("run", "--quiet", *words)
        assert len(self._runs() - known) == 1, done.stderr + done.stdout
        (made,) = self._runs() - known
        return made

    def _runs(self) -> set[Path]:
        reports = self.shop.folder / "reports"
        return {p.parent for p in reports.glob("*/run.json")}

    def written(self, *checks: str, run: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Kits of a run (a new one, unless given)."""
        return self.shop.cli("fix-kit", str(run or self.recorded()), *checks, "-o", str(self.folder))

    def made(self, *checks: str, found: Run | None = None) -> FixKit:
        """The same in this process, as a superuser: whoever repairs is not who validates."""
        suite, target = load_suite(self.shop.folder / "checks"), find_target(self.dsn)
        found = found or run(suite, target, options=Options(jobs=1))
        wanted = wanted_kits(found, checks, load_repairs(suite))
        ground = read_ground(suite, target, Options(), wanted.repairs, Stop()) if wanted.repairs else None
        record, files = make_fix_kit(found, "0" * 64, wanted, ground)
        for name, text in files.items():
            write_file(self.folder / name, text)
        write_file(self.folder / "fix-kit.json", fix_kit_to_json(record))
        return record

    def measured(self) -> Run:
        """A run in this process."""
        return run(load_suite(self.shop.folder / "checks"), self.dsn, options=Options(jobs=1))

    @property
    def dsn(self) -> str:
        """The database for its owner."""
        return self.shop.server.dsn(self.shop.database)

    def sql(self, sql: str) -> list[tuple[Any, ...]]:
        """SQL as the database's owner."""
        return self.shop.server.sql(sql, self.shop.database)

    @property
    def untouched(self) -> bool:
        """Whether no kit left anything in the database."""
        return self.sql("SELECT to_regnamespace('fix_kit') IS NULL")[0][0] is True

    @property
    def record(self) -> dict[str, Any]:
        """fix-kit.json."""
        return dict(json.loads((self.folder / "fix-kit.json").read_text()))

    def text(self, check: str, ending: str) -> str:
        """One of the files of a check's kit."""
        return self.path(check, ending).read_text()

    def path(self, check: str, ending: str) -> Path:
        """Its path."""
        (kit,) = [kit for kit in self.record["kits"] if kit["check"] == check]
        (name,) = [f["name"] for f in kit["files"] if f["name"].endswith(ending)]
        return self.folder / name

    def run(self, sql: str, before: str = "", role: str = "postgres") -> str:
        """A file in one message, as drivers send it; the SQLSTATE with which it was refused, "" if it was not."""
        connection = self.shop.server.connect(self.shop.database, role)
        try:
            with connection.cursor() as cursor:
                if self.copy_of:
                    cursor.execute(f"SET fix_kit.on_copy_of = '{self.copy_of}'")
                if before:
                    cursor.execute(before)
                cursor.execute(sql)
            return ""
        except psycopg2.Error as error:
            self.said = f"{error.diag.message_primary} | {error.diag.message_hint} | {error.diag.context}"
            return str(error.pgcode)
        finally:
            connection.close()

    def repair(self, check: str, **more: str) -> str:
        """Run the repair."""
        return self.run(self.text(check, ".repair.sql"), **more)

    def back(self, check: str, **more: str) -> str:
        """Run the way back."""
        return self.run(self.text(check, ".way-back.sql"), **more)

    def psql(self, path: Path) -> subprocess.CompletedProcess[str]:
        """A file through psql, as a person does."""
        more = {"options": f"'-c fix_kit.on_copy_of={self.copy_of}'"} if self.copy_of else {}
        dsn = self.shop.server.dsn(self.shop.database, **more)
        words = [str(SYSTEM_BIN / "psql"), "-X", "-f", str(path), dsn]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of a table, as text."""
        return sorted(self.sql(f"SELECT t::text FROM {table} AS t"))

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables of the schema public, by table."""
        names = self.sql(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        return {name: self.rows(name) for (name,) in names}


@contextmanager
def copied(written: Fixing) -> Iterator[Fixing]:
    """A copy of a database for which a kit was written: much faster than a kit for each test."""
    shop = written.shop
    name = shop.server.create(template=shop.database)
    try:
        yield Fixing(Shop(shop.server, shop.folder, name), copy_of=shop.database)
    finally:
        shop.server.drop(name)


@contextmanager
def fixing(
    server: Server, folder: Path, tables: str = TABLES, checks: str = CHECKS, **repairs: str
) -> Iterator[Fixing]:
    """A database and a suite with these repairs, by the names of their files."""
    database = server.create(tables)
    role = f"reader_{database}"
    server.sql(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", database)
    files = {f"repairs/{name}.toml": text for name, text in (repairs or {"paid": PAID, "once": ONCE}).items()}
    write_suite(folder / "checks", {"checks.py": checks, **files})
    try:
        yield Fixing(Shop(server, folder, database))
    finally:
        server.drop(database)
        server.sql(f"DROP ROLE {role}")
