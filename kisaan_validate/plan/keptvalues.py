"""What is kept of the values of chosen columns, and the statement that reads them in the order of their
key. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.cut import proof_cut_sql
from kisaan_validate.digest.forms import RAW, Context
from kisaan_validate.digest.parts import key_bytes_sql
from kisaan_validate.digest.rows import staged
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.differences import VALUES_GONE
from kisaan_validate.facts.row_differences import ColumnPair
from kisaan_validate.plan.fingerprints import SqlPart, facts_of, facts_of_column, part_of, why_not
from kisaan_validate.sql.expressions import quote, table_sql, text_literal, to_sql
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.nearest import nearest

IsPersonal = Callable[[str, str], bool]


@dataclass(frozen=True)
class KeptForms:
    """How a table's values were kept: its key and the chosen columns, the canonical form and type of each,
    and which of the chosen ones have a proof, a text that distinguishes two values where the shown
    one does not.

    ``encoding`` is the database's own.
    """

    key: tuple[str, ...]
    columns: tuple[str, ...]
    forms: Mapping[str, str]
    types: Mapping[str, str]
    proofs: tuple[str, ...]
    encoding: str

    @property
    def by_number(self) -> bool:
        """Whether rows come in the order of one integer key, and not in that of the key's bytes."""
        return len(self.key) == 1 and self.forms[self.key[0]] == "integer"

    def called(self, names: Mapping[str, str]) -> KeptForms:
        """The same, its columns renamed."""
        key, columns, proofs = (
            tuple(names[name] for name in listed) for listed in (self.key, self.columns, self.proofs)
        )
        forms, types = (
            {names[name]: text for name, text in texts.items()} for texts in (self.forms, self.types)
        )
        return KeptForms(key, columns, forms, types, proofs, self.encoding)


@dataclass(frozen=True)
class ValueStream:
    """One table's SELECT: the key, in whose order rows come, the key's texts, the columns' texts, their
    proofs.

    The key is an integer, or where it is anything else bytes, which every server and the client order alike.
    """

    title: str
    sql: str
    forms: KeptForms
    pairs: tuple[ColumnPair, ...] = ()


def value_streams(
    chosen: Iterable[tuple[str, str]],
    catalogue: Catalogue,
    scope: Sequence[Table],
    is_personal: IsPersonal,
    looks_personal: IsPersonal,
    encoding: str,
) -> list[ValueStream]:
    """What is read to keep these columns, given by table and name. Raises UsageError for one that cannot
    be kept.

    ``looks_personal`` says which names look personal and were not declared public.
    """
    tables: dict[tuple[str, str], list[str]] = {}
    for name, column in dict.fromkeys(chosen):
        table = catalogue.find(name)
        if table is None or table.key not in {t.key for t in scope}:
            raise UsageError(
                f"--values {name}.{column}: no table {name} among those compared",
                nearest(name, [name for t in scope for name in (t.title, t.name)], "write TABLE.COLUMN"),
            )
        if why := _refused(table, column, is_personal, looks_personal):
            raise UsageError(f"--values {name}.{column}: {why[0]}", why[1])
        tables.setdefault(table.key, []).append(column)
    return [_stream(catalogue.tables[key], columns, encoding) for key, columns in tables.items()]


def _refused(
    table: Table, column: str, is_personal: IsPersonal, looks_personal: IsPersonal
) -> tuple[str, str] | None:
    """Why the values of a column are not kept, and what to do."""
    if column not in table.columns:
        near = nearest(column, table.columns, "")
        return "no such column", f"{near} its columns: {', '.join(table.columns)}".strip()
    if not table.primary_key:
        return (
            f"{table.title} has no primary key to identify its rows",
            "keep row digests instead: --rows",
        )
    # The key too: it is written beside every value.
    if hidden := [name for name in (column, *table.primary_key) if is_personal(table.name, name)]:
        hint = (
            "its values are never stored readably; if it holds no personal data, remove it from "
            "`personal` in suite.toml"
        )
        return f"{table.name}.{hidden[0]} is declared personal", hint
    if looking := [name for name in (column, *table.primary_key) if looks_personal(table.name, name)]:
        hint = (
            "its values would be stored readably; if it holds no personal data, pass --public "
            f"{table.name}.{looking[0]}"
        )
        return f"{table.name}.{looking[0]} looks personal by its name", hint
    # It identifies a row, so a changed key is one row removed and one added, not a changed value.
    if column in table.primary_key:
        return (
            "it is part of the primary key, which identifies the rows",
            "choose a column that is not part of the key",
        )
    for name in (column, *table.primary_key):
        if why := why_not(table.columns[name]):
            return why, "declare a check for it instead"
    return None


def _stream(table: Table, columns: Sequence[str], encoding: str) -> ValueStream:
    names = (*table.primary_key, *columns)
    parts = {name: part for name in names if (part := _part(table, name)) is not None}
    context = Context(encoding=encoding)
    kept = KeptForms(
        table.primary_key,
        tuple(columns),
        {n: str(p.form) for n, p in parts.items()},
        {n: table.columns[n].type for n in names},
        # Some values show alike and differ (ranges of numbers,
        # composite types): they get a proof beside the text.
        tuple(n for n in columns if parts[n].proof(context)),
        encoding,
    )
    return ValueStream(table.title, _sql(table, parts, kept.columns, kept, context), kept)


