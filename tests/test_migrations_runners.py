"""Ledgers as their runners really write them: Alembic, Django, Knex, Sequelize. Each is applied in part, then
whole, and every step is told.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Server, missing, needs
from shop import Shop
from test_migrations import folder
from test_rehearse_cli import ALEMBIC_ENV

from kisaan_validate.record.migrations import read_migrations


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Iterator[Shop]:
    """An empty database, read as its owner."""
    database = server.create("CREATE TABLE orders (id bigint PRIMARY KEY, note text)")
    made = Shop(server, tmp_path, database)
    made.role = "postgres"
    yield made
    server.drop(database)


def told(place: Shop, kind: str, *words: str, code: int) -> str:
    """What `migrations` says of the project."""
    done = place.cli("migrations", "--ledger-kind", kind, "--folder", "project", *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def url(place: Shop) -> str:
    """The database as a URL, as these runners want it."""
    server = place.server
    return f"postgresql:///{place.database}?host={server.host}&port={server.port}&user=postgres"


def run(place: Shop, *words: str, fail: bool = False, cwd: str = "project", **env: str) -> None:
    """Run a runner in its project."""
    done = subprocess.run(
        words, cwd=place.folder / cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode != 0) == fail, done.stdout + done.stderr


REVISION = """
from alembic import op
revision, down_revision = {0!r}, {1!r}
depends_on = {2!r}
def upgrade():
    op.execute("CREATE TABLE t_{0} (x int)")
