"""The noun Suite: the checks of one folder, their rules and settings, and any part of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check, Criterion
from kisaan_validate.facts.suite import Selection, SuiteFacts
from kisaan_validate.facts.totals import TotalSpec
from kisaan_validate.rules.base import Rule
from kisaan_validate.suite.filters import Filter
from kisaan_validate.suite.selecting import SuiteNames, among, by_keyword
from kisaan_validate.suite.settings import SuiteSettings


@dataclass(frozen=True)
class Suite:
    """The checks of one folder. Ids are unique; ``rules`` has exactly one rule for each id.

    ``filters`` has, for each id of a check that is filtered, the filters of the tables whose rows it judges.
    ``criteria`` name their checks by id, those too that a narrowed suite does not ask. ``selection`` says
    which part of the folder's suite it is.
    """

    settings: SuiteSettings
    checks: tuple[Check, ...]
    rules: Mapping[str, Rule]
    digest: str
    sources: tuple[str, ...]
    total: int
    origin: str = ""
    filters: Mapping[str, Mapping[str, Filter]] = field(default_factory=dict)
    criteria: tuple[Criterion, ...] = ()
    selection: Selection = field(default_factory=Selection)
    totals: tuple[TotalSpec, ...] = ()

    def needs(self, check: Check) -> tuple[tuple[str, str], ...]:
        """The (table, column) pairs without which a check cannot be asked, those of its filters among
        them.
        """
        filters = self.filters.get(check.id, {})
        read = tuple((table, column) for table, f in filters.items() for column in f.columns)
        return (*self.rules[check.id].needs(check.table, check.columns), *read)

    def authored(self, check: Check) -> str:
        """The author-written SQL of a check, whose functions must be looked up before it may run; ""
        without any.
        """
        # The line break ends a ``--`` comment of the author's.
        filters = (f"({f.sql}\n)" for f in self.filters.get(check.id, {}).values())
        return ", ".join(text for text in (self.rules[check.id].functions_sql(), *filters) if text)

    @property
    def facts(self) -> SuiteFacts:
        """What a run records of the suite."""
        s = self.settings
        return SuiteFacts(
            s.name, self.digest, self.sources, self.total, s.schemas, s.exclude_tables, s.aliases, s.nouns
        )

    @property
    def names(self) -> SuiteNames:
        """By what names its checks are known."""
        return SuiteNames(self.settings.schemas, self.settings.aliases)

    def narrowed(
        self,
        select: Iterable[str] = (),
        exclude: Iterable[str] = (),
        keyword: str = "",
        failed: tuple[str, Collection[str]] | None = None,
    ) -> Suite:
        """The part whose id, table or tag matches a pattern of ``select`` (all if empty) and none of
        ``exclude``, whose id fits the expression ``keyword``, and is among those that ``failed`` (a run's
        id, and the ids of checks).

        Raises SuiteError if a pattern or the whole of it matches nothing: a typing slip must not look like
        success. Raises UsageError for an expression that means nothing.
        """
        was, wanted, unwanted = self.selection, tuple(select), tuple(exclude)
        chosen = self.names.chosen(self.checks, wanted, unwanted)
        if keyword:
            chosen = by_keyword(chosen, keyword)
        if failed is not None:
            chosen = among(chosen, *failed)
        selection = Selection(
            (*was.select, *wanted),
            (*was.exclude, *unwanted),
            len(chosen) < self.total,
            " and ".join(f"({text})" for text in (was.keyword, keyword) if text) if was.keyword else keyword,
            failed[0] if failed is not None else was.failed_in,
        )
        return replace(self, checks=tuple(chosen), selection=selection)
