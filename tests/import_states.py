"""The suites of other tools in tests/imports, the states of ``import_shop.SHOP`` that they are asked
about, and what is answered differently on purpose.
"""

from __future__ import annotations

SUITES = {
    "gx_1": ("great-expectations", "gx_1.json", "gx"),
    "gx_nulls": ("great-expectations", "gx_nulls.json", "gx"),
    "gx_names": ("great-expectations", "gx_names.json", "gx"),
    "soda": ("soda", "soda.yml", "soda"),
    "soda_names": ("soda", "soda_names.yml", "soda"),
    "dbt": ("dbt", "dbt", "dbt"),
}
"""By name: the tool, the file or folder, and how the tool is asked."""

ODD = {
    "one NaN": """UPDATE "Readings" SET f8 = 'NaN', f4 = 'NaN', n = 'NaN' WHERE id = 3; UPDATE orders SET total = 'NaN' WHERE id = 3""",
    "a pair of NaN": """UPDATE "Readings" SET n = 'NaN', n_copy = 'NaN' WHERE id = 3; UPDATE orders SET total = 'NaN', paid = 'NaN' WHERE id = 3""",
    "nothing but NaN": """UPDATE "Readings" SET f8 = 'NaN', f4 = 'NaN', n = 'NaN', n_copy = 'NaN'; UPDATE orders SET total = 'NaN', paid = 'NaN'""",
    "NULL and no NaN": """UPDATE "Readings" SET f8 = 5, n = NULL WHERE id < 3; UPDATE "Readings" SET f8 = NULL WHERE id > 9""",
    "NaN and NULL": """UPDATE "Readings" SET f8 = NULLIF('NaN', id::float8), n = NULL WHERE id < 3; UPDATE "Readings" SET f8 = NULL WHERE id > 9""",
    "one infinity": """UPDATE "Readings" SET f8 = 'Infinity', n = 'Infinity' WHERE id = 3""",
    "infinities": """UPDATE "Readings" SET f8 = 'Infinity', n = 'Infinity' WHERE id = 3; UPDATE "Readings" SET f8 = '-Infinity' WHERE id = 4""",
    "other cases": """ALTER TABLE "Readings" RENAME "CamelCase" TO camelcase; ALTER TABLE "Readings" RENAME lower TO "LOWER" """,
    "other names": """ALTER TABLE "Readings" RENAME my_secret TO secret_s; ALTER TABLE "Readings" RENAME credit_card_no TO no; ALTER TABLE "Readings" RENAME userid TO user_id;"""
    """ALTER TABLE "Readings" RENAME pii_name TO "PII"; ALTER TABLE "Readings" ADD "a%b" int, ADD password_hash text""",
    "moved": """ALTER TABLE "Readings" RENAME TO old; DROP VIEW meter_readings; CREATE TABLE "Readings" AS SELECT "CamelCase", id, f8::numeric, f4, n::float8, """
    """my_secret::varchar, "select", "a b", n_copy, userid, lower, pii_name, credit_card_no FROM old; CREATE VIEW meter_readings AS SELECT * FROM "Readings" """,
    "duplicates of expressions": """UPDATE "Readings" SET my_secret = 'S_1', pii_name = 'p', "a b" = NULL, "select" = 'z' WHERE id IN (5, 6)""",
    "no readings": """DELETE FROM "Readings" """,
}
"""States in which a number is none, or names, types and patterns differ."""

TWINS = {
    "one NaN": "nothing",
    "a pair of NaN": "nothing",
    "nothing but NaN": "nothing",
    "NaN and NULL": "NULL and no NaN",
    "one infinity": "nothing",
    "infinities": "one infinity",
}
"""The states in which a number is NaN, or becomes one (infinities of both signs have no sum, and one has
no deviation), each with one that differs in nothing else.
"""

DAMAGE = {
    "nothing": "SELECT 1",
    "NULLs": "UPDATE orders SET customer_id = NULL, status = NULL, total = NULL WHERE id % 7 = 0",
    "values": "UPDATE orders SET status = 'lost', total = -total, code = 'bad code, far too "
    "long'::varchar(12) WHERE id % 11 = 0",
    "one NULL": "UPDATE orders SET status = NULL, code = NULL, placed_at = NULL WHERE id = 3",
    "strangers": "UPDATE orders SET customer_id = 999, country = 'XX', share_a = 1 WHERE id IN (5, 6)",
    "duplicates": "UPDATE orders SET code = 'A-1', code_copy = 'A-2', note = 'secret' WHERE id < 40",
    "old and large": "UPDATE orders SET updated_at = now() - interval '9 days', placed_at = "
    "'2001-01-01', paid = total + 1, total = 123456.78",
    "one of two NULL": "UPDATE orders SET share_b = NULL, code_copy = NULL, note = NULL WHERE id = 4",
    "both NULL": "UPDATE orders SET share_a = NULL, share_b = NULL, code = NULL, code_copy = NULL, note "
    "= NULL WHERE id IN (4, 5)",
    "all equal": "UPDATE orders SET share_a = 1, share_b = 1, note = 'a', code = 'a', code_copy = 'a'",
    "all equal but one": "UPDATE orders SET share_a = 1, share_b = nullif(id, 7), note = 'a', code = "
    "nullif('a', id::text), code_copy = 'a'",
    "nothing but NULL": "UPDATE orders SET share_a = NULL, share_b = NULL, note = NULL, code = NULL, "
    "code_copy = NULL, status = NULL",
    "no rows": "DELETE FROM orders",
    **ODD,
}


OF_DBT = (
    "nothing",
    "strangers",
    "one NaN",
    "NULL and no NaN",
    "NaN and NULL",
    "other cases",
    "duplicates of expressions",
    "no readings",
)
"""dbt takes most of a minute for each."""


def states_of(name: str) -> dict[str, str]:
    """The states that a suite is asked about: one of names is about one table, which the first kinds of
    damage leave alone.
    """
    chosen = OF_DBT if name == "dbt" else ("nothing", *ODD) if name.endswith("_names") else tuple(DAMAGE)
    return {state: DAMAGE[state] for state in chosen}


CASES = {("pass", "fail"), ("pass", "none")}
STATED = {
    "gx_1": {
        "expectations[25]": ("Great Expectations wants the type spelled in full", {("fail", "pass")}),
        "expectations[18]": ("as in gx_nulls", {("pass", "fail")}),
    },
    "gx_names": {
        f"expectations[{i}]": (
            "Great Expectations 1.x finds a column whatever the case of its name; here it is as it is written",
            CASES,
        )
        for i in (60, 61, 62, 63, 65, 75, 76)
    },
    "gx_nulls": {
        f"expectations[{i}]": (
            "on SQL, its join drops rows with a NULL; here two NULLs are alike, as to its pandas",
            {("pass", "fail")},
        )
        for i in (34, 35)
    },
}
"""What is answered differently on purpose, why, and how: (there, here); docs/adoption.md says so too."""
