"""A contract is read strictly: a slip in it is refused, naming file and promise, and never looks like a
promise that was kept.
"""

from __future__ import annotations

import re
from importlib import resources

import pytest

from kisaan_validate import declare
from kisaan_validate.contract.load import bound_to, read_contract
from kisaan_validate.contract.needs import Removal, Replacement
from kisaan_validate.contract.objects import ATTRIBUTES
from kisaan_validate.contract.rules import Added, Altered, Becomes, Filled, Promise, Retyped, RowsRemoved
from kisaan_validate.errors import SuiteError
from kisaan_validate.postgres.schema import KINDS
from kisaan_validate.suite.load import SuiteSettings, suite_of


def promises(*texts: str, head: str = "format = 1") -> tuple[Promise, ...]:
    """The promises of a contract; each text is one, without its id."""
    listed = "".join(f'[[promise]]\nid = "p{n}"\n{text}\n' for n, text in enumerate(texts, 1))
    return read_contract(f"{head}\n{listed}", "c.toml").promises


REFUSED = [
    ('kind = "rows_unchangd"\ntable = "t"', "unknown kind 'rows_unchangd'", "did you mean 'rows_unchanged'"),
    ('kind = "rows_unchanged"\ntabel = "t"', "rows_unchanged has no 'tabel'", "did you mean 'table'"),
    ('kind = "rows_unchanged"', "rows_unchanged needs 'table'", ""),
    ('kind = "rows_unchanged"\ntable = ["t"]', "table: must be a text, not a list", ""),
    ('kind = "rows_unchanged"\ntables = "t"', "tables: must be a list, not a text", ""),
    ('kind = "rows_unchanged"\ntables = ["t", ""]', "item 2 of tables: must not be empty", ""),
    ('kind = "rows_unchanged"\ntable = "t"\nseverity = "bad"', "severity: 'bad' is not known", ""),
    (
        'kind = "rows_unchanged"\ntable = "t"\noptional = "yes"',
        "optional: must be true or false, not a text",
        "",
    ),
    ('kind = "rows_removed"\ntable = "t"', "state which rows are removed", "where = SQL"),
    (
        'kind = "rows_removed"\ntable = "t"\nduplicates = ["a"]\nsurplus_of = "t.a.unique"',
        "state which rows are removed",
        "",
    ),
    ('kind = "rows_removed"\ntable = "t"\nwhere = "a = 1; DROP TABLE t"', "c.toml: promise p1", ""),
    ('kind = "rows_removed"\ntable = "t"\nwhere = "a IN (SELECT 1)"', "must not contain a subquery", ""),
    (
        'kind = "rows_removed"\ntable = "t"\nwhere = "count(*) > 1"',
        "must not contain a subquery, aggregate or window",
        "",
    ),
    ('kind = "rows_removed"\ntable = "t"\nwhere = "a = 1) OR (b = 2"', "one expression", ""),
    ('kind = "rows_added"\ntable = "t"', "rows_added needs 'where'", ""),
    (
        'kind = "rows_added"\ntable = "t"\nwhere = "true"\nrows = -1',
        "rows: must be a whole number of at least 0, not -1",
        "",
    ),
    (
        'kind = "rows_added"\ntable = "t"\nwhere = "true"\nrows = true',
        "rows: must be a whole number, not true",
        "",
    ),
    ('kind = "sum_preserved"\ncolumn = "amount"', "'amount' is not 'table.column'", ""),
    ('kind = "sum_preserved"\ncolumn = "t."', "'t.' is not 'table.column'", ""),
    ('kind = "retyped"\ncolumn = "t.a"', "retyped needs 'to'", ""),
    (
        'kind = "retyped"\ncolumn = "t.a"\nto = "integer"\nfrom = [1]',
        "item 1 of from: must be a text, not 1",
        "",
    ),
    ('kind = "retyped"\ncolumn = "t.a"\nfrom_ = "text"\nto = "integer"', "retyped has no 'from_'", ""),
    ('kind = "becomes"\ncolumn = "t.a"', "becomes needs 'expression'", ""),
    (
        'kind = "added"\nobject = "colum"\ntable = "t"\nname = "a"',
        "object: 'colum' is not known",
        "did you mean 'column'",
    ),
    ('kind = "added"\nobject = "index"\nname = "i"', "added needs 'table'", ""),
    (
        'kind = "added"\ncolumns = ["t.a"]\nfacts = { typ = "text" }',
        "a column has no 'typ'",
        "did you mean 'type'",
    ),
    ('kind = "added"\ncolumns = ["t.a"]\nfacts = "text"', "facts: must be a table, not a text", ""),
    (
        'kind = "altered"\ncolumns = ["t.a"]\nattribute = "not_null"\nto = ""',
        "a column has no 'not_null'",
        "did you mean 'not null'",
    ),
    ('kind = "altered"\ncolumns = ["t.a"]\nto = "1"', "altered needs 'attribute'", ""),
    ('kind = "recorded"\ntable = "t"', "recorded needs 'names'", ""),
    ('kind = "fixed"', "fixed needs 'check'", ""),
    ('kind = "looked_up"\ncolumn = "t.a"\nby = "k"\nvalue = "v"', "looked_up needs 'from'", ""),
    ('kind = "looked_up"\ncolumn = "t.a"\nfrom = ""\nby = "k"\nvalue = "v"', "looked_up needs 'from'", ""),
]


