"""A check that needs what the engine does not offer has no answer, by name; the others are planned as ever."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Server
from every_kind import TABLES, suite
from helpers import catalogue_of

from kisaan_validate.facts.catalogue import Catalogue
from kisaan_validate.facts.engine import POSTGRESQL, Capability, Engine
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.plan.plan import make_plan


@pytest.fixture(scope="module")
def catalogue(server: Server) -> Catalogue:
    """Tables of every type."""
    return catalogue_of(server, server.create(TABLES))


def _settled(catalogue: Catalogue, *without: Capability) -> dict[str, Result]:
    engine = Engine("Other", POSTGRESQL.capabilities - set(without))
    return dict(make_plan(suite(), replace(catalogue, engine=engine)).settled)


@pytest.mark.parametrize("missing", list(Capability))
def test_a_missing_capability_is_no_answer_by_name(catalogue: Catalogue, missing: Capability) -> None:
    """Exactly the checks whose rule needs it are skipped, and say what is missing and of whom."""
    checks, whole, part = suite(), _settled(catalogue), _settled(catalogue, missing)
    needing = {check.id for check in checks.checks if missing in checks.rules[check.id].requires}
    for id in needing:
        assert part[id].status is Status.SKIP
        assert part[id].violations is None
        assert f"Other does not offer {missing}" in part[id].message
    assert {id: r for id, r in part.items() if id not in needing} == {
        id: r for id, r in whole.items() if id not in needing
    }


def test_each_capability_is_needed_by_some_rule() -> None:
    """None is named for show; that of streams by checks in Python."""
    from kisaan_validate.rules.python import PythonRule

    needed = {c for rule in suite().rules.values() for c in rule.requires} | PythonRule.requires
    assert needed == set(Capability)


def test_postgresql_offers_everything() -> None:
    """No check of a suite is skipped for want of a capability today."""
    assert POSTGRESQL.lacks(frozenset(Capability)) == ""
