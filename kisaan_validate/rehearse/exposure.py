"""What could lead somebody's command to a real database: variables of our environment, files beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from kisaan_validate.errors import UsageError

_NAMES = re.compile(
    r"(?i)^PG[A-Z]+$|KISAAN|(^|_)(DB|DATABASE|DATASOURCE|POSTGRES|POSTGRESQL|PGSQL|SQL|SQLALCHEMY|JDBC|DSN"
    r"|SEQUELIZE|KNEX|TYPEORM|PRISMA|FLYWAY|LIQUIBASE|ALEMBIC|RDS)(?=_|$)"
)
"""Names of variables by which programs are told of a database."""

_VALUES = re.compile(r"(?i)\b(jdbc:)?(postgres|postgresql|psql|pgsql|mysql|mariadb|sqlserver)(\+\w+)?:/")
"""The URL of a database, whatever the variable is called."""

_EXAMPLES = (".example", ".sample", ".template", ".dist")
"""How files end that people copy and no program reads."""

NAMED_BY_US = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "DATABASE_URL")
"""The variables that name the copy to any command."""

_ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*[:=]\s*(.*)$")


def names_a_database(name: str, value: str) -> bool:
    """Whether a variable may tell a program which database to use."""
    return bool(_NAMES.search(name) or _VALUES.search(value))


def foreign_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Our environment without what could name a real database, and with what is given."""
    kept = {name: value for name, value in os.environ.items() if not names_a_database(name, value)}
    return {**kept, **given}


def refuse_settings_beside(folder: Path, given: Mapping[str, str]) -> None:
    """Refuse a folder whose ``.env`` files, or those of a folder above it up to the repository's root, name a
    database by a variable that is not given: many programs read them by themselves.

    Raises UsageError; it names files and variables, never values.
    """
    found = dict(_left(folder, given))
    if not found:
        return
    path, names = next(iter(found.items()))
    listed = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    words = " ".join(f"--env {name}=…" for name in names[:5])
    raise UsageError(
        f"{path} may lead the command to a real database, by {listed}",
        f"say what these are on the copy: {words} ({{host}}, {{port}}, {{user}}, {{password}}, {{database}} "
        "and {url} stand for it), or run it where no such file lies",
    )


def _left(folder: Path, given: Mapping[str, str]) -> Iterator[tuple[Path, list[str]]]:
    for place in _up_to_the_root(folder.resolve()):
        for path in sorted(place.glob(".env*")):
            if path.name.endswith(_EXAMPLES):
                continue
            if names := [name for name in _named_in(path) if name not in given]:
                yield path, names


def _up_to_the_root(folder: Path) -> Iterator[Path]:
    for place in (folder, *folder.parents):
        yield place
        if (place / ".git").exists():
            return


def _named_in(path: Path) -> list[str]:
    """The variables of a file that name a database. One that cannot be read may name any."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except IsADirectoryError:
        return []
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read, and may lead the command to a real database",
            f"run it where that file does not lie ({error.strerror})",
        ) from None
    assigned = (found for line in lines if (found := _ASSIGNED.match(line)))
    return list(dict.fromkeys(one[1] for one in assigned if one[2] and names_a_database(one[1], one[2])))


def filled(templates: Mapping[str, str], copy: Mapping[str, str]) -> dict[str, str]:
    """Variables whose values name the copy by ``{host}``, ``{port}``, ``{user}``, ``{password}``,
    ``{database}`` or ``{url}``; ``copy`` is its libpq environment with DATABASE_URL.
    """
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    names |= {"database": "PGDATABASE", "url": "DATABASE_URL"}
    parts = {f"{{{word}}}": copy.get(name, "") for word, name in names.items()}
    pattern = re.compile("|".join(map(re.escape, parts)))
    # In one pass: a password may hold what looks like another placeholder.
    return {name: pattern.sub(lambda m: parts[m[0]], text) for name, text in templates.items()}
