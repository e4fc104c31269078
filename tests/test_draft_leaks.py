"""No person's value stands in a file that is made for a repository, in any language; what was withheld is
said.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from conftest import Server

from kisaan_validate.author.draft import observe
from kisaan_validate.author.draft.codes import FREQUENT, NOT_CODES, certainly, looks_like, why_withheld
from kisaan_validate.cli.main import main

PEOPLE: dict[str, list[str]] = {
    "names": ["Asha Rao", "Olga Petrova", "John Smith"],
    "one word": ["Smith", "Rao"],
    "small letters with a blank": ["asha rao", "olga p"],
    "Hindi": ["आशा", "राव"],
    "Russian": ["Ольга", "Иван"],
    "Chinese": ["王伟", "李娜"],
    "Arabic": ["محمد", "فاطمة"],
    "Thai": ["สมชาย", "สมหญิง"],
    "German": ["Jürgen", "Käthe"],
    "with an apostrophe": ["O'Neil", "d'Arc"],
    "IBAN": ["DE89370400440532013000", "DE02120300000000202051"],
    "IBAN in groups": ["DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32"],
    "PAN": ["ABCDE1234F", "ZZZPA0001K"],
    "Aadhaar": ["2345 6789 0124", "999941057058"],
    "card": ["4111111111111111", "5500-0000-0000-0004"],
    "telephone": ["+91 98450 12345", "080-4123456"],
    "bare telephone": ["9845012345", "9845054321"],
    "mail": ["asha@example.org", "olga@example.org"],
    "birth": ["1990-01-31", "1985-12-01"],
    "digits of a script": ["९८४५०१२३४५", "९८४५०५४३२१"],
    "SSN": ["078-05-1120", "219-09-9999"],
    "address": ["12 Hill Road", "7 Main St"],
    "initials": ["J.S.", "A.R."],
    "account": ["000123456789", "000123456790"],
}
CODES: dict[str, tuple[str, list[str]]] = {
    "status": ("status", ["gone", "live", "new"]),
    "capitals": ("order_type", ["CASH", "CARD"]),
    "country": ("country", ["IN", "DE"]),
    "state words": ("paid_how", ["cash", "card"]),
    "numbers": ("role_code", ["1", "2", "10"]),
    "in words": ("paymentMethod", ["net_banking", "upi", "neft-2"]),
    "versions": ("api_version", ["1.2", "1.3"]),
    "currency": ("currency", ["EUR", "INR"]),
}


@pytest.mark.parametrize("values", PEOPLE.values(), ids=PEOPLE)
def test_what_looks_like_a_persons_is_withheld_whatever_the_column_is_called(values: list[str]) -> None:
    """One such value among codes is enough, and no reason says it."""
    for name in ("status", "who", "typ", "状態"):
        for listed in (values, ["open", "paid", values[0]], [*values, "NEW"]):
            why = why_withheld(name, listed)
            assert why
            assert not any(value in why for value in listed if len(value) > 3)


@pytest.mark.parametrize(("name", "values"), CODES.values(), ids=CODES)
def test_codes_are_drafted(name: str, values: list[str]) -> None:
    """Else a draft would say nothing of columns that nobody minds."""
    assert why_withheld(name, values) == ""


def test_words_are_codes_only_if_something_says_so() -> None:
    """Nicknames look like codes: the column's name must say that they are none."""
    assert why_withheld("nick", ["ashu", "olya"]) == NOT_CODES
    assert why_withheld("who", ["JS", "AR"]) == NOT_CODES
    assert why_withheld("state_of_mind", ["calm", "wild"]) == ""


def test_sentences_and_expressions_are_looked_through() -> None:
    """Limits and dates are none; numbers with a checksum, mail and telephones are."""
    for text in (
        "(amount <= 10000000)",
        "day >= '2020-01-01'::date",
        "what we owe them, in rupees",
        "code ~ '^[0-9]{12}$'",
        "at 12.50 or 2025-01-01 10:00",
    ):
        assert certainly(text) == ""
    for text in (
        "e.g. DE89 3704 0044 0532 0130 00 of Asha",
        "who <> 'asha@example.org'",
        "call +91 98450 12345",
        "pan IN ('4111 1111 1111 1111')",
    ):
        assert certainly(text)
    assert looks_like("9845012345")


