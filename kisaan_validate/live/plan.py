"""How two tables are compared: which columns under which forms, by which key, and what is only a schema
difference. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.forms import CanonicalForm, Context, common_form, needs_zone
from kisaan_validate.digest.parts import Part
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.catalogue import Column, Table, TypeFacts
from kisaan_validate.facts.differences import ADDED, REMOVED, Change, Unknown
from kisaan_validate.facts.row_differences import ColumnPair
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.text.nearest import nearest


@dataclass(frozen=True)
class PairedTable:
    """One side of a table's comparison: the table, and what its SQL depends on."""

    table: Table
    context: Context


@dataclass(frozen=True)
class PairPlan:
    """How one table is compared. ``key`` are columns, () for a multiset; ``unique``: the catalogue says it
    is, on both sides.

    ``parts`` gives both sides' parts of every compared column, in the order of the table before; the key's
    are among them.
    """

    title: str
    before: PairedTable
    after: PairedTable
    key: tuple[str, ...]
    unique: bool
    pairs: tuple[ColumnPair, ...]
    parts: tuple[tuple[Part, Part], ...]
    schema: tuple[Change, ...]
    unknown: tuple[Unknown, ...]

    def parts_of(self, side: int, names: Iterable[str] | None = None) -> tuple[Part, ...]:
        """One side's parts (0 before, 1 after): all, or those of these columns in their order."""
        mine = {pair.name: parts[side] for pair, parts in zip(self.pairs, self.parts, strict=True)}
        if names is None:
            return tuple(mine.values())
        return tuple(mine[name] for name in names)

    @property
    def scaled(self) -> bool:
        """Whether it relies on declared scales."""
        return any(part.facts.scale is not None for parts in self.parts for part in parts)

    def unscaled(self) -> PairPlan:
        """The same comparison without relying on declared scales, for a catalogue that was written to by
        hand.
        """
        bare = [
            (replace(a, facts=replace(a.facts, scale=None)), replace(b, facts=replace(b.facts, scale=None)))
            for a, b in self.parts
        ]
        return replace(self, parts=tuple(bare))

    def without(self, column: str, reason: str) -> PairPlan:
        """The same comparison without a column that cannot be compared, which is then said."""
        kept = [
            (pair, parts) for pair, parts in zip(self.pairs, self.parts, strict=True) if pair.name != column
        ]
        gone = Unknown(f"the values of {self.title}.{column}", reason)
        # Without one of its columns a key tells no rows apart any more.
        key = self.key if column not in self.key else ()
        return replace(
            self,
            key=key,
            pairs=tuple(p for p, _ in kept),
            parts=tuple(p for _, p in kept),
            unknown=(*self.unknown, gone),
        )


def plan_pair(
    title: str,
    before: PairedTable,
    after: PairedTable,
    options: DiffOptions,
    cast_types: Mapping[str, TypeFacts],
) -> PairPlan:
    """How two tables are compared. Raises UsageError for a declared key or cast of a column that is not
    there.
    """
    _check_declared(title, before.table, after.table, options)
    pairs, parts, unknown = [], [], []
    own_names = before.table.own_names
    # In the order of the table before, so that the report of a run does not depend on the other side.
    for name, old in before.table.columns.items():
        new = after.table.columns.get(name)
        if new is None or (title, name) in options.ignored:
            continue
        made = _compared(title, name, before, after, options, cast_types)
        if isinstance(made, str):
            unknown.append(Unknown(f"the values of {title}.{name}", made))
            continue
        # Personal under either name: a renamed table may be declared under its old one.
        personal = options.is_personal(title, name) or options.is_personal(before.table.name, name)
        own = own_names.get(name, name)
        pairs.append(
            ColumnPair(name, old.type, new.type, str(made[0].form), personal, own if own != name else "")
        )
        parts.append(made)
    key, unique = _key(title, before.table, after.table, options, {pair.name for pair in pairs})
    # A changed scale moves no key, and a key that seems to change would be another row.
    scaled = [
        made if not key or made[0].column in key else _scaled(made, before.table, after.table)
        for made in parts
    ]
    return PairPlan(
        title,
        before,
        after,
        key,
        unique,
        tuple(pairs),
        tuple(scaled),
        tuple(column_changes(title, before.table.columns, after.table.columns)),
        tuple(unknown),
    )


def _scaled(parts: tuple[Part, Part], before: Table, after: Table) -> tuple[Part, Part]:
    """Both sides of a column, with the scale to which the server rounded every value stored in either, if
    it is one.

    Not for keys: a catalogue may have been written to by hand, and a row whose key seems changed would be
    another row.
    """
    old, new = parts
    scales = (before.columns[old.column].scale, after.columns[new.column].scale)
    if scales[0] is None or scales[0] != scales[1] or old.cast or new.cast:
        return parts
    return replace(old, facts=replace(old.facts, scale=scales[0])), replace(
        new, facts=replace(new.facts, scale=scales[0])
    )


