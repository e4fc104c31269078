"""Memory is bounded by bytes and not by rows: a value as large as PostgreSQL takes costs no more than its
beginning and digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Server

from kisaan_validate.digest.cut import cut_sql
from kisaan_validate.digest.forms import CanonicalForm
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.cutting import KEPT, LONGEST, is_cut, same

CHECKS = """
from kisaan_validate import declare as d
d.holds("big", "length(t) < 10", id="row")
d.unique("big", "t", id="text")
d.unique("big", "b", id="bytes")
d.holds("big", "j->>'x' = 'y'", id="document")
"""


def filled(server: Server, letter: str, megabytes: int) -> str:
    """A database with a text, a jsonb and a bytea of so many megabytes, once in each of two rows."""
    name, size = (
        server.create("CREATE TABLE big (id int PRIMARY KEY, t text, j jsonb, b bytea)"),
        megabytes << 20,
    )
    row = (
        f"repeat('{letter}', {size}), jsonb_build_object('x', repeat('{letter}', {size})), "
        f"decode(repeat('{ord(letter):x}', {size}), 'hex')"
    )
    server.sql(
        f"INSERT INTO big SELECT g, {row} FROM generate_series(1, 2) AS g; INSERT INTO big VALUES (3, "
        f"'a', '{{}}', '')",
        name,
    )
    return name


_MEASURE = """
import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(ended.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
print(ended.stdout + ended.stderr)
"""


def measured(folder: Path, dsn: str, *words: str) -> tuple[int, int, str]:
    """Exit code, most megabytes of any process of a command, and what it said."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KISAAN_DSN": dsn, "COLUMNS": "200"}
    command = [sys.executable, "-c", _MEASURE, sys.executable, "-m", "kisaan_validate", *words]
    said = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout
    head, _, rest = said.partition("\n")
    code, peak = head.split()
    return int(code), int(peak), rest


def every_command(server: Server, folder: Path, megabytes: int) -> dict[str, tuple[int, int, str]]:
    """What each command does with such values, compared with others as large."""
    old, new = filled(server, "x", megabytes), filled(server, "y", megabytes)
    before, after = server.dsn(old), server.dsn(new)
    (folder / "checks").mkdir(exist_ok=True)
    (folder / "checks" / "all.py").write_text(CHECKS)
    kept = [word for column in "tjb" for word in ("--values", f"big.{column}")]
    found = {
        "run": measured(folder, before, "run"),
        "diff": measured(folder, after, "diff", "--before", before, "--format", "json", "-o", "diff.json"),
        "baseline": measured(folder, before, "baseline", "-o", "pre.json", "--rows", "--digests", *kept),
        "after": measured(folder, after, "run", "--baseline", "pre.json", "--other-database"),
    }
    for name in (old, new):
        server.drop(name)
    return found


@pytest.mark.slow
def test_memory_does_not_grow_with_values(server: Server, tmp_path: Path) -> None:
    """Twenty megabytes in each value cost no command a twentieth of what they would take whole."""
    small = every_command(server, tmp_path, 0)
    (tmp_path / "pre.json").unlink()
    (tmp_path / "pre.json.values").unlink()
    (tmp_path / "pre.json.rows").unlink()
    large = every_command(server, tmp_path, 20)
    assert [code for code, _, _ in large.values()] == [1, 1, 0, 1], large
    for name, (_, peak, said) in large.items():
        assert peak < small[name][1] + 20, (name, peak, small[name][1], said)
    text = (tmp_path / "diff.json").read_text()
    assert len(text) < 100_000
    assert f"(cut: {20 << 20} bytes, SHA-256 {hashlib.sha256(b'x' * (20 << 20)).hexdigest()})" in text
    (table,) = json.loads(text)["tables"]
    assert (table["changed"], table["columns"]) == (2, {"t": 2, "j": 2, "b": 2})


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_values_of_250_mb(server: Server, tmp_path: Path) -> None:
    """As large as the field had them: every command stays under 200 MB."""
    for name, (code, peak, said) in every_command(server, tmp_path, 250).items():
        assert code in {0, 1}, (name, said)
        assert peak < 200, (name, peak, said)


@pytest.mark.slow
def test_a_python_check_gets_its_values_whole_or_not_at_all(server: Server, tmp_path: Path) -> None:
    """A value that its memory has no room for makes an error of it, and is never sent; one that fits is
    judged whole.
    """
    database = server.create("CREATE TABLE big (id int PRIMARY KEY, t text, j jsonb, b bytea)")
    row = (
        "repeat('x', 20 << 20), jsonb_build_object('x', repeat('x', 20 << 20)), convert_to(repeat('x', "
        "20 << 20), 'UTF8')"
    )
    server.sql(f"INSERT INTO big SELECT 1, {row}", database)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "all.py").write_text(PYTHON)
    for megabytes, status in ((100, "error"), (400, "pass")):
        (tmp_path / "kisaan.toml").write_text(f"[run]\npython_memory_mb = {megabytes}\n")
        _, peak, said = measured(
            tmp_path, server.dsn(database), "run", "--format", "json", "-o", f"{megabytes}.json"
        )
        results = json.loads((tmp_path / f"{megabytes}.json").read_text())["run"]["results"]
        (found,) = [r for r in results if r["check_id"] == "big.t.text"]
        assert found["status"] == status, said
        assert status == "pass" or "takes more than 12 MiB" in found["message"]
        assert status == "pass" or peak < 300, (peak, said)
    server.drop(database)


PYTHON = """
import pandera.pandas as pa

class Big(pa.DataFrameModel):
    t: str

    class Config:
        name = "big"

    @pa.check("t")
    def text(cls, t):
        return t.str.len() == 20 << 20
"""


def test_cut_values_are_told_apart(server: Server, database: str) -> None:
    """Texts and bytes around the limit: two are the same exactly if they are, whichever of them is cut."""
    chance = random.Random(5)
    texts = [
        "",
        "é" * (LONGEST - 1),
        "é" * LONGEST,
        "é" * (LONGEST + 1),
        "x" * 50_000,
        "x" * 49_999 + "y",
        "x" * KEPT + "z" * 9_000,
    ]
    texts += [
        "".join(chance.choices("aü\t\\'", k=chance.choice([3, LONGEST, 2 * LONGEST]))) for _ in range(20)
    ]
    connection = server.connect(database)
    with connection.cursor() as cursor:
        for form, values in (("text", texts), ("bytea", [t.encode() for t in texts])):
            cursor.execute(
                f"CREATE TABLE {form}s AS SELECT v, n FROM unnest(%s::{form}[]) WITH ORDINALITY AS u (v, n)",
                (values,),
            )
            cursor.execute(
                qualified(f"SELECT {cut_sql(CanonicalForm(form), 'v')}, v::text FROM {form}s ORDER BY n")
            )
            rows = cursor.fetchall()
            for n, (cut, whole) in enumerate(rows):
                assert is_cut(cut) == (len(values[n]) > (LONGEST if form == "text" else LONGEST // 2))
                assert len(cut) <= LONGEST + 2
                for m, (other, other_whole) in enumerate(rows):
                    assert (
                        same(cut, other)
                        == same(cut, other_whole)
                        == same(whole, other)
                        == (values[n] == values[m])
                    )
    connection.close()