DB = """CREATE TABLE people (id int PRIMARY KEY, who text, nick text, pan text, "Beneficiary" text, kontonummer text, status text, seldom_kind text, initials text,
    mobile_kind bigint, gen text GENERATED ALWAYS AS ('x' || 'asha.gen@example.org') STORED, CHECK (who <> 'Secret.Check@example.org' OR id > 0));
INSERT INTO people SELECT g, (ARRAY['Asha Rao','Olga Petrova','John Smith'])[1+g%3], (ARRAY['ashu','olya'])[1+g%2], (ARRAY['ABCDE1234F','ZZZPA0001K'])[1+g%2],
  (ARRAY['Asha Rao','Olga Petrova'])[1+g%2], (ARRAY['DE89370400440532013000','DE02120300000000202051'])[1+g%2], (ARRAY['live','gone'])[1+g%2],
  CASE WHEN g < 3 THEN 'hapax' ELSE 'plainly' END, (ARRAY['JS','AR'])[1+g%2], 9845012300 + g % 2 FROM generate_series(1, 500) g;
CREATE UNIQUE INDEX one ON people (id) WHERE who <> 'index.where@example.org';
COMMENT ON COLUMN people.who IS 'e.g. comment.one@example.org'; COMMENT ON TABLE people IS 'ask +91 98450 99999'"""
PLANTED = (
    "Asha",
    "Olga",
    "Smith",
    "ashu",
    "olya",
    "ABCDE1234F",
    "ZZZPA",
    "DE893",
    "DE021",
    "hapax",
    "JS",
    "98450123",
    "98450 9",
    "example.org",
)


@pytest.mark.parametrize("small", [observe.SMALL_TABLE, 0])
def test_a_drafted_suite_holds_no_persons_value(
    small: int,
    server: Server,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a small table and a large one: values are in no file and no line, the columns that were withheld
    are named in both.
    """
    monkeypatch.setattr(observe, "SMALL_TABLE", small)
    monkeypatch.setenv("KISAAN_DSN", server.dsn(database))
    monkeypatch.chdir(tmp_path)
    server.sql(f"{DB}; ANALYZE people", database)
    assert main(["init", "--output", "checks"]) == 0
    said = capsys.readouterr()
    drafted = "".join(p.read_text() for p in sorted(Path("checks").rglob("*")) if p.is_file())
    for value in PLANTED:
        assert value not in drafted, value
        assert value not in said.out + said.err, value
    for column in ("who", "nick", "pan", "Beneficiary", "kontonummer", "seldom_kind", "initials"):
        assert f"# withheld: the values of {column}: " in drafted
        assert f"withheld: the values of {column}: " in said.out
    assert '"people.kontonummer",' in drafted.partition("personal = [")[2]
    assert "IN ('gone', 'live')" in drafted
    assert main(["run", "--suite", "checks"]) == 0
    written = "".join(p.read_text(errors="replace") for p in Path("reports").rglob("*") if p.is_file())
    # Two letters also stand in the digests of the page's own script.
    assert not [value for value in PLANTED if len(value) > 2 and value in written]


def test_no_value_of_many_random_sets_is_drafted_but_codes(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sets of people's values and of codes in columns of any name; one rare value spoils a set."""
    draw = random.Random(7)
    sets = [
        (f"c{n}_{draw.choice(['status', 'who', 'typ', 'x'])}", values)
        for n, values in enumerate(PEOPLE.values())
    ]
    sets += [(f"r{n}_{name}", [*values, "r4re"]) for n, (name, values) in enumerate(CODES.values())]
    kept = [(f"k{n}_{name}", values) for n, (name, values) in enumerate(CODES.values()) if name.islower()]
    columns = ", ".join(f'"{name}" text' for name, _ in (*sets, *kept))
    server.sql(f"CREATE TABLE t (id int PRIMARY KEY, {columns})", database)
    with server.connect(database) as connection, connection.cursor() as cursor:
        for row in range(200):
            chosen = [
                values[row % len(values)]
                if values[-1] != "r4re"
                else values[-1 if row < FREQUENT - 1 else row % (len(values) - 1)]
                for _, values in (*sets, *kept)
            ]
            cursor.execute(f"INSERT INTO t VALUES ({row}, {', '.join(['%s'] * len(chosen))})", chosen)
    monkeypatch.setenv("KISAAN_DSN", server.dsn(database))
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--output", "checks"]) == 0
    drafted = "".join(p.read_text() for p in Path("checks").rglob("*.*"))
    assert not [v for values in PEOPLE.values() for v in values if v in drafted]
    assert "r4re" not in drafted
    assert all(f'"t.{name}.values"' in drafted for name, _ in kept)
    assert os.environ["KISAAN_DSN"]
