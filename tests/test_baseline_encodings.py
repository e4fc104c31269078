"""Baselines with digests of databases that are not in UTF-8."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Server

from kisaan_validate.cli.main import main

CHECKS = """
import pandera.pandas as pa
class Pay(pa.DataFrameModel):
    id: int = pa.Field(ge=0)
    class Config:
        name = "pay"
"""
CONTRACT = """
format = 1
name = "notes stay"
[[promise]]
id = "same"
kind = "becomes"
column = "pay.note"
expression = "note"
"""
TABLE = (
    "CREATE TABLE pay (id bigint PRIMARY KEY, note text); INSERT INTO pay SELECT g, 'né' || g FROM "
    "generate_series(1, 9) AS g"
)


@pytest.mark.slow
def test_a_database_in_latin1_has_digests_too(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be taken, compared with itself later, and a swap is found; with one in UTF-8 it cannot be
    told, not "changed".
    """
    latin, other = "latin1_of_baselines", server.create(TABLE)
    server.sql(f"CREATE DATABASE {latin} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        server.sql(TABLE, latin)
        (tmp_path / "checks").mkdir()
        (tmp_path / "checks" / "pay.py").write_text(CHECKS)
        (tmp_path / "checks" / "suite.toml").write_text('name = "x"\n')
        (tmp_path / "c.toml").write_text(CONTRACT)
        monkeypatch.chdir(tmp_path)
        run = ["run", "-q", "--baseline", "pre.json", "--contract", "c.toml"]
        monkeypatch.setenv("KISAAN_DSN", server.dsn(latin))
        assert main(["baseline", "-q", "-o", "pre.json", "--contract", "c.toml", "--digests"]) == 0, (
            capsys.readouterr().err
        )
        assert main(run) == 0, capsys.readouterr().out
        monkeypatch.setenv("KISAAN_DSN", server.dsn(other))
        assert main([*run, "--other-database"]) == 3, capsys.readouterr().out
        monkeypatch.setenv("KISAAN_DSN", server.dsn(latin))
        server.sql("UPDATE pay SET note = CASE id WHEN 2 THEN 'né3' ELSE 'né2' END WHERE id IN (2, 3)", latin)
        assert main(run) == 1, capsys.readouterr().out
    finally:
        server.drop(latin)
        server.drop(other)
