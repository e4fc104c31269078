"""The lines with which anybody re-performs a check: psql, nothing of ours."""

from __future__ import annotations

import re
import shlex

from kisaan_validate.facts.run import Run

_SETTINGS = (
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO,YMD"),
    ("extra_float_digits", "3"),
    ("row_security", "off"),
)
"""What a run pins, as libpq's options."""


def search_path(run: Run) -> str:
    """The schemas in which the run looked names up, as SQL."""
    return ", ".join(
        '"{}"'.format(s.replace('"', '""'))
        # pg_temp last and by name: unnamed it is searched first, and a temporary table would stand for a real
        # one.
        for s in (*(s for s in run.suite.schemas if s != "pg_catalog"), "pg_temp")
    )


def environment(run: Run) -> str:
    """Shell lines that point psql at the run's database, read-only, with the settings that the answers
    depend on.

    No password: psql asks for one, or finds it where it finds its own.
    """
    place = run.place
    where = {"PGHOST": place.host, "PGPORT": place.port, "PGDATABASE": place.database, "PGUSER": place.role}
    # libpq takes its own default folder of sockets; the record does not say which it was.
    if place.host == "local socket":
        del where["PGHOST"]
    options = " ".join(
        # The server splits PGOPTIONS at blanks and takes a backslash as escape; the shell's quotes come
        # around that.
        f"-c {name}={_escaped(value)}"
        for name, value in (*_SETTINGS, ("search_path", search_path(run)))
    )
    named = " ".join(f"{name}={shlex.quote(value)}" for name, value in where.items() if value)
    return f"export {named}\nexport PGOPTIONS={shlex.quote(options)}"


def _escaped(value: str) -> str:
    return re.sub(r"([\\\s])", r"\\\1", value)


def around(sql: str) -> tuple[str, str]:
    """The shell lines before and after ``sql`` that hand it to psql to the letter, and to nobody else."""
    word = "SQL"
    # A line of the SQL that is the end word would end it early, and the shell would run what follows.
    while word in sql.splitlines():
        word += "_"
    # Quoted, so that the shell expands nothing in it; -X, so that no psqlrc changes what is shown.
    return f"psql -X -v ON_ERROR_STOP=1 <<'{word}'", word
