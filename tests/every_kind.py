"""One database and one suite with every kind of check, figure, promise and type: what the engine's
statements are collected from.

What an author writes here names its schemas, so that all that is left to be looked up is the engine's.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandera.pandas as pa
from conftest import Server
from helpers import measuring

from kisaan_validate import declare as d
from kisaan_validate.author.draft.look import Ask, look
from kisaan_validate.contract.load import Contract, read_contract
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.run import diff_rows
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.run import explain, run
from kisaan_validate.record.codec import baseline_to_json, digest_of
from kisaan_validate.record.rowfile import RowWriter, kept_rows
from kisaan_validate.record.valuefile import kept_values
from kisaan_validate.suite.load import Suite, SuiteSettings, suite_of

TABLES = """
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN small AS numeric CHECK (VALUE < 1000);
CREATE TABLE farms (id bigint PRIMARY KEY, name varchar(40), code citext UNIQUE, m mood, total numeric, area int, UNIQUE (id, area));
CREATE TABLE crops (
    id serial PRIMARY KEY, farm bigint, farm_code citext, name varchar(40), label text, c char(3), m mood, s small, n int, big bigint,
    amount numeric(12,2), wide numeric, r real, f float8, at timestamptz, clock timestamp, day date, t time, tz timetz, span interval,
    yes boolean, doc jsonb, old json, tags text[], numbers int[], p pair, range numrange, u uuid, bytes bytea, bits bit(4),
    varbits varbit, ip inet, cash money, odd point, code citext, chr "char", area int, CONSTRAINT amount CHECK (amount >= -5)
);
CREATE TABLE ledger (name text PRIMARY KEY);
CREATE TABLE bare (a int, b text);
CREATE TABLE texts (k text, n numeric(6,2), v varchar(9), PRIMARY KEY (k, n));
CREATE VIEW crop_view AS SELECT id, name FROM crops;
INSERT INTO farms SELECT n, 'farm ' || n, 'F' || n, 'low', n * 10, n FROM generate_series(1, 20) AS n;
INSERT INTO crops SELECT n, n % 22 + 1, 'f' || n % 22, CASE WHEN n % 7 > 0 THEN 'crop ' || n % 50 END, 'l' || n, 'ab', 'low', n % 900, n,
    n::bigint * 3000000000, n / 4.0, n / 8.0, n, n / 3.0::float8, timestamptz '2025-01-01 00:00+00' + n * interval '1 hour',
    timestamp '2025-01-01' + n * interval '1 hour', date '2025-01-01' + n % 300, time '10:00', timetz '10:00+01', interval '1 day',
    n % 2 = 0, jsonb_build_object('a', n), '{"a": null}', ARRAY['x', n::text], ARRAY[n, NULL], ROW(n::int, 'x'::text)::pair, numrange(n, n + 1),
    md5(n::text)::uuid, decode(md5(n::text), 'hex'), '0101', '01', '10.0.0.1', 5, point(1, 2), 'C' || n, 'x', n % 22 + 1
    FROM generate_series(1, 300) AS n;
