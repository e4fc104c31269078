"""A folder (or a list of objects) becomes a Suite: checks, their rules, and a digest of all sources."""

from __future__ import annotations

import hashlib
import os
import sys
import types
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import KisaanError, SuiteError
from kisaan_validate.facts.check import Check, Criterion
from kisaan_validate.facts.ledger import LEDGER_SHAPES, LedgerKind, LedgerSource
from kisaan_validate.facts.suite import BackupDeclared, Selection, SuiteFacts
from kisaan_validate.facts.totals import TotalSpec
from kisaan_validate.personal.lineage import Asked, Followed, asked_of
from kisaan_validate.process import watched
from kisaan_validate.rules import plugins
from kisaan_validate.rules.applies import parse_condition
from kisaan_validate.rules.base import Rule, meaning_digest
from kisaan_validate.sql.assertion import row_condition
from kisaan_validate.suite.criteria import distinct, resolved
from kisaan_validate.suite.filters import Filter, Filters
from kisaan_validate.suite.selecting import SuiteNames, among, by_keyword
from kisaan_validate.suite.settling import unsettling
from kisaan_validate.text import authored
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.toml.reader import read

if TYPE_CHECKING:
    from kisaan_validate.suite.settings_model import LedgerTable


@dataclass(frozen=True)
class SuiteSettings:
    """What ``suite.toml`` says.

    ``personal`` and ``exclude_tables`` are shell patterns over ``table.column`` and ``table``; ``aliases``
    maps a logical table name to the names under which it may exist, in the order in which they are tried.
    ``filters`` maps tables to the SQL condition on their rows that are judged; ``lines`` says where each
    of these is written. ``criteria`` are those of a runbook, their checks as the patterns that were
    written. ``foreign`` are the tables whose rows another server holds and which are judged all the same.
    ``settling`` is after how many seconds failures of checks over several tables are asked again.
    ``ledger`` is where migrations are written down, None where nobody said.
    ``backup`` is what backups of the database are held to.
    ``followed`` is what the database's own catalogue makes of ``personal``, once it was read.
    """

    name: str = ""
    schemas: tuple[str, ...] = ("public",)
    personal: tuple[str, ...] = ()
    exclude_tables: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nouns: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict, compare=False)
    criteria: tuple[Criterion, ...] = ()
    foreign: tuple[str, ...] = ()
    settling: int = 0
    ledger: LedgerSource | None = None
    backup: BackupDeclared = field(default_factory=BackupDeclared)
    followed: Followed = field(default_factory=Followed, compare=False)

    def is_personal(self, table: str, column: str) -> bool:
        """Whether values of this column must never be shown. Patterns ignore case: better to mask too
        much.
        """
        return self.followed.is_personal(table, column, self.asked)

    @cached_property
    def asked(self) -> Asked:
        """Who is asked of the patterns alone, whatever the database makes of them."""
        return asked_of(self.personal)

    def may_be_quoted(self, tables: Collection[str], sql: str = "") -> bool:
        """Whether the server could quote a personal value when it fails at a statement over these tables."""
        if any(_touches(pattern, tables) for pattern in self.personal):
            return True
        return bool(self.followed.relations & set(tables)) or self.followed.quoted_by(sql)

    def is_excluded(self, table: str) -> bool:
        """Whether the table is left out of row counts."""
        return any(fnmatchcase(table, pattern) for pattern in self.exclude_tables)


def _touches(pattern: str, tables: Collection[str]) -> bool:
    """Whether a pattern of table.column may mean a column of one of these: either name may have dots of
    its own.
    """
    parts = pattern.lower().split(".")
    # Any dot may part table and column, because either name may hold one.
    possible = [".".join(parts[:n]) for n in range(1, len(parts))] or ["*"]
    spelled = {name.lower() for name in tables}
    return bool(spelled & set(possible)) or any(
        fnmatchcase(name, table) for name in spelled for table in possible
    )


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


