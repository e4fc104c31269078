"""The database itself: which migrations ran, what they left behind, what the database enforces by itself."""

from __future__ import annotations

from typing import Any

from kisaan_validate import declare

PLATFORM: dict[str, Any] = {"owner": "platform"}

declare.ledger(
    "_migrations",
    "name",
    [
        "20251018_01_monetary_precision.sql",
        "20251018_02_payment_date_not_null.sql",
        "20251018_03_product_denormalization.sql",
        "20251018_04_commission_deduplication.sql",
        "20251018_05_timestamp_consistency.sql",
        "20251018_06_backfill_product_id.sql",
        "20251018_07_validation_queries.sql",
    ],
    id="_migrations.name.all_applied",
    why="The runner stops at the first migration that fails, but the service keeps running. Only "
    "the runner's own list shows how far it came. Being listed proves that a file was sent, "
    "not that it worked (the seventh only asks questions whose answers nobody reads), so the "
    "effect of each is checked separately.",
    hint=("look for the first missing name in the runner's log; fix the cause and run the migrations again"),
    tags=["migration", "runbook"],
    **PLATFORM,
)
declare.column(
    "kisaan_payments",
    "payment_date",
    nullable=False,
    id="kisaan_payments.payment_date.not_null_enforced",
    why="Even if every payment has its date today, the next bug can add payments without one "
    "unless the database refuses them.",
    hint="ALTER TABLE kisaan_payments ALTER COLUMN payment_date SET NOT NULL (20251018_02 promised it)",
    tags=["time", "migration", "runbook"],
    **PLATFORM,
)

# --- guards that the migrations forgot: the data may be right today, but nothing keeps it so ---------------

for table in ("kisaan_payments", "kisaan_transactions"):
    declare.constraint(
        table,
        "foreign key",
        "product_id",
        to="kisaan_products",
        id=f"{table}.product_id.foreign_key",
        severity="warning",
        applies=f"column {table}.product_id",
        why="The migration copied the product's number without a foreign key: a product can be "
        "deleted while sales still refer to it.",
        hint=f"ALTER TABLE {table} ADD FOREIGN KEY (product_id) REFERENCES kisaan_products (id), after "
        f"its types agree",
        tags=["identity", "migration"],
        **PLATFORM,
    )
declare.constraint(
    "kisaan_commissions",
    "unique",
    ["shop_id", "rate", "type"],
    nulls_not_distinct=True,
    id="kisaan_commissions.shop_id_rate_type.enforced",
    severity="warning",
    why="The migration removed duplicate agreements but added no constraint: the next double "
    "click brings them back.",
    hint="ADD UNIQUE NULLS NOT DISTINCT (shop_id, rate, type), from PostgreSQL 15 on",
    tags=["money", "identity", "migration"],
    **PLATFORM,
)

# --- types, wherever they occur ----------------------------------------------------------------------------

declare.no_column_of_type(
    "timestamp without time zone",
    id="database.timestamps.have_zone",
    severity="warning",
    why="Readers in different time zones read a time without a zone differently. The migration "
    "covered four columns, each with its own blocking check; the others still show shop and "
    "head office two different days.",
    hint="ALTER COLUMN ... TYPE timestamptz USING ... AT TIME ZONE 'UTC': the servers wrote UTC",
    tags=["time", "migration", "runbook"],
    **PLATFORM,
)
for inexact in ("real", "double precision", "money"):
    declare.no_column_of_type(
        inexact,
        id=f"database.no_{inexact.replace(' ', '_')}",
        severity="warning",
        why="Numbers of this type are not exact: ten times ten paise is not always a rupee. A "
        "proxy: the column may not hold money, but then nothing in these books needs this "
        "type.",
        hint="ALTER COLUMN ... TYPE numeric(18,2) if it holds rupees",
        tags=["money", "schema"],
        **PLATFORM,
    )
for before in ("numeric(10,2)", "numeric(12,2)", "numeric(15,2)", "numeric(16,4)"):
    declare.no_column_of_type(
        before,
        except_=["kisaan_transactions.quantity", "kisaan_shops.commission_rate"],
        id=f"database.no_{before.translate(str.maketrans('(,', '__', ')'))}",
        severity="warning",
        why="A proxy: before the migrations, rupee columns had this width; now only weights and "
        "a shop's percentage should. It finds forgotten columns that no other check names.",
        hint="if it holds rupees: ALTER COLUMN ... TYPE numeric(18,2); if not, add an exception here",
        tags=["money", "migration"],
        **PLATFORM,
    )

# --- traces of the rollout itself --------------------------------------------------------------------------

declare.holds(
    "kisaan_users",
    "lower(username) <> 'test'",
    id="kisaan_users.username.smoke_test_left",
    severity="info",
    why="The rollout's smoke test registers a user called 'test'. It belongs on a staging copy; "
    "here it is one more unguarded account.",
    hint="remove the account with its sales and payments, and run smoke tests on a copy",
    owner="operations",
    tags=["runbook"],
)
