"""No part of a password is in any message, whatever the connection string looks like."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from helpers import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from kisaan_validate.errors import KisaanError, TargetError
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target

SECRET = "Zq7Xw"
"""What every password of these tests is made of; it occurs in nothing else."""

SHAPES = (
    "postgresql://u:{0}@127.0.0.1:1/db",
    "postgresql://u:{0}@127.0.0.1/db?port=1",
    "postgresql://:{0}@127.0.0.1:1/db",
    "postgres://u:{0}@127.0.0.1:1,127.0.0.1:2/db",
    "postgresql+psycopg2://u:{0}@[::1]:1/db",
    "postgresql://u:{0}/db",
    "postgresql://u:{0}",
    "postgresql://{0}@127.0.0.1:1/db",
    "postgresql://127.0.0.1:1/db?password={0}",
    "postgresql://127.0.0.1:1/db?user=u&password={0}&connect_timeout=1",
    "postgresql://u@127.0.0.1:{0}/db",
    "host=127.0.0.1 port=1 user=u password={0}",
    "host=127.0.0.1 port=1 user=u password='{0}'",
    "postgres//u:{0}@127.0.0.1/db",
    "{0}",
)


HOSTLESS = ("postgresql://u:{0}/db", "postgresql://u:{0}")


def messages(dsn: str) -> Iterator[str]:
    """What a person would read: of the connection string, or of the connection that it leads to."""
    try:
        target = find_target(dsn)
        yield repr(target)
        Session(target, Limits(connect_timeout_seconds=2), ("public",)).close()
    except KisaanError as error:
        yield str(error)


@settings(max_examples=examples(150), deadline=None)
@given(
    st.sampled_from(SHAPES),
    st.lists(
        st.sampled_from(
            [SECRET, "@", "/", "#", "?", "%", ":", "&", "=", " ", "[", "]", ",", "'", "\\", "%4", "%00"]
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_no_message_holds_a_part_of_a_password(shape: str, parts: list[str]) -> None:
    """For passwords of any characters in every place where one can stand, escaped or not.

    In ``postgresql://u:one@two/db`` nobody can tell that ``two`` was meant as the end of a password: it is
    the host.
    """
    for password in ("".join([SECRET, *parts, SECRET]), quote("".join([SECRET, *parts]), safe="")):
        if shape in HOSTLESS and "@" in password:
            password = f"{password.rpartition('@')[0]}@host.invalid"
        for said in messages(shape.format(password)):
            if shape != "postgresql://{0}@127.0.0.1:1/db":  # there it is the user's name, which is no secret
                assert SECRET not in said


@pytest.mark.parametrize(
    "password", ["one@two", "one/two", "one#two", "one?two", "one%two", "one[two", "one:8 two"]
)
def test_a_password_that_is_not_escaped_is_refused_with_what_to_do(password: str) -> None:
    """Fact and hint, and the same password escaped is understood to the letter."""
    with pytest.raises(TargetError, match="unescaped") as refused:
        find_target(f"postgresql://u:{password}@host/db")
    assert "%40" in refused.value.hint
    found = find_target(f"postgresql://u:{quote(password, safe='')}@host:5432/db")
    assert (found.parameters["password"], found.parameters["host"]) == (password, "host")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///db",
        "postgresql://",
        "postgresql://host",
        "postgresql://u@h1:1,h2:2/db?target_session_attrs=any",
        "postgresql://u@[::1]:5432/db",
        "postgresql:///db?host=/run/x&user=a%40b",
        "postgresql://%2Frun%2Fx/db",
        "postgresql://u@h:/db",
    ],
)
def test_what_libpq_understands_is_still_understood(url: str) -> None:
    """Lists of hosts, addresses of version 6, sockets, empty parts."""
    assert find_target(url).source == "--dsn"
