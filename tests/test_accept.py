"""``accept``: what a contract changed is written into the declarations, and nothing else is; what is not
understood is named.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from shop import Shop

from kisaan_validate.author.accept.changes import SuiteChanges
from kisaan_validate.author.accept.diff import edited_suite
from kisaan_validate.author.accept.mentions import left_in_python
from kisaan_validate.author.accept.python_edit import edited

SOURCE = '''
"""Ümlauts move bytes."""
import pandera.pandas as pa
from kisaan_validate import declare

class Orders(pa.DataFrameModel):  # the orders
    id: int = pa.Field(ge=1)
    total: pa.Decimal = pa.Field(ge=0, dtype_kwargs={"precision": 12, "scale": 2})  # ₹ a sum
    note: str = pa.Field(nullable=True, metadata={"why": "said"})

    class Config:
        name = "orders"

declare.unique("orders", ["note", "total"], where="total > 0")
declare.column("orders", "total", type="numeric(12,2)")
declare.holds("orders", "total >= 0", why="total")
declare.references("items", "order_id", to="orders", on="id")
declare.ledger("orders", "note", ["total", "orders"])
'''
PLACE = ("orders", "total")


def _lines(source: str, **changes: object) -> dict[str, str]:
    """The lines that differ, old to new."""
    made = edited(source, SuiteChanges(("public",), **changes))  # type: ignore[arg-type]
    old, new = source.splitlines(), made.splitlines()
    assert len(old) == len(new)
    return {a: b for a, b in zip(old, new, strict=True) if a != b}


def test_a_type_is_written_where_it_is_said() -> None:
    """Precision and scale, a type in metadata, in declare.column; all other bytes stay."""
    changed = _lines(SOURCE, types={PLACE: "numeric(18,4)"})
    assert [b.strip() for b in changed.values()] == [
        'total: pa.Decimal = pa.Field(ge=0, dtype_kwargs={"precision": 18, "scale": 4})  # ₹ a sum',
        'declare.column("orders", "total", type="numeric(18,4)")',
    ]
    (note,) = _lines(SOURCE, types={("orders", "note"): "citext"}).values()
    assert 'metadata={"type": "citext", "why": "said"}' in note
    (id,) = _lines(SOURCE, types={("orders", "id"): "bigint"}).values()
    assert id.strip() == 'id: int = pa.Field(ge=1, metadata={"type": "bigint"})'


def test_nullability_is_an_argument_of_the_field() -> None:
    """It is taken out, added, or turned."""
    (note,) = _lines(SOURCE, nullable={("orders", "note"): False}).values()
    assert note.strip() == 'note: str = pa.Field(metadata={"why": "said"})'
    (total,) = _lines(SOURCE, nullable={PLACE: True}).values()
    assert '"scale": 2}, nullable=True)' in total


def test_a_name_is_changed_only_where_it_is_a_name() -> None:
    """Not in a list of values, a reason, or SQL."""
    changed = _lines(SOURCE, columns={PLACE: "amount"})
    assert [b.split("(")[0].strip() for b in changed.values()] == [
        "amount: pa.Decimal = pa.Field",
        "declare.unique",
        "declare.column",
    ]
    assert 'declare.unique("orders", ["note", "amount"], where="total > 0")' in changed.values()
    (odd,) = [b for b in _lines(SOURCE, columns={PLACE: "net total"}).values() if "pa.Field" in b]
    assert "total: pa.Decimal" in odd
    assert 'alias="net total")' in odd
    tables = _lines(SOURCE, tables={"orders": "sales"})
    assert "class Orders(pa.DataFrameModel):  # the orders" not in tables
    assert next(b.strip() for b in tables.values()) == 'name = "sales"'
    assert 'declare.references("items", "order_id", to="sales", on="id")' in tables.values()
    assert 'declare.ledger("sales", "note", ["total", "orders"])' in tables.values()


def test_a_control_total_is_renamed_like_a_check() -> None:
    """Its table and column; what ``by`` names is left to the author, and named."""
    source = 'declare.control_total("orders", "total", by=["shop", declare.month("paid")])'
    (sum_,) = _lines(source, tables={"orders": "sales"}, columns={PLACE: "amount"}).values()
    assert sum_ == source.replace('"orders", "total"', '"sales", "amount"')
    changes = SuiteChanges(("public",), columns={("orders", "paid"): "paid_at"})
    assert list(left_in_python("c.py", source, changes)) == ["c.py:1: mentions paid, which is paid_at now"]


def _line(source: str, text: str) -> int:
    """Where a text stands."""
    return next(n for n, line in enumerate(source.splitlines(), 1) if f"declare.{text}" in line)


def test_fields_that_a_function_makes_are_renamed_and_not_retyped() -> None:
    """A function of the author's may not know what ``pa.Field`` takes; a class that is no model stays."""
    source = (
        "class Orders(Base):\n    total: Money = money(ge=0)\n    class Config:\n        name = 'orders'\n"
        "class orders:\n    total: int = 0\n"
    )
    assert list(_lines(source, columns={PLACE: "amount"}).values()) == ["    amount: Money = money(ge=0)"]
    assert not _lines(source, types={PLACE: "numeric"}, nullable={PLACE: True})


