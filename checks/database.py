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
    why="The runner stops at the first migration that fails, while the service answers as if nothing had "
    "happened. "
    "Only its own list says how far it came. Being listed proves that a file was sent, not that it "
    "worked (the seventh "
    "file merely asks questions whose answers nobody reads): what each was to achieve is checked for itself.",
    hint="read the runner's log for the first missing name; correct its cause and run the migrations again",
    tags=["migration", "runbook"],
    **PLATFORM,
)
declare.column(
    "kisaan_payments",
    "payment_date",
    nullable=False,
    id="kisaan_payments.payment_date.not_null_enforced",
    why="Today every payment may have its date; unless the database itself refuses a payment without "
    "one, the next "
    "program error brings them back.",
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
        why="The migration copied the product's number without telling the database that it is one: a "
        "product can be "
        "deleted while sales still point to it.",
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
    why="The migration removed duplicate agreements but left the door open: the next double click brings "
    "them back.",
    hint="ADD UNIQUE NULLS NOT DISTINCT (shop_id, rate, type), from PostgreSQL 15 on",
    tags=["money", "identity", "migration"],
    **PLATFORM,
)

# --- types, wherever they occur ----------------------------------------------------------------------------

declare.no_column_of_type(
    "timestamp without time zone",
    id="database.timestamps.have_zone",
    severity="warning",
    why="A time without its zone is a different moment to each reader. The migration covered four "
    "columns, each of which "
    "has a blocking check of its own; whatever it left behind goes on telling shop and head office two "
    "different days.",
    hint="ALTER COLUMN ... TYPE timestamptz USING ... AT TIME ZONE 'UTC': the servers wrote UTC",
    tags=["time", "migration", "runbook"],
    **PLATFORM,
)
for inexact in ("real", "double precision", "money"):
    declare.no_column_of_type(
        inexact,
        id=f"database.no_{inexact.replace(' ', '_')}",
        severity="warning",
        why="Numbers of this kind are not exact: ten times ten paise is not always a rupee. A proxy: the "
        "column may "
        "hold no money, but then nothing in these books needs it.",
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
        why="A proxy: before the migrations, rupees were kept in columns of this width, and nothing but "
        "weights and a "
        "shop's percentage should still be. It finds the forgotten column that no other check knows by name.",
        hint="if it holds rupees: ALTER COLUMN ... TYPE numeric(18,2); if not, except it here",
        tags=["money", "migration"],
        **PLATFORM,
    )

# --- traces of the rollout itself --------------------------------------------------------------------------

declare.holds(
    "kisaan_users",
    "lower(username) <> 'test'",
    id="kisaan_users.username.smoke_test_left",
    severity="info",
    why="The rollout's smoke test registers a user called 'test'. It belongs on a staging copy; here, he "
    "is one more "
    "account that nobody guards.",
    hint="remove the account with its sales and payments, and run smoke tests on a copy",
    owner="operations",
    tags=["runbook"],
)
