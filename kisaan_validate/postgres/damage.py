"""Whether this role's sessions pass over what is damaged, so that a scan meets fewer rows than there are."""

from __future__ import annotations

from kisaan_validate.postgres.session import Session
from kisaan_validate.sql.qualify import qualified

_PASSING_OVER = ("zero_damaged_pages", "ignore_checksum_failure")
"""Settings under which a damaged page counts as empty, or its bytes as rows (PostgreSQL documentation,
20.17 Developer Options).
"""


# Asked inside the run's session: both are settings of the role, and may differ between roles.
def damage_unseen(session: Session) -> str:
    """Why no scan of this role proves anything, or "". Raises DatabaseError."""
    sql = qualified(
        "SELECT name FROM pg_settings WHERE setting = 'on' AND name = ANY (%(names)s) ORDER BY name"
    )
    rows = session.execute(sql, {"names": list(_PASSING_OVER)})
    if not rows:
        return ""
    name = rows[0][0]
    return (
        f"{name} is on for this role, so damaged pages are skipped and their rows are missing "
        f"(fix: ALTER ROLE … SET {name} = off)"
    )
