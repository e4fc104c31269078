"""Personal columns with few values: compared after a restore, though no file beside the dump gives them away."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Server
from hypothesis import given
from hypothesis import strategies as st

from kisaan_validate.backup.sealing import sealed_key
from kisaan_validate.compare.changes import diff
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.differences import Diff
from kisaan_validate.plan.keyed import SealedDigests
from kisaan_validate.prove.options import Before, Comparing, Keeping, Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_to_json
from kisaan_validate.suite.load import Suite, SuiteSettings, suite_of

PEOPLE = """
CREATE TABLE people (id int PRIMARY KEY, email text, town text, age int);
INSERT INTO people SELECT n, 'p' || n || '@example.org', 'town ' || n % 3, n % 2 FROM generate_series(1, 2000) n;
CREATE TABLE gone (email text);
"""
CHANGES = {
    "one value": "UPDATE people SET town = 'town 9' WHERE id = 7",
    "two exchanged": "UPDATE people SET town = 'town ' || (CASE id WHEN 1 THEN 2 ELSE 1 END) WHERE id IN (1, 2)",
    "to NULL": "UPDATE people SET town = NULL WHERE id = 7",
    "number": "UPDATE people SET age = 1 - age WHERE id = 7",
    "many values": "UPDATE people SET email = 'x' WHERE id = 7",
}


def suite() -> Suite:
    """Nothing but the settings."""
    return suite_of(settings=SuiteSettings(name="backup", personal=("*.email", "people.town", "people.age")))


def taken(server: Server, database: str, sealed: SealedDigests | None) -> Baseline:
    """As ``backup take`` does."""
    options = Options(sample=0, compare=Comparing(digests=True), keep=Keeping(sealed=sealed))
    return baseline_of(run(suite(), server.dsn(database), options=options))


def found(server: Server, database: str, before: Baseline, sealed: SealedDigests | None) -> Diff:
    """As ``backup verify`` does."""
    known = sealed.put_into(before) if sealed is not None else before
    compare = Comparing(Before(known, other_database=True), keys=0, digests=True)
    options = Options(sample=0, compare=compare, keep=Keeping(sealed=sealed))
    return diff(known, baseline_of(run(suite(), server.dsn(database), options=options)))


@pytest.fixture
def people(server: Server) -> str:
    """A database in which town and age are personal and have few values."""
    return server.create(PEOPLE)


def test_what_is_the_same_is_known_to_be(server: Server, people: str) -> None:
    """With the key every column is compared; without it those of few values are named."""
    sealed = SealedDigests.fresh()
    before = taken(server, people, sealed)
    assert {column for _, column in sealed.known} >= {"town", "age"}
    assert all(one.digest and not one.message for one in sealed.known.values())
    same = found(server, people, before, sealed)
    assert (same.changes, [u.what for u in same.unknown if "people" in u.what]) == ((), [])
    unsealed = found(server, people, before, None)
    assert [u.what for u in unsealed.unknown if "people" in u.what] == [
        "the values of people.town",
        "the values of people.age",
    ]


@pytest.mark.parametrize("change", CHANGES)
def test_one_changed_value_is_found(server: Server, people: str, change: str) -> None:
    """Whatever it was and is."""
    sealed = SealedDigests.fresh()
    before = taken(server, people, sealed)
    server.sql(CHANGES[change], people)
    column = {"number": "age", "many values": "email"}.get(change, "town")
    changed = found(server, people, before, sealed).changes
    assert column in {one.name for one in changed}


def test_another_key_never_says_the_same(server: Server, people: str) -> None:
    """As when the dump is another one than that of the record."""
    sealed = SealedDigests.fresh()
    before = taken(server, people, sealed)
    other = SealedDigests(secrets.token_hex(16), dict(sealed.known))
    assert {"town", "age"} <= {one.name for one in found(server, people, before, other).changes}


def test_the_baseline_holds_neither_key_nor_digest(server: Server, people: str) -> None:
    """Nor do its statements; and it is the one that is taken without them."""
    sealed = SealedDigests.fresh()
    before = taken(server, people, sealed)
    text = baseline_to_json(before)
    assert sealed.secret not in text
    assert not any(one.digest in text for one in sealed.known.values())
    plain = taken(server, people, None)
    assert [(k.column, k.message) for k in before.keyed] == [(k.column, k.message) for k in plain.keyed]


@given(secret=st.binary(min_size=16, max_size=16), data=st.binary(max_size=64), at=st.integers(0, 63))
def test_only_the_dump_gives_the_key_back(
    tmp_path_factory: pytest.TempPathFactory, secret: bytes, data: bytes, at: int
) -> None:
    """And a byte more, less or different does not; the name of the file does not matter."""
    folder = tmp_path_factory.mktemp("sealing")
    dump, other = folder / "a.dump", folder / "b.dump"
    dump.write_bytes(data)
    kept = sealed_key(secret.hex(), dump)
    other.write_bytes(data)
    assert sealed_key(kept, other) == secret.hex()
    for changed in (
        data + b"\0",
        data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] if at < len(data) else b"x",
    ):
        if changed != data:
            other.write_bytes(changed)
            assert sealed_key(kept, other) != secret.hex()


def test_the_parts_of_a_folder_count_by_name(tmp_path: Path) -> None:
    """Members that are exchanged, or one of another name, are another dump; the folder's own name does not
    matter.
    """
    one, two, other = tmp_path / "one", tmp_path / "two", tmp_path / "other"
    for folder, names in ((one, "ab"), (two, "ba"), (other, "ac")):
        folder.mkdir()
        for name, text in zip(names, ("first", "second"), strict=True):
            (folder / name).write_text(text)
    secret = secrets.token_hex(16)
    kept = sealed_key(secret, one)
    assert secret not in (sealed_key(kept, two), sealed_key(kept, other))
    one.rename(tmp_path / "three")
    assert sealed_key(kept, tmp_path / "three") == secret


def test_a_column_that_was_compared_keeps_its_own_digest(server: Server, people: str) -> None:
    """Only reasons are replaced."""
    sealed = SealedDigests.fresh()
    before = taken(server, people, sealed)
    (email,) = (k for k in before.keyed if (k.table, k.column) == ("people", "email"))
    extra = replace(sealed, known={**sealed.known, ("people", "email"): replace(email, digest="0" * 64)})
    (kept,) = (k for k in extra.put_into(before).keyed if (k.table, k.column) == ("people", "email"))
    assert kept == email
