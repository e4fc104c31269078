"""Whose key it is decides who signed: no pattern, no second line and no certificate makes the operator
another person.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Server, needs
from house import ASHA, BINOD, House, build, line_of

from kisaan_validate.signoff.answers import answers_to, lines_in
from kisaan_validate.signoff.keys import Signers

PLAIN = ("--accept-unattested",)


@pytest.fixture(scope="module")
def house(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose runs "olga" makes, with a key for each person."""
    needs("ssh-keygen")
    made = build(server, tmp_path_factory.mktemp("house"))
    yield made
    server.drop(made.database)
    server.sql(f"DROP ROLE reader_{made.database}")


@pytest.fixture(scope="module")
def passed(house: House) -> Path:
    """A run that nobody signed. Not to be changed."""
    return house.run()


@pytest.fixture
def run(house: House, passed: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may change and sign, for which one approval is enough."""
    copy = house.copied(passed, tmp_path)
    text = (copy / "run.json").read_text()
    (copy / "run.json").write_text(text.replace(',"approvals":2', ""))
    return copy


def key_of(house: House, name: str) -> str:
    """The type and the key of a person's line."""
    return line_of(house.folder, name).split(maxsplit=1)[1]


def verified(house: House, run: Path, allowed: str, tmp_path: Path) -> tuple[int, str]:
    """ASHA's key signs as a colleague; what ``verify`` says by these allowed signers."""
    (tmp_path / "keys").write_text(allowed)
    (house.folder / "one.toml").write_text('[run]\noperator = "olga"\n')
    more = ("--allowed-signers", str(tmp_path / "keys"), "--config", "one.toml")
    signed = house.cli(
        "sign",
        str(run),
        "--as",
        "colleague@example.org",
        "--decision",
        "approve",
        "--reason",
        "looked at it",
        "--key",
        house.key(ASHA),
        *PLAIN,
        *more,
    )
    assert signed.code == 0, signed
    said = house.cli("verify", str(run), *more)
    return said.code, said.out


ADMITTED = {
    "a pattern of a domain": "*@example.org {key}",
    "a pattern of anything": "* {key}",
    "a pattern with a ?": "colleague@example.org {key}\n?lga@example.org {key}",
    "a list with a pattern": "colleague@example.org,ol*@* {key}",
    "another case": "colleague@example.org,OLGA@Example.org {key}",
    "two lines": "colleague@example.org {key}\nolga@other.org {key}",
    "two lines and an end": "colleague@example.org {key}\nolga "
    'namespaces="signoff@kisaan-validate",valid-before="20200101" {bare}',
    "another namespace": 'colleague@example.org {key}\nolga namespaces="git" {bare}',
    "no domain": "colleague@example.org,olga {key}",
    "a refusal of another": "!binod@example.org,*@example.org {key}",
    "a shared name": "colleague@example.org,olga2@example.org {key}\nolga2@example.org,olga {other}",
    "a quoted list": '"colleague@example.org,olga@example.org" {key}',
}
OTHERS = {
    "a name of its own": "colleague@example.org {key}\nolga@example.org {other}",
    "a pattern of others": "coll*@example.org {key}",
    "a pattern that refuses the operator": "!olga@*,*@example.org {key}",
    "a name that begins alike": "colleague@example.org,olgaf@example.org {key}",
}


@pytest.mark.parametrize("allowed", ADMITTED.values(), ids=ADMITTED)
def test_a_key_that_can_answer_to_the_operator_is_the_operators(
    allowed: str, house: House, run: Path, tmp_path: Path
) -> None:
    """Signed as a colleague: not approved, exit 3, and the line that says so is named."""
    made = (
        allowed.format(
            key=key_of(house, ASHA), other=key_of(house, BINOD), bare=key_of(house, ASHA).partition(" ")[2]
        )
        + "\n"
    )
    code, said = verified(house, run, made, tmp_path)
    assert code == 3, said
    assert "olga ran it and cannot be the only approver (colleague@example.org: " in said
    assert "the allowed signers file" in said


@pytest.mark.parametrize("allowed", OTHERS.values(), ids=OTHERS)
def test_a_key_that_cannot_is_another_persons(allowed: str, house: House, run: Path, tmp_path: Path) -> None:
    """Else nobody could approve anything."""
    code, said = verified(
        house, run, allowed.format(key=key_of(house, ASHA), other=key_of(house, BINOD)) + "\n", tmp_path
    )
    assert code == 0, said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "kind", "code"),
    [
        ("colleague@example.org,olga@example.org", "ed25519", 3),
        ("colleague@example.org", "ed25519", 0),
        ("colleague@example.org,olga", "ecdsa", 3),
        ("colleague@example.org,olga", "rsa", 3),
        ("colleague@example.org", "rsa", 0),
    ],
)
def test_a_certificate_names_whom_its_key_answers_to(
    names: str, kind: str, code: int, house: House, run: Path, tmp_path: Path
) -> None:
    """An authority that certifies a domain makes its people no operators; a certificate with the
    operator's name does.
    """
    for name, what in (("ca", "ed25519"), ("own", kind)):
        subprocess.run(["ssh-keygen", "-q", "-t", what, "-N", "", "-f", str(tmp_path / name)], check=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-s", str(tmp_path / "ca"), "-I", "x", "-n", names, str(tmp_path / "own.pub")],
        check=True,
    )
    (tmp_path / "signers").write_text(f"*@example.org cert-authority {(tmp_path / 'ca.pub').read_text()}")
    (house.folder / "one.toml").write_text('[run]\noperator = "olga"\n')
    more = ("--allowed-signers", str(tmp_path / "signers"), "--config", "one.toml")
    shutil.copy(tmp_path / "own", tmp_path / "own-cert")
    signed = house.cli(
        "sign",
        str(run),
        "--as",
        "colleague@example.org",
        "--decision",
        "approve",
        "--reason",
        "looked",
        "--key",
        str(tmp_path / "own-cert"),
        *PLAIN,
        *more,
    )
    assert signed.code == 0, signed
    said = house.cli("verify", str(run), *more)
    assert said.code == code, said.out


