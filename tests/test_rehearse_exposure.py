"""A foreign command reaches the copy and no other database that its environment or folder names."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from kisaan_validate.cli.main import main
from kisaan_validate.errors import UsageError
from kisaan_validate.rehearse.command import CommandRunner
from kisaan_validate.rehearse.exposure import (
    NAMED_BY_US,
    filled,
    foreign_environment,
    names_a_database,
    refuse_settings_beside,
)

SECRET = "s3cret-of-production"
DATABASES = [
    *(
        "PGHOST",
        "PGSERVICE",
        "PGPASSWORD",
        "DATABASE_URL",
        "DB_HOST",
        "DB_PASSWORD",
        "db_name",
        "DB",
        "MY_DB",
    ),
    *(
        "POSTGRES_URL",
        "POSTGRESQL_HOST",
        "SPRING_DATASOURCE_URL",
        "JDBC_URL",
        "FLYWAY_URL",
        "KNEX_CONNECTION",
    ),
    *("SEQUELIZE_HOST", "TYPEORM_HOST", "PRISMA_DATABASE_URL", "SQLALCHEMY_DATABASE_URI", "RDS_HOSTNAME"),
    *("KISAAN_DSN", "APP_DATABASE_HOST", "MIGRATE_DSN"),
]
OTHERS = ["PATH", "HOME", "NODE_ENV", "LANG", "PGP_KEY", "DBUS_SESSION_BUS_ADDRESS", "ADBLOCK", "HANDBRAKE"]
URLS = [
    "postgres://u:p@prod/app",
    "postgresql+asyncpg://prod/app",
    "jdbc:postgresql://prod/app",
    "mysql://prod/x",
]


@pytest.mark.parametrize("name", DATABASES)
def test_a_variable_that_names_a_database_is_not_passed_on(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By its name; what is given stands in its place."""
    monkeypatch.setenv(name, SECRET)
    assert names_a_database(name, "")
    assert SECRET not in foreign_environment({}).values()
    assert foreign_environment({name: "the copy"})[name] == "the copy"


@pytest.mark.parametrize("url", URLS)
def test_a_url_of_a_database_is_not_passed_on_under_any_name(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """By its value."""
    monkeypatch.setenv("SOMEWHERE", url)
    assert "SOMEWHERE" not in foreign_environment({})


def test_what_names_no_database_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command needs its path, and the rest of its environment."""
    for name in OTHERS:
        monkeypatch.setenv(name, "value")
    kept = foreign_environment({})
    assert [name for name in OTHERS if kept.get(name) != "value"] == []


@pytest.mark.parametrize("name", [".env", ".env.production", ".env.local"])
@pytest.mark.parametrize("line", ["DB_HOST={}", "export DB_HOST = {}", 'DB_HOST="{}"', "  APP_DSN={}"])
@pytest.mark.parametrize("below", ["", "migrations/node"])
def test_a_file_of_settings_that_names_a_database_is_refused(
    tmp_path: Path, name: str, line: str, below: str
) -> None:
    """In the folder or above it up to the repository's root; its values are not said."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / below
    folder.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(f"NODE_ENV=production\n{line.format(SECRET)}\n")
    with pytest.raises(UsageError) as refused:
        refuse_settings_beside(folder, {})
    variable = "APP_DSN" if "DSN" in line else "DB_HOST"
    assert name in str(refused.value)
    assert f"--env {variable}=" in str(refused.value)
    assert SECRET not in str(refused.value)
    refuse_settings_beside(folder, {variable: "{host}"})


def test_files_that_name_none_are_no_reason(tmp_path: Path) -> None:
    """Nor an example that no program reads, a folder, an empty value, or what lies above the repository."""
    (tmp_path / ".env").write_text(f"DB_HOST={SECRET}")
    inner = tmp_path / "repository"
    (inner / ".git").mkdir(parents=True)
    (inner / ".envs").mkdir()
    (inner / ".env.example").write_text(f"DB_HOST={SECRET}")
    (inner / ".env").write_text("# DB_HOST=there\nDB_HOST=\nNODE_ENV=test\n")
    refuse_settings_beside(inner, {})
    with pytest.raises(UsageError):
        refuse_settings_beside(tmp_path, {})


def test_placeholders_stand_for_the_copy() -> None:
    """Each in one pass: a password that looks like a placeholder stays as it is."""
    copy = dict(zip(NAMED_BY_US, ("h", "1", "u", "{database}", "d", "postgresql://…"), strict=True))
    templates = {"A": "{host}:{port}/{database}?{user}", "B": "{password}", "C": "{url}{other}"}
    assert filled(templates, copy) == {"A": "h:1/d?u", "B": "{database}", "C": "postgresql://…{other}"}


def test_the_command_gets_the_copy_and_nothing_of_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from inside of it."""
    monkeypatch.setenv("DB_HOST", SECRET)
    monkeypatch.setenv("STAGE", f"postgres://{SECRET}/app")
    told = "import os; print(os.environ['DB_NAME'], [n for n, v in os.environ.items() if 's3cret' in v])"
    words = f"{shlex.quote(sys.executable)} -c {shlex.quote(told)}"
    assert CommandRunner(words, {"DB_NAME": "copy"}, timeout=60).run().tail == "copy []"


def test_the_command_line_refuses_before_anything_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, without the value; and a variable that is not one, too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"DB_PASSWORD={SECRET}")
    words = ["rehearse", "--dump", "nowhere.sql", "--cmd", "npm run migrate"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "--env DB_PASSWORD=" in said
    assert SECRET not in said
    assert main([*words, "--env", f"={SECRET}"]) == 2
    assert SECRET not in capsys.readouterr().err
