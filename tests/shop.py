"""A small shop, with a suite of its own, on which commands are tried as their users meet them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import warm
from conftest import ROOT, Server

SUITE = """
import pandera.pandas as pa
from kisaan_validate import declare

class _Base(pa.DataFrameModel):
    pass

class Orders(pa.DataFrameModel):
    id: int = pa.Field(ge=1)
    total: pa.Decimal = pa.Field(ge=0, dtype_kwargs={"precision": 12, "scale": 2})
    note: str = pa.Field(nullable=True)

    class Config:
        name = "orders"
        metadata = {"why": "orders are money", "tags": ["money"]}

declare.unique("orders", "note", severity="warning", tags=["notes"])
"""

TABLES = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12,2) NOT NULL, note text);
INSERT INTO orders VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, NULL);
CREATE TABLE other (x int);
CREATE ROLE reader_{name} LOGIN;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_{name};
"""


class Shop:
    """A folder with a suite, and a database with a role that only reads."""

    def __init__(self, server: Server, folder: Path, database: str) -> None:
        self.server, self.folder, self.database = server, folder, database
        self.role = f"reader_{database}"

    def cli(
        self,
        *words: str,
        dsn: bool = True,
        cwd: Path | None = None,
        fresh: bool = False,
        timeout: float = 120,
        **env: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder, with the database in KISAAN_DSN; ``fresh`` in a new interpreter (see
        warm).
        """
        known = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "KISAAN", "DATABASE"))}
        known |= {"PYTHONPATH": str(ROOT), "COLUMNS": "160", **env}
        if dsn:
            known.setdefault("KISAAN_DSN", self.server.dsn(self.database, self.role))
        return warm.run("kisaan_validate", words, cwd or self.folder, known, timeout, fresh)

    def sql(self, sql: str) -> None:
        """Change the database as its owner."""
        self.server.sql(sql, self.database)

    @property
    def run_folder(self) -> Path:
        """The folder of the only run."""
        (found,) = [p for p in (self.folder / "reports").iterdir() if p.is_dir()]
        return found

    @property
    def newest_run(self) -> Path:
        """The folder of the run that was written last: of two that began in one second the names do not say
        which is newer.
        """
        records = (self.folder / "reports").glob("2*/run.json")
        return max(records, key=lambda path: path.stat().st_mtime_ns).parent
