"""The values of chosen columns: written beside a baseline, or compared with those that one kept."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, UsageError
from kisaan_validate.facts.differences import VALUES_GONE
from kisaan_validate.facts.kept import RowFile, ValuesCompared
from kisaan_validate.personal.lineage import asked_of
from kisaan_validate.postgres.lineage import read_followed
from kisaan_validate.prove.recovery import goes_on, unready
from kisaan_validate.sql.expressions import knows_zone_sql
from kisaan_validate.suite.personal import looks_asked

if TYPE_CHECKING:
    from kisaan_validate.facts.run import Run
    from kisaan_validate.facts.table import TableFacts
    from kisaan_validate.plan.keptvalues import ValueStream
    from kisaan_validate.prove.comparison import ComparisonPlan
    from kisaan_validate.prove.context import RunContext
    from kisaan_validate.prove.options import KeptColumns
    from kisaan_validate.record.valuefile import KeptValues


def values_to_keep(context: RunContext) -> list[ValueStream]:
    """What is read to keep values. Raises UsageError before anything is measured, where a column cannot be
    kept or the server does not know the time zone.
    """
    options = context.request.options
    zone = options.compare.zone if options.compare is not None else ""
    # Asked of the server, which may have other time zones than this machine.
    if zone and context.holder.execute(knows_zone_sql(zone)) == [(0,)]:
        raise UsageError(
            f"--zone {zone} is not a time zone that the server knows",
            "write a name such as Asia/Kolkata or UTC",
        )
    kept = options.keep.values
    if kept is None:
        return []
    from kisaan_validate.plan.keptvalues import value_streams

    looks = _looks_personal(context, kept)
    return value_streams(
        kept.columns, context.catalogue, context.readable, context.is_personal, looks, context.encoding
    )


def _looks_personal(context: RunContext, kept: KeptColumns) -> Callable[[str, str], bool]:
    """Whether a column looks like somebody's data by its name, or is made of one that does."""
    # ``--public`` names columns that only look personal; it cannot open one that is declared so.
    looks, public = looks_asked(kept.public), asked_of(kept.public)
    found = read_followed(context.holder, looks, context.suite.settings.aliases)
    return lambda table, column: not public(table, column) and found.is_personal(table, column, looks)


def with_values(
    context: RunContext, compared: ComparisonPlan, made: Run, streams: Sequence[ValueStream]
) -> Run:
    """The run with values written beside a baseline, or compared with those that a baseline kept."""
    options, before = context.request.options, compared.here.before
    if context.request.stop.requested or not made.tables:
        return made
    if streams and options.keep.values is not None:
        context.request.say("writing values")
        return replace(made, value_file=_written(context, options.keep.values, streams))
    if options.compare is None or options.before is None:
        return made
    if options.before.values is None or before is None:
        return made
    context.request.say("comparing values")
    file, zone = options.before.values, options.compare.zone
    comparing = _Values(context, compared, file, zone, _rows(before.tables), _rows(made.tables))
    return replace(made, values=tuple(comparing.compared()))


def _written(context: RunContext, kept: KeptColumns, streams: Sequence[ValueStream]) -> RowFile:
    from kisaan_validate.record.valuefile import ValueWriter

    writer = ValueWriter(kept.path)
    try:
        from kisaan_validate.live.kept import write_values

        write_values(context.holder, context.request.while_wanted(streams), writer)
    # Also for an interrupt: a file of values must be whole or absent.
    except BaseException:
        writer.drop()
        raise
    digest = writer.finish()
    return RowFile(kept.path.name, writer.size, digest)


def _rows(tables: Iterable[TableFacts]) -> dict[str, int]:
    return {table.title: table.rows for table in tables if table.rows is not None}


@dataclass(frozen=True)
class _Values:
    """The values that a baseline kept, and those that are there now. ``old`` and ``new`` are numbers of
    rows, by title.
    """

    context: RunContext
    known: ComparisonPlan
    file: KeptValues
    zone: str
    old: Mapping[str, int]
    new: Mapping[str, int]

    def compared(self) -> Iterator[ValuesCompared]:
        """What is reported of each column, also of those that could not be compared."""
        lost = unready(self.context.holder)
        for former in self.file.tables:
            lost = yield from self._table(former, lost)

    def _table(self, former: str, lost: str) -> Generator[ValuesCompared, None, str]:
        """One table, by its title in the baseline. Returns why later tables cannot be read, or ""."""
        kept, _ = self.file.tables[former]
        title = self.known.here.done.title(former)
        forms = kept.called(self.known.here.columns_here(former, (*kept.key, *kept.columns)))
        # By its current title: the table may have been renamed, and the title says where it lies.
        table = next((t for t in self.context.readable if t.title == title), None)
        if table is None or lost:
            yield from _untold(title, forms.columns, lost or self._absence(title))
            return lost
        from kisaan_validate.plan.keptvalues import stream_again

        stream, reasons = stream_again(
            table, forms, self.context.is_personal, self.context.encoding, self.zone
        )
        for name, why in reasons.items():
            yield ValuesCompared(title, name, message=why)
        names = [name for name in forms.columns if name not in reasons]
        if stream is None:
            return lost
        # Without both counts nobody would notice rows that the merge missed.
        if title not in self.old or title not in self.new:
            yield from _untold(title, names, "its rows were not counted")
            return lost
        try:
            counted = (self.old[title], self.new[title])
            from kisaan_validate.live.kept import compare_values

            yield from compare_values(self.context.holder, stream, self.file.lines(former), counted)
            return lost
        # The file of values is read here too: OSError.
        except (DatabaseError, OSError) as error:
            why = _why(error)
            yield from _untold(title, names, why)
            # An unreadable file says nothing about the session, but its remaining tables would fail likewise.
            there = isinstance(error, DatabaseError) and goes_on(self.context.holder, error)
            return "" if there else why

    def _absence(self, title: str) -> str:
        """Why a table of the baseline is not compared."""
        there = any(known.title == title for known in self.context.catalogue.tables.values())
        return "the table is not among those compared now" if there else VALUES_GONE


def _why(error: DatabaseError | OSError) -> str:
    if isinstance(error, DatabaseError):
        return error.fact
    return f"the file of values could not be read: {error.strerror}"


def _untold(title: str, columns: Iterable[str], why: str) -> Iterator[ValuesCompared]:
    """Columns that could not be compared."""
    yield from (ValuesCompared(title, name, message=why) for name in columns)
