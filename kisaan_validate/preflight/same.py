"""Whether evidence is of this database, by the server's identifier and the database's name. Pure."""

from __future__ import annotations

from kisaan_validate.facts.certificate import Certificate
from kisaan_validate.facts.place import Place


def dump_is_of(certificate: Certificate, place: Place) -> tuple[bool | None, str]:
    """Whether a certified dump is of the database; None where that cannot be told. In words: why."""
    taken, dump = certificate.evidence.taken, certificate.evidence.dump
    name = taken.database if taken is not None else dump.database if dump is not None else ""
    if name and name != place.database:
        return False, f"it is of database {name!r}, and this is {place.database!r}"
    if taken is not None and taken.system_identifier and place.system_identifier:
        if taken.system_identifier != place.system_identifier:
            return False, f"it is of another server (system identifier {taken.system_identifier})"
        return True, f"of database {place.database!r} of this server"
    if not place.system_identifier:
        return None, "this role may not read the server's system identifier"
    if taken is None:
        return None, "no record says from which server it was dumped (backup take writes one)"
    return None, "its record does not have the server's system identifier"
