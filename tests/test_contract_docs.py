"""docs/promises.md names every kind of promise with all that it can say, and nothing else."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from kisaan_validate.contract.load import read_contract
from kisaan_validate.contract.rules import KINDS

DOC = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^- `(\w+) ([^`]*)`: \w", DOC, re.MULTILINE))


def test_every_kind_is_documented() -> None:
    """A kind without a line, or a line without a kind, fails."""
    assert ROWS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_s_line_names_what_it_says(kind: str) -> None:
    """The parameters of the class are those of its line."""
    said = {word.split("|")[0].strip("[]") for word in ROWS[kind].split()}
    assert said == {name.rstrip("_") for name in KINDS[kind](id="any").parameters}


@pytest.mark.parametrize(
    "path",
    [*(ROOT / "checks" / "contracts").glob("*.toml"), *(ROOT / "demo").rglob("contract.toml")],
    ids=lambda p: p.name,
)
def test_the_contracts_of_this_repository_say_why(path: object) -> None:
    """Every blocking promise of the KisaanCenter contract has a plain-language why, but for those that
    check a check.
    """
    text = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    contract = read_contract(text, "contract.toml")
    assert contract.promises
    if "checks" in str(path):
        assert [p.id for p in contract.promises if not p.why and p.kind != "fixed"] == []
