"""Where a name went and another came, and nobody promised a rename: whether what went is found under the
new name. Pure.

What is said is a remark beside a difference: it explains nothing, and changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from kisaan_validate.compare.digests import why_undigested
from kisaan_validate.compare.figures import differing
from kisaan_validate.compare.renaming.names import Renames
from kisaan_validate.compare.renaming.through import facts_through
from kisaan_validate.contract.both import Both, CannotTell
from kisaan_validate.contract.story import story_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import ADDED, REMOVED, Change, ChangeKey
from kisaan_validate.facts.measure_key import of_column
from kisaan_validate.facts.table import ColumnFacts, Profile, TableFacts
from kisaan_validate.text.numbers import agreeing, counted

_SHOWN = 3
"""So many candidates are named."""


class ValueLikeness(StrEnum):
    """What one that came is to one that went."""

    SAME = "every row has its value"
    ALIKE = "the figures agree; single rows were not compared"
    OTHER = "its contents differ"
    UNTOLD = "not compared"


@dataclass(frozen=True)
class _Candidate:
    name: str
    likeness: ValueLikeness


def remarks_on(
    changes: Iterable[Change], before: Baseline, after: Baseline, both: Both | None
) -> dict[ChangeKey, str]:
    """The remark on each column and table that went, by the key of that difference."""
    listed = list(changes)
    old, new = ({t.title: t for t in side.tables} for side in (before, after))
    found: dict[ChangeKey, str] = {}
    for change in listed:
        if change.aspect != REMOVED or change.kind not in {"column", "table"}:
            continue
        if change.kind == "column":
            said = _of_column(change, listed, old.get(change.table), new.get(change.table), both)
        else:
            said = _of_table(change, listed, before, old.get(change.table), new)
        if said:
            found[change.key] = said
    return found


# --- columns ----------------------------------------------------------------------------------------------


def _of_column(
    change: Change, changes: list[Change], old: TableFacts | None, new: TableFacts | None, both: Both | None
) -> str:
    column = _column(old, change.name)
    if old is None or column is None:
        return ""
    held = _held(old, column)
    names = [c.name for c in changes if (c.kind, c.table, c.aspect) == ("column", change.table, ADDED)]
    came = [
        facts for name in names if (facts := _column(new, name)) is not None and _comparable(column, facts)
    ]
    if held == 0 or not came or new is None:
        # A column without a value loses nothing.
        return "it had no values" if held == 0 else _gone(held)
    candidates = [_Candidate(f"{change.table}.{c.name}", _likeness(old, new, column, c, both)) for c in came]
    many = "the values" if held is None else f"the {counted(held, 'value')}"
    return _words(candidates, "its values are", f"{many} of {change.name}")


def _column(table: TableFacts | None, name: str) -> ColumnFacts | None:
    if table is not None:
        return next((c for c in table.columns if c.name == name), None)
    return None


def _held(table: TableFacts, column: ColumnFacts) -> int | None:
    """How many values a column held; None where that is not known."""
    if table.rows is None or column.profile is None or column.profile.nulls is None:
        return None
    return table.rows - column.profile.nulls


def _gone(held: int | None) -> str:
    if held is None:
        return "its values are lost"
    return f"its {counted(held, 'value')} {agreeing(held, 'is', 'are')} lost"


def _comparable(old: ColumnFacts, new: ColumnFacts) -> bool:
    # Without figures the type is all there is to compare.
    if old.profile is None or new.profile is None:
        return old.type == new.type
    return old.type == new.type or old.profile.family is new.profile.family


def _likeness(
    old: TableFacts, new: TableFacts, gone: ColumnFacts, came: ColumnFacts, both: Both | None
) -> ValueLikeness:
    # Digests before figures, which do not see a swap.
    told = _by_digest(old, new, gone, came) or (
        _by_contract(both, old.title, gone.name, came.name) if both is not None else None
    )
    if told is not None:
        return told
    # Figures of different numbers of rows differ anyway.
    if gone.profile is None or came.profile is None or old.rows is None or old.rows != new.rows:
        return ValueLikeness.UNTOLD
    # Of personal columns only NULLs are kept in the clear.
    if gone.profile.personal or came.profile.personal:
        if gone.profile.nulls != came.profile.nulls:
            return ValueLikeness.OTHER
        return ValueLikeness.UNTOLD
    if _figures_differ(gone.profile, came.profile):
        return ValueLikeness.OTHER
    return ValueLikeness.ALIKE


def _figures_differ(old: Profile, new: Profile) -> bool:
    # Of another family, figures are in another form.
    return old.family is new.family and bool(differing(old, new))


def _by_digest(
    old: TableFacts, new: TableFacts, gone: ColumnFacts, came: ColumnFacts
) -> ValueLikeness | None:
    """What digests of whole tables say; None where they say nothing."""
    digests = [c.profile.digest if c.profile is not None else None for c in (gone, came)]
    if (
        old.digests is None
        or new.digests is None
        or why_undigested(old, new)
        # Column digests are sums over rows: with other rows they differ for that reason.
        or old.digests.which_rows != new.digests.which_rows
    ):
        return None
    return _same(digests[0], digests[1])


def _by_contract(both: Both, table: str, gone: str, came: str) -> ValueLikeness | None:
    """What digests that were kept for a promise say; None where they say nothing."""
    try:
        story = story_of(both, table)
        if story.misfit or story.strangers():
            return None
        return _same(
            story.digest(both.before, of_column(gone)),
            story.digest(both.after, of_column(came)),
        )
    except CannotTell:
        return None


def _same(old: str | None, new: str | None) -> ValueLikeness | None:
    # Another form is another digest of the same rows.
    if not old or not new or old.partition(":")[0] != new.partition(":")[0]:
        return None
    return ValueLikeness.SAME if old == new else ValueLikeness.OTHER


# --- tables -----------------------------------------------------------------------------------------------


def _rows_gone(rows: int | None) -> str:
    if rows is None:
        return "its rows are lost"
    return f"its {counted(rows, 'row')} {agreeing(rows, 'is', 'are')} lost"


def _of_table(
    change: Change,
    changes: list[Change],
    before: Baseline,
    old: TableFacts | None,
    new: dict[str, TableFacts],
) -> str:
    if old is None:
        return ""
    gone = _rows_gone(old.rows)
    names = {c.name for c in old.columns}
    came = [new[c.table] for c in changes if (c.kind, c.aspect) == ("table", ADDED) and c.table in new]
    candidates = [
        _Candidate(t.title, _table_likeness(before, old, t))
        for t in came
        # The same names of columns; else it is no rename of a table alone.
        if {c.name for c in t.columns} == names
    ]
    if old.rows == 0 or not candidates:
        return "it had no rows" if old.rows == 0 else gone
    many = "the rows" if old.rows is None else f"the {counted(old.rows, 'row')}"
    return _words(candidates, "its rows are", f"{many} of {old.title}")


def _table_likeness(before: Baseline, gone: TableFacts, came: TableFacts) -> ValueLikeness:
    if gone.rows is None or came.rows is None:
        return ValueLikeness.UNTOLD
    if gone.rows != came.rows:
        return ValueLikeness.OTHER
    # Seen under the new title, as digests and reasons are compared by title.
    seen = next(
        t for t in facts_through(before, Renames({gone.title: came.title})).tables if t.title == came.title
    )
    now = {c.name: c for c in came.columns}
    told = [_by_digest(seen, came, c, now[c.name]) for c in seen.columns]
    if _other_rows(seen, came) or ValueLikeness.OTHER in told:
        return ValueLikeness.OTHER
    if any(_differ(c, now[c.name]) for c in seen.columns):
        return ValueLikeness.OTHER
    if all(one is ValueLikeness.SAME for one in told):
        return ValueLikeness.SAME
    return ValueLikeness.ALIKE


def _other_rows(old: TableFacts, new: TableFacts) -> bool:
    """Whether the digests of the keys say that these are other rows: figures may agree by chance."""
    if old.digests is None or new.digests is None or why_undigested(old, new):
        return False
    return old.digests.which_rows != new.digests.which_rows


def _differ(old: ColumnFacts, new: ColumnFacts) -> bool:
    return old.profile is not None and new.profile is not None and _figures_differ(old.profile, new.profile)


# --- words ------------------------------------------------------------------------------------------------


def _words(candidates: list[_Candidate], they_are: str, what: str) -> str:
    """What candidates tell, the best news first: it decides what is to be done."""
    same, alike, untold = (
        [c.name for c in candidates if c.likeness is kind]
        for kind in (ValueLikeness.SAME, ValueLikeness.ALIKE, ValueLikeness.UNTOLD)
    )
    if same:
        return f"{they_are} in the new {_listed(same)}: if it was renamed, promise `renamed`"
    if alike:
        how = "promise `renamed`, or take a baseline with --digests, to compare row by row"
        return f"the new {_listed(alike)} has the same figures: if it was renamed, {how}"
    if untold:
        return f"whether the new {_listed(untold)} holds {what} was not compared"
    one = len(candidates) == 1
    names, does = _listed([c.name for c in candidates]), "does" if one else "do"
    return (
        f"the new {names} {does} not hold {what} unchanged: what {'it lacks' if one else 'they lack'} is lost"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(_first(names))


def _first(names: Iterable[str]) -> Iterator[str]:
    listed = list(names)
    yield from listed[:_SHOWN]
    if len(listed) > _SHOWN:
        yield f"{len(listed) - _SHOWN} more"
