"""What the damages are made of: a small database, dumps of it in every format, and a baseline of its state."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dumps
from conftest import Server

from kisaan_validate.backup.taking import whole_suite
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.options import Comparing, Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_to_json

SQL = """
CREATE SCHEMA extra;
CREATE TABLE shops (id int PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE orders (
    id serial PRIMARY KEY, shop int NOT NULL REFERENCES shops, total numeric(12,2) CHECK (total >= 0),
    paid numeric(12,2), at timestamptz NOT NULL, note text
);
CREATE INDEX orders_at ON orders (at);
CREATE TABLE extra.audit (who text, what jsonb);
CREATE VIEW recent AS SELECT id, total FROM orders WHERE at > '2026-11-01 00:00:00+00';
CREATE FUNCTION half(n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT n / 2
$$;
INSERT INTO shops SELECT n, 'shop ' || n FROM generate_series(1, 20) AS n;
INSERT INTO orders (shop, total, paid, at, note)
SELECT 1 + n % 20, n * 1.25, n * 0.75, '2026-10-01 00:00:00+00'::timestamptz + n * interval '1 hour',
       CASE WHEN n % 7 > 0 THEN 'caf\u00e9 number ' || n END
FROM generate_series(1, 400) AS n;
INSERT INTO extra.audit SELECT 'w' || n, jsonb_build_object('n', n) FROM generate_series(1, 30) AS n;
"""

OTHER = "CREATE TABLE ledger (id int PRIMARY KEY); INSERT INTO ledger VALUES (1), (2)"


@dataclass(frozen=True)
class Material:
    """A database at rest, a baseline of it, and pg_dump for it."""

    server: Server
    database: str
    other: str
    folder: Path

    @property
    def baseline(self) -> Path:
        """The baseline's file."""
        return self.folder / "baseline.json"

    def dump(self, path: Path, form: str, *options: str, database: str = "") -> Path:
        """A dump by the real pg_dump."""
        target = self.server.dsn(database or self.database)
        words = [dumps.pg_dump(self.server), f"--format={form}", f"--file={path}", *options, "-d", target]
        subprocess.run(words, check=True, capture_output=True)
        return path

    def plain(self, path: Path, change: Callable[[str], str], *options: str) -> Path:
        """A plain dump whose text was changed; it must have been."""
        text = self.dump(path, "plain", *options).read_text(encoding="utf-8")
        changed = change(text)
        assert changed != text, "the damage did nothing"
        path.write_bytes(changed.encode("utf-8"))
        return path


def material(server: Server, folder: Path) -> Material:
    """All of it, in a folder that is there."""
    made = Material(server, server.create(SQL), server.create(OTHER), folder)
    target = find_target(server.dsn(made.database))
    suite = whole_suite(None, {"public": 2, "extra": 1})
    measured = run(suite, target, options=Options(compare=Comparing(digests=True)))
    made.baseline.write_text(baseline_to_json(baseline_of(measured)), encoding="utf-8")
    return made


def within(table: str, change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    """Changes the rows that a plain dump writes for a table."""
    block = re.compile(rf"(?ms)^(COPY {re.escape(table)} [^\n]*\n)(.*?)(^\\\.$)")

    def changed(text: str) -> str:
        return block.sub(lambda m: m[1] + "".join(change(m[2].splitlines(keepends=True))) + m[3], text)

    return changed


def without(pattern: str) -> Callable[[str], str]:
    """Leaves the statements out that a pattern matches."""
    return lambda text: re.sub(rf"(?ms)^{pattern}", "", text)
