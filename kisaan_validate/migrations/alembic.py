"""A folder of Alembic's revisions. The files are parsed, never run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.migrations import FileRemark, MigrationFile, MigrationFolder, Oddity, remarked
from kisaan_validate.migrations.content import read_content, shown_name
from kisaan_validate.migrations.graph import graph_remarks, in_order
from kisaan_validate.migrations.listing import listed
from kisaan_validate.migrations.python_file import assigned, parsed_python


@dataclass(frozen=True)
class _Revision:
    file: MigrationFile
    depends: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def alembic_folder(folders: Sequence[Path]) -> MigrationFolder:
    """The revisions of folders: those of ``versions`` within, where there is one."""
    places = [folder / "versions" if (folder / "versions").is_dir() else folder for folder in folders]
    title = ", ".join(map(str, folders))
    found = listed(places, lambda path: path.suffix == ".py" and path.name != "__init__.py")
    if found.message:
        return MigrationFolder(title, message=found.message)
    revisions = [_revision(path) for path in found.taken]
    files = in_order(_with_dependencies(revisions))
    files = remarked(files, (*_stated_twice(revisions), *graph_remarks(files)))
    return MigrationFolder(title, files, notes=found.told("*.py"))


def _stated_twice(revisions: Iterable[_Revision]) -> Iterator[tuple[str, FileRemark]]:
    paths: dict[str, list[str]] = {}
    for revision in revisions:
        paths.setdefault(revision.file.name, []).append(revision.file.path)
    for name, said in paths.items():
        if len(said) > 1:
            yield name, FileRemark(Oddity.SAME_NUMBER, f"is stated by {' and '.join(said)}")


def _revision(path: Path) -> _Revision:
    """The revision that a file states. Alembic takes every file for a revision, so none is skipped."""
    content = read_content(path, path.parent)
    shown = shown_name(path.name)
    if content.text is None:
        return _Revision(MigrationFile(shown, shown, content.sha256, content.size, remarks=content.remarks))
    tree = parsed_python(content.text)
    if isinstance(tree, str):
        remark = FileRemark(Oddity.NOT_READ, tree)
        return _Revision(MigrationFile(shown, shown, content.sha256, content.size, remarks=(remark,)))
    said = assigned(tree.body)
    texts = {name: _texts(said.get(name)) for name in ("down_revision", "depends_on", "branch_labels")}
    name, unknown = said.get("revision"), [key for key, value in texts.items() if value is None]
    remarks: tuple[FileRemark, ...] = ()
    if not isinstance(name, str) or unknown:
        what = unknown[0] if isinstance(name, str) else "revision"
        remarks = (FileRemark(Oddity.NOT_READ, f"states no {what} that can be read without running it"),)
    file = MigrationFile(
        name if isinstance(name, str) else shown,
        shown,
        content.sha256,
        content.size,
        parents=texts["down_revision"] or (),
        remarks=remarks,
    )
    return _Revision(file, texts["depends_on"] or (), texts["branch_labels"] or ())


def _texts(value: Any) -> tuple[str, ...] | None:
    """One text, several, or none as Alembic writes them; None where it is no literal."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    several = isinstance(value, (list, tuple, set)) and all(isinstance(item, str) for item in value)
    return tuple(value) if several else None


def _with_dependencies(revisions: Iterable[_Revision]) -> list[MigrationFile]:
    """The files, their dependencies among their parents: what another branch's revision needs is applied
    before it, and leaves the ledger when it is.
    """
    all_ = list(revisions)
    known = {r.file.name: r.file.name for r in all_} | {
        label: r.file.name for r in all_ for label in r.labels
    }

    def resolved(said: str) -> str:
        # Alembic accepts a prefix of a revision, if it is unique.
        fitting = {known[name] for name in ([said] if said in known else known) if name.startswith(said)}
        return fitting.pop() if len(fitting) == 1 else said

    return [replace(r.file, parents=(*r.file.parents, *map(resolved, r.depends))) for r in all_]
