"""Declarations become a Suite: each gets its id and its digest, and what it cannot mean is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import KisaanError, SuiteError
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.totals import TotalSpec
from kisaan_validate.rules.applies import parse_condition
from kisaan_validate.rules.base import Rule, meaning_digest
from kisaan_validate.sql.assertion import row_condition
from kisaan_validate.suite.criteria import resolved
from kisaan_validate.suite.filters import Filter, Filters
from kisaan_validate.suite.selecting import SuiteNames
from kisaan_validate.suite.settings import SuiteSettings
from kisaan_validate.suite.settling import unsettling
from kisaan_validate.suite.suite import Suite
from kisaan_validate.text.nearest import did_you_mean


def build_suite(
    declared_all: Sequence[Declaration | TotalSpec],
    settings: SuiteSettings,
    digest: str,
    sources: tuple[str, ...],
    origin: str,
) -> Suite:
    """Give every declaration its id and digest. Raises SuiteError if two of them claim one id."""
    made = [d for d in declared_all if isinstance(d, Declaration)]
    totals = _distinct_totals(d for d in declared_all if isinstance(d, TotalSpec))
    checks: dict[str, Check] = {}
    rules: dict[str, Rule] = {}
    filters: dict[str, dict[str, Filter]] = {}
    declared = Filters(settings.filters, settings.schemas, settings.aliases, settings.lines)
    # The first of several keeps the plain id, so that a check that is added later renames none.
    repeated = Counter(_natural_id(d) for d in made if not d.meta.id)
    numbered: Counter[str] = Counter()
    for d in made:
        id = d.meta.id or _natural_id(d)
        # Only pandera's checks are numbered: authors of declarations give ids, and would not notice a shift.
        if not d.meta.id and repeated[id] > 1 and _from_pandera(d):
            numbered[id] += 1
            id = f"{id}_{numbered[id]}" if numbered[id] > 1 else id
        if id in checks:
            raise SuiteError(
                f"check id {id!r} is already taken by {checks[id].origin}", 'give one an id="…"', d.origin
            )
        with _placed_at(d):
            _refuse(d)
            if found := declared.of(d):
                filters[id] = found
            checks[id], rules[id] = _check(id, d, found, settings.settling), d.rule
    # At the end, when it is known which filters found a check.
    declared.require_use()
    _require_tables(settings.nouns, checks.values())
    criteria = resolved(settings.criteria, checks.values(), _meant(settings), "suite.toml")
    return Suite(
        settings,
        tuple(checks.values()),
        rules,
        digest,
        sources,
        len(checks),
        origin,
        filters,
        criteria,
        totals=totals,
    )


def _distinct_totals(specs: Iterable[TotalSpec]) -> tuple[TotalSpec, ...]:
    """Raises SuiteError for one that is declared twice: on a page nobody could tell them apart."""
    found: dict[tuple[object, ...], TotalSpec] = {}
    for spec in specs:
        key = (spec.table, spec.column, spec.by)
        if key in found:
            raise SuiteError(f"this control total is declared at {found[key].origin}", "", spec.origin)
        found[key] = spec
    return tuple(found.values())


def _require_tables(nouns: Mapping[str, str], checks: Iterable[Check]) -> None:
    """Raises SuiteError for the noun of a table that no check is about: its name may be a slip."""
    tables = {check.table for check in checks}
    for table in nouns:
        if table not in tables:
            fact = f"a noun for {table!r}, but no check is about that table"
            raise SuiteError(fact, did_you_mean(table, sorted(tables - {""})), "suite.toml")


def _meant(settings: SuiteSettings) -> Callable[[Check, str], bool]:
    return SuiteNames(settings.schemas, settings.aliases).match


def _refuse(d: Declaration) -> None:
    """Raises SuiteError for what a declaration says and cannot mean."""
    # Parsed now, so that an error names the line of the suite and no run has begun.
    for condition in d.meta.applies:
        parse_condition(condition, d.origin)
    for expression in d.rule.conditions():
        row_condition(expression, d.origin)
    if d.meta.tolerance is not None and (reason := d.rule.intolerable(d.meta.tolerance)):
        raise SuiteError(f"tolerance {d.meta.tolerance}: {reason}", "", d.origin)
    if d.meta.settling and (reason := unsettling(d.rule, d.table, d.columns)):
        raise SuiteError(f"a settling time cannot be meant: {reason}", "remove settling=…", d.origin)
    # A rule of another package may fail here; better at load than in a run.
    d.rule.needs(d.table, d.columns)


@contextmanager
def _placed_at(d: Declaration) -> Iterator[None]:
    """A fault of another package's rule is one of its declaration: refused at its line, not a fault of
    ours.
    """
    try:
        yield
    # An error of this program's own kinds already names its place.
    except KisaanError:
        raise
    except Exception as error:
        # A fault of the engine itself must not look like one of the suite.
        if not d.foreign:
            raise
        fact = (
            f"the kind {d.rule.kind!r} of {type(d.rule).__module__} failed: {type(error).__name__}: {error}"
        )
        raise SuiteError(fact, "", d.origin) from error


def _from_pandera(d: Declaration) -> bool:
    return not d.foreign and d.name not in declare.__all__


def _natural_id(d: Declaration) -> str:
    join = getattr(d.rule, "join", None)
    if getattr(d.rule, "frame", False):  # a check of the frame goes by its own name, whatever it reads
        return f"{d.table}.{d.name}"
    columns = d.columns or (join.columns if join is not None else ())
    return ".".join(part for part in (d.table or "database", "_".join(columns), d.name) if part)


def _filtered(d: Declaration, filters: Mapping[str, Filter]) -> str:
    """What the filters add to a claim."""
    named = {f"filter{'' if table == d.table else f' of {table}'}": f.sql for table, f in filters.items()}
    return "".join(f" ({name}: {' '.join(sql.split())})" for name, sql in named.items())


def _check(id: str, d: Declaration, filters: Mapping[str, Filter], settling: int) -> Check:
    m = d.meta
    # What a suite says of all holds where it can; a check that says it itself was refused where it cannot.
    settling = (
        m.settling
        if m.settling is not None
        else settling
        if not unsettling(d.rule, d.table, d.columns)
        else 0
    )
    more = sorted((table, f.sql) for table, f in filters.items())
    # Only where there is one: the digests of all other checks stay as they were.
    settled = ((f"settling {settling}",),) if settling else ()
    return Check(
        id=id,
        table=d.table,
        columns=d.columns,
        form=d.rule.form,
        kind=d.rule.kind,
        claim=d.rule.claim(d.table, d.columns) + _filtered(d, filters),
        severity=m.severity,
        tolerance=m.tolerance,
        why=m.why,
        hint=m.hint,
        finding=m.finding,
        owner=m.owner,
        tags=m.tags,
        applies=m.applies,
        origin=d.origin,
        # What decides the answer, and nothing else: a new owner or reason does not change the digest.
        digest=meaning_digest(d.rule, d.table, d.columns, m.tolerance, m.applies, *more, *settled),
        settling=settling,
    )
