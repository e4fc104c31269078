"""Columns, types and admissible values. ``nullable=True`` where the benchmark asks no question about NULL."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import pandera.pandas as pa

Instant = Annotated[pd.DatetimeTZDtype, "us", "UTC"]


def money(**field: Any) -> Any:
    """A rupee amount, exact to the paisa."""
    return pa.Field(dtype_kwargs={"precision": 12, "scale": 2}, **field)


class Transactions(pa.DataFrameModel):
    """Sales."""

    product_name: str = pa.Field(metadata={"type": "varchar(255)"})
    quantity: pa.Decimal = money(nullable=True, in_range={"min_value": 1, "max_value": 10_000})
    total_amount: pa.Decimal = money()
    commission_amount: pa.Decimal = money(nullable=True, ge=0)
    status: str = pa.Field(nullable=True, isin=["pending", "completed", "settled", "cancelled"])
    created_at: Instant = pa.Field(nullable=True)

    class Config:
        name = "transactions"


class Payments(pa.DataFrameModel):
    """Money received and paid."""

    amount: pa.Decimal = money(gt=0)
    method: Annotated[pa.Category, ["CASH", "UPI", "BANK_TRANSFER", "CARD", "CHEQUE"], False] = pa.Field(
        nullable=True
    )
    status: str = pa.Field(isin=["PENDING", "PAID", "FAILED", "CANCELLED"])
    payment_date: Instant
    created_at: pd.Timestamp = pa.Field(nullable=True)

    class Config:
        name = "payments"


class Commissions(pa.DataFrameModel):
    """Agreements of commission."""

    rate: pa.Decimal = pa.Field(
        nullable=True,
        dtype_kwargs={"precision": 5, "scale": 2},
        in_range={"min_value": 0, "max_value": 100},
    )

    class Config:
        name = "commissions"
