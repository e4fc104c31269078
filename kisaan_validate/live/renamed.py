"""What a comparison was told is renamed: ``--renamed old=new``, understood by what is
there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field

from kisaan_validate.compare.renaming.follow import formerly, with_displaced
from kisaan_validate.compare.renaming.names import Renames
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.titles import split_column, split_name
from kisaan_validate.personal.lineage import Asked, How
from kisaan_validate.text.nearest import nearest

Pairs = tuple[tuple[str, str], ...]
"""What was declared: (name before, new name), as written."""


def title_of(written: str, schema: str = "") -> str:
    """The title of a table as it is written; without a schema it is in ``schema``."""
    given, name = split_name(written)
    place = given or schema or "public"
    return name if place == "public" else f"{place}.{name}"


@dataclass(frozen=True)
class RenamedTables:
    """The tables of the side before that are renamed, by title. ``columns`` are the pairs
    that name none.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Pairs = ()

    @property
    def titles(self) -> dict[str, str]:
        """The same, also for what had a new name before: not the object that has it after."""
        # A table that came under a lost table's old name must not be taken for it.
        lost = {new for new in self.tables.values() if new not in self.tables}
        return {**{new: formerly(new, ()) for new in lost}, **self.tables}


def moved_tables(
    pairs: Pairs, titles: Collection[str], columns: Collection[tuple[str, str]]
) -> RenamedTables:
    """Which of the pairs name tables of the side before. Raises UsageError for one that can be meant in
    two ways.
    """
    tables: dict[str, str] = {}
    others = []
    for old, new in pairs:
        title = title_of(old)
        if title not in titles:
            others.append((old, new))
            continue
        # ``a.b`` may be table b of schema a, or column b of table a.
        if _place(old, titles) in columns:
            raise UsageError(
                f"--renamed {old}={new}: {old} is both a table and a column of another table",
                f'write the table as "{old}"',
            )
        # The new name keeps the schema unless it says another one.
        schema = split_name(old)[0]
        tables[title] = title_of(new, schema)
    _refuse_one_name(tables.values())
    return RenamedTables(tables, tuple(others))


def _place(old: str, titles: Collection[str]) -> tuple[str, str]:
    table, column = split_column(old)
    return (title_of(table), column) if table else ("", "")


def _refuse_one_name(names: Iterable[object]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise UsageError(f"--renamed: two objects would be named {name} after", "give each its own name")
        seen.add(name)


def declared_renames(
    moved: RenamedTables, before: Mapping[str, Table], after: Mapping[str, Table]
) -> Renames:
    """All that is renamed, by the titles that the tables had before. Raises UsageError for
    what is not there.

    ``before`` holds the tables of the side before by their titles of after.
    """
    former = {new: old for old, new in moved.titles.items()}
    for old, new in moved.tables.items():
        if new not in after:
            said = f"--renamed {old}={new}: there is no table {new} after, or it was not selected"
            raise UsageError(said, nearest(new, after, ""))
    columns: dict[tuple[str, str], str] = {}
    for old, new in moved.columns:
        title, name = _found(old, new, before, former)
        table, fresh = after.get(title), split_column(new)[1]
        if table is None or fresh not in table.columns:
            raise UsageError(
                f"--renamed {old}={new}: there is no column {fresh} of {title} after", _listed(table, fresh)
            )
        columns[former.get(title, title), name] = fresh
    _refuse_one_name((title, new) for (title, _), new in columns.items())
    every = {(former.get(title, title), name) for title, table in before.items() for name in table.columns}
    full = with_displaced(Renames(moved.tables, columns), (), every)
    return Renames(moved.titles, full.columns)


def _found(old: str, new: str, before: Mapping[str, Table], former: Mapping[str, str]) -> tuple[str, str]:
    """(title after, name before) of a column that is named as before, its table as before or as after."""
    written, name = split_column(old)
    wanted = title_of(written) if written else ""
    # By the old title first: a contract or option names what it renames as it was.
    titles = [t for t in before if former.get(t, t) == wanted] or [t for t in before if t == wanted]
    titles = titles or [t for t in before if former.get(t, t).rpartition(".")[2] == wanted]
    # Several tables could be meant, and guessing would compare the wrong ones.
    if len(titles) != 1:
        what = "several tables" if titles else "no table" if written else "no table.column"
        hint = "write table.column=new_name, or table=new_name"
        near = nearest(wanted, [former.get(t, t) for t in before], "") if not titles else ""
        raise UsageError(f"--renamed {old}={new}: {old} names {what} before", f"{near} {hint}".strip())
    if name not in before[titles[0]].columns:
        raise UsageError(
            f"--renamed {old}={new}: there is no column {name} of {written} before",
            _listed(before[titles[0]], name),
        )
    return titles[0], name


def followed(is_personal: Callable[[str, str], bool], renames: Renames) -> Asked:
    """Who is asked whether a column is personal, asked of its other name as well. What is found so,
    nothing outweighs.
    """
    tables = {**{title: renames.title(title) for title, _ in renames.columns}, **renames.tables}

    # Both ways: a personal column stays personal under its new name, and under its old one.
    def asked(table: str, column: str) -> How:
        places = [(table, column)]
        for old, new in tables.items():
            bare_old, bare_new = (title.rpartition(".")[2] for title in (old, new))
            places += [(bare_old, renames.column_before(old, column))] if table in {new, bare_new} else []
            places += [(bare_new, renames.column(old, column))] if table in {old, bare_old} else []
        return How.NAMED if any(is_personal(*place) for place in places) else How.NOT

    return asked


def _listed(table: Table | None, name: str) -> str:
    if table is not None:
        return f"{nearest(name, table.columns, '')} its columns: {', '.join(table.columns)}".strip()
    return "there is no table with that name"
