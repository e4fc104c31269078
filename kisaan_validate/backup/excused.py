"""Differences that a restore into a scratch server makes by itself: named on the certificate, and no reason
against the backup. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from kisaan_validate.facts.differences import Change

RESTORER = "validate_restore"
"""The role that restores: it owns what could not be given to its owner."""

OWNERS = "owners and privileges: the restoring role owns what is not given to its owner in a scratch server"
EXTENSIONS = "versions and owners of extensions: the scratch server brings its own"
SPACES = "tablespaces: the scratch server has none but its own"


def excused(changes: Iterable[Change]) -> dict[Change, str]:
    """The changes that say nothing of the backup, each with what is therefore not proved."""
    every = list(changes)
    replaced = {c.before for c in every if c.aspect == "owner" and c.after == RESTORER}
    found: dict[Change, str] = {}
    for change in every:
        if change.kind == "extension" and change.aspect in {"owner", "version"}:
            found[change] = EXTENSIONS
        elif change.aspect == "owner" and change.after == RESTORER:
            found[change] = OWNERS
        elif change.kind == "grant" and _grantee(change) in {RESTORER, *replaced}:
            # An owner's own privileges come and go with the owner.
            found[change] = OWNERS
        elif change.aspect == "tablespace":
            found[change] = SPACES
    return found


def _grantee(change: Change) -> str:
    """Who holds the privileges of a grant: its name is a role, or a role and what it is on."""
    return change.name.split(" on ")[0]
