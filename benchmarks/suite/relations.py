"""What must hold between columns, rows and tables."""

from __future__ import annotations

import os

from kisaan_validate import declare

# In one layout a payment refers to its sale by a text.
VIA, ON = ("sale", "reference") if os.environ.get("MARKET_LAYOUT") == "text" else ("transaction_id", "id")

# --- within a row ------------------------------------------------------------------------------------------

declare.holds(
    "transactions",
    "total_amount = round(quantity * unit_price, 2)",
    id="transactions.total_amount.quantity_times_price",
)
declare.holds(
    "transactions", "total_amount = commission_amount + farmer_earning", id="transactions.total_amount.split"
)
declare.holds("payments", "created_at <= updated_at", id="payments.created_at.before_updated_at")

# --- between a payment and its sale: one join --------------------------------------------------------------

declare.references("payments", VIA, "transactions", ON, id="payments.transaction_id.references")
declare.agrees("payments", "product_id", with_="transactions.product_id", via=VIA, on=ON)
declare.holds_with(
    "payments",
    "child.amount <= parent.total_amount",
    parent="transactions",
    via=VIA,
    on=ON,
    id="payments.amount.within_total",
)
declare.holds_with(
    "payments",
    "child.payment_date >= parent.created_at",
    parent="transactions",
    via=VIA,
    on=ON,
    id="payments.payment_date.after_sale",
)

# --- references to small tables ----------------------------------------------------------------------------

declare.references("payments", "shop_id", "shops")
declare.references("payments", "counterparty_id", "users")
declare.references("transactions", "buyer_id", "users")

# --- over all rows -----------------------------------------------------------------------------------------

declare.unique("commissions", ["shop_id", "rate", "type"])
declare.sequence("transactions")
declare.sequence("payments")