@pytest.mark.parametrize(
    ("text", "fact", "hint"),
    REFUSED,
    ids=[text.split('"')[1] + f"-{n}" for n, (text, _, _) in enumerate(REFUSED)],
)
def test_a_slip_is_refused(text: str, fact: str, hint: str) -> None:
    """Unknown words, missing or contradictory parts, SQL that is more than one expression over a row."""
    with pytest.raises(SuiteError) as refused:
        promises(text)
    assert refused.value.fact.startswith("c.toml")
    assert fact in refused.value.fact
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "needs 'format'"),
        ("format = 2", "format: must be 1"),
        ('format = "1"', "format: must be 1"),
        ("format = true", "format: must be 1"),
        ("format =", "not valid TOML"),
        ("format = 1\nformat = 1", "not valid TOML"),
        ("format = 1\npromise = 3", "promise: must be a list of tables"),
        ("format = 1\npromises = []", "unknown key 'promises'"),
        ('format = 1\n[[promise]]\nkind = "fixed"\ncheck = "x"', "promise 1: fixed needs 'id'"),
        ("format = 1\nname = 3", "name: must be a text, not 3"),
    ],
)
def test_a_file_that_is_no_contract_is_refused(text: str, fact: str) -> None:
    """Of another format, of another form, not TOML."""
    with pytest.raises(SuiteError) as refused:
        read_contract(text, "c.toml")
    assert fact in refused.value.fact
    assert refused.value.fact.startswith("c.toml")


def test_two_promises_with_one_id_or_one_column_to_rewrite_are_refused() -> None:
    """Which of them explains, or what the values become, could not be told."""
    twice = "".join(f'[[promise]]\nid = "x"\nkind = "fixed"\ncheck = "{check}"\n' for check in "ab")
    with pytest.raises(SuiteError, match="the id 'x' is used 2 times"):
        read_contract(f"format = 1\n{twice}", "c.toml")
    with pytest.raises(SuiteError, match=r"2 promises cover the values of t\.a"):
        promises(
            'kind = "becomes"\ncolumn = "t.a"\nexpression = "1"',
            'kind = "filled"\ncolumn = "t.a"\nwith = "2"',
        )


def test_a_list_is_one_promise_each() -> None:
    """Columns, tables, checks, names: each has an id of its own, and ends by itself."""
    made = promises(
        'kind = "retyped"\ncolumns = ["t.a", "s.t.b"]\nto = "bigint"',
        'kind = "dropped"\ncolumns = ["t.a"]',
        'kind = "added"\nobject = "index"\ntable = "t"\nnames = ["i", "j"]',
    )
    assert [p.id for p in made] == ["p1/t.a", "p1/s.t.b", "p2/t.a", "p3/i", "p3/j"]
    assert [p.place for p in made if isinstance(p, Retyped)] == [("t", "a"), ("s.t", "b")]
    assert [(p.object, p.table, p.name) for p in made if isinstance(p, Added)] == [
        ("index", "t", "i"),
        ("index", "t", "j"),
    ]


def test_types_are_read_as_postgresql_prints_them() -> None:
    """Short names and blanks are of no account."""
    (made,) = promises(
        'kind = "retyped"\ncolumn = "t.a"\nfrom = ["timestamp", "VARCHAR(20)"]\nto = "decimal(18, 2)"'
    )
    assert isinstance(made, Retyped)
    assert (made.from_, made.to) == (
        ("timestamp without time zone", "character varying(20)"),
        "numeric(18,2)",
    )


