"""A file of probes, read and checked as a whole before any request is sent."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError, UsageError
from kisaan_validate.facts.probe import HEALTH
from kisaan_validate.probe.pattern import compiled
from kisaan_validate.probe.places import BaseAddress, read_address
from kisaan_validate.probe.values import PREFIX, CannotFill, ProbeNames, body_fault, check_variables, names_in
from kisaan_validate.record.files import read_file

if TYPE_CHECKING:
    from kisaan_validate.probe.model import ProbesFile, RequestTable

_NEVER_SHOWN = "a path stands in logs: write it as a header"


@dataclass(frozen=True)
class Probes:
    """A file of probes. ``digest`` is the SHA-256 of its text, ``folder`` where it lies."""

    file: ProbesFile
    digest: str
    folder: Path


@dataclass(frozen=True)
class BoundProbes:
    """Probes with the address that they go to. ``production``: customers use it, as far as we know."""

    probes: Probes
    address: BaseAddress
    production: bool
    ca: Path | None
    env: Mapping[str, str]


def load_probes(path: Path) -> Probes:
    """The probes in a file. Raises RecordError and SuiteError."""
    return read_probes(read_file(path), path.name, path.parent)


def read_probes(text: str, origin: str, folder: Path = Path()) -> Probes:
    """The probes that a text declares. Raises SuiteError, naming ``origin``."""
    from kisaan_validate.probe.model import ProbesFile
    from kisaan_validate.toml.reader import read

    file = read(text, origin, ProbesFile)
    try:
        _check_steps(file)
    except _Fault as fault:
        raise SuiteError(fault.fact, fault.hint, origin) from None
    return Probes(file, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), folder)


class _Fault(Exception):
    def __init__(self, fact: str, hint: str = "") -> None:
        super().__init__(fact)
        self.fact, self.hint = fact, hint


def _check_steps(file: ProbesFile) -> None:
    """Names are captured before they are used, and regular expressions are valid. Raises _Fault."""
    names = [step.name for step in file.step]
    if twice := next((name for name in names if names.count(name) > 1 or name == HEALTH), ""):
        raise _Fault(f"two steps are called {twice[:60]!r}", "give each a name of its own")
    _check_request(file.health, {PREFIX}, HEALTH)
    for name in names_in(list(file.headers.values())):
        _check_name(name, {PREFIX}, "headers", in_path=False)
    known = {PREFIX}
    for step in file.step:
        where = f"step {step.name[:60]!r}"
        _check_request(step, known, where)
        if again := next((name for name in step.capture if name in known or not name.isidentifier()), ""):
            raise _Fault(f"{where} captures {again[:60]!r}", "choose a new name of letters, digits and _")
        known |= {*step.capture}
        if step.cleanup is not None:
            _check_request(step.cleanup, known, f"{where}: cleanup")


def _check_request(request: RequestTable, known: set[str], where: str) -> None:
    body = getattr(request, "body", None)
    for name in names_in(request.path):
        _check_name(name, known, where, in_path=True)
    expected = [one.equals for one in getattr(request, "expect", ())]
    for name in names_in([*request.headers.values(), body, expected]):
        _check_name(name, known, where, in_path=False)
    if fault := body_fault(body) if body is not None else "":
        raise _Fault(f"{where}: json {fault}", "write it as a text")
    for one in getattr(request, "expect", ()):
        if one.matches is not None and compiled(one.matches) is None:
            raise _Fault(f"{where}: matches is not a regular expression", "check its brackets")


def _check_name(name: str, known: set[str], where: str, *, in_path: bool) -> None:
    if name.startswith("env:"):
        if in_path:
            raise _Fault(f"{where}: a variable of the environment stands in its path", _NEVER_SHOWN)
    elif name not in known:
        raise _Fault(
            f"{where} uses ${{{name[:60]}}}, which no step before it captures",
            f"known: {', '.join(sorted(known))}, and variables as ${{env:NAME}}",
        )


def bind_probes(
    probes: Probes,
    *,
    base_url: str | None = None,
    ca: Path | None = None,
    env: Mapping[str, str] | None = None,
    own: bool = True,
) -> BoundProbes:
    """The probes with an address; every variable that they use is set. Raises UsageError.

    ``base_url`` stands instead of the file's; another address than the file's counts as production, since
    the file says nothing of it. Without ``own`` the file's address is not even looked at.
    """
    file, env = probes.file, os.environ if env is None else env
    asked_for = file.base_url if own else None
    check_variables((f"env:{name}" for name in variables_of(file)), env)
    check_variables(names_in(asked_for), env)
    declared = read_address(_from_environment(asked_for, env)) if asked_for is not None else None
    address = declared if base_url is None else read_address(base_url)
    if address is None:
        raise UsageError("the probes name no base URL", "write base_url, or give --base-url URL")
    _check_header_values(file, env)
    trusted = ca or (probes.folder / file.ca if file.ca is not None else None)
    production = file.production or (declared is not None and declared != address)
    return BoundProbes(probes, address, production, trusted, env)


def _from_environment(text: str, env: Mapping[str, str]) -> str:
    names = list(names_in(text))
    return env[names[0].removeprefix("env:")] if names else text


def requests_of(file: ProbesFile) -> Iterator[RequestTable]:
    """Every request of a file: health, the steps, and their cleanups."""
    yield file.health
    for step in file.step:
        yield step
        if step.cleanup is not None:
            yield step.cleanup


def variables_of(file: ProbesFile) -> Iterator[str]:
    """The variables of the environment that stand in headers and bodies."""
    sent: list[Any] = [*file.headers.values()]
    for request in requests_of(file):
        sent += [*request.headers.values(), getattr(request, "body", None)]
        sent += [one.equals for one in getattr(request, "expect", ())]
    for name in names_in(sent):
        if name.startswith("env:"):
            yield name.removeprefix("env:")


def _check_header_values(file: ProbesFile, env: Mapping[str, str]) -> None:
    """A token with a line break would end its header: it is refused before anything is sent."""
    for request in requests_of(file):
        for name, value in {**file.headers, **request.headers}.items():
            # Captured values are not known yet; they are checked once they are.
            plain = ProbeNames("x", _Anything(), env)
            try:
                plain.header(value)
            except CannotFill:
                raise UsageError(
                    f"the header {name} would hold a line break or another character that no header may hold",
                    "look at the variable that it names",
                ) from None


class _Anything(dict[str, Any]):
    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> str:
        return "x"