"""


@pytest.mark.slow
def test_alembic(place: Shop) -> None:
    """Two branches, of which one depends on the other and is merged: the ledger has heads alone."""
    steps = {
        "a1": (None, None),
        "a2": ("a1", None),
        "b1": (None, "a1"),
        "m1": (("a2", "b1"), None),
        "z1": ("m1", None),
    }
    files = {f"alembic/versions/{n}_step.py": REVISION.format(n, *said) for n, said in steps.items()}
    folder(place.folder / "project", {**files, "alembic/env.py": ALEMBIC_ENV})
    folder(place.folder / "project", {"alembic.ini": "[alembic]\nscript_location = alembic\n"})

    def upgrade(to: str) -> None:
        run(place, sys.executable, "-m", "alembic", "upgrade", to, DATABASE_URL=url(place))

    words = ("alembic", "--folder", "project/alembic")
    assert "alembic_version does not exist" in _alembic(place, *words, code=3)
    upgrade("b1")
    assert place.server.sql("SELECT version_num FROM alembic_version", place.database) == [("b1",)]
    said = _alembic(place, *words, code=1)
    assert [n for n in steps if f"pending: {n} " in said] == ["a2", "m1", "z1"], (
        "a1 is applied, though no row says it"
    )
    upgrade("m1")
    assert "pending: z1 is not in the ledger" in _alembic(place, *words, code=1)
    upgrade("head")
    assert "5 of them are applied" in _alembic(place, *words, code=0)
    (place.folder / "project" / "alembic" / "versions" / "z1_step.py").unlink()
    assert "no file: z1" in _alembic(place, *words, code=1)


def _alembic(place: Shop, kind: str, *words: str, code: int) -> str:
    done = place.cli("migrations", "--ledger-kind", kind, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


SETTINGS = """
import os
SECRET_KEY = "x"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "stock", "books.Books"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "NAME": {database!r}, "HOST": {host!r}, "PORT": {port!r}, "USER": "postgres"}}}}
"""
STEP = """
from django.conf import settings
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [*{0!r}, migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    replaces = {1!r}
    operations = [migrations.RunSQL("SELECT 1")]
"""


def test_django(place: Shop) -> None:
    """Apps of the project and of Django itself, a label that differs from its folder, a squashed migration."""
    server = place.server
    said = {
        "stock/__init__.py": "",
        "stock/migrations/__init__.py": "",
        "stock/migrations/0001_first.py": STEP.format([], []),
        "stock/migrations/0002_second.py": STEP.format([("stock", "0001_first")], []),
        "books/__init__.py": "from django.apps import AppConfig\nclass Books(AppConfig):\n    name = 'books'\n    label = 'ledgers'\n",
        "books/apps.py": "from django.apps import AppConfig\nclass Books(AppConfig):\n    name = 'books'\n    label = 'ledgers'\n",
        "books/migrations/__init__.py": "",
        "books/migrations/0001_first.py": STEP.format([("stock", "0001_first")], []),
        "settings.py": SETTINGS.format(database=place.database, host=server.host, port=server.port),
    }
    project = folder(place.folder / "project", said)

    def migrate(*words: str) -> None:
        run(
            place,
            sys.executable,
            "-m",
            "django",
            "migrate",
            "--no-input",
            *words,
            DJANGO_SETTINGS_MODULE="settings",
            PYTHONPATH=".",
        )

    migrate("stock", "0001_first")
    found = told(place, "django", code=1)
    assert "pending: stock.0002_second" in found
    assert "pending: ledgers.0001_first" in found
    assert "elsewhere: auth has" in found
    migrate()
    assert "elsewhere: contenttypes" in told(place, "django", code=3)
    accepted = ("--accept", "elsewhere: auth", "--accept", "elsewhere: contenttypes")
    assert "3 of them are applied" in told(place, "django", *accepted, code=0)
    # Named, Django's own folder is compared too.
    import django.contrib

    contrib = Path(django.contrib.__file__).parent
    own = told(
        place, "django", "--folder", str(contrib / "auth"), "--folder", str(contrib / "contenttypes"), code=0
    )
    assert "17 of them are applied" in own, "12 of auth and 2 of contenttypes"
    replaced = [("stock", "0001_first"), ("stock", "0002_second")]
    folder(project, {"stock/migrations/0001_squashed.py": STEP.format([], replaced)})
    assert "4 of them are applied" in told(place, "django", *accepted, code=0)
    for name in ("0001_first", "0002_second"):
        (project / "stock" / "migrations" / f"{name}.py").unlink()
    assert "2 of them are applied" in told(place, "django", *accepted, code=0)
    migrate()
    assert "verdict  PASS" in told(place, "django", *accepted, code=0)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of Node, installed once."""
    needs("npm")
    made = tmp_path_factory.mktemp("npm")
    words = ["npm", "install", "--no-audit", "--no-fund", "knex", "pg", "sequelize", "sequelize-cli"]
    installed = subprocess.run(words, cwd=made, capture_output=True, text=True)
    if installed.returncode:
        missing(f"npm install failed: {installed.stderr[-200:]}")
    return made / "node_modules"


KNEX = "exports.up = (knex) => knex.raw({0!r});\nexports.down = async () => {{}};\n"
KNEXFILE = "module.exports = { client: 'pg', connection: process.env.DATABASE_URL, migrations: { directory: './m' } };\n"


def with_modules(place: Shop, modules: Path, files: dict[str, str]) -> Path:
    """A project of Node."""
    project = folder(place.folder / "project", files)
    (project / "node_modules").symlink_to(modules)
    return project


@pytest.mark.slow
def test_knex(place: Shop, modules: Path) -> None:
    """One up, all, a batch that fails, and the lock that a killed runner leaves."""
    files = {f"m/00{n}_x.js": KNEX.format(f"CREATE TABLE t{n} (x int)") for n in (1, 2, 3)}
    project = with_modules(place, modules, {**files, "knexfile.js": KNEXFILE})
    words = ("--folder", "project/m")

    def knex(*words: str, fail: bool = False) -> None:
        run(place, "node_modules/.bin/knex", *words, fail=fail, DATABASE_URL=url(place))

    knex("migrate:up")
    said = _alembic(place, "knex", *words, code=1)
    assert "pending: 002_x.js" in said
    assert "3 files of code: what they do was not looked at" in said
    knex("migrate:latest")
    assert _alembic(place, "knex", *words, "-o", "out", code=0)
    record = read_migrations(place.folder / "out").standing
    assert [item.name for item in record.items] == ["001_x.js", "002_x.js", "003_x.js"]
    assert all(item.at.endswith("+00") for item in record.items)
    (project / "m" / "004_x.js").write_text(KNEX.format("ALTER TABLE nowhere ADD x int"))
    knex("migrate:latest", fail=True)
    assert "pending: 004_x.js" in _alembic(place, "knex", *words, code=1)
    (project / "m" / "004_x.js").write_text(
        "exports.up = () => process.kill(process.pid, 'SIGKILL'); exports.down = async () => {}; exports.config = { transaction: false };\n"
    )
    knex("migrate:latest", fail=True)
    assert "the ledger is locked" in _alembic(place, "knex", *words, code=1)
    knex("migrate:unlock")
    assert "the ledger is locked" not in _alembic(place, "knex", *words, code=1)


SEQUELIZE = "module.exports = {{ up: (q) => q.sequelize.query({0!r}), down: async () => {{}} }};\n"
CONFIG = "module.exports = { development: { username: 'postgres', database: process.env.PGDATABASE, host: process.env.PGHOST, port: process.env.PGPORT, dialect: 'postgres' } };"


@pytest.mark.slow
def test_sequelize(place: Shop, modules: Path) -> None:
    """Its ledger has names alone: what is missing is told, and that no order is known."""
    files = {f"migrations/00{n}_x.js": SEQUELIZE.format(f"CREATE TABLE t{n} (x int)") for n in (1, 2, 3)}
    with_modules(place, modules, {**files, "config/config.js": CONFIG})
    words = ("--folder", "project/migrations")

    def migrate(*words: str) -> None:
        env = {"PGDATABASE": place.database, "PGHOST": place.server.host, "PGPORT": place.server.port}
        run(place, "node_modules/.bin/sequelize-cli", "db:migrate", *words, **env)

    assert "SequelizeMeta does not exist" in _alembic(place, "sequelize", *words, code=3)
    migrate("--to", "002_x.js")
    said = _alembic(place, "sequelize", *words, code=1)
    assert "pending: 003_x.js" in said
    assert "in which order migrations ran is not known" in said
    migrate()
    assert "3 of them are applied" in _alembic(place, "sequelize", *words, code=0)