INSERT INTO crops (id, n, farm) VALUES (901, 950, 5), (903, NULL, NULL);
INSERT INTO ledger VALUES ('one'), ('two');
INSERT INTO bare SELECT n % 5, 'x' FROM generate_series(1, 30) AS n;
INSERT INTO texts SELECT 'k' || n % 3, n, 'v' FROM generate_series(1, 30) AS n;
SELECT setval('crops_id_seq', 5);
ANALYZE
"""

CHANGES = """
UPDATE crops SET amount = amount + 1 WHERE id % 40 = 0; UPDATE crops SET label = NULL, tags = ARRAY['y'] WHERE id = 7;
DELETE FROM crops WHERE id = 9; INSERT INTO crops (id, n, farm, label) VALUES (1000, 5, 5, 'filled');
UPDATE crops SET name = 'was NULL' WHERE name IS NULL; INSERT INTO ledger VALUES ('three'); DELETE FROM bare WHERE ctid = '(0,1)';
UPDATE texts SET v = 'w' WHERE n = 4; INSERT INTO texts VALUES ('kk', 77, 'v');
UPDATE crops SET code = 'other' WHERE id = 11; ANALYZE
"""
"""What happens between two looks."""

CONTRACT = """
format = 1
name = "every kind"
[[promise]]
id = "recorded"
kind = "recorded"
table = "ledger"
column = "name"
names = ["two", "three"]
[[promise]]
id = "filled"
kind = "filled"
column = "crops.name"
with = "'was NULL'"
[[promise]]
id = "becomes"
kind = "becomes"
column = "crops.amount"
expression = "{column} OPERATOR(pg_catalog.+) 0"
[[promise]]
id = "becomes_text"
kind = "becomes"
column = "crops.code"
expression = "{column}"
[[promise]]
id = "gone"
kind = "rows_removed"
table = "bare"
where = "a OPERATOR(pg_catalog.=) 1"
[[promise]]
id = "arrived"
kind = "rows_arrived"
table = "texts"
by = "k"
[[promise]]
id = "null_only"
kind = "changed_where_null"
column = "crops.label"
[[promise]]
id = "sums"
kind = "sum_preserved"
columns = ["crops.big", "crops.wide"]
[[promise]]
id = "looked"
kind = "looked_up"
column = "crops.farm_code"
from = "farms"
value = "code"
by = ["farm"]
[[promise]]
id = "surplus"
kind = "rows_removed"
table = "bare"
surplus_of = "bare.surplus"
"""

MORE = "n OPERATOR(pg_catalog.>) 20"


def models() -> list[Any]:
    """What a pandera schema can say."""
    check = pa.Check
    return [
        pa.DataFrameSchema(
            {
                "n": pa.Column(
                    nullable=True,
                    checks=[
                        check.ge(0),
                        check.gt(-1),
                        check.le(900),
                        check.lt(901),
                        check.ne(7),
                        check.in_range(0, 5000),
                    ],
                ),
                "name": pa.Column(
                    nullable=True,
                    checks=[
                        check.isin(["crop 1", "crop 2"]),
                        check.notin(["crop 3"]),
                        check.str_matches("^crop"),
                        check.str_contains("op"),
                        check.str_startswith("crop"),
                        check.str_endswith("1"),
                        check.str_length(1, 6),
                    ],
                ),
                "c": pa.Column(nullable=True, checks=[check.isin(["ab"]), check.str_length(2, 2)]),
                "m": pa.Column(
                    nullable=True,
                    checks=[check.isin(["low"]), check.eq("low"), check.unique_values_eq(["low", "high"])],
                ),
                "code": pa.Column(
                    nullable=True,
                    unique=True,
                    checks=[check.isin(["c1", "c2"]), check.ge("c1"), check.notin(["c3"]), check.eq("c5")],
                ),
                "s": pa.Column(
                    nullable=True, checks=[check.isin([1, 2]), check.lt(800), check.unique_values_eq([1])]
                ),
                "r": pa.Column(nullable=True, checks=[check.isin([1.5, 2.0]), check.gt(0)]),
                "f": pa.Column(nullable=True, checks=[check.ge(0.5)]),
                "wide": pa.Column(nullable=True, checks=[check.isin([Decimal("1.5"), -1])]),
                "yes": pa.Column(nullable=True, checks=[check.eq(True)]),
                "day": pa.Column(nullable=True, checks=[check.ge("2025-01-05")]),
                "label": pa.Column(nullable=False, unique=True),
            },
            name="crops",
        )
    ]


def declarations() -> list[Any]:
    """One declaration of each kind at least, and those that say more by an argument of theirs."""
    return [
        d.holds("crops", "amount OPERATOR(pg_catalog.>) 3", id="holds"),
        d.holds("crops", MORE, filter="id OPERATOR(pg_catalog.<) 50", id="holds.filtered"),
        d.holds("crop_view", "id OPERATOR(pg_catalog.>) 3", id="view"),
        d.decimals("crops", "wide", 1),
        d.unique("crops", ["name", "m"]),
        d.unique("crops", "code", nulls_equal=False, where=MORE, id="unique.where"),
        d.unique("bare", ["a", "b"], counts="groups", id="bare.groups"),
        d.unique("bare", ["a"], id="bare.surplus"),
        d.references("crops", "farm", "farms", "id", where="child.n OPERATOR(pg_catalog.>) 20"),
        d.references("crops", ["farm", "area"], "farms", ["id", "area"], id="two"),
        d.references("crops", "farm_code", "farms", "code", id="citext"),
        d.agrees("crops", "name", via="farm", with_="farms.name"),
        d.agrees("crops", "m", via="farm", with_="farms.m", nulls="pass", id="agrees.enum"),
        d.agrees("crops", "code", via="farm", with_="farms.code", id="agrees.citext"),
        d.holds_with("crops", "child.n OPERATOR(pg_catalog.<) parent.area", parent="farms", via="farm"),
        d.reconciles("farms", "total", details="crops", detail_column="amount", via="farm"),
        d.reconciles(
            "farms",
            "total",
            details="crops",
            detail_column="amount",
            via="farm",
            relation=">=",
            missing="skip",
            where="parent.total OPERATOR(pg_catalog.>) 0",
            detail_where=MORE,
            id="reconciles.skip",
        ),
        d.sequence("crops", "id"),
        d.ledger("ledger", "name", ["one", "five"]),
        d.minimum_rows("crops", 9000),
        d.minimum_rows("crops", 3, filter=MORE, id="minimum.filtered"),
        d.row_count("crops", low=9000),
        d.row_count("crops", low=1, segment_by="m", where=MORE, id="count.segments"),
        d.row_count_against("crops", "farms", relation="<=", factor=2),
        d.row_count_against("crops", "farms", segment_by="area", id="against.segments"),
        d.null_share("crops", "name", high="1%"),
        d.null_share("crops", "name", high="1%", segment_by="m", id="null.segments"),
        d.total("crops", "amount", high=5),
        d.total("crops", "n", low=9, high=10, segment_by="yes", id="total.segments"),
        d.distinct_count("crops", "name", high=3),
        d.distinct_count("crops", ["m", "n"], low=9, segment_by="yes", id="distinct.segments"),
        d.quantile("crops", "n", "50%", low=1000),
        d.quantile("crops", "code", "50%", high="c1", id="quantile.citext"),
        d.quantile("crops", "f", "1/3", low=1000, id="quantile.nan"),
        d.quantile("crops", "r", "90%", high=Decimal("0.5"), segment_by="m", id="quantile.segments"),
        d.fresh("crops", "at", timedelta(hours=1)),
        d.fresh("crops", "day", timedelta(days=2), zone="Asia/Kolkata", id="fresh.day"),
        d.fresh(
            "crops", "clock", timedelta(hours=1), zone="UTC", where=MORE, segment_by="m", id="fresh.segments"
        ),
        d.volume("crops", least=9000),
        d.volume("crops", arrivals="at", zone="UTC", days_back=2, where=MORE, least=1, id="volume.day"),
        d.volume("crops", sum="amount", least=9000, id="volume.sum"),
        d.volume("crops", nulls="name", most=0, id="volume.nulls"),
        d.volume("crops", distinct="name", arrivals="day", zone="UTC", least=5, id="volume.distinct"),
        d.volume("crops", distinct="m", where=MORE, least=5, id="volume.values"),
        # Of no row: an age would be another one in the next run.
        d.volume(
            "crops", freshness="clock", zone="UTC", where="id OPERATOR(pg_catalog.<) 0", id="volume.clock"
        ),
        d.volume("crops", freshness="day", zone="UTC", most=5, id="volume.age"),
        d.values_in("crops", "name", "farms", "name"),
        d.values_in(
            "crops",
            ["m", "farm_code"],
            "farms",
            ["m", "code"],
            where=MORE,
            reference_where="area OPERATOR(pg_catalog.>) 3",
            id="in.two",
        ),
        d.json_path("crops", "doc", "$.b"),
        d.json_path("crops", "old", "$.a", nulls="absent", id="json"),
        d.no_gaps("crops", "n"),
        d.no_gaps("crops", "n", by="m", order_by="id", start=5, step=2, where=MORE, id="gaps.by"),
        d.no_gaps("crops", "day", id="gaps.day"),
        d.no_gaps("bare", "a", id="gaps.bare"),
        d.table("crops"),
        d.column("crops", "n", type="integer"),
        d.constraint("crops", "primary key", "id"),
        d.index("farms", columns="code"),
        d.triggers("crops"),
        d.no_column_of_type("money", tables="crops"),
    ]


def suite() -> Suite:
    """The suite; one column is personal."""
    return suite_of(
        *models(), *declarations(), settings=SuiteSettings(name="every kind", personal=("bare.b",))
    )


def contract() -> Contract:
    """The contract."""
    return read_contract(CONTRACT, "contract.toml")


def look_at_everything(
    server: Server, database: str, other: str, folder: Path, role: str = "postgres"
) -> dict[str, Any]:
    """Every command that reads a database, once before and once after changes; what each of them says.

    ``other`` is a copy of the database as it was, for ``diff``.
    """
    dsn, checks, promises = server.dsn(database, role), suite(), contract()
    said: dict[str, Any] = {"explain": explain(checks, dsn)}
    writer = RowWriter(folder / "rows")
    said["baseline"] = run(
        checks,
        dsn,
        options=measuring(
            jobs=1,
            count_all=True,
            digests=True,
            contract=promises,
            row_writer=writer,
            values_path=folder / "values",
            keep_values=(("crops", "amount"), ("crops", "tags"), ("crops", "code"), ("texts", "v")),
            public=("*",),
        ),
    )
    before = baseline_of(said["baseline"])
    server.sql(CHANGES, database)
    assert before.row_file is not None
    assert before.value_file is not None
    said["after"] = run(
        checks,
        dsn,
        options=measuring(
            jobs=1,
            count_all=True,
            contract=promises,
            baseline=before,
            baseline_digest=digest_of(baseline_to_json(before)),
            row_file=kept_rows(folder, before.row_file),
            value_file=kept_values(folder, before.value_file),
            added_since=(("texts", "n"),),
            zone="UTC",
        ),
    )
    options = DiffOptions(
        keys={"bare": ("a",)},
        casts={("crops", "n"): "numeric"},
        zone="UTC",
        since={"crops": ("id", "1000"), "texts": ("n", "31")},
    )
    said["diff"] = diff_rows(find_target(server.dsn(other, role)), find_target(dsn), options)
    said["diff sha256"] = diff_rows(
        find_target(server.dsn(other, role)), find_target(dsn), DiffOptions(encoding="sha256")
    )
    said["look"] = look(Ask(find_target(dsn)), lambda _: None, Stop())
    return said
