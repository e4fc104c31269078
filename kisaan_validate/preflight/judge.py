"""The verdict of a preflight: a pure function of its items."""

from __future__ import annotations

from collections.abc import Iterable

from kisaan_validate.facts.preflight import PreflightItem
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import verdict_of


def judge_preflight(items: Iterable[PreflightItem]) -> Verdict:
    """FAIL for any no-go, else INCONCLUSIVE for anything that cannot be told, or if nothing was asked; else
    PASS. Work to do decides nothing.
    """
    return verdict_of(item.state for item in items)