def _check_declared(title: str, before: Table, after: Table, options: DiffOptions) -> None:
    both = before.columns.keys() & after.columns.keys()
    declared = {
        "--key": set(options.keys.get(title, ())),
        "--cast": {column for table, column in options.casts if table == title},
        "--ignore": {column for table, column in options.ignored if table == title},
    }
    for option, names in declared.items():
        # A column to be ignored may be on one side only, which is why it is ignored.
        known = both if option != "--ignore" else before.columns.keys() | after.columns.keys()
        for name in sorted(names - known):
            raise UsageError(
                f"{option}: {title}.{name} does not exist on both sides",
                f"{nearest(name, both, '')} its columns: {', '.join(sorted(both))}".strip(),
            )
    column, value = options.since.get(title, ("", None))
    # Only a declared value needs the column after; "above all keys" asks the key.
    if value is not None and column not in after.columns:
        raise UsageError(
            f"--added-since: {title}.{column} does not exist after",
            f"{nearest(column, after.columns, '')} its columns: {', '.join(after.columns)}".strip(),
        )


def _compared(
    title: str,
    name: str,
    before: PairedTable,
    after: PairedTable,
    options: DiffOptions,
    cast_types: Mapping[str, TypeFacts],
) -> tuple[Part, Part] | str:
    """Both sides of a column, or why it cannot be compared."""
    # Types that the catalogue does not take apart have no canonical form.
    old, new = before.table.columns[name].made, after.table.columns[name].made
    if old is None or new is None:
        return "the catalogue does not describe the parts of its type"
    if cast := options.casts.get((title, name)):
        target = cast_types[cast]
        form = common_form(target, target, False)
        if isinstance(form, CanonicalForm):
            return (_cast(name, old, target, form, cast), _cast(name, new, target, form, cast))
        return form
    form = common_form(old, new, bool(options.zone))
    if isinstance(form, CanonicalForm):
        return Part(name, old, form), Part(name, new, form)
    hint = (
        "declare one with --zone"
        if needs_zone(old, new)
        else f"declare a common type: --cast {title}.{name}=TYPE"
    )
    return f"not compared: {form}; {hint}"


def _cast(name: str, own: TypeFacts, target: TypeFacts, form: CanonicalForm, cast: str) -> Part:
    # A clock becomes an instant in the declared zone, which is not the session's.
    zoned = form.name == "timestamptz" and own.builtin and own.name in {"timestamp", "date"}
    return Part(name, own, form) if zoned else Part(name, target, form, cast)


def column_changes(title: str, before: Mapping[str, Column], after: Mapping[str, Column]) -> list[Change]:
    """The columns that are on one side only, or are of another type."""
    changes = [
        Change("column", title, name, REMOVED, before[name].type, None)
        for name in before
        if name not in after
    ]
    changes += [
        Change("column", title, name, ADDED, None, after[name].type) for name in after if name not in before
    ]
    changes += [
        Change("column", title, name, "type", before[name].type, after[name].type)
        for name in before
        if name in after and before[name].type != after[name].type
    ]
    return changes


def _key(
    title: str, before: Table, after: Table, options: DiffOptions, usable: set[str]
) -> tuple[tuple[str, ...], bool]:
    """The columns that identify a row, and whether both catalogues say that they are unique."""
    declared = options.keys.get(title)
    if declared:
        # A declared key need not be unique: rows that share one are counted, and said.
        return (declared if usable >= set(declared) else ()), _unique(before, declared) and _unique(
            after, declared
        )
    candidates = [*_keys_of(before), *_keys_of(after)]
    fit = [key for key in candidates if usable >= set(key)]
    # A key that is unique on both sides comes first; another one still pairs rows, and its repeats are said.
    for key in fit:
        if _unique(before, key) and _unique(after, key):
            return key, True
    return (fit[0] if fit else ()), False


def _keys_of(table: Table) -> list[tuple[str, ...]]:
    """The primary key, then unique indexes over columns that are never NULL, the shortest first."""
    found = [table.primary_key] if table.primary_key else []
    indexes = sorted(
        (i for i in table.indexes if i.unique and i.valid and not i.predicate),
        key=lambda i: (len(i.columns), i.name),
    )
    for index in indexes:
        names = tuple(c for c in index.columns if c is not None)
        if (
            len(names) == len(index.columns)
            and all(table.proves_not_null(c) for c in names)
            and names not in found
        ):
            found.append(names)
    return found


def _unique(table: Table, columns: tuple[str, ...]) -> bool:
    # Without NULLs, because NULLs are not equal to each other in a unique index.
    index = table.unique_over(frozenset(columns))
    return index is not None and all(table.proves_not_null(c) for c in index.columns if c is not None)