def stream_again(
    table: Table, kept: KeptForms, is_personal: IsPersonal, encoding: str, zone: str = ""
) -> tuple[ValueStream | None, dict[str, str]]:
    """What is read to compare with what was kept; None if no column can be. By column: why it cannot.

    ``zone`` is where the clocks ran of columns that were timestamp and are timestamptz now, or the other
    way round.
    """
    # Another key orders the rows differently, so the merge would compare strangers.
    if why := _key_reason(table, kept, is_personal, encoding):
        return None, {name: VALUES_GONE if name not in table.columns else why for name in kept.columns}
    reasons = {name: why for name in kept.columns if (why := _reason(table, name, kept, is_personal, zone))}
    columns = tuple(name for name in kept.columns if name not in reasons)
    if not columns:
        return None, reasons
    parts = {name: part for name in kept.key if (part := _part(table, name, kept.forms[name])) is not None}
    parts |= {name: part for name in columns if (part := _part_now(table, name, kept, zone)) is not None}
    pairs = tuple(
        ColumnPair(n, kept.types[n], table.columns[n].type, _common(kept.forms[n], str(p.form)))
        for n, p in parts.items()
    )
    sql = _sql(table, parts, columns, kept, Context(encoding=encoding))
    return ValueStream(table.title, sql, kept, pairs), reasons


def _sql(
    table: Table, parts: Mapping[str, SqlPart], columns: Sequence[str], kept: KeptForms, context: Context
) -> str:
    shown = {f"v{n}": parts[name].staged(context) for n, name in enumerate((*kept.key, *columns))}
    # The values are computed once in an inner SELECT, and cut outside: a form may be costly.
    cut = [f"{parts[name].cut(f'v{n}')} AS v{n}" for n, name in enumerate((*kept.key, *columns))]
    proofs = {
        f"p{n}": parts[name].proof(context) for n, name in enumerate(c for c in columns if c in kept.proofs)
    }
    cut += [f"{proof_cut_sql(name)} AS {name}" for name in proofs]
    keys = [parts[name] for name in kept.key]
    # Bytes sort alike on every server; a text would follow the collation.
    key = {"k": keys[0].value(context) if kept.by_number else key_bytes_sql(keys, context)}
    inner = staged(table_sql(table), {**key, **shown, **proofs})
    return qualified(f"SELECT {', '.join((*key, *cut))} FROM {inner} ORDER BY k")


def _key_reason(table: Table, kept: KeptForms, is_personal: IsPersonal, encoding: str) -> str:
    """Why the key does not identify rows as it did, or ""."""
    if table.primary_key != kept.key:
        return (
            f"the primary key was {', '.join(kept.key)} and is {', '.join(table.primary_key) or 'none'} now"
        )
    if personal := [name for name in kept.key if is_personal(table.name, name)]:
        return f"the key column {', '.join(personal)} is personal now"
    # Bytes of two encodings differ though the texts are the same; RAW encodings store what was sent.
    if kept.encoding != encoding and not {kept.encoding, encoding} <= RAW:
        return f"the database's encoding was {kept.encoding} and is {encoding} now"
    for name in kept.key:
        part, own = _part(table, name, kept.forms[name]), _part(table, name)
        if (
            part is None
            or own is None
            or str(part.form) != kept.forms[name]
            # 1 and 1.0 have one number but two texts, and an integer key orders the file.
            or (part.form.name, own.form.name) == ("integer", "numeric")
        ):
            return f"the values of the key column {name} now have a different form"
    return ""


def _reason(table: Table, name: str, kept: KeptForms, is_personal: IsPersonal, zone: str) -> str:
    """Why the values of a column cannot be compared with those that were kept, or ""."""
    if name not in table.columns:
        return VALUES_GONE
    if is_personal(table.name, name):
        return "it is personal now, so its values are not read"
    part = _part_now(table, name, kept, zone)
    if part is None:
        return why_not(table.columns[name])
    if _common(kept.forms[name], str(part.form)):
        return ""
    # Without a zone a clock and a moment have nothing in common that could be compared.
    hint = "; give their time zone with --zone" if {kept.forms[name], str(part.form)} == set(_CLOCKS) else ""
    return f"its values were {kept.forms[name]} and are {part.form} now: not compared{hint}"


_CLOCKS = {"timestamp": "timestamptz", "timestamptz": "timestamp"}


def _part_now(table: Table, name: str, kept: KeptForms, zone: str) -> SqlPart | None:
    """A column as it is now; where it holds moments that were clocks, or clocks that were moments,
    converted in the zone.
    """
    part, before = _part(table, name), kept.forms[name]
    if part is None or not zone or _CLOCKS.get(before) != str(part.form):
        return part
    # In the old form, so that both sides write the value alike.
    return part_of(f"({quote(name)} AT TIME ZONE {to_sql(text_literal(zone))})", facts_of(before))


_BY_TEXT = {frozenset({"integer", "numeric"}): "numeric", frozenset({"uuid", "text"}): "text"}
"""Forms whose values are compared by the texts of either: numbers as numbers, a uuid as its text."""


def _common(before: str, after: str) -> str:
    return before if before == after else _BY_TEXT.get(frozenset({before, after}), "")


def _part(table: Table, name: str, wanted: str = "") -> SqlPart | None:
    return part_of(quote(name), facts_of_column(table.columns[name]), wanted=wanted)
