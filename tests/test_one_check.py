"""list, explain and show by name: one check in full, from the suite and the newest recorded run."""

from __future__ import annotations

import pytest
from shop import Shop

GREATER = "orders.total.greater_than_or_equal_to"


def test_list_and_explain_take_names(shop: Shop) -> None:
    """A table, schema.table, an id and a pattern mean the same as with --select; a slip is exit 2."""
    for words in (["orders"], ["public.orders"], ["public.orders.*"], ["orders.total.*", "orders.[!t]*"]):
        listed = shop.cli("list", *words, dsn=False)
        assert listed.returncode == 0, listed.stderr
        assert GREATER in listed.stdout
    one = shop.cli("list", GREATER, dsn=False).stdout
    assert "1 of " in one
    assert "orders.note.unique" not in one
    explained = shop.cli("explain", GREATER)
    assert explained.returncode == 0
    assert "1 of 1" in explained.stdout
    assert "unique" not in explained.stdout
    for name in ("list", "explain", "show"):
        slip = shop.cli(name, "orders.total.greater_than_or_equal_too")
        assert slip.returncode == 2
        assert f"did you mean '{GREATER}'?" in slip.stderr


def test_show_is_one_check_with_its_newest_result(shop: Shop) -> None:
    """Before any run it says that there is none; afterwards status, exact counts, keys, SQL, and when. It
    needs no database.
    """
    fresh = shop.cli("show", GREATER, dsn=False)
    assert fresh.returncode == 0, fresh.stderr
    assert "no run in reports has a result of this check" in fresh.stdout
    assert "checks/orders.py:" in fresh.stdout
    assert "orders are money" in fresh.stdout
    assert shop.cli("run").returncode == 0
    assert "pass 0 of 3" in shop.cli("show", GREATER, dsn=False).stdout
    shop.sql("INSERT INTO orders SELECT n, -n FROM generate_series(10, 15) n")
    assert shop.cli("run").returncode == 1
    assert shop.cli("run", "orders.note.unique").returncode == 0
    shown = shop.cli("show", GREATER, dsn=False).stdout
    assert "fail 6 of 9" in shown, "the newest run that has a result of it, not the newest run"
    assert ["id=10" in shown, "id=11" in shown, "id=12" in shown, "id=13" in shown] == [True] * 3 + [False]
    assert "and 3 more" in shown
    assert shop.database in shown
    assert "UTC" in shown
    sql = shown.partition("\nsql\n")[2].strip().rstrip(";")
    assert len(shop.server.sql(sql, shop.database)) == 6, "the SQL finds the rows"


def test_show_never_shows_what_is_masked(shop: Shop) -> None:
    """Values of personal columns stay masked."""
    (shop.folder / "checks" / "suite.toml").write_text('personal = ["orders.note"]\n')
    shop.sql("UPDATE orders SET note = 'Asha Rao'")
    assert shop.cli("run").returncode == 0
    shown = shop.cli("show", "orders.note.unique", dsn=False).stdout
    assert "fail 2" in shown
    assert "Asha" not in shown


def test_show_says_when_the_check_was_changed_since(shop: Shop) -> None:
    """A result of another meaning is not passed off as one of this."""
    assert shop.cli("run").returncode == 0
    source = shop.folder / "checks" / "orders.py"
    source.write_text(source.read_text().replace("Field(ge=0,", "Field(ge=5,"))
    assert "the check was changed since" in shop.cli("show", GREATER, dsn=False).stdout
    source.write_text(source.read_text().replace("Field(ge=5,", "Field(ge=0,"))
    assert "the check was changed since" not in shop.cli("show", GREATER, dsn=False).stdout


@pytest.mark.parametrize(
    ("words", "said"), [(["orders"], "one is shown at a time"), ([], "Missing argument")]
)
def test_show_wants_one_check(shop: Shop, words: list[str], said: str) -> None:
    """Several, or none, are exit 2; the first three are named."""
    shown = shop.cli("show", *words, dsn=False)
    assert shown.returncode == 2
    assert said in shown.stderr


def test_a_damaged_record_is_passed_over_and_said(shop: Shop) -> None:
    """A run that cannot be read is named; the one before it answers."""
    assert shop.cli("run").returncode == 0
    place = shop.folder / "reports" / "29990101T000000Z-aaaaaa"
    place.mkdir()
    (place / "run.json").write_text("{")
    shown = shop.cli("show", GREATER, dsn=False)
    assert "pass 0 of 3" in shown.stdout
    assert "29990101T000000Z-aaaaaa" in shown.stderr
