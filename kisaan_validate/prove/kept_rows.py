"""Digests of every row, as a baseline keeps them: writing them, and comparing them with the current ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.compare.digests import ALL_PERSONAL, differing_buckets
from kisaan_validate.contract.load import spoken_columns
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.rowcompare import compare_rows, not_kept, why_not_kept, write_rows
from kisaan_validate.facts.kept import RowFile, RowsCompared
from kisaan_validate.plan.measure.rows import row_streams, row_streams_again
from kisaan_validate.plan.renames import column_here
from kisaan_validate.prove.recovery import goes_on, unready

if TYPE_CHECKING:
    from kisaan_validate.facts.baseline import Baseline
    from kisaan_validate.facts.catalogue import Table
    from kisaan_validate.facts.run import Run
    from kisaan_validate.facts.table import TableFacts
    from kisaan_validate.plan.fingerprints import Digesting
    from kisaan_validate.prove.comparison import ComparisonPlan
    from kisaan_validate.prove.context import RunContext
    from kisaan_validate.record.rowfile import KeptRows, RowWriter


def written_rows(
    context: RunContext, compared: ComparisonPlan, how: Digesting, writer: RowWriter, made: Run
) -> Run:
    """The run, its rows written to ``writer``. Raises DatabaseError."""
    contract, unavailable = context.request.options.contract, context.snapshot.unavailable
    spoken = spoken_columns(contract) if contract is not None else ()
    # Columns with a promise will change, so a digest over them could not be compared afterwards.
    places = [column_here(compared.here.naming, *place) for place in spoken]
    tables = [table for table in context.readable if table.key not in unavailable]
    # A table that cannot be read is said to be missing; leaving it out would look like an empty one.
    held = {t.title: unavailable[t.key][1] for t in context.readable if t.key in unavailable}
    streams = row_streams(tables, context.catalogue, context.is_personal, how, places)
    refused = {**held, **write_rows(context.holder, context.request.while_wanted(streams), writer)}
    # The size is known once the file is finished, and the digest is over what was written.
    file = RowFile(writer.path.name, 0, writer.finish())
    notices = tuple(not_kept(title, why) for title, why in refused.items())
    return replace(made, row_file=replace(file, size=writer.size), notices=(*made.notices, *notices))


@dataclass(frozen=True)
class BaselineRows:
    """The rows of a baseline, and those that are there now."""

    context: RunContext
    known: ComparisonPlan
    how: Digesting
    file: KeptRows
    before: Baseline
    made: Run

    def compared(self) -> Iterator[RowsCompared]:
        """What is reported of each table; of one that could not be compared, why."""
        # A savepoint first: one table that cannot be read must not abort the transaction of the others.
        if lost := unready(self.context.holder):
            yield from (RowsCompared(title, message=lost) for title in sorted(self.file.sections))
            return
        seen = set()
        for found in self._tables():
            # By its old name, because the file's sections have the old names.
            seen.add(self.known.here.table_before(found.table))
            yield found
        why = "not compared: the table does not exist, or the session was lost"
        yield from (RowsCompared(title, message=why) for title in sorted(self.file.sections.keys() - seen))

    def _tables(self) -> Iterator[RowsCompared]:
        old = {t.title: t for t in self.before.tables}
        now = {t.title: t for t in self.made.tables}
        for table in self.context.request.while_wanted(self.context.readable):
            title = table.title
            if title not in old:
                continue
            # Buckets whose digests agree hold the same rows, so only the others are streamed.
            buckets = differing_buckets(old[title].digests, now[title].digests if title in now else None)
            if self.known.here.table_before(title) not in self.file.sections:
                yield from self._unkept(title, bool(buckets))
                continue
            found, error = self._compared(table, buckets, _counted(old[title], now.get(title)))
            yield found
            if error is not None and not goes_on(self.context.holder, error):
                return

    def _unkept(self, title: str, differs: bool) -> Iterator[RowsCompared]:
        """A table whose rows were not kept, if they may differ and the reason is not known already."""
        why = why_not_kept(self.before.notices, self.known.here.table_before(title))
        # Silence where nothing can have changed: a table of only personal columns never has rows kept.
        if differs and why not in {"", ALL_PERSONAL}:
            yield RowsCompared(title, message=f"before: {why}")

    def _compared(
        self, table: Table, buckets: frozenset[int], counted: tuple[int, int] | None
    ) -> tuple[RowsCompared, DatabaseError | None]:
        context, former = self.context, self.known.here.table_before(table.title)
        # The file has the forms under the old names; here they
        # are asked of the columns as they are called now.
        kept = self.file.sections[former].forms
        names = self.known.here.columns_here(former, kept)
        forms = {names[name]: form for name, form in kept.items()}
        beside = (context.catalogue, context.is_personal, self.how, self.before, self.known.since)
        (stream,) = row_streams_again([(table, forms, buckets)], *beside)
        try:
            return compare_rows(context.holder, stream, self.file.rows(former, buckets), counted), None
        except DatabaseError as error:
            return RowsCompared(table.title, stream.key, message=error.fact), error
        # Its remaining tables would fail likewise.
        except OSError as error:
            why = f"the file of row digests could not be read: {error.strerror}"
            return RowsCompared(table.title, stream.key, message=why), DatabaseError(why)


def _counted(old: TableFacts, now: TableFacts | None) -> tuple[int, int] | None:
    """How many rows both sides have, where that is known."""
    if now is None or old.rows is None or now.rows is None:
        return None
    return old.rows, now.rows
