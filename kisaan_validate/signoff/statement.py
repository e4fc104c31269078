"""A Statement is what somebody signs: one canonical JSON text that names, by SHA-256, all that it covers.

Files of the run's folder are named by their path, with the bare digest as its value, so that stock tools
can check them; whatever is no file there has ``sha256:`` before its digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import OtherFormat, RecordError, UsageError
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.record.typed import adapter

STATEMENT_FORMAT = 1
"""Version of a statement. 1: first form."""

NAMESPACE = "signoff@kisaan-validate"
"""What signatures are made for: one made for mail, for Git or for another program is not ours."""

FOLDER = "signoffs"
"""Where statements and signatures lie in a run's folder."""

SIGNERS, REVOKED = f"{FOLDER}/allowed_signers", f"{FOLDER}/revoked_signers"
"""Copies of whose keys counted when the page was rendered. A verifier brings their own."""


class Decision(StrEnum):
    """What somebody says: the run may be relied on, or not; one criterion that no check can prove is
    met, or is not.
    """

    APPROVE = "approve"
    REJECT = "reject"
    ATTEST = "attest"
    DENY = "deny"


class Caution(StrEnum):
    """What an approval must say that it accepts, because it is easily overlooked."""

    PARTIAL = "partial"
    VERDICT = "verdict"
    UNCOMMITTED = "uncommitted"
    UNATTESTED = "unattested"


@dataclass(frozen=True)
class Statement:
    """What was signed. ``covers`` maps files of the run's folder, and what else it rests on, to SHA-256
    digests.

    ``seen`` are the statements that lay beside the run when this one was made, by path: to remove one of
    them shows. ``at`` is what the signer's own clock said. ``number`` counts the sign-offs of a run and is
    part of the file's name, so that their order cannot be changed.
    """

    run: str
    number: int
    database: str
    system_identifier: str
    data_as_of: datetime
    verdict: Verdict
    covers: Mapping[str, str]
    signer: str
    decision: Decision
    at: datetime
    reason: str
    criterion: str = ""
    criterion_text: str = ""
    accepted: tuple[Caution, ...] = ()
    seen: Mapping[str, str] = field(default_factory=dict)
    tool_version: str = ""
    format_version: int = STATEMENT_FORMAT


def name_and_reason(signer: str, reason: str) -> tuple[str, str]:
    """Who decides, and why, as a statement holds them. Raises UsageError where either says nothing."""
    name, why = signer.strip(), " ".join(reason.split())
    # The name becomes part of a file's name and of a command line.
    if not name or not name.isprintable():
        raise UsageError(
            f"{signer!r} is not a name", "write it as in the allowed signers file: --as asha@example.org"
        )
    if not why:
        raise UsageError("a decision needs a reason", "give one with --reason")
    return name, why


def sha256(data: bytes) -> str:
    """SHA-256 (hex) of the bytes of a file."""
    return hashlib.sha256(data).hexdigest()


def covered(run: Run, files: Mapping[str, bytes]) -> dict[str, str]:
    """What a statement on ``run`` covers: every file of facts beside it, and by their digests suite and
    previous run.
    """
    # What is not among the files is covered by its digest, with a prefix that sha256sum does not read.
    named = {name: sha256(data) for name, data in files.items() if is_fact(name)}
    named["suite"] = f"sha256:{run.suite.digest}"
    named["previous run"] = (
        f"sha256:{run.provenance.previous_digest}" if run.provenance.previous_digest else ""
    )
    for name, digest in (
        ("baseline.json", run.baseline_digest),
        ("contract.toml", run.contract_digest),
        ("waivers.toml", run.waivers_digest),
    ):
        if digest:
            # A file that is here is covered by its own digest; one that was left out, by the run's.
            named.setdefault(name, digest)
    return dict(sorted(named.items()))


def is_fact(name: str) -> bool:
    """Whether a file of a run's folder is covered by statements: the page, which is made of them, and the
    statements are not.
    """
    return name in ("run.json", "baseline.json", "contract.toml", "waivers.toml") or name.startswith("suite/")


def statement_text(statement: Statement) -> bytes:
    """The canonical text: sorted keys, one entry a line, UTF-8, one line feed at the end. This is what is
    signed.
    """
    plain = adapter(Statement).dump_python(statement, mode="json")
    return _text({"kind": "signoff", **plain})


# One entry a line: stock tools take a statement apart by lines.
def _text(plain: Mapping[str, Any]) -> bytes:
    return (json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read_statement(data: bytes, source: str) -> Statement:
    """The statement that a file holds. Raises RecordError for whatever is not exactly as it was written."""
    from pydantic_core import ValidationError

    try:
        given = json.loads(data.decode())
        if not isinstance(given, dict) or given.get("kind") != "signoff":
            raise RecordError(f"{source} is not a sign-off", "check the file")
        # Before it is parsed further: another version's fields may be unknown here.
        if given.get("format_version") != STATEMENT_FORMAT:
            raise OtherFormat(
                f"{source} has format {given.get('format_version')!r}, this version reads {STATEMENT_FORMAT}",
                "",
            )
        body = {key: value for key, value in given.items() if key != "kind"}
        statement: Statement = adapter(Statement).validate_python(body)
        # Written again and compared: what the model ignored or changed would not have been signed.
        same = statement_text(statement) == data
    except (ValueError, RecursionError, ValidationError) as error:
        raise RecordError(
            f"{source} is not a sign-off: {str(error).splitlines()[0]}", "it may be truncated or edited"
        ) from None
    # A time without a zone is another moment on another machine.
    if statement.at.tzinfo is None or statement.data_as_of.tzinfo is None:
        raise RecordError(f"{source} has a time without a time zone", "it was edited")
    if not same:
        raise RecordError(f"{source} was changed", "it was edited")
    return statement


def path_of(statement: Statement) -> str:
    """Where a statement lies in its run's folder; its signature has ``.sig`` added, a time stamp of that
    ``.tsr``.
    """
    who = re.sub(r"[^a-z0-9]+", "-", statement.signer.lower()).strip("-")[:40] or "somebody"
    return f"{FOLDER}/{statement.number:04d}-{statement.decision.value}-{who}.json"


def is_statement(path: str) -> bool:
    """Whether a path of a run's folder is that of a statement."""
    pure = PurePosixPath(path)
    return pure.parent.as_posix() == FOLDER and pure.suffix == ".json"
