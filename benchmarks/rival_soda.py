"""The 24 checks of ``suite`` as contracts of Soda 4, in its own form where it has one. Run by an interpreter
that has soda-postgres; prints what failed as JSON.

python rival_soda.py HOST PORT DATABASE ROLE LAYOUT FOLDER
"""

import json
import logging
import os
import sys
from pathlib import Path

# Without a network its telemetry waits for one.
os.environ["SODA_CORE_TELEMETRY_ENABLED"] = "false"

from soda_core.contracts.api.verify_api import (  # type: ignore[import-not-found]
    verify_contract_locally,
)

SOURCE = """type: postgres
name: market
connection: {{host: {host}, port: {port}, user: {role}, password: none, database: {database}}}
"""

TRANSACTIONS = """dataset: market/{database}/public/transactions
columns:
  - {{name: product_name, checks: [missing: {{}}]}}
  - {{name: total_amount, checks: [missing: {{}}]}}
  - {{name: quantity, checks: [invalid: {{valid_min: 1, valid_max: 10000}}]}}
  - {{name: commission_amount, checks: [invalid: {{valid_min: 0}}]}}
  - name: status
    checks: [invalid: {{valid_values: [pending, completed, settled, cancelled]}}]
  - name: buyer_id
    checks: [invalid: {{valid_reference_data: {{dataset: market/{database}/public/users, column: id}}}}]
checks:
  - failed_rows: {{qualifier: price, expression: "total_amount <> round(quantity * unit_price, 2)"}}
  - failed_rows: {{qualifier: split, expression: "total_amount <> commission_amount + farmer_earning"}}
  - failed_rows:
      qualifier: sequence
      query: "SELECT 1 FROM transactions_id_seq s WHERE s.last_value < (SELECT max(id) FROM transactions)"
"""

PAYMENTS = """dataset: market/{database}/public/payments
columns:
  - {{name: amount, checks: [missing: {{}}, invalid: {{valid_min: 0.01}}]}}
  - name: status
    checks: [missing: {{}}, invalid: {{valid_values: [PENDING, PAID, FAILED, CANCELLED]}}]
  - {{name: payment_date, checks: [missing: {{}}]}}
  - name: {via}
    checks:
      - invalid: {{valid_reference_data: {{dataset: market/{database}/public/transactions, column: {on}}}}}
  - name: shop_id
    checks: [invalid: {{valid_reference_data: {{dataset: market/{database}/public/shops, column: id}}}}]
  - name: counterparty_id
    checks: [invalid: {{valid_reference_data: {{dataset: market/{database}/public/users, column: id}}}}]
checks:
  - failed_rows: {{qualifier: clock, expression: "created_at > updated_at"}}
  - failed_rows: {{qualifier: agrees, query: "{join} p.product_id IS DISTINCT FROM t.product_id"}}
  - failed_rows: {{qualifier: within, query: "{join} p.amount > t.total_amount"}}
  - failed_rows: {{qualifier: after, query: "{join} p.payment_date < t.created_at"}}
  - failed_rows:
      qualifier: sequence
      query: "SELECT 1 FROM payments_id_seq s WHERE s.last_value < (SELECT max(id) FROM payments)"
"""

COMMISSIONS = """dataset: market/{database}/public/commissions
columns:
  - {{name: rate, checks: [invalid: {{valid_min: 0, valid_max: 100}}]}}
checks:
  - failed_rows:
      qualifier: unique
      query: "SELECT shop_id, rate, type FROM commissions GROUP BY shop_id, rate, type HAVING count(*) > 1"
"""


def main() -> int:
    """Verify the three contracts."""
    host, port, database, role, layout, given = sys.argv[1:]
    logging.disable(logging.INFO)
    via, on = ("sale", "reference") if layout == "text" else ("transaction_id", "id")
    join = f"SELECT p.id FROM payments p JOIN transactions t ON t.{on} = p.{via} WHERE"
    words = {
        "host": host,
        "port": port,
        "role": role,
        "database": database,
        "via": via,
        "on": on,
        "join": join,
    }
    folder = Path(given)
    (folder / "source.yml").write_text(SOURCE.format(**words))
    failed, passed = 0, 0
    for name, text in {"t": TRANSACTIONS, "p": PAYMENTS, "c": COMMISSIONS}.items():
        (folder / f"{name}.yml").write_text(text.format(**words))
        result = verify_contract_locally(
            data_source_file_path=str(folder / "source.yml"), contract_file_path=str(folder / f"{name}.yml")
        )
        for one in result.contract_verification_results:
            failed += sum(c.outcome.name == "FAILED" for c in one.check_results)
            passed += sum(c.outcome.name == "PASSED" for c in one.check_results)
        if result.has_errors:
            print(result.get_errors_str(), file=sys.stderr)
    print(json.dumps({"failed": failed, "passed": passed}))
    return 0 if failed == 21 and failed + passed == 24 else 1


if __name__ == "__main__":
    sys.exit(main())
