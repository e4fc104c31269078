"""The files of evidence, read once: certificate, receipt, baseline. What is wrong is kept in words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import OtherFormat, RecordError
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.certificate import Certificate
from kisaan_validate.facts.preflight import PreflightEvidence
from kisaan_validate.facts.receipt import RehearsalReceipt
from kisaan_validate.facts.rehearsed import Rehearsed
from kisaan_validate.record.certificate import certificate_from_json
from kisaan_validate.record.codec import baseline_from_json
from kisaan_validate.record.files import read_file
from kisaan_validate.record.rehearsed import receipt_from_json, rehearsed_from_json

Record = TypeVar("Record")


@dataclass(frozen=True)
class GivenRecord(Generic[Record]):
    """A record of a file that was named. ``record`` is None where it could not be read: ``wrong`` says why,
    ``todo`` what to do; ``foreign``: it is of a format that this version does not read.
    """

    path: Path
    record: Record | None = None
    sha256: str = ""
    wrong: str = ""
    todo: str = ""
    foreign: bool = False


@dataclass(frozen=True)
class Given:
    """The evidence; None where no file was named. ``rehearsed`` lies beside the receipt, ``siblings`` are
    the other certificates beside the certificate, which may be of the dump that was rehearsed.
    """

    certificate: GivenRecord[Certificate] | None = None
    receipt: GivenRecord[RehearsalReceipt] | None = None
    baseline: GivenRecord[Baseline] | None = None
    rehearsed: GivenRecord[Rehearsed] | None = None
    siblings: tuple[Certificate, ...] = ()
    dump: Path | None = None

    @property
    def files(self) -> tuple[PreflightEvidence, ...]:
        """The files that the answers rest on, by digest."""
        named = {
            "certificate": self.certificate,
            "receipt": self.receipt,
            "baseline": self.baseline,
            "rehearsal": self.rehearsed,
        }
        return tuple(
            PreflightEvidence(what, one.path.name, one.sha256)
            for what, one in named.items()
            if one is not None and one.sha256
        )


def read_given(
    certificate: Path | None, receipt: Path | None, baseline: Path | None, dump: Path | None
) -> Given:
    """Everything that was named. Raises no error of this package: what is wrong is in the answer."""
    beside = receipt.parent / "rehearsal.json" if receipt is not None else None
    return Given(
        _read(certificate, certificate_from_json),
        _read(receipt, receipt_from_json),
        _read(baseline, baseline_from_json),
        _read(beside, rehearsed_from_json) if beside is not None and beside.is_file() else None,
        _siblings(certificate),
        dump,
    )


def _read(path: Path | None, parse: Callable[[str, str], Record]) -> GivenRecord[Record] | None:
    if path is None:
        return None
    digest = ""
    try:
        text = read_file(path)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return GivenRecord(path, parse(text, path.name), digest)
    except RecordError as error:
        return GivenRecord(path, None, digest, error.fact, error.hint, foreign=isinstance(error, OtherFormat))


MOST_SIBLINGS = 200


def _siblings(certificate: Path | None) -> tuple[Certificate, ...]:
    """The certificates beside one, as far as they can be read."""
    if certificate is None or not certificate.parent.is_dir():
        return ()
    found = sorted(certificate.parent.glob("*.certificate.json"))[-MOST_SIBLINGS:]
    read = (_read(path, certificate_from_json) for path in found if path != certificate)
    return tuple(one.record for one in read if one is not None and one.record is not None)
