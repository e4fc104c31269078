"""How a scratch server is reached, whatever the user's environment says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote as percent

from kisaan_validate.errors import DatabaseError

_SINCE_16 = {"require_auth": "scram-sha-256", "load_balance_hosts": "disable", "sslcertmode": "allow"}
_SINCE_17 = {"sslnegotiation": "postgres"}
_ZONE, _STYLE = "PGTZ", "PGDATESTYLE"


def plain_parameters(host: str, port: int, database: str, role: str, password: str) -> dict[str, str]:
    """libpq's parameters, each said, so that no variable of the user's environment fills one in."""
    from psycopg2 import __libpq_version__ as version

    return {
        "host": host,
        "hostaddr": "",
        "port": str(port),
        "dbname": database,
        "user": role,
        "password": password,
        "options": "",
        "sslmode": "disable",
        "gssencmode": "disable",
        "channel_binding": "disable",
        "target_session_attrs": "any",
        "requirepeer": "",
        "connect_timeout": "30",
        "client_encoding": "UTF8",
        "application_name": "kisaan-validate",
        **(_SINCE_16 if version >= 160000 else {}),
        **(_SINCE_17 if version >= 170000 else {}),
    }


def connected(parameters: Mapping[str, str], settings: Mapping[str, str]) -> Any:
    """A psycopg2 connection in autocommit. Raises DatabaseError."""
    import psycopg2

    try:
        given: dict[str, Any] = dict(parameters)
        connection = psycopg2.connect(**given)
    except psycopg2.Error as error:
        said = " ".join(str(error).split()).replace(parameters.get("password") or "\0", "•••")
        hint = "unset PGSERVICE" if "service" in said else ""
        raise DatabaseError(f"cannot connect to the scratch server: {said}", hint, lost=True) from None
    connection.autocommit = True
    # libpq sends these variables with each connection, and has no parameter in their place.
    for variable, name in ((_ZONE, "timezone"), (_STYLE, "datestyle")):
        if variable in os.environ:
            with connection.cursor() as cursor:
                value = settings.get(name, "ISO, MDY" if name == "datestyle" else "UTC")
                cursor.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
    return connection


def variables(parameters: Mapping[str, str]) -> dict[str, str]:
    """The environment of a foreign command: libpq's variables, and DATABASE_URL."""
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER"}
    names |= {"password": "PGPASSWORD", "hostaddr": "PGHOSTADDR", "gssencmode": "PGGSSENCMODE"}
    names |= {name: f"PG{name.upper()}" for name in ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl")}
    said = {variable: parameters[name] for name, variable in names.items() if parameters.get(name)}
    return {**said, "PGPASSFILE": "/dev/null", "PGSERVICEFILE": "/dev/null", "DATABASE_URL": url(parameters)}


def url(parameters: Mapping[str, str]) -> str:
    """postgresql://…; a socket's folder stands in the query, as libpq and most drivers read it."""
    host, port = parameters.get("host", ""), parameters.get("port") or "5432"
    user, password, database = (
        percent(parameters.get(name, ""), safe="") for name in ("user", "password", "dbname")
    )
    if host.startswith("/"):
        return f"postgresql://{user}:{password}@/{database}?host={percent(host, safe='')}&port={port}"
    place = f"[{host}]" if ":" in host else host
    return f"postgresql://{user}:{password}@{place}:{port}/{database}"


def key_values(parameters: Mapping[str, str]) -> str:
    """As libpq's ``key='value'`` string."""
    return " ".join(
        f"{name}='{_escaped(value)}'" for name, value in parameters.items() if value or name == "hostaddr"
    )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def identifier(name: str) -> str:
    """A name as SQL, always in quotes."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A value as an SQL literal, for statements that take no parameters."""
    if "\\" in value:
        return " E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return "'" + value.replace("'", "''") + "'"
