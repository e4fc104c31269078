"""A slip in a name of a table, column or schema is exit 2 and gets the nearest name, wherever it is written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from shop import Shop

from kisaan_validate.text.nearest import nearest, nearest_pattern


@pytest.fixture
def two(shop: Shop) -> Iterator[tuple[Shop, str]]:
    """The shop with a second schema, and a database like it."""
    more = "CREATE SCHEMA app; CREATE TABLE app.shops (id int PRIMARY KEY, name text); CREATE SCHEMA bare"
    shop.sql(f"{more}; GRANT USAGE ON SCHEMA app TO {shop.role}; GRANT SELECT ON app.shops TO {shop.role}")
    other = shop.server.create(template=shop.database)
    yield shop, shop.server.dsn(other, shop.role)
    shop.server.drop(other)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--schema", "publc"],
            "there is no schema 'publc' before\nHINT: did you mean 'public'? its schemas: app (1",
        ),
        (["--select", "ordrs"], "no table matches ordrs\nHINT: did you mean 'orders'?"),
        (["--select", "orders", "--select", "othr*"], "no table matches othr*\nHINT: did you mean 'other*'?"),
        (["--key", "ordrs=id"], "did you mean 'orders'?"),
        (["--ignore", "orders.totl"], "did you mean 'total'? its columns: "),
        (["--renamed", "orders=ordres"], "there is no table ordres after"),
        (["--renamed", "orders.totl=sum"], "did you mean 'total'? its columns: "),
    ],
)
def test_diff_names_the_nearest(two: tuple[Shop, str], words: list[str], said: str) -> None:
    """Also where another pattern is right: a slip must not compare less than was asked for."""
    shop, other = two
    shown = shop.cli("diff", "--before", other, *words)
    assert shown.returncode == 2, shown.stdout
    assert said in shown.stderr


def test_init_lists_schemas_and_names_the_nearest(two: tuple[Shop, str]) -> None:
    """--list-schemas is an answer (exit 0); a --schema without a name, or with a wrong one, is an error that
    lists them. Nothing is drafted.
    """
    shop, _ = two
    listed = shop.cli("init", "-o", "new", "--list-schemas")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.splitlines() == ["app  1 table", "public  2 tables", "bare  0 tables"]
    for words in (["--schema"], ["--schema", "--catalogue-only"]):
        none = shop.cli("init", "-o", "new", *words)
        assert none.returncode == 2
        assert "name one of: app (1 table), public (2 tables), bare (0 tables)" in none.stderr
    wrong = shop.cli("init", "-o", "new", "--schema", "ap")
    assert wrong.returncode == 2
    assert "there is no schema 'ap'\nHINT: did you mean 'app'?" in wrong.stderr
    empty = shop.cli("init", "-o", "new", "--schema", "bare")
    assert empty.returncode == 2
    assert "app (1 table)" in empty.stderr
    assert not (shop.folder / "new").exists()
    assert shop.cli("init", "-o", "new", "--schema", "app").returncode in {0, 1, 3}
    assert (shop.folder / "new").exists()


def test_options_of_baselines_name_the_nearest(shop: Shop) -> None:
    """--values of a table and of a column."""
    for given, near in (("ordrs.total", "'orders'"), ("orders.totl", "'total'")):
        shown = shop.cli("baseline", "-o", "pre.json", "--values", given)
        assert shown.returncode == 2
        assert f"did you mean {near}?" in shown.stderr


def test_a_check_of_what_is_not_there_gets_the_nearest(shop: Shop) -> None:
    """The run stays inconclusive; the hint names the table or the column that is there."""
    (shop.folder / "checks" / "more.py").write_text(
        "from kisaan_validate import declare\n"
        "declare.unique('ordrs', 'id')\ndeclare.unique('orders', 'totl')\ndeclare.unique('zzz', 'id')\n"
    )
    assert shop.cli("run").returncode == 3
    record = (shop.run_folder / "run.json").read_text()
    for hint in ("did you mean 'orders'?", "did you mean 'total'?", "create it or correct the name"):
        assert hint in record


def test_nothing_near_is_no_guess() -> None:
    """What is near nothing gets the other hint, and a pattern within a name is not guessed at."""
    assert nearest("zzz", ["orders"], "list them") == "list them"
    assert nearest_pattern("zzz*", ["orders.total"], "list them") == "list them"
    assert nearest_pattern("orders.totl*", ["orders.total.unique"], "") == "did you mean 'orders.total*'?"
    assert nearest_pattern("*", ["orders"], "list them") == "list them"
