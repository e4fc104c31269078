"""Makes checks out of items, one by one: each is built as a suite would build it before it counts as
imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kisaan_validate import declare
from kisaan_validate.author.importers.expressions import nan_sql, table_ref
from kisaan_validate.author.importers.outcome import ImportOutcome, Made, NoCounterpart, Said
from kisaan_validate.author.source import call, header, python_text, python_value, remark
from kisaan_validate.errors import SuiteError
from kisaan_validate.suite.sql_source import read_assertion


def _is_count(sql: str) -> bool:
    """Whether a figure is a number of rows, which is never NaN."""
    # The two forms that importers write; any other figure may be NaN.
    return sql.startswith(("count(", "(SELECT count("))


LONGEST_ID = 200
"""An id is a name, no essay. Characters."""


class Maker:
    """Gathers the checks of an import, and what happened to every item. ``tag`` is on every check."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.made: list[Made] = []
        self.outcomes: list[ImportOutcome] = []
        self._ids: set[str] = set()
        self._paths: set[str] = set()

    def item(self, file: str, place: str, text: str, work: Callable[[], Iterable[str]]) -> None:
        """One item of a source: ``work`` makes its checks and returns their ids. If any part of it fails,
        none of it is made.
        """
        # Remembered, so that an item whose third check fails leaves none behind.
        before, ids, paths = len(self.made), set(self._ids), set(self._paths)
        try:
            made = tuple(work())
            if not made:
                raise NoCounterpart("it contains nothing to check")
            self.outcomes.append(ImportOutcome(file, place, text, made))
        except (NoCounterpart, SuiteError) as error:
            del self.made[before:]
            self._ids, self._paths = ids, paths
            reason = error.fact if isinstance(error, SuiteError) else str(error)
            self.outcomes.append(ImportOutcome(file, place, text, reason=reason))

    def none(self, file: str, place: str, text: str, reason: str) -> None:
        """An item that has no counterpart, known before it is looked at."""
        self.outcomes.append(ImportOutcome(file, place, text, reason=reason))

    # --- declarations --------------------------------------------------------------------------------------

    def declare(
        self,
        function: str,
        table: str,
        arguments: Sequence[Any],
        id: str,
        said: Said,
        columns: Iterable[str] = (),
        **more: Any,
    ) -> str:
        """A call of a function of ``declare``, tried out and then written. Returns the check's id. Raises
        SuiteError.
        """
        # What is not said keeps the default of declare; a written default would be noise in the file.
        named = {key: value for key, value in more.items() if value not in (None, "", ())}
        if said.tolerance is not None:
            named["tolerance"] = said.tolerance
        if said.severity != "blocking":
            named["severity"] = said.severity
        named |= {key: remark(text, 1000) for key, text in (("why", said.why), ("owner", said.owner)) if text}
        named |= {"tags": [self.tag], "id": self._new_id(id)}
        # Built as a suite would build it, so that a bad argument fails the import, not the first run.
        made: declare.Declaration = getattr(declare, function)(table, *arguments, **named)
        texts = [
            python_text(table),
            *(python_value(a) for a in arguments),
            *(f"{k}={python_value(v)}" for k, v in named.items()),
        ]
        self.made.append(Made(made.meta.id, table, call(f"declare.{function}", texts), "", tuple(columns)))
        return made.meta.id

    def row(
        self,
        table: str,
        expression: str,
        id: str,
        said: Said,
        *,
        where: str = "",
        columns: Iterable[str] = (),
        allow_nan: bool = False,
    ) -> str:
        """An expression over one row that must not be false, in the rows that ``where`` admits: only these
        are examined.

        A NaN in a column that it reads violates it; with ``allow_nan`` (for expressions that compare no
        values) it does not.
        """
        return self.declare(
            "holds", table, [expression], id, said, columns, filter=where, allow_nan=allow_nan or None
        )

    # --- assertions ----------------------------------------------------------------------------------------

    def assertion(self, table: str, sql: str, keys: Sequence[str], id: str, said: Said) -> str:
        """A SELECT of violating rows, in a file of its own. Returns the check's id. Raises SuiteError."""
        made, body = self._new_id(id), sql.strip().replace("\r\n", "\n")
        # What cannot be seen could hide in a file that people review.
        if hidden := next((c for c in body if not c.isprintable() and c not in "\n\t"), None):
            raise NoCounterpart(f"its SQL would contain an invisible character (U+{ord(hidden):04X})")
        fields = {
            # A name that does not fit on the header's line is left out: the tables that are read are known
            # from the SQL.
            "id": made,
            "table": table if remark(table) == table else "",
            "key": ", ".join(keys),
            "severity": said.severity,
            "tolerance": "" if said.tolerance is None else str(said.tolerance),
            "title": said.title,
            "why": said.why,
            "owner": said.owner,
            "tags": self.tag,
        }
        path = f"sql/{self._new_path(made)}.sql"
        text = header(fields) + body + "\n"
        # Read back as a suite reads it: what is refused there is not imported.
        read_assertion(text, path)
        self.made.append(Made(made, table, text, path))
        return made

    def measure(
        self,
        table: str,
        outputs: Sequence[tuple[str, str]],
        condition: str,
        id: str,
        said: Said,
        *,
        where: str = "",
        source: str = "",
        of: Sequence[str] = (),
    ) -> str:
        """Figures over a table (name, SQL), and a condition on them as ``m.name``: one row is returned
        where it is not true.

        It is not true of a figure that is NaN, whatever the condition says, nor where one of the values
        (SQL) that it is made ``of`` is: NaN is the greatest of all, so that their maximum tells.
        ``source`` stands in the place of the table, with its own WHERE.
        """
        outputs = [
            *outputs,
            *([("nan_found", " OR ".join(nan_sql(f"max({value})") for value in of))] if of else []),
        ]
        figures = ", ".join(f"{sql} AS {name}" for name, sql in outputs)
        origin = source or f"FROM {table_ref(table)}" + (f"\n  WHERE {where}" if where else "")
        shown = ", ".join(f"m.{name}" for name, _ in outputs)
        unsound = [
            "m.nan_found" if name == "nan_found" else nan_sql(f"m.{name}")
            for name, sql in outputs
            if not _is_count(sql)
        ]
        # IS NOT TRUE: a figure over no rows is NULL, and NULL is no pass.
        failed = "\n  OR ".join([f"({condition}) IS NOT TRUE", *unsound])
        sql = f"SELECT {shown}\nFROM (\n  SELECT {figures}\n  {origin}\n) AS m\nWHERE {failed}"
        return self.assertion(table, sql, [outputs[0][0]], id, said)

    def _new_id(self, wanted: str) -> str:
        base = remark(wanted, LONGEST_ID)
        number, id = 1, base
        while id in self._ids:
            number += 1
            id = f"{base}_{number}"
        self._ids.add(id)
        return id

    def _new_path(self, id: str) -> str:
        from kisaan_validate.author.source import file_stem

        return file_stem(id, self._paths)
