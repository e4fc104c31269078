"""What is there after a restore, counted on the server against what the dump was read to hold."""

from __future__ import annotations

from collections.abc import Collection

from kisaan_validate.facts.dump import DumpContents
from kisaan_validate.scratch.server import Scratch

_FOUND = """
SELECT named.name, found.oid::pg_catalog.regclass::pg_catalog.text, found.relkind
FROM pg_catalog.unnest(%s::pg_catalog.text[]) AS named(name)
LEFT JOIN pg_catalog.pg_class AS found ON found.oid = pg_catalog.to_regclass(named.name)
"""


def count_restored(
    scratch: Scratch, database: str, contents: DumpContents, left_out: Collection[str]
) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    """The rows of each table with data, and what is missing or differs, in words.

    ``left_out`` are names that are not expected. An exit code of 0 says nothing of this.
    """
    wanted = [table for table in contents.tables if table.name not in left_out]
    connection = scratch.connect(database)
    counted: list[tuple[str, int]] = []
    wrong: list[str] = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET search_path = ''")
            cursor.execute(_FOUND, ([table.name for table in wanted],))
            found = {name: (quoted, kind) for name, quoted, kind in cursor.fetchall()}
            for table in wanted:
                quoted, kind = found.get(table.name, (None, None))
                if kind not in ("r", "p"):
                    wrong.append(f"the table {table.name} is not there")
                    continue
                if not table.data:
                    continue
                # Children of a table have their own rows; the rows of a partitioned one are its partitions'.
                cursor.execute(f"SELECT count(*) FROM {'ONLY ' if kind == 'r' else ''}{quoted}")
                rows = int(cursor.fetchone()[0])
                counted.append((table.name, rows))
                if table.rows is not None and rows != table.rows:
                    wrong.append(f"the table {table.name} has {rows:,} rows, the dump {table.rows:,}")
            cursor.execute("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata")
            objects = int(cursor.fetchone()[0])
            if objects != contents.large_objects:
                wrong.append(f"there are {objects:,} large objects, in the dump {contents.large_objects:,}")
    finally:
        connection.close()
    return tuple(counted), tuple(wrong)
