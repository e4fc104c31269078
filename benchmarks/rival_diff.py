"""reladiff over the two tables of ``diff.py``. Run by an interpreter that has reladiff; prints what it
found as JSON.

python rival_diff.py HOST PORT OLD_DATABASE NEW_DATABASE COLUMN…
"""

import json
import sys
import time

import reladiff  # type: ignore[import-not-found]


def main() -> int:
    """Compare, count the signs of each key."""
    host, port, old, new, *columns = sys.argv[1:]
    common = {"driver": "postgresql", "host": host, "port": int(port), "user": "postgres"}
    start = time.perf_counter()
    sides = [
        reladiff.connect_to_table({**common, "database": database}, "payments", "id", thread_count=2)
        for database in (old, new)
    ]
    # A changed row has both signs, so signs are gathered by key before they are counted.
    signs: dict[object, set[str]] = {}
    for sign, row in reladiff.diff_tables(*sides, extra_columns=tuple(columns), max_threadpool_size=2):
        signs.setdefault(row[0], set()).add(sign)
    seconds = time.perf_counter() - start
    kinds = ["".join(sorted(found)) for found in signs.values()]
    found = {"changed": kinds.count("+-"), "removed": kinds.count("-"), "added": kinds.count("+")}
    print(json.dumps({"seconds": seconds, **found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
