"""Which checks somebody means: ids, tables and tags, as they are written and as the output prints them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from kisaan_validate.errors import SuiteError, UsageError
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.titles import split_name
from kisaan_validate.text.keyword import KeywordError, keyword_test
from kisaan_validate.text.nearest import nearest_pattern


class SuiteNames:
    """By what names checks are known in a suite of these schemas and aliases."""

    def __init__(
        self, schemas: Sequence[str] = (), aliases: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._schemas, self._aliases = tuple(schemas), dict(aliases or {})

    def of(self, check: Check) -> Iterator[str]:
        """Its id, table and tags; id and table also with and without their schema, as output names them."""
        yield from (name for name in (check.id, check.table, *check.tags) if name)
        if not check.table:
            return
        rest = check.id.removeprefix(check.table) if check.id.startswith(f"{check.table}.") else None
        for table in self._tables(check.table):
            yield table
            if rest is not None:
                yield f"{table}{rest}"

    def _tables(self, declared: str) -> Iterator[str]:
        """The other names of a table: the output leaves out the schema public, and people write every one."""
        schema, name = split_name(declared)
        if schema == "public":
            yield name
        if not schema:
            yield from (f"{schema}.{declared}" for schema in self._schemas)
            yield from self._aliases.get(declared, ())

    def match(self, check: Check, pattern: str) -> bool:
        """Whether a pattern means a check. A name that holds pattern characters of its own means itself."""
        return any(name == pattern or fnmatchcase(name, pattern) for name in self.of(check))

    def chosen(self, checks: Sequence[Check], select: Sequence[str], exclude: Sequence[str]) -> list[Check]:
        """The checks that a pattern of ``select`` means (all if empty) and none of ``exclude``.

        Raises SuiteError if a pattern means nothing: a typing slip must not look like success.
        """
        for pattern in (*select, *exclude):
            if not any(self.match(check, pattern) for check in checks):
                raise SuiteError(f"{pattern!r} matches no check", self._nearest(checks, pattern))
        wanted = (c for c in checks if not select or any(self.match(c, p) for p in select))
        return [c for c in wanted if not any(self.match(c, p) for p in exclude)]

    def _nearest(self, checks: Sequence[Check], pattern: str) -> str:
        """What may have been meant. Of a pattern, what it would match with its nearest name."""
        known = dict.fromkeys(name for check in checks for name in self.of(check))
        return nearest_pattern(pattern, known, "see `kisaan-validate list`")


def by_keyword(checks: Sequence[Check], expression: str) -> list[Check]:
    """The checks whose id an expression means. Raises UsageError for a bad one, SuiteError if it means
    none.
    """
    try:
        test = keyword_test(expression)
    except KeywordError as error:
        raise UsageError(
            f"-k {expression!r} cannot be understood: {error}",
            "write parts of check ids with and, or, not and parentheses: -k 'amount and not unique'",
        ) from None
    found = [check for check in checks if test(check.id)]
    if not found:
        hint = "see `kisaan-validate list` for the ids; -k takes parts of them"
        raise SuiteError(f"-k {expression!r} matches none of {len(checks):,} checks", hint)
    return found


def among(checks: Sequence[Check], run_id: str, failed: Collection[str]) -> list[Check]:
    """The checks that failed, or had no answer, in an earlier run. Raises SuiteError if none of them is
    here.
    """
    found = [check for check in checks if check.id in failed]
    if not found:
        said = f"none of the {len(failed):,} checks that failed or had no answer in run {run_id} is selected"
        raise SuiteError(said, "select others, or leave --last-failed out")
    return found
