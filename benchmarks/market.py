"""A database to measure on: two large tables, their small relatives, and violations whose numbers are known.

    python benchmarks/market.py --rows 100000 --check     # does the suite find exactly what was planted?
    python benchmarks/market.py --keep FOLDER             # build 5,000,000 rows once, for other benchmarks

``market.sql`` says what is in it, ``suite`` what must hold. With ``--keep`` a database that is there
already, of the same layout, rows and sources, is taken as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from measure import child
from server import VERSIONS, Server, serving, versions

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SUITE = HERE / "suite"
LAYOUTS = ("dense", "shuffled", "text")
LARGE = ("transactions", "payments")
READER = "market_reader"
ROWS = 5_000_000
FEWEST_ROWS = 10_000


@dataclass(frozen=True)
class Plant:
    """A violation: ``rows`` rows of ``table`` that the check ``check`` must find, made by ``sql``.

    ``{keys}`` in ``sql`` stands for a query of that many ids that no other violation uses.
    """

    check: str
    table: str
    rows: int
    sql: str


def _spoil(check: str, rows: int, change: str) -> Plant:
    """Violations that an UPDATE of rows of the check's own table makes."""
    table = check.partition(".")[0]
    return Plant(check, table, rows, f"UPDATE {table} SET {change} WHERE id IN ({{keys}})")


# Exact numbers, so that a check that finds one row too many or too few is noticed.
PLANTS = (
    _spoil("payments.amount.not_null", 12, "amount = NULL"),
    _spoil("payments.amount.greater_than", 40, "amount = -amount"),
    _spoil("payments.status.isin", 25, "status = 'paid'"),
    _spoil("payments.payment_date.not_null", 30, "payment_date = NULL"),
    _spoil("payments.created_at.before_updated_at", 35, "updated_at = created_at - interval '1 day'"),
    _spoil("payments.transaction_id.references", 20, "transaction_id = transaction_id + 1000000000"),
    _spoil("payments.product_id.agrees", 250, "product_id = coalesce(product_id, 0) + 1"),
    _spoil("payments.amount.within_total", 15, "amount = amount + 1000000"),
    _spoil("payments.payment_date.after_sale", 18, "payment_date = payment_date - interval '900 days'"),
    _spoil("payments.shop_id.references", 5, "shop_id = shop_id + 1000000"),
    _spoil("payments.counterparty_id.references", 10, "counterparty_id = -counterparty_id"),
    _spoil(
        "transactions.total_amount.quantity_times_price",
        60,
        "total_amount = total_amount + 0.01, farmer_earning = farmer_earning + 0.01",
    ),
    _spoil("transactions.total_amount.split", 45, "farmer_earning = farmer_earning - 0.05"),
    _spoil(
        "transactions.quantity.in_range",
        14,
        "quantity = quantity * 1000, total_amount = round(quantity * 1000 * unit_price, 2),"
        " farmer_earning = round(quantity * 1000 * unit_price, 2) - commission_amount",
    ),
    _spoil(
        "transactions.commission_amount.greater_than_or_equal_to",
        22,
        "commission_amount = -commission_amount, farmer_earning = total_amount + commission_amount",
    ),
    _spoil("transactions.status.isin", 28, "status = 'SETTLED'"),
    _spoil("transactions.product_name.not_null", 16, "product_name = NULL"),
    _spoil("transactions.buyer_id.references", 8, "buyer_id = -buyer_id"),
    Plant(
        "transactions.id.sequence",
        "transactions",
        1,
        "SELECT setval('transactions_id_seq', max(id) - 5) FROM transactions",
    ),
    _spoil("commissions.rate.in_range", 6, "rate = -rate"),
    Plant(
        "commissions.shop_id_rate_type.unique",
        "commissions",
        40,
        "INSERT INTO commissions (shop_id, rate, type) SELECT shop_id, rate, type FROM commissions WHERE "
        "id IN ({keys})",
    ),
)
"""All violations; every other check of the suite holds."""


@dataclass(frozen=True)
class Market:
    """Which market is meant: a layout of LAYOUTS, the rows of each large table, and on which server."""

    layout: str
    rows: int
    version: str = "embedded"

    @property
    def database(self) -> str:
        """The name of its database."""
        return f"market_{self.layout}_{self.rows}"