def load_suite(folder: str | Path) -> Suite:
    """Read a folder's ``*.py``, ``sql/*.sql`` and ``suite.toml``.

    Raises SuiteError, naming file and line, for anything that cannot be understood or proved, and
    UsageError, naming it, for a plugin that cannot be loaded.
    """
    # Before any file is read: a plugin under a taken name would change what a suite means.
    plugins.refuse_taken(vars(declare))
    root = Path(folder)
    if not root.is_dir():
        hint = "name the suite's folder with --suite, or draft one from a database: kisaan-validate init"
        raise SuiteError(f"there is no folder {str(folder)!r}", hint)
    # A leading underscore marks a helper, which is no source of checks.
    sources = [path for path in source_files(root) if not path.name.startswith("_")]
    settings_file = root / "suite.toml"
    settings = read_settings(settings_file) if settings_file.exists() else SuiteSettings()
    if not settings.name:
        settings = replace(settings, name=root.resolve().name)
    made: list[Declaration | TotalSpec] = []
    for path in sources:
        made += _read(path, path.relative_to(root).as_posix())
    if not made:
        raise SuiteError(
            f"the folder {str(folder)!r} declares no checks",
            f"draft some from a database: kisaan-validate init -o {folder}; or write them by hand",
        )
    every = [*([settings_file] if settings_file.exists() else []), *sources]
    return build_suite(made, settings, _digest(root, every), tuple(_names(root, every)), str(folder))


def source_files(root: Path) -> list[Path]:
    """The Python and SQL files of a suite's folder, sorted. Hidden files are an editor's own (locks,
    backups, resource forks).

    Raises SuiteError for one that only a capital letter keeps from being found: its checks would be missed
    by nobody.
    """
    found = []
    for folder, suffix in ((root, ".py"), (root / "sql", ".sql")):
        there = sorted(folder.iterdir()) if folder.is_dir() else []
        named = [path for path in there if path.suffix.lower() == suffix and not path.name.startswith(".")]
        if odd := next((path for path in named if path.suffix != suffix), None):
            raise SuiteError(
                "it would be ignored",
                f"rename it so that it ends in {suffix}",
                odd.relative_to(root).as_posix(),
            )
        found += named
    return found


def suite_of(*sources: Any, settings: SuiteSettings | None = None) -> Suite:
    """A suite of pandera models, schemas and declarations, without a folder."""
    made: list[Declaration | TotalSpec] = []
    for source in sources:
        if isinstance(source, (Declaration, TotalSpec)):
            made.append(source)
        else:
            from kisaan_validate.suite.pandera_source import Lines, declarations_of

            name = getattr(source, "__name__", None) or getattr(source, "name", None) or "schema"
            module = getattr(source, "__module__", "")
            found = declarations_of({str(name).lstrip("_"): source}, module, Lines(f"<{name}>", {}))
            if not found:
                raise SuiteError(
                    f"{source!r} is not a check source", "pass pandera models, schemas or declarations"
                )
            made += found
    settings = settings or SuiteSettings(name="suite")
    text = "\n".join(
        f"{d.name} {d.table} {d.columns} {d.rule.meaning()}" if isinstance(d, Declaration) else repr(d)
        for d in made
    )
    return build_suite(made, settings, hashlib.sha256(text.encode()).hexdigest(), (), "")


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


def _read(path: Path, shown: str) -> Sequence[Declaration | TotalSpec]:
    text = _text_of(path, shown)
    if path.suffix == ".sql":
        from kisaan_validate.suite.sql_source import read_assertion

        return [read_assertion(text, shown)]
    return _read_python(text, path, shown)


def _text_of(path: Path, shown: str) -> str:
    try:
        return authored.read_plain(path)
    except (OSError, ValueError) as error:
        raise SuiteError(f"cannot be read: {authored.reason_of(error)}", "", shown) from None


def _read_python(text: str, path: Path, shown: str) -> Sequence[Declaration | TotalSpec]:
    # A digest of the path, because two suites may have files of one name.
    name = f"_kisaan_suite_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}_{path.stem}"
    module = types.ModuleType(name)
    # Set before the file runs: it may look for data beside itself.
    module.__file__ = str(path)
    gathered: list[Declaration | TotalSpec] = []
    token, place = declare.collector.set(gathered), declare.source.set(str(path))
    sys.modules[name] = module  # pandera and typing look annotations up there
    try:
        with watched.executing(shown), _streams_kept(shown):
            # ``dont_inherit``: this module's ``from __future__`` must not change what the author wrote.
            exec(compile(text, str(path), "exec", dont_inherit=True), module.__dict__)
    except SuiteError as error:
        raise _placed(error, path, shown) from None
    except SyntaxError as error:
        raise SuiteError(f"not valid Python: {error.msg}", "", f"{shown}:{error.lineno}") from None
    # An interrupt is the user's, not the source's.
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a source that ends the process must not look like success
        raise SuiteError(
            f"{type(error).__name__}: {error}", "", f"{shown}:{_line(error, str(path))}"
        ) from error
    finally:
        declare.collector.reset(token)
        declare.source.reset(place)
    # After the file has run, because a model may be changed below its class.
    models = _models(module, text, shown)
    return [*models, *(replace(d, origin=d.origin.replace(str(path), shown)) for d in gathered)]


