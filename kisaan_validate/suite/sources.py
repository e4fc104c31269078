"""The source files of a suite's folder: which they are, what they declare, and their digest."""

from __future__ import annotations

import hashlib
import os
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.totals import TotalSpec
from kisaan_validate.process import watched
from kisaan_validate.text import authored


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


def read_source(path: Path, shown: str) -> Sequence[Declaration | TotalSpec]:
    """What one source declares. ``shown`` is the path by which the suite's reader knows it.

    Raises SuiteError, naming file and line.
    """
    text = text_of(path, shown)
    if path.suffix == ".sql":
        from kisaan_validate.suite.sql_source import read_assertion

        return [read_assertion(text, shown)]
    return _read_python(text, path, shown)


def text_of(path: Path, shown: str) -> str:
    """The text of a file of the suite. Raises SuiteError, by the name ``shown``, where it cannot be read."""
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