def test_sql_is_kept_to_the_letter() -> None:
    """Blanks in strings, line breaks, comments: what is shown on one line is not what is run."""
    where = "a = 'x  y' -- why\n  AND b = 1"
    (made,) = promises(f'kind = "rows_removed"\ntable = "t"\nwhere = """{where}"""')
    assert isinstance(made, RowsRemoved)
    assert made.where == where
    assert made.claim() == "t loses the rows where a = 'x y' -- why AND b = 1, and no others"


def test_a_value_is_of_the_type_that_its_column_gets() -> None:
    """A promise about values beside one about the type: the value is cast to that type, not to the old
    one.
    """
    contract = read_contract(
        'format = 1\n[[promise]]\nid = "t"\nkind = "retyped"\ncolumn = "t.a"\nto = '
        '"bigint"\n[[promise]]\nid = "v"\nkind = "becomes"\ncolumns = ["t.a", "t.b"]\nexpression = "1"\n',
        "c",
    )
    assert {need.column: need.type for need in contract.needs if isinstance(need, Replacement)} == {
        "a": "bigint",
        "b": "",
    }


SUITE = suite_of(
    declare.unique("t", ["a", "b"], id="ab", where="c > 0", nulls_equal=False),
    declare.holds("t", "a > 0", id="positive"),
    declare.unique("u", "a", id="other"),
    settings=SuiteSettings(name="s", aliases={"tt": ("tt", "t")}),
)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('kind = "fixed"\ncheck = "ba"', "there is no check 'ba'"),
        ('kind = "rows_removed"\ntable = "t"\nsurplus_of = "ba"', "there is no check 'ba'"),
        (
            'kind = "rows_removed"\ntable = "t"\nsurplus_of = "positive"',
            "'positive' is not a uniqueness check",
        ),
        ('kind = "rows_removed"\ntable = "t"\nsurplus_of = "other"', "'other' is about u, not about t"),
    ],
)
def test_a_check_that_cannot_be_meant_is_refused(text: str, fact: str) -> None:
    """It does not exist, has no surplus, or is about another table."""
    contract = read_contract(f'format = 1\n[[promise]]\nid = "p"\n{text}\n', "c.toml")
    with pytest.raises(SuiteError, match=re.escape(fact)):
        bound_to(contract, SUITE)


def test_the_surplus_is_that_of_the_check() -> None:
    """Its columns, its condition and the promise's, and its way with NULL; an alias of its table is its
    table. What was not selected is not measured."""
    contract = read_contract(
        'format = 1\n[[promise]]\nid = "p"\nkind = "rows_removed"\ntable = "tt"\nsurplus_of = '
        '"ab"\nwhere = "d = 1"\n',
        "c.toml",
    )
    assert bound_to(contract, SUITE) == (
        Removal("p", "tt", ("a", "b"), "ab", "(c > 0) AND (d = 1) AND (a IS NOT NULL) AND (b IS NOT NULL)"),
    )
    assert bound_to(contract, SUITE.narrowed(["positive"])) == ()


def test_every_promise_can_be_said_in_words() -> None:
    """The claim of each kind names what it speaks of."""
    texts = [
        'kind = "filled"\ncolumn = "t.a"\nwith = "now()"',
        'kind = "becomes"\ncolumn = "t.a"\nexpression = "{column} * 2"',
        'kind = "altered"\ncolumns = ["t.a"]\nattribute = "default"\nto = ""',
        'kind = "altered"\nobject = "sequence"\nname = "s"\nattribute = "max"\nto = "9"',
    ]
    made = [promise for text in texts for promise in promises(text)]
    assert {type(p) for p in made} == {Filled, Becomes, Altered}
    assert [p.claim() for p in made] == [
        "t.a has no NULLs left; each became now()",
        "every t.a becomes a * 2",
        "default of column a of t becomes not set",
        "max of sequence s becomes 9",
    ]


def test_the_known_attributes_are_those_that_are_read() -> None:
    """ATTRIBUTES lists what sql/schema/*.sql reads of each kind, no more and no less."""
    assert set(ATTRIBUTES) == set(KINDS)
    for kind in KINDS:
        text = (
            resources.files("kisaan_validate.postgres")
            .joinpath("sql", "schema", f"{kind.replace(' ', '_')}.sql")
            .read_text(encoding="utf-8")
        )
        text = text[text.index("jsonb_build_object(") :]
        read = re.findall(r"^\s{4}'([a-z ]+)', ", text, re.M)
        assert sorted(read) == sorted(ATTRIBUTES[kind]), kind
