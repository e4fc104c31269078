"""What a scratch server has that a dump needs, and the roles that are made for it."""

from __future__ import annotations

from kisaan_validate.dumps.names import quoted
from kisaan_validate.dumps.ruling import DumpGround
from kisaan_validate.facts.dump import DumpContents
from kisaan_validate.scratch.server import Scratch

MARK = "made by kisaan-validate for a restore"

_EXTENSIONS = """
SELECT v.name, bool_or(v.trusted OR NOT v.superuser) FROM pg_catalog.pg_available_extension_versions AS v
GROUP BY v.name
"""
_PRESENT = """
SELECT e.extname FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_roles AS r ON r.oid = e.extowner
WHERE r.rolname <> %s
"""
_OURS = """
SELECT r.rolname FROM pg_catalog.pg_roles AS r
WHERE pg_catalog.shobj_description(r.oid, 'pg_authid') = %s AND NOT r.rolsuper AND NOT r.rolcanlogin
"""


def make_roles(scratch: Scratch, contents: DumpContents) -> tuple[str, ...]:
    """Make the roles that a dump names and the server lacks: without login and without rights. Returns their
    names. The restoring role may act for them, and for no others.
    """
    there = {name for (name,) in scratch.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    # Names with pg_ are the server's own; nobody may make them.
    missing = [
        r for r in contents.roles if r not in there and not r.startswith("pg_") and 0 < len(r.encode()) < 64
    ]
    for role in missing:
        scratch.execute(f"CREATE ROLE {quoted(role)} NOLOGIN")
        scratch.execute(f"COMMENT ON ROLE {quoted(role)} IS '{MARK}'")
        scratch.execute(f"GRANT {quoted(role)} TO {quoted(scratch.owner)}")
    return tuple(missing)


def read_ground(scratch: Scratch, database: str) -> DumpGround:
    """What the server and the empty database have."""

    def names(sql: str, *params: object) -> frozenset[str]:
        return frozenset(row[0] for row in scratch.execute(sql, database, params))

    ((version,),) = scratch.execute("SELECT current_setting('server_version_num')::int", database)
    allowed = {name for name, may in scratch.execute(_EXTENSIONS, database) if may}
    return DumpGround(
        version // 10_000,
        names("SELECT name FROM pg_catalog.pg_settings"),
        frozenset(allowed),
        names(_PRESENT, scratch.owner),
        names("SELECT amname FROM pg_catalog.pg_am"),
        names(_OURS, MARK),
    )
