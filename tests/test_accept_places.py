"""``accept`` edits the column and the table that a promise was about, and names all that is left to do."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from kisaan_validate.author.accept.changes import SuiteChanges, changes_of
from kisaan_validate.author.accept.diff import EditedSuite, edited_suite
from kisaan_validate.author.accept.mentions import left_in_lines, left_in_python
from kisaan_validate.author.accept.python_edit import edited
from kisaan_validate.contract.load import read_contract

TWO = """
import pandera.pandas as pa
from kisaan_validate import declare

class Orders(pa.DataFrameModel):
    total: pa.Decimal = pa.Field(dtype_kwargs={"precision": 12, "scale": 2})
    note: str = pa.Field(nullable=True)
    late: bool = pa.Field(alias="is late")

    @pa.check("total", name="positive")
    def positive(cls, series):
        return series > 0

    @pa.check("note")
    def short(cls, series):
        return True

    class Config:
        strict = "orders"
        name = "orders"

class Items(pa.DataFrameModel):
    total: pa.Decimal = pa.Field(dtype_kwargs={"precision": 12, "scale": 2})
    note: str = pa.Field(nullable=True)

    class Config:
        name = "items"

declare.column("orders", "total", type="numeric(12,2)", nullable=False)
declare.column("items", "total", type="numeric(12,2)", nullable=False)
declare.unique("orders", ["total"])
declare.unique("items", ["total"])
declare.references("items", "total", to="orders", on="note")
"""
PLACE, OTHER, NOTE = ("orders", "total"), ("items", "total"), ("orders", "note")
NOW = {PLACE: "amount"}


def lines(source: str = TWO, **changes: object) -> dict[int, str]:
    """The lines that differ, as they are now, by their numbers."""
    made = edited(source, SuiteChanges(("public",), **changes))  # type: ignore[arg-type]
    old, new = source.splitlines(), made.splitlines()
    assert len(old) == len(new)
    return {n: b.strip() for n, (a, b) in enumerate(zip(old, new, strict=True), 1) if a != b}


def at(text: str, nth: int = 1, source: str = TWO) -> int:
    """The number of the line that holds a text for the nth time."""
    return [n for n, line in enumerate(source.splitlines(), 1) if text in line][nth - 1]


def test_each_edit_is_of_its_own_table() -> None:
    """Two tables have a column of the same name: each change is seen in the one, and not in the other."""
    for place, nth in ((PLACE, 1), (OTHER, 2)):
        table = place[0]
        assert lines(types={place: "numeric(18,4)"}) == {
            at("total: pa", nth): 'total: pa.Decimal = pa.Field(dtype_kwargs={"precision": 18, "scale": 4})',
            at(
                f'column("{table}"'
            ): f'declare.column("{table}", "total", type="numeric(18,4)", nullable=False)',
        }
        assert lines(nullable={place: True}) == {
            at("total: pa", nth): (
                'total: pa.Decimal = pa.Field(dtype_kwargs={"precision": 12, "scale": 2}, nullable=True)'
            ),
            at(
                f'column("{table}"'
            ): f'declare.column("{table}", "total", type="numeric(12,2)", nullable=True)',
        }
        renamed = lines(columns={place: "amount"})
        assert at("total: pa", nth) in renamed
        assert at("total: pa", 3 - nth) not in renamed
        assert (at('check("total"') in renamed) is (place == PLACE)
        assert (at('column("orders"') in renamed) is (at('unique("orders"') in renamed) is (place == PLACE)
        assert (at('column("items"') in renamed) is (at('unique("items"') in renamed) is (place == OTHER)
    assert lines(nullable={PLACE: False}) == {}


def test_names_of_both_ends_of_a_reference_are_of_their_own_tables() -> None:
    """``column`` is the one's, ``on`` the other's; ``to`` names a table."""
    line = at("references")
    assert lines(columns={OTHER: "sum"})[line] == 'declare.references("items", "sum", to="orders", on="note")'
    assert lines(columns={NOTE: "remark"})[line] == (
        'declare.references("items", "total", to="orders", on="remark")'
    )
    assert line not in lines(columns=NOW)
    sales = lines(tables={"orders": "sales"})
    assert sales[line] == 'declare.references("items", "total", to="sales", on="note")'
    assert sales[at('name = "orders"')] == 'name = "sales"'
    assert at('strict = "orders"') not in sales
    assert at('name = "items"') not in sales
    assert at('unique("items"') not in sales


def test_checks_of_a_model_follow_their_column() -> None:
    """The text of the decorator that names it; no other decorator, no other argument."""
    assert lines(columns=NOW)[at('check("total"')] == '@pa.check("amount", name="positive")'
    assert at('check("note"') not in lines(columns=NOW)
    assert lines(columns={NOTE: "positive"})[at('check("note"')] == '@pa.check("positive")'


@pytest.mark.parametrize("new", ["net total", "class", "_amount", "note"])
def test_a_name_that_is_no_field_s_becomes_an_alias(new: str) -> None:
    """Not an identifier, a keyword, one that pandera hides, one that another field has."""
    field = lines(columns={PLACE: new})[at("total: pa")]
    assert field.startswith("total: pa.Decimal = pa.Field(")
    assert field.endswith(f'alias="{new}")')


def test_a_field_with_an_alias_is_known_by_it() -> None:
    """And keeps its own name; under its own name it is no column."""
    assert lines(columns={("orders", "is late"): "delayed"}) == {
        at("late: bool"): 'late: bool = pa.Field(alias="delayed")'
    }
    assert lines(columns={("orders", "late"): "delayed"}) == {}


def test_precision_is_written_only_where_it_is_that_of_the_type() -> None:
    """Of a field that is no Decimal the type is said as it is."""
    source = TWO.replace("total: pa.Decimal", "total: float")
    assert (
        'metadata={"type": "numeric(18,4)"}' in lines(source, types={PLACE: "numeric(18,4)"})[at("total: pa")]
    )
    assert 'metadata={"type": "bigint"}' in lines(types={PLACE: "bigint"})[at("total: pa")]


def test_arguments_that_are_unpacked_are_left_alone() -> None:
    """It is not known which of them is which."""
    source = (
        'from kisaan_validate import declare\nargs = ["total"]\ndeclare.unique("orders", *args, "total")\n'
    )
    assert lines(source, columns=NOW, tables={"orders": "sales"}) == {}


# --- from promises to changes -----------------------------------------------------------------------------


def changes(*promises: str, every: Iterable[str] = ()) -> SuiteChanges:
    """What kept promises change."""
    every = tuple(every)
    text = "".join(f'[[promise]]\nid = "p{n}"\n{p}\n' for n, p in enumerate((*promises, *every)))
    made = read_contract(f"format = 1\n{text}", "contract.toml").promises
    return changes_of(made[: len(promises)], ("public",), made)


def altered(attribute: str, to: str, object: str = "column", more: str = 'columns = ["orders.total"]') -> str:
    """A promise of an attribute."""
    return f'kind = "altered"\nobject = "{object}"\nattribute = "{attribute}"\nto = "{to}"\n{more}'


SOLD = 'kind = "renamed"\ntable = "orders"\nto = "sales"'
AMOUNT = 'kind = "renamed"\ncolumn = "orders.total"\nto = "amount"'


def test_promises_change_what_they_say() -> None:
    """NULL is allowed where "not null" is not promised; other attributes and objects are no declarations."""
    assert changes(altered("not null", "yes")).nullable == {PLACE: False}
    assert changes(altered("not null", "")).nullable == {PLACE: True}
    assert changes(altered("type", "bigint")).types == {PLACE: "bigint"}
    assert changes('kind = "retyped"\ncolumn = "orders.total"\nto = "bigint"').types == {PLACE: "bigint"}
    for other in (
        altered("default", "0"),
        altered("type", "bigint", "sequence", 'table = "orders"\nname = "total"'),
    ):
        assert changes(other).places == set()
    assert changes(SOLD).tables == {"orders": "sales"}
    assert changes(AMOUNT).columns == {PLACE: "amount"}


def test_a_promise_may_name_things_as_they_are_now() -> None:
    """It changes the column of before, also where the rename was kept earlier."""
    by_now = 'kind = "retyped"\ncolumn = "sales.amount"\nto = "bigint"'
    assert changes(SOLD, AMOUNT, by_now).types == {PLACE: "bigint"}
    assert changes(by_now, every=[SOLD, AMOUNT]).types == {PLACE: "bigint"}


# --- what is left -----------------------------------------------------------------------------------------

HEAD = "import pandera.pandas as pa\nfrom kisaan_validate import declare\n"


def left(lines: str, settings: str = "", **changes: object) -> list[str]:
    """What is left by hand of a suite of these lines, without its places."""
    files = {"c.py": HEAD + lines, "suite.toml": settings}
    made = edited_suite(files, {}, SuiteChanges(("public",), **changes))  # type: ignore[arg-type]
    assert not made.refusal, made.refusal
    return [line.partition(": ")[2] for line in made.by_hand]


def test_a_check_that_contradicts_a_change_is_left() -> None:
    """Where its declaration could not be edited: a type, and nullability, in a variable."""
    types = 'kind = "numeric(12,2)"\ndeclare.column("orders", "total", type=kind)\n'
    assert left(types, types={PLACE: "bigint"}) == [
        "orders.total.type: declares the type numeric(12,2), which is bigint now"
    ]
    assert left(types, types={OTHER: "bigint"}) == []
    never = 'no = False\ndeclare.column("orders", "total", nullable=no)\n'
    (said,) = left(never, nullable={PLACE: True})
    assert said.endswith("declares that NULL is forbidden, which it is not any more")
    assert left(never, nullable={PLACE: False}) == []
    assert left(never, nullable={OTHER: True}) == []
    made = (
        "def money():\n    return pa.Field(ge=0)\n"
        "class Orders(pa.DataFrameModel):\n    total: float = money()\n    class Config:\n        name = 'orders'\n"
    )
    (said,) = left(made, nullable={PLACE: True})
    assert said.endswith("declares that it is never NULL; NULL is allowed now")
    assert left(made, nullable={PLACE: False}) == []
    by_now = 'kind = "text"\ndeclare.column("sales", "amount", type=kind)\n'
    (said,) = left(by_now, types={PLACE: "bigint"}, columns=NOW, tables={"orders": "sales"})
    assert said.endswith("declares the type text, which is bigint now")


def test_a_check_that_reads_an_old_name_is_left() -> None:
    """By the old or the new name of its table; no check of another table or column."""
    table = 't = "orders"\ndeclare.unique(t, ["total"])\n'
    (said,) = left(table, tables={"orders": "sales"})
    assert said.endswith("reads table orders, which is sales now")
    assert left(table, tables={"items": "things"}) == []
    column = 'c = ["total"]\ndeclare.unique("orders", c)\n'
    (said,) = left(column, columns=NOW)
    assert said.endswith("reads column orders.total, which is amount now")
    assert left(column, columns={OTHER: "amount"}) == []
    (said,) = left(column, columns=NOW, tables={"orders": "sales"})
    assert said.endswith("reads column orders.total, which is amount now")


def test_a_personal_column_must_stay_personal() -> None:
    """Under its own new name, and under that of its table."""
    reads = 'declare.unique("orders", ["phone"])\n'
    phone = ("orders", "phone")
    said = "personal covers orders.phone, but not {}, as it is called now"
    one = 'personal = ["orders.phone"]'
    assert left(reads, one, columns={phone: "mobile"}) == [
        said.format("orders.mobile"),
        "mentions phone, which is mobile now",
    ]
    assert left(reads, 'personal = ["orders.*"]', columns={phone: "mobile"}) == []
    found = left(reads, one, tables={"orders": "sales"})
    assert found[0] == said.format("sales.phone")


def test_lines_that_mention_an_old_name_are_named() -> None:
    """As a whole word, in any case; a column only in a text that mentions its table, old or new."""
    both = SuiteChanges(("public",), columns=NOW, tables={"orders": "sales"})
    text = "SELECT total\nFROM Orders\nWHERE subtotal > 0 AND TOTAL < orders_max\n"
    assert list(left_in_lines("q.sql", text, both)) == [
        "q.sql:2: mentions orders, which is sales now",
        "q.sql:1: mentions total, which is amount now",
        "q.sql:3: mentions total, which is amount now",
    ]
    assert list(left_in_lines("q.sql", "SELECT total\nFROM sales", both)) == [
        "q.sql:1: mentions total, which is amount now"
    ]
    assert list(left_in_lines("q.sql", "SELECT total\nFROM items", both)) == []


def test_texts_of_functions_and_declarations_that_mention_an_old_name_are_named() -> None:
    """Not names that are edited, nor what people read, nor a docstring."""
    source = HEAD + (
        'declare.holds("orders", "total > 0", why="the total", hint="total", owner="total")\n'
        'declare.unique("orders", ["total"])\n'
        "def f(df):\n"
        '    """Of the total of orders."""\n'
        '    return df["total"]\n'
        'g = lambda df: df["total"]\n'
    )
    changed = SuiteChanges(("public",), columns=NOW)
    found = [int(line.split(":")[1]) for line in left_in_python("c.py", source, changed)]
    assert sorted(found) == [3, 7, 8]


def test_files_beside_are_looked_at_and_each_line_is_said_once() -> None:
    """Waivers name checks by their ids."""
    files = {"c.py": HEAD + 'declare.unique("orders", ["note"])\n'}
    changed = SuiteChanges(("public",), columns=NOW)
    made = edited_suite(files, {"waivers.toml": 'check = "orders.total.x"\n'}, changed)
    assert made.by_hand == ("waivers.toml:1: mentions total, which is amount now",)
    assert made.changed == {}


def test_a_suite_that_does_not_load_afterwards_is_refused_with_what_is_left() -> None:
    """And says why."""
    files = {
        "c.py": HEAD + 'declare.unique("orders", ["total"])\n',
        "suite.toml": '[[criteria]]\nid = "c"\ntext = "t"\nchecks = ["orders.total.unique"]\n',
    }
    made: EditedSuite = edited_suite(files, {}, SuiteChanges(("public",), columns=NOW))
    assert "orders.total.unique" in made.refusal
    assert made.by_hand == ("suite.toml:4: mentions total, which is amount now",)
