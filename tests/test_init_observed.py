"""``init``: what was observed is a warning until somebody agrees; many like tables share one note."""

from __future__ import annotations

import re

import pytest
from shop import Shop


@pytest.mark.parametrize(("words", "severity"), [([], "warning"), (["--strict"], "blocking")])
def test_observations_fail_nothing_until_they_are_promoted(
    shop: Shop, words: list[str], severity: str
) -> None:
    """A row that contradicts what was merely observed is shown and fails no run, unless --strict made it
    blocking. What the catalogue declares is blocking in any case.
    """
    shop.sql("INSERT INTO orders SELECT n, n, 'n' || n FROM generate_series(4, 400) n")
    shop.sql("UPDATE orders SET note = 'c' WHERE id = 3")
    made = shop.cli("init", "-o", "drafted", *words)
    assert made.returncode == 0, made.stderr
    assert f'not yet agreed ({severity}, tag "observed")' in made.stdout
    listed = shop.cli("list", "--suite", "drafted", dsn=False).stdout
    assert re.search(r"orders\.id\.unique +blocking|orders\.id\.type +blocking", listed)
    assert re.search(rf"orders\.note\.never_null +{severity}", listed)
    shop.sql("UPDATE orders SET note = NULL WHERE id = 3")
    run = shop.cli("run", "--suite", "drafted")
    assert run.returncode == (1 if words else 0)
    assert "orders.note.never_null" in run.stdout
    agreed = shop.folder / "drafted" / "orders.py"
    agreed.write_text(agreed.read_text().replace(", **OBSERVED)", ")"))
    assert shop.cli("run", "--suite", "drafted").returncode == 1, "a person promoted it"


def test_many_like_tables_share_one_note(shop: Shop) -> None:
    """With their number and the first three; a note of one table names it, and none is lost."""
    for number in range(7):
        shop.sql(f"CREATE TABLE secret_{number} (id int PRIMARY KEY)")
    shop.sql("CREATE VIEW alone AS SELECT 1 AS x")
    made = shop.cli("init", "-o", "drafted")
    notes = [line for line in made.stdout.splitlines() if line.startswith("note ")]
    assert [n for n in notes if "catalogue only: " in n and "secret" in n] == [
        n for n in notes if n.startswith("note    7 tables (secret_0, secret_1, secret_2, …): ")
    ]
    assert sum("secret" in n for n in notes) == 1
    assert "secret_3" not in made.stdout
    assert sum("alone" in n for n in notes) == 1