def test_a_signed_run_without_allowed_signers_is_not_proved(house: House, run: Path) -> None:
    """Nothing is wrong with it: exit 3, and why. What is damaged is wrong all the same: exit 1."""
    (house.folder / "bare.toml").write_text('[run]\noperator = "olga"\n')
    signed = house.cli(
        "sign",
        str(run),
        "--as",
        ASHA,
        "--decision",
        "approve",
        "--reason",
        "ok",
        "--key",
        house.key(ASHA),
        *PLAIN,
        "--config",
        "bare.toml",
    )
    assert signed.code == 0, signed
    said = house.cli("verify", str(run), "--config", "bare.toml")
    assert said.code == 3, said.out
    assert "no signature could be checked: no allowed signers file given" in said.out
    assert "WRONG" not in said.out
    assert "wrong " not in said.out
    (signature,) = run.glob("signoffs/*.sig")
    whole = signature.read_text()
    lines = whole.splitlines(keepends=True)
    signature.write_text(
        "".join(
            [*lines[:3], lines[3][:10] + ("A" if lines[3][10] != "A" else "B") + lines[3][11:], *lines[4:]]
        )
    )
    assert house.cli("verify", str(run), "--config", "bare.toml").code == 1
    signature.write_text(whole)
    assert house.cli("verify", str(run), "--config", "bare.toml").code == 3
    page = run / "report.html"
    page.write_text(page.read_text() + " ")
    assert house.cli("verify", str(run), "--config", "bare.toml").code == 1


def test_lines_of_allowed_signers() -> None:
    """Names in lists and in quotes, patterns, options that quote keys; comments are none."""
    text = (
        b'# olga@x ssh-ed25519 AAAA\n\na@x,b@x namespaces="ssh-ed25519 BBBB" ssh-ed25519 AAAA\n'
        b'"c d@x" ssh-ed25519 CCCC\n*@x cert-authority ssh-ed25519 DDDD comment\nbroken ssh-ed25519 =\n'
    )
    found = [(line.number, line.principals, line.key, line.authority) for line in lines_in(Signers(text))]
    assert found == [
        (3, ("a@x", "b@x"), b"\0\0\0", False),
        (4, ("c d@x",), b"\x08\x20\x82", False),
        (5, ("*@x",), b"\x0c\x30\xc3", True),
    ]
    assert answers_to("olga", b"no signature", Signers(text)) == ""