@dataclass(frozen=True)
class Built:
    """A market on a running server. ``seconds`` is how long it took to build; None if it was there
    already.
    """

    server: Server
    market: Market
    seconds: float | None

    @property
    def dsn(self) -> str:
        """How a guest reaches it: as a role that can only read."""
        return self.server.dsn(self.market.database, READER)

    def count(self, table: str) -> int:
        """The exact rows of a table."""
        return int(self.server.sql(f"SELECT count(*) FROM {table}", self.market.database)[0][0])

    def megabytes(self, table: str) -> tuple[float, float]:
        """The size of a table, and of its indexes."""
        sizes = self.server.sql(
            f"SELECT pg_table_size('{table}'), pg_indexes_size('{table}')", self.market.database
        )
        return sizes[0][0] / 1e6, sizes[0][1] / 1e6


def sources_digest() -> str:
    """Identifies what a market is made of; another one means that a kept database is out of date."""
    # The planted rows too: other violations make another market.
    return hashlib.sha256((HERE / "market.sql").read_bytes() + repr(PLANTS).encode()).hexdigest()


def build(server: Server, market: Market) -> Built:
    """The market on this server: found, or built under another name and renamed when it is complete."""
    name, digest = market.database, sources_digest()
    known = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname"
    if server.sql(f"{known} = '{name}'") == [(digest,)]:
        return Built(server, market, None)
    start = time.perf_counter()
    # Also the unfinished one of a build that was broken off.
    for stale in (name, f"{name}_new"):
        server.sql(f"DROP DATABASE IF EXISTS {stale}")
    if not server.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{READER}'"):
        server.sql(f"CREATE ROLE {READER} LOGIN")
    server.sql(f"CREATE DATABASE {name}_new TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    _fill(server, market, f"{name}_new")
    # Renamed when it is complete: a half-built market has another name.
    server.sql(f"ALTER DATABASE {name}_new RENAME TO {name}")
    server.sql(f"COMMENT ON DATABASE {name} IS '{digest}'")
    return Built(server, market, time.perf_counter() - start)


def _fill(server: Server, market: Market, database: str) -> None:
    with server.session(database) as cursor:
        cursor.execute("SELECT set_config('market.rows', %s, false)", (str(market.rows),))
        cursor.execute("SELECT set_config('market.layout', %s, false)", (market.layout,))
        cursor.execute((HERE / "market.sql").read_text(encoding="utf-8"))
        used = dict.fromkeys((*LARGE, "commissions"), 0)
        for plant in PLANTS:
            # Each violation gets ids that no other one uses, or two checks would find the same row.
            first, used[plant.table] = used[plant.table] + 1, used[plant.table] + plant.rows
            turns = f"turn BETWEEN {first} AND {used[plant.table]}"
            cursor.execute(
                plant.sql.format(keys=f"SELECT id FROM spare WHERE origin = '{plant.table}' AND {turns}")
            )
            # A plant that met other rows than it should would make every later comparison wrong.
            if cursor.rowcount != plant.rows:
                raise SystemExit(
                    f"error: {plant.check}: {cursor.rowcount} rows planted instead of {plant.rows}"
                )
        # An UPDATE writes its rows at the end; in their old places they lie all over the table.
        if market.layout != "shuffled":
            for table in LARGE:
                cursor.execute(f"CLUSTER {table} USING {table}_pkey")
        # Frozen and with its visibility map, a table costs the same at every reading.
        cursor.execute("VACUUM (FREEZE, ANALYZE)")
        cursor.execute("CHECKPOINT")


@contextmanager
def market_at(market: Market, keep: Path | None = None) -> Iterator[Built]:
    """A server with the market on it, for as long as the block lasts."""
    with serving(keep, market.version) as server:
        yield build(server, market)


def describe(built: Built) -> str:
    """How long it took, how large it is."""
    market = built.market
    took = "there already" if built.seconds is None else f"built in {built.seconds:.1f} s"
    whole = built.server.sql(f"SELECT pg_database_size('{market.database}')")[0][0] / 1e6
    lines = [f"{market.layout}, {market.rows:,} rows: {took}, {whole:,.0f} MB"]
    for table in (*LARGE, "commissions", "users", "shops"):
        heap, indexes = built.megabytes(table)
        lines.append(
            f"  {table:<13} {built.count(table):>11,} rows  {heap:>7,.1f} MB  + indexes {indexes:>7,.1f} MB"
        )
    return "\n".join(lines)


def environment(built: Built) -> dict[str, str]:
    """For a child that is to use this checkout on this market."""
    own = {"PYTHONPATH": str(ROOT), "KISAAN_DSN": built.dsn, "MARKET_LAYOUT": built.market.layout}
    # An installed program has its bytecode, whatever the shell of a developer says.
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | own


def findings(built: Built) -> dict[str, str | int]:
    """What ``kisaan-validate run`` says of each check: its violating rows, or its status if it has no
    answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "kisaan_validate", "run", "--quiet", "--suite", str(SUITE), "--reports", folder]
        child(words, environment(built), Path(folder), expect=(0, 1, 3))
        (record,) = Path(folder).glob("*/run.json")
        run = json.loads(record.read_text(encoding="utf-8"))
    # Of an answer the number counts; without one the status says that there is none.
    answered = {"pass", "fail"}
    return {
        r["check_id"]: r["violations"] if r["status"] in answered else r["status"] for r in run["results"]
    }


def check(built: Built) -> bool:
    """Print what was planted beside what the suite found, of every check that has or should have
    violations.
    """
    found = findings(built)
    planted = {plant.check: plant.rows for plant in PLANTS}
    right = True
    for name in sorted({*found, *planted}):
        wanted, seen = planted.get(name, 0), found.get(name, "no such check")
        if wanted or seen:
            print(f"  {name:<56} planted {wanted:>4}  found {seen:>4}{'' if seen == wanted else '   WRONG'}")
        right = right and seen == wanted
    print(
        f"  {len(found)} checks, {len(planted)} with violations: "
        f"{'as planted' if right else 'NOT AS PLANTED'}"
    )
    return right


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options by which every benchmark of a market says which one."""
    parser.add_argument(
        "--rows", type=_rows, default=ROWS, help="rows of each large table (default %(default)s)"
    )
    parser.add_argument("--layout", choices=(*LAYOUTS, "all"), default="all", help="default %(default)s")
    parser.add_argument(
        "--server", choices=(*VERSIONS, "both"), default="embedded", help="default %(default)s"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="a data folder to build in once and use again"
    )


def parser_of(doc: str | None, rounds: int, **defaults: str) -> argparse.ArgumentParser:
    """The parser of a benchmark that measures markets in rounds, so many of them unless told otherwise."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    parser.add_argument("--rounds", type=_positive, default=rounds, help="default %(default)s")
    parser.set_defaults(**defaults)
    return parser


def each_market(options: argparse.Namespace) -> Iterator[Built]:
    """The markets that the options name, one after the other, each built and described."""
    for market in markets(options):
        with market_at(market, options.keep) as built:
            print(describe(built), flush=True)
            yield built


def _positive(given: str) -> int:
    if (number := int(given)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _rows(given: str) -> int:
    rows = int(given)
    if rows < FEWEST_ROWS:
        raise argparse.ArgumentTypeError(
            # Fewer have too few spare ids for all violations.
            f"at least {FEWEST_ROWS}, or there are too few rows to plant violations in"
        )
    return rows


def layouts(given: str) -> Sequence[str]:
    """The layouts that ``--layout`` names."""
    return LAYOUTS if given == "all" else (given,)


def markets(options: argparse.Namespace) -> Sequence[Market]:
    """The markets that the options name, by layout and server."""
    found = ((layout, version) for layout in layouts(options.layout) for version in versions(options.server))
    return [Market(layout, options.rows, version) for layout, version in found]


def main() -> int:
    """Build, describe, check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments(parser)
    parser.add_argument(
        "--check", action="store_true", help="exit 1 unless the suite finds exactly what was planted"
    )
    options = parser.parse_args()
    right = True
    for market in markets(options):
        with market_at(market, options.keep) as built:
            print(describe(built), flush=True)
            if options.check:
                right = check(built) and right
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
