"""Where the time of a run goes, and what other forms of its statements would cost.

    python benchmarks/tried.py [--rows 5000000] [--layout text] [--server embedded] [--rounds 3]

The statements are those that a run recorded; beside them stands the same in SQL by hand (rivals.py), and the
forms of docs/performance.md that were tried and not built. Interleaved rounds on one server, a session for
each form, no index; ratios of the server's processor time within a round, the median of all rounds, the
spread beside it.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from market import SUITE, Built, each_market, environment, parser_of
from measure import Spread, child
from rivals import fused
from speed import in_sessions

FROM_THE_HEAP = "; ".join(
    f"SET {name} = off" for name in ("jit", "enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")
)
JOIN, SALES, ROWS = "payments with transactions by", "rows of transactions", "rows of payments"
SHARED_SALES, SHARED_ROWS = f"{SALES}, references to users", f"{ROWS}, references to shops, users"
BUYERS = "transactions with users by buyer_id"
SHOPS, PARTIES = "payments with shops by shop_id", "payments with users by counterparty_id"
FLAG = re.compile(r"^    (\(.*\)) AS (is_\d+),?$", re.M)
GUARD = re.compile(r" AND \w+ OPERATOR\(pg_catalog\.<\) 'NaN'::numeric")


# A run that joins each small table by itself, as runs did.
APART = """from kisaan_validate.cli.main import entry
from kisaan_validate.plan import shared

