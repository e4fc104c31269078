"""A stand-in for the backend of the story, as far as its smoke tests go: health, rows made and removed.

python demo/service.py, with DATABASE_URL and PORT in its environment. It answers on 127.0.0.1 alone.
"""

from __future__ import annotations

import json
import os
import re
from decimal import ROUND_HALF_UP, Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg2

BODY = 65_536
TABLES = {"users": "kisaan_users", "transactions": "kisaan_transactions", "payments": "kisaan_payments"}


def user(cursor: Any, said: dict[str, Any]) -> int:
    """A farmer, buyer or owner of a shop."""
    cursor.execute(
        "INSERT INTO kisaan_users (username, password, role, shop_id) VALUES (%s, '!', %s, %s) RETURNING id",
        (said["username"], said["role"], said.get("shop_id")),
    )
    return int(cursor.fetchone()[0])


SALE = """
INSERT INTO kisaan_transactions
    (shop_id, farmer_id, buyer_id, category_id, product_id, product_name, quantity, unit_price,
     total_amount, commission_rate, commission_type, commission_amount, farmer_earning)
VALUES
    (%(shop_id)s, %(farmer_id)s, %(buyer_id)s, %(category)s, %(product_id)s, %(name)s,
     %(quantity)s, %(unit_price)s, %(total)s,
     %(rate)s, 'percentage', %(commission)s, %(total)s - %(commission)s)
RETURNING id
"""

PAYMENT = """
INSERT INTO kisaan_payments (transaction_id, shop_id, payer_type, payee_type, amount, method, payment_date)
VALUES (%(sale)s, (SELECT shop_id FROM kisaan_transactions WHERE id = %(sale)s),
        %(payer_type)s, %(payee_type)s, %(amount)s, %(method)s, now())
RETURNING id
"""

RATE = """
SELECT rate FROM kisaan_commissions WHERE shop_id = %s AND type = 'percentage' ORDER BY id LIMIT 1
"""


def transaction(cursor: Any, said: dict[str, Any]) -> int:
    """A sale: the total is quantity × unit price, the commission by the shop's rate."""
    cursor.execute("SELECT name, category_id FROM kisaan_products WHERE id = %s", (said["product_id"],))
    name, category = cursor.fetchone()
    cursor.execute(RATE, (said["shop_id"],))
    (rate,) = cursor.fetchone() or (Decimal(0),)
    total = paisa(said["quantity"] * said["unit_price"])
    more = {"name": name, "category": category, "rate": rate, "total": total}
    cursor.execute(SALE, {**said, **more, "commission": paisa(total * rate / 100)})
    return int(cursor.fetchone()[0])


def paisa(amount: Decimal | int) -> Decimal:
    """An amount to the paisa, halves away from zero, as the database rounds."""
    return Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)


def payment(cursor: Any, said: dict[str, Any]) -> int:
    """Money that moved today, for a sale or without one."""
    cursor.execute(PAYMENT, {**said, "sale": said.get("transaction_id")})
    return int(cursor.fetchone()[0])


MAKERS = {"users": user, "transactions": transaction, "payments": payment}


class Service(BaseHTTPRequestHandler):
    """One request, one transaction."""

    def do_GET(self) -> None:
        """Health: 200 whatever happened to the migrations, as in the field."""
        found = self.path == "/api/health"
        self.answer(200 if found else 404, {"success": found})

    def do_POST(self) -> None:
        """Create one row; answer its id."""
        word = self.path.removeprefix("/api/")
        if word not in MAKERS:
            self.answer(404, {"success": False})
            return
        try:
            said = json.loads(
                self.rfile.read(min(int(self.headers.get("Content-Length", 0)), BODY)), parse_float=Decimal
            )
            made = self.done(lambda cursor: MAKERS[word](cursor, said))
        except (ValueError, KeyError, TypeError, ArithmeticError):
            self.answer(400, {"success": False})
        except psycopg2.Error as error:
            self.answer(500, {"success": False, "code": error.pgcode})
        else:
            told = {key: said[key] for key in ("username",) if key in said}
            self.answer(201, {"success": True, "data": {"id": made, **told}})

    def do_DELETE(self) -> None:
        """Remove one row."""
        named = re.fullmatch(r"/api/(users|transactions|payments)/(\d{1,18})", self.path)
        if named is None:
            self.answer(404, {"success": False})
            return
        table, id = TABLES[named[1]], int(named[2])

        def remove(cursor: Any) -> int:
            cursor.execute(f"DELETE FROM {table} WHERE id = %s", (id,))
            return int(cursor.rowcount)

        self.answer(200 if self.done(remove) else 404, {"success": True})

    def done(self, work: Any) -> int:
        """What ``work`` made with a cursor, committed."""
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        try:
            with connection, connection.cursor() as cursor:
                return int(work(cursor))
        finally:
            connection.close()

    def answer(self, status: int, body: dict[str, Any]) -> None:
        """Send it as JSON."""
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Nothing: bodies hold names."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Service).serve_forever()
