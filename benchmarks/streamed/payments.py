"""A check in Python for each of the twelve columns of payments, and one over two of them. All but the
planted rows hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pandera.pandas as pa

METHODS = ["CASH", "UPI", "BANK_TRANSFER", "CARD", "CHEQUE"]
STATUSES = ["PENDING", "PAID", "FAILED", "CANCELLED"]
START = pd.Timestamp("2024-01-01")


def rows(name: str, function: Callable[[Any], Any], *columns: str) -> Any:
    """A check that says of itself that it judges row by row."""
    return pa.Check(
        function, name=name, statistics={"row_wise": True, **({"columns": columns} if columns else {})}
    )


def column(*checks: Any) -> Any:
    """A column of any type, NULL allowed."""
    return pa.Column(None, list(checks), nullable=True)


payments = pa.DataFrameSchema(
    {
        "id": column(rows("positive", lambda s: s > 0)),
        "transaction_id": column(rows("positive", lambda s: s > 0)),
        "shop_id": column(rows("plausible", lambda s: s.between(1, 1_000_000))),
        "counterparty_id": column(rows("positive", lambda s: s > 0)),
        "product_id": column(rows("small", lambda s: s < 1_000)),
        "amount": column(rows("positive", lambda s: s > 0)),
        "method": column(rows("known", lambda s: s.isin(METHODS))),
        "status": column(rows("known", lambda s: s.isin(STATUSES))),
        "notes": column(rows("short", lambda s: s.str.len() < 200)),
        "payment_date": column(rows("recent", lambda s: s >= START.tz_localize("UTC"))),
        "created_at": column(rows("recent", lambda s: s.dt.year >= 2024)),
        "updated_at": column(rows("recent", lambda s: s >= START)),
    },
    checks=rows("in_order", lambda df: df.created_at <= df.updated_at, "created_at", "updated_at"),
    name="payments",
)