shared.MOST_KEYS = 0
entry()
"""


def recorded(built: Built, *, apart: bool = False) -> dict[str, str]:
    """The statements of a run by their purpose, those of a join without the name of its column. ``apart``: of
    one that shares no scan.
    """
    with tempfile.TemporaryDirectory() as folder:
        begun = ["-c", APART] if apart else ["-m", "kisaan_validate"]
        words = [*begun, "run", "--quiet", "--suite", str(SUITE)]
        child(words, environment(built), Path(folder), (1,))
        (record,) = Path(folder).glob("reports/*/run.json")
        found = {s["purpose"]: s["sql"] for s in json.loads(record.read_text())["statements"]}
    return {JOIN if purpose.startswith(JOIN) else purpose: sql for purpose, sql in found.items()}


def table_of(sql: str) -> str:
    """The table that a scan of rows reads."""
    found: list[str] = re.findall(r"FROM (public\.\w+) OFFSET", sql)
    return found[-1]


def mark_of(sql: str) -> str:
    """The aggregate that makes the map."""
    found: str
    (found,) = re.findall(r"(pg_catalog\.bit_or\(.*\)) FILTER \(WHERE .*\) AS marked", sql)
    return found


def unmarked(sql: str) -> str:
    """A scan of rows as it would be without marks: each count with its condition, straight from the table."""
    table = table_of(sql)
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition, _ in FLAG.findall(sql))
    return f"SELECT count(*), max(id), {counts}\nFROM {table}"


def marked_where(sql: str, condition: str) -> str:
    """The map of the rows for which a condition holds, straight from the table."""
    return f"{mark_of(sql).replace('place::text', 'ctid::text')} FILTER (WHERE {condition})"


def any_marked(sql: str) -> str:
    """The map of a scan of rows, straight from the table: every condition is written into it."""
    return marked_where(sql, " OR ".join(condition for condition, _ in FLAG.findall(sql)))


def twice(sql: str) -> str:
    """The same with marks, for which every condition is evaluated a second time."""
    return unmarked(sql).replace("SELECT count(*)", f"SELECT count(*), {any_marked(sql)}", 1)


def marks_alone(sql: str) -> str:
    """A scan of rows that only marks, so that what it marked would have to be counted by a second scan."""
    return f"SELECT count(*), max(id), {any_marked(sql)}\nFROM {table_of(sql)}"


def one_nan(sql: str) -> str:
    """A scan of rows that compares one column with NaN where an equation holds, instead of all."""
    for condition, name in FLAG.findall(sql):
        if equation := re.match(r"\(NOT \(\((\w+) = (.*?)\) AND \1 OPERATOR", condition):
            left, right = equation.groups()
            sound = f"{left} = {right} AND {left} OPERATOR(pg_catalog.<) 'NaN'::numeric"
            tried = f"(CASE WHEN {sound} THEN false ELSE {condition} END)"
            sql = sql.replace(f"{condition} AS {name}", f"{tried} AS {name}")
    return sql


def packed(sql: str) -> str:
    """A scan of rows that evaluates its conditions once, and adds up the counts of all in one number, of
    violating rows only.
    """
    mark = mark_of(sql)
    conditions = [condition for condition, _ in FLAG.findall(sql)]
    digits = " + ".join(
        f"CASE WHEN {c} THEN {10 ** (19 * n)}::numeric ELSE 0 END" for n, c in enumerate(conditions)
    )
    violated = f"CASE WHEN {' OR '.join(conditions)} THEN {digits} END"
    some = "FILTER (WHERE violated IS NOT NULL)"
    return (
        f"SELECT count(*), max(id), {mark} {some}, sum(violated) {some}\n"
        f"FROM (SELECT id, ctid AS place, {violated} AS violated FROM {table_of(sql)} OFFSET '0') AS rows"
    )


def grouped(sql: str) -> str:
    """A scan of rows that counts each row once, in the group of the conditions that hold for it."""
    conditions = [condition for condition, _ in FLAG.findall(sql)]
    bits = " + ".join(f"CASE WHEN {c} THEN {1 << n} ELSE 0 END" for n, c in enumerate(conditions))
    violated = f"CASE WHEN {' OR '.join(conditions)} THEN {bits} END"
    marked = marked_where(sql, f"{violated} IS NOT NULL")
    return f"SELECT {violated}, count(*), max(id), {marked}\nFROM {table_of(sql)} GROUP BY 1"


def anti_join(sql: str) -> str:
    """A reference to a small table that reads only the rows which have none there; judged rows come from
    elsewhere.
    """
    mark = mark_of(sql)
    child_, parent, column = re.findall(
        r"FROM (public\.\w+) AS child\s+LEFT JOIN (public\.\w+) AS parent ON child\.(\w+)", sql
    )[0]
    return (
        f"SELECT count(*), {mark} FROM (SELECT child.ctid AS place FROM {child_} AS child "
        f"WHERE child.{column} IS NOT NULL AND NOT EXISTS "
        f"(SELECT FROM {parent} AS parent WHERE child.{column} = parent.id) "
        "OFFSET '0') AS rows"
    )


def counting(sql: str, *columns: str) -> str:
    """A scan of rows that also counts the values of these columns."""
    listed, counts = ", ".join(columns), "".join(f", count({column})" for column in columns)
    first, rest = sql.split(" AS rows_read", 1)
    head, inner = rest.rsplit("SELECT id, ctid", 1)
    return f"{first} AS rows_read{counts}{head}SELECT id, {listed}, ctid{inner}"


def forms(built: Built) -> tuple[Mapping[str, Sequence[str]], Sequence[tuple[str, str, str]]]:
    """The statements of each form by its name; which to compare: (what is said of it, form, beside which)."""
    shared, ours = recorded(built), recorded(built, apart=True)
    join, sales, rows = ours[JOIN], ours[SALES], ours[ROWS]
    buyers, shops, parties = ours[BUYERS], ours[SHOPS], ours[PARTIES]
    by_hand = [sql for _, sql in fused(built.market.layout)]
    found = {
        "join": (join,),
        "join by hand": (by_hand[0],),
        "sales": (sales,),
        "sales shared": (shared[SHARED_SALES],),
        "payments shared": (shared[SHARED_ROWS],),
        "sales and buyers": (sales, buyers),
        "sales by hand": (by_hand[1],),
        "payments": (rows,),
        "payments and theirs": (rows, shops, parties),
        "payments by hand": (by_hand[2],),
        "payments unmarked": (unmarked(rows),),
        "sales unmarked": (unmarked(sales),),
        "payments packed": (packed(rows),),
        "sales packed": (packed(sales),),
        "payments grouped": (grouped(rows),),
        "sales grouped": (grouped(sales),),
        "payments marks alone": (marks_alone(rows),),
        "sales marks alone": (marks_alone(sales),),
        "payments twice": (twice(rows),),
        "sales twice": (twice(sales),),
        "anti-joins": (counting(rows, "shop_id", "counterparty_id"), anti_join(shops), anti_join(parties)),
        "one NaN": (one_nan(sales),),
        "no NaN": (GUARD.sub("", sales),),
    }
    asked = (
        ("payments with their sales, 4 checks, × by hand", "join", "join by hand"),
        ("sales, 8 checks, and their buyers, × by hand", "sales shared", "sales by hand"),
        ("payments, 7 checks, their shops, users, × by hand", "payments shared", "payments by hand"),
        ("a join for each reference: payments", "payments and theirs", "payments shared"),
        ("a join for each reference: sales", "sales and buyers", "sales shared"),
        ("no marks: payments", "payments unmarked", "payments"),
        ("no marks: sales", "sales unmarked", "sales"),
        ("counts in one sum: payments", "payments packed", "payments"),
        ("counts in one sum: sales", "sales packed", "sales"),
        ("a group for each set of conditions: payments", "payments grouped", "payments"),
        ("a group for each set of conditions: sales", "sales grouped", "sales"),
        ("marks alone, counted where they are: payments", "payments marks alone", "payments"),
        ("marks alone, counted where they are: sales", "sales marks alone", "sales"),
        ("conditions written twice: payments", "payments twice", "payments"),
        ("conditions written twice: sales", "sales twice", "sales"),
        ("references as anti-joins: payments", "anti-joins", "payments shared"),
        ("one comparison with NaN an equation: sales", "one NaN", "sales"),
        ("no comparison with NaN: sales", "no NaN", "sales"),
    )
    return found, asked


def report(built: Built, rounds: int) -> None:
    """Measure every form in every round, and print the ratios."""
    found, asked = forms(built)
    taken: dict[str, list[float]] = {name: [] for name in found}
    # The first round fills the caches, and is not counted.
    for turn in range(rounds + 1):
        for name, statements in found.items():
            before = built.server.processor or 0.0
            # A session that ends, because the server's time has only that of processes that ended.
            in_sessions(built.dsn, [(FROM_THE_HEAP, sql) for sql in statements], 1)
            if turn:
                taken[name].append((built.server.processor or 0.0) - before)
    print(f"processor time of the server, median (min to max) of {rounds} rounds")
    for said, form, beside in asked:
        ratio = Spread(tuple(a / b for a, b in zip(taken[form], taken[beside], strict=True)))
        print(f"  {said:<58} {ratio!s:>24}", flush=True)


def main() -> int:
    """Measure every market."""
    options = parser_of(__doc__, 3, layout="text").parse_args()
    for built in each_market(options):
        report(built, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