def _models(module: types.ModuleType, text: str, shown: str) -> list[Declaration]:
    """The checks of the pandera models and schemas that a source defines."""
    # Where nothing imported pandera nothing is of its classes, and its import takes longer than most runs.
    if "pandera" not in sys.modules:
        return []
    from kisaan_validate.suite.pandera_source import declarations_of, find_lines

    return declarations_of(module.__dict__, module.__name__, find_lines(text, shown))


@contextmanager
def _streams_kept(shown: str) -> Iterator[None]:
    """Standard output and error are where they were, whatever a source does to them. Raises SuiteError if
    one was closed.
    """
    before = sys.stdout, sys.stderr
    # By number too: a source may close the descriptor behind the back of sys.stdout.
    there = [_is_open(number) for number in (1, 2)]
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        closed = [number for number, was in zip((1, 2), there, strict=True) if was and not _is_open(number)]
        # So that the next opened file does not get number 1 and receive what is printed.
        for number in closed:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    if closed or any(getattr(stream, "closed", False) for stream in before):
        raise SuiteError(
            "it closed standard output or standard error", "a source only declares checks; remove that", shown
        )


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _placed(error: SuiteError, path: Path, shown: str) -> SuiteError:
    """The same error, with the origin by which the suite's reader knows the file."""
    origin = error.origin.replace(str(path), shown) or f"{shown}:{_line(error, str(path))}"
    return SuiteError(error.said, error.hint, origin)


# The last line in the suite's own file: below it lies code of libraries.
def _line(error: BaseException, path: str) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _digest(root: Path, sources: list[Path]) -> str:
    # Sorted, so that the digest does not depend on the order of the folder.
    return sources_digest(
        [(path.relative_to(root).as_posix(), path.read_bytes()) for path in sorted(sources)]
    )


def sources_digest(sources: Iterable[tuple[str, bytes]]) -> str:
    """The digest of a suite: SHA-256 over each source's name, length and bytes, in the order of the run's
    list.
    """
    total = hashlib.sha256()
    for name, data in sources:
        # The length keeps one file's end apart from the next one's name.
        total.update(f"{name}\0{len(data)}\0".encode())
        total.update(data)
    return total.hexdigest()


def _names(root: Path, sources: list[Path]) -> list[str]:
    return [path.relative_to(root).as_posix() for path in sorted(sources)]


def _ledger(given: LedgerTable) -> LedgerSource:
    """Where migrations are written down, with what the kind says by itself."""
    kind = LedgerKind(given.kind)
    shape, known = LEDGER_SHAPES[kind], kind is not LedgerKind.NAMES
    return LedgerSource(
        given.table if given.table.strip() else shape.table,
        shape.name if known else given.name,
        shape.at if known else given.at,
        kind,
        given.folders,
        given.accept,
        given.effects,
    )


def read_settings(path: Path) -> SuiteSettings:
    """Read ``suite.toml``. Raises SuiteError for unknown keys and wrong types."""
    from kisaan_validate.suite.settings_model import SettingsFile

    text = _text_of(path, path.name)
    given = read(text, path.name, SettingsFile)
    return SuiteSettings(
        name=given.name,
        schemas=given.schemas,
        personal=given.personal,
        exclude_tables=given.exclude_tables,
        foreign=given.foreign,
        settling=given.settling or 0,
        ledger=_ledger(given.ledger) if given.ledger is not None else None,
        backup=BackupDeclared(
            given.backup.added_since,
            given.backup.newest,
            given.backup.may_shrink,
            given.backup.accept,
            given.backup.max_age or 0,
        ),
        aliases=given.aliases,
        nouns=given.nouns,
        filters=given.filters,
        lines={table: _line_of(table, text, path.name) for table in given.filters},
        criteria=distinct(
            (Criterion(c.id, " ".join(c.text.split()), c.checks, c.manual) for c in given.criteria), path.name
        ),
    )


def _line_of(key: str, text: str, origin: str) -> str:
    """Where a key of [filters] is written: ``file:line``, or the file where the line is unknown."""
    # Searched in the text, because the TOML reader does not tell lines.
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("["):
            inside = line.strip().startswith("[filters]")
        elif inside and line.partition("=")[0].strip().strip("\"'") == key:
            return f"{origin}:{number}"
    return origin