def test_what_is_not_understood_is_named() -> None:
    """SQL of checks, SQL files, personal patterns that no longer cover a column."""
    files = {
        "orders.py": SOURCE,
        "sql/x.sql": "-- id: x\n-- title: x\n-- key: id\nSELECT id FROM orders\n WHERE total < 0\n",
        "suite.toml": 'personal = ["orders.note"]\n',
    }
    made = edited_suite(files, {}, SuiteChanges(("public",), columns={PLACE: "amount"}))
    assert not made.refusal
    holds, where, values = (_line(made.after["orders.py"], text) for text in ("holds", "unique", "ledger"))
    assert any("reads column orders.total, which is amount now" in line for line in made.by_hand)
    for number in (holds, where, values):
        assert f"orders.py:{number}: mentions total, which is amount now" in made.by_hand
    assert "sql/x.sql:5: mentions total, which is amount now" in made.by_hand
    hidden = edited_suite(files, {}, SuiteChanges(("public",), columns={("orders", "note"): "remark"}))
    assert any("personal covers orders.note, but not orders.remark" in line for line in hidden.by_hand)
    done = edited_suite(files, {}, SuiteChanges(("public",), types={PLACE: "numeric(18,4)"}))
    assert done.by_hand == ()


CONTRACT = """
format = 1
name = "wider"
[[promise]]
id = "wide"
kind = "retyped"
column = "orders.total"
to = "numeric(18,2)"
using = "{column}"
[[promise]]
id = "filled"
kind = "altered"
columns = ["orders.note"]
attribute = "not null"
to = "yes"
[[promise]]
id = "label"
kind = "renamed"
column = "orders.note"
to = "label"
"""


@pytest.fixture
def migrated(shop: Shop) -> Shop:
    """A shop whose migration kept two promises; nobody made the column NOT NULL."""
    (shop.folder / "contract.toml").write_text(CONTRACT)
    assert shop.cli("baseline", "-o", "pre.json", "--contract", "contract.toml").returncode == 0
    shop.sql("ALTER TABLE orders ALTER total TYPE numeric(18,2); ALTER TABLE orders RENAME note TO label")
    shop.cli("run", "--baseline", "pre.json", "--contract", "contract.toml")
    judged = {r["check_id"] for r in json.loads((shop.run_folder / "run.json").read_text())["results"]}
    assert judged
    return shop


