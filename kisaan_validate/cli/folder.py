"""Folders that a command fills with a suite: nothing that stands in them is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kisaan_validate.errors import UsageError


def refuse_full(output: Path, force: bool) -> None:
    """Raises UsageError for a file in the place of the folder, and unless forced, for a folder that holds
    something.
    """
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output} is a file, not a folder", "name a folder with --output")
    # iterdir's first entry is enough; a hidden file counts too.
    if output.exists() and any(output.iterdir()) and not force:
        hint = "choose another folder with --output, or pass --force: existing files are kept"
        raise UsageError(f"the folder {output} is not empty", hint)


def write_beside(output: Path, files: Mapping[str, str]) -> None:
    """Write files, none of which exists, if the suite that they make with what stands there loads. Raises
    UsageError, RecordError.
    """
    from kisaan_validate.errors import SuiteError
    from kisaan_validate.record.files import read_file, write_file
    from kisaan_validate.suite.files import load_files, suite_files

    # All names are looked at before one file is written: a suite that is half there is worse than none.
    if there := sorted(path for path in files if (output / path).exists()):
        more = f" and {len(there) - 5} more" if len(there) > 5 else ""
        hint = "choose another folder with --output; existing files are never overwritten"
        raise UsageError(f"nothing was written: {output} already contains {', '.join(there[:5])}{more}", hint)
    standing = (
        {p.relative_to(output).as_posix(): read_file(p) for p in suite_files(output)}
        if output.exists()
        else {}
    )
    # A check of the new files may have the id of one that stands there, and then neither suite would load.
    if standing:
        try:
            load_files({**files, **standing})
        except SuiteError as error:
            hint = "choose another folder with --output and copy over what you need"
            raise UsageError(
                (
                    f"nothing was written: the new files do not load together with those in {output}: "
                    f"{error.fact}"
                ),
                hint,
            ) from None
    for path, text in files.items():
        write_file(output / path, text)
