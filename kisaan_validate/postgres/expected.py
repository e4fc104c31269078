"""Whether the database that was reached is the one that was meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kisaan_validate.errors import TargetError

if TYPE_CHECKING:
    from kisaan_validate.facts.place import Place
    from kisaan_validate.postgres.session import Session

from kisaan_validate.postgres.target import _WHO, Target


def check_expectation(session: Session, expect: Mapping[str, str], target: Target) -> None:
    """Refuse a database that is not the expected one, before anything is read.

    ``expect`` may hold "host", "database" and "role". Raises TargetError.
    """
    if not expect:
        return
    session.begin()
    ((database, role, address),) = session.execute(_WHO)
    session.execute("ROLLBACK")
    # Either the server's own address or the one that was asked for will do: a proxy has another.
    _require(expect, database, role, {address, session.address[0]}, target)


def require_expected(place: Place, expect: Mapping[str, str], target: Target) -> None:
    """Refuse a snapshot of a database that is not the expected one. Raises TargetError.

    Behind a pooler it may be another server's than the one that was asked first.
    """
    _require(expect, place.database, place.role, {place.address, place.host}, target)


def _require(expect: Mapping[str, str], database: str, role: str, hosts: set[str], target: Target) -> None:
    # A socket has no address, so "" is no host that could be expected.
    actual = {"database": {database}, "role": {role}, "host": hosts - {""}}
    for key, wanted in expect.items():
        if wanted not in actual[key]:
            fact = f"this is {key} {' or '.join(sorted(actual[key]))}, but [target] expect says {wanted}"
            raise TargetError(fact, f"the target came from {target.source}; nothing was read")