def test_accept_prints_a_diff_of_what_was_kept_and_write_applies_it(migrated: Shop, tmp_path: Path) -> None:
    """The diff is one that patch applies, and what --write writes; the edited suite asks for what is there.
    A promise that was not kept is not taken, and exit 3 says that something is left.
    """
    shop = migrated
    source = shop.folder / "checks" / "orders.py"
    before, mode = source.read_text(), source.stat().st_mode
    shown = shop.cli("accept", "--contract", "contract.toml", dsn=False)
    assert shown.returncode == 3, shown.stderr
    assert source.read_text() == before, "a diff changes nothing"
    assert "not taken  filled/orders.note: promised but not done" in shown.stderr
    assert (
        '+    total: pa.Decimal = pa.Field(ge=0, dtype_kwargs={"precision": 18, "scale": 2})' in shown.stdout
    )
    assert "+    label: str = pa.Field(nullable=True)" in shown.stdout
    patched = tmp_path / "patched"
    (patched / "checks").mkdir(parents=True)
    (patched / "checks" / "orders.py").write_text(before)
    subprocess.run(
        ["patch", "-p0"], input=shown.stdout, text=True, check=True, cwd=patched, capture_output=True
    )
    wrote = shop.cli("accept", "--contract", "contract.toml", "--write", dsn=False)
    assert wrote.returncode == 3
    assert source.read_text() == (patched / "checks" / "orders.py").read_text()
    assert source.stat().st_mode == mode
    assert shop.cli("run").returncode == 0
    again = shop.cli("accept", "--contract", "contract.toml", dsn=False)
    assert again.stdout == "", "what was accepted is accepted"


def test_accept_needs_a_run_that_judged_this_contract(migrated: Shop) -> None:
    """Neither another version of the contract nor another run counts; exit 2, and nothing is written."""
    shop = migrated
    (shop.folder / "other.toml").write_text(CONTRACT.replace("18,2", "19,2"))
    for words in ([], ["--run", shop.run_folder.name]):
        shown = shop.cli("accept", "--contract", "other.toml", "--write", *words, dsn=False)
        assert shown.returncode == 2
        assert "this version of the contract" in shown.stderr
    assert shop.cli("accept", "--contract", "contract.toml", "--run", "nowhere", dsn=False).returncode == 2
    named = shop.cli("accept", "--contract", "contract.toml", "--run", shop.run_folder.name, dsn=False)
    assert "precision" in named.stdout


def test_what_a_function_reads_is_the_authors_to_change(migrated: Shop) -> None:
    """It is named with its line."""
    source = migrated.folder / "checks" / "orders.py"
    source.write_text(
        source.read_text() + "\n\nclass More(pa.DataFrameModel):\n    note: str = pa.Field(nullable=True)\n\n"
        "    @pa.dataframe_check\n    def short(cls, df):\n        return df['note'].str.len() < 99\n\n"
        "    class Config:\n        name = 'orders'\n"
    )
    number = source.read_text().splitlines().index("        return df['note'].str.len() < 99") + 1
    shown = migrated.cli("accept", "--contract", "contract.toml", dsn=False)
    assert f"by hand  orders.py:{number}: mentions note, which is label now" in shown.stderr


def test_a_suite_that_would_not_load_is_not_written(migrated: Shop) -> None:
    """As where a criterion names a check by its old id: the reason and the line are said, and the diff can
    still be read.
    """
    (migrated.folder / "checks" / "suite.toml").write_text(
        '[[criteria]]\nid = "c"\ntext = "t"\nchecks = ["orders.note.unique"]\n'
    )
    source = migrated.folder / "checks" / "orders.py"
    before = source.read_text()
    shown = migrated.cli("accept", "--contract", "contract.toml", "--write", dsn=False)
    assert shown.returncode == 2, shown.stdout + shown.stderr
    assert "nothing was written: the edited suite does not load" in shown.stderr
    assert source.read_text() == before
    diff = migrated.cli("accept", "--contract", "contract.toml", dsn=False)
    assert diff.returncode == 3
    assert "+    label: str" in diff.stdout
    assert "by hand  suite.toml:4: mentions note, which is label now" in diff.stderr
