"""Reads a folder of migrations: which files a runner would take, in which order. Nothing of them is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.ledger import LedgerKind
from kisaan_validate.facts.migrations import FileRemark, MigrationFile, MigrationFolder, Oddity, remarked
from kisaan_validate.migrations.alembic import alembic_folder
from kisaan_validate.migrations.content import FileContent, read_content, shown_name
from kisaan_validate.migrations.django import django_folder
from kisaan_validate.migrations.flyway import flyway_checksum, flyway_name, version_key
from kisaan_validate.migrations.listing import listed
from kisaan_validate.migrations.numbering import numbering_remarks
from kisaan_validate.migrations.sql_file import sql_remarks

_SCRIPT = re.compile(r"(?!.*\.d\.[cm]?ts$).*\.(?:js|cjs|mjs|ts|cts|mts)", re.DOTALL)
_RAILS = re.compile(r"(\d+)_\w+\.rb")


@dataclass(frozen=True)
class _Linear:
    """A kind whose files run in the order of their names. ``name`` is what the ledger has of a file's name,
    "" for a file that is not taken. ``sql``: files are SQL.
    """

    what: str
    name: Callable[[str], str]
    sql: bool = False
    deep: bool = False
    key: Callable[[str], object] = str


_LINEAR = {
    LedgerKind.NAMES: _Linear("*.sql", lambda file: file if file.endswith(".sql") else "", sql=True),
    LedgerKind.KNEX: _Linear("*.js or *.ts", lambda file: file if _SCRIPT.fullmatch(file) else ""),
    LedgerKind.SEQUELIZE: _Linear("*.js or *.ts", lambda file: file if _SCRIPT.fullmatch(file) else ""),
    LedgerKind.FLYWAY: _Linear("V…__*.sql or R__*.sql", flyway_name, sql=True, deep=True, key=version_key),
    LedgerKind.RAILS: _Linear(
        "<version>_*.rb", lambda file: str(int(m[1])) if (m := _RAILS.fullmatch(file)) else "", key=int
    ),
}


def read_migration_folder(kind: LedgerKind, folders: Sequence[Path]) -> MigrationFolder:
    """The migrations of folders, in the order in which a runner of this kind applies them. What cannot be
    read is in the answer, also a folder without any: that nothing is missing of nothing proves nothing.
    """
    title = ", ".join(map(str, folders))
    for folder in folders:
        if not folder.is_dir():
            return MigrationFolder(title, message=f"{folder} is not a folder")
    if kind is LedgerKind.ALEMBIC:
        found = alembic_folder(folders)
    elif kind is LedgerKind.DJANGO:
        found = django_folder(folders)
    else:
        found = _linear(_LINEAR[kind], folders, title)
    if found.files or found.message:
        return found
    return replace(found, message=f"{title} has no migration of {kind}")


def _linear(kind: _Linear, folders: Sequence[Path], title: str) -> MigrationFolder:
    found = listed(folders, lambda path: bool(kind.name(path.name)), deep=kind.deep)
    if found.message:
        return MigrationFolder(title, message=found.message)
    files = sorted(
        (_file(kind, path) for path in found.taken), key=lambda file: (kind.key(file.name), file.path)
    )
    return MigrationFolder(title, _numbered(kind, files), found.remarks, notes=found.told(kind.what))


def _file(kind: _Linear, path: Path) -> MigrationFile:
    content, shown = read_content(path, path.parent), shown_name(path.name)
    name = shown if kind.name(path.name) == path.name else kind.name(path.name)
    made = MigrationFile(name, shown, content.sha256, content.size, remarks=content.remarks)
    return _as_sql(made, content) if kind.sql and content.text is not None else made


def _as_sql(file: MigrationFile, content: FileContent) -> MigrationFile:
    statements, remarks = sql_remarks(content.text or "")
    return replace(file, statements=statements, remarks=remarks, checksum=flyway_checksum(content.text or ""))


def _numbered(kind: _Linear, files: Sequence[MigrationFile]) -> tuple[MigrationFile, ...]:
    """With what is odd about their numbers. Two files may be one to the ledger: it has versions alone."""
    numbered = remarked(files, numbering_remarks([f.name for f in files]) if kind.key is str else ())
    made: list[MigrationFile] = []
    first: dict[str, str] = {}
    for file in numbered:
        own: tuple[FileRemark, ...] = ()
        if file.name in first:
            other = first[file.name] if first[file.name] != file.path else "a file of another folder"
            own = (FileRemark(Oddity.SAME_NUMBER, f"is the same to the ledger as {other}"),)
        first.setdefault(file.name, file.path)
        made.append(replace(file, remarks=(*file.remarks, *own)))
    return tuple(made)
