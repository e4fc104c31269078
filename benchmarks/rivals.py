"""The same 24 checks of ``suite`` as people write them by hand: one query each, and fused as well as we
know how.
"""

from __future__ import annotations

ONE_EACH = (
    "SELECT count(*) FROM transactions WHERE total_amount <> round(quantity * unit_price, 2)",
    "SELECT count(*) FROM transactions WHERE total_amount <> commission_amount + farmer_earning",
    "SELECT count(*) FROM transactions WHERE product_name IS NULL",
    "SELECT count(*) FROM transactions WHERE quantity NOT BETWEEN 1 AND 10000",
    "SELECT count(*) FROM transactions WHERE total_amount IS NULL",
    "SELECT count(*) FROM transactions WHERE commission_amount < 0 OR commission_amount = 'NaN'",
    "SELECT count(*) FROM transactions WHERE status NOT IN ('pending', 'completed', 'settled', 'cancelled')",
    "SELECT count(*) FROM payments WHERE created_at > updated_at",
    "SELECT count(*) FROM payments WHERE amount IS NULL",
    "SELECT count(*) FROM payments WHERE amount <= 0 OR amount = 'NaN'",
    "SELECT count(*) FROM payments WHERE status IS NULL",
    "SELECT count(*) FROM payments WHERE status NOT IN ('PENDING', 'PAID', 'FAILED', 'CANCELLED')",
    "SELECT count(*) FROM payments WHERE payment_date IS NULL",
    (
        "SELECT count(*) FROM payments p LEFT JOIN transactions t ON t.id = p.transaction_id"
        " WHERE p.transaction_id IS NOT NULL AND t.id IS NULL"
    ),
    (
        "SELECT count(*) FROM payments p JOIN transactions t ON t.id = p.transaction_id"
        " WHERE p.product_id IS DISTINCT FROM t.product_id"
    ),
    (
        "SELECT count(*) FROM payments p JOIN transactions t ON t.id = p.transaction_id WHERE p.amount > "
        "t.total_amount"
    ),
    (
        "SELECT count(*) FROM payments p JOIN transactions t ON t.id = p.transaction_id WHERE p.payment_date "
        "< t.created_at"
    ),
    (
        "SELECT count(*) FROM payments p LEFT JOIN shops s ON s.id = p.shop_id WHERE p.shop_id IS NOT NULL "
        "AND s.id IS NULL"
    ),
    (
        "SELECT count(*) FROM payments p LEFT JOIN users u ON u.id = p.counterparty_id"
        " WHERE p.counterparty_id IS NOT NULL AND u.id IS NULL"
    ),
    (
        "SELECT count(*) FROM transactions t LEFT JOIN users u ON u.id = t.buyer_id WHERE t.buyer_id IS NOT "
        "NULL AND u.id IS NULL"
    ),
    "SELECT count(*) FROM commissions WHERE rate NOT BETWEEN 0 AND 100",
    (
        "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM commissions GROUP BY shop_id, rate, "
        "type HAVING count(*) > 1) g"
    ),
    (
        "SELECT count(*) FROM transactions_id_seq s, (SELECT max(id) AS m FROM transactions) x WHERE "
        "s.last_value < x.m"
    ),
    "SELECT count(*) FROM payments_id_seq s, (SELECT max(id) AS m FROM payments) x WHERE s.last_value < x.m",
)
"""The runbook's way: one query a check, one after the other."""

_PAYMENT_JOIN = """SELECT count(*),
  count(*) FILTER (WHERE p.transaction_id IS NOT NULL AND t.id IS NULL),
  count(*) FILTER (WHERE t.id IS NOT NULL AND p.product_id IS DISTINCT FROM t.product_id),
  count(*) FILTER (WHERE p.amount > t.total_amount),
  count(*) FILTER (WHERE p.payment_date < t.created_at)
FROM payments p LEFT JOIN transactions t ON t.id = p.transaction_id"""

_PAYMENT_ROWS = """SELECT count(*),
  count(*) FILTER (WHERE p.created_at > p.updated_at),
  count(*) FILTER (WHERE p.amount IS NULL),
  count(*) FILTER (WHERE p.amount <= 0 OR p.amount = 'NaN'),
  count(*) FILTER (WHERE p.status IS NULL),
  count(*) FILTER (WHERE p.status NOT IN ('PENDING', 'PAID', 'FAILED', 'CANCELLED')),
  count(*) FILTER (WHERE p.payment_date IS NULL),
  count(*) FILTER (WHERE p.shop_id IS NOT NULL AND s.id IS NULL),
  count(*) FILTER (WHERE p.counterparty_id IS NOT NULL AND u.id IS NULL)
FROM payments p LEFT JOIN shops s ON s.id = p.shop_id LEFT JOIN users u ON u.id = p.counterparty_id"""

_SALES = """SELECT count(*),
  count(*) FILTER (WHERE t.total_amount <> round(t.quantity * t.unit_price, 2)),
  count(*) FILTER (WHERE t.total_amount <> t.commission_amount + t.farmer_earning),
  count(*) FILTER (WHERE t.product_name IS NULL),
  count(*) FILTER (WHERE t.quantity NOT BETWEEN 1 AND 10000),
  count(*) FILTER (WHERE t.total_amount IS NULL),
  count(*) FILTER (WHERE t.commission_amount < 0 OR t.commission_amount = 'NaN'),
  count(*) FILTER (WHERE t.status NOT IN ('pending', 'completed', 'settled', 'cancelled')),
  count(*) FILTER (WHERE t.buyer_id IS NOT NULL AND u.id IS NULL)
FROM transactions t LEFT JOIN users u ON u.id = t.buyer_id"""

_REST = (
    "SELECT count(*), count(*) FILTER (WHERE rate NOT BETWEEN 0 AND 100) FROM commissions",
    *ONE_EACH[21:],
)

# The planner takes the hash join of the large tables where merging them through their indexes is faster.
MERGE = "SET enable_hashjoin = off"
HASH = "RESET enable_hashjoin"


def single(layout: str) -> tuple[str, ...]:
    """One query a check, for a layout."""
    return tuple(_referring(sql, layout) for sql in ONE_EACH)


def fused(layout: str, *, merged: bool = False) -> tuple[tuple[str, str], ...]:
    """The best fused form known for a layout, as (setting, query). ``merged``: the large join goes through
    indexes; else all judged rows come from the heap.
    """
    join = (MERGE if merged else HASH, _referring(_PAYMENT_JOIN, layout))
    return (join, *((HASH, sql) for sql in (_SALES, _PAYMENT_ROWS, *_REST)))


def _referring(sql: str, layout: str) -> str:
    """The query in the layout in which a payment refers to its sale by a text."""
    if layout != "text":
        return sql
    return sql.replace("p.transaction_id", "p.sale").replace("t.id", "t.reference")
