"""What a contract asks to be measured of each table, as digests: so that the figures of a baseline are used
for another version of the contract exactly where both ask the same.

Law: where the digests of a table agree, a baseline taken with the one version holds of that table what one
taken with the other would hold.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import fields

from kisaan_validate.contract.load import Contract, bound_to
from kisaan_validate.contract.needs import Need
from kisaan_validate.contract.promise import Promise
from kisaan_validate.contract.renamed import Renamed
from kisaan_validate.contract.stale import StaleMeasures
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.titles import split_name
from kisaan_validate.suite.load import Suite

Aliases = Mapping[str, tuple[str, ...]]

ANY = ""
"""Stands beside the names of tables, so that a contract that asks for nothing says so too."""

_PROSE = frozenset({"why", "severity"})
"""What a promise says to people, and what follows from it: neither changes what is measured."""


def meanings_of(contract: Contract, suite: Suite) -> dict[str, str]:
    """By the names that a table may have, without schemas: the digest of all that is measured for promises
    about tables of that name.

    Tables of one name in several schemas share it: too much counts as changed rather than too little. Which
    columns are personal decides about what is measured, and renames decide about that.
    """
    settings, asked = suite.settings, {p.id: p for p in contract.promises}
    renames = [_said(p) for p in contract.promises if isinstance(p, Renamed)] if settings.personal else []
    shared = repr((settings.personal, settings.schemas, sorted(renames)))
    grouped: dict[str, list[str]] = defaultdict(list, {ANY: []})
    names = _names_in(contract, settings.aliases)
    for need in bound_to(contract, suite):
        for name in names(need):
            grouped[name].append(repr((need, _said(asked[need.rule]))))
    return {
        name: hashlib.sha256("\n".join([shared, *parts]).encode("utf-8", "surrogatepass")).hexdigest()
        for name, parts in sorted(grouped.items())
    }


def _said(promise: Promise) -> str:
    said = {f.name: getattr(promise, f.name) for f in fields(promise) if f.name not in _PROSE}
    return repr((promise.kind, said))


def _names_in(contract: Contract, aliases: Aliases) -> Callable[[Need], frozenset[str]]:
    """The names, without schemas, of the tables that a need may mean: under all aliases, and as before and
    as after the renames that are promised, done or not.
    """
    pairs = [
        {split_name(promise.table)[1], split_name(promise.to)[1]}
        for promise in contract.promises
        if isinstance(promise, Renamed) and promise.table
    ]

    def names(need: Need) -> frozenset[str]:
        found = {split_name(name)[1] for name in (need.table, *aliases.get(need.table, ()))}
        for _ in pairs:  # a name may be handed on from table to table
            found |= {name for pair in pairs if pair & found for name in pair}
        return frozenset(found)

    return names


def stale_measures(contract: Contract, baseline: Baseline, run: Run) -> StaleMeasures:
    """Which figures of the baseline cannot be used for the contract.

    A baseline or run that does not say what was asked (one of an earlier version, or one that was made with
    another contract) says it of no table.
    """
    if contract.digest == baseline.contract_digest:
        return StaleMeasures()
    with_ = "with another version of the" if baseline.contract_digest else "without the"
    reason = f"the baseline was taken {with_} contract"
    before, now = baseline.meanings, run.meanings
    # A contract written afterwards could be fitted to what happened: a baseline without one proves nothing.
    said_before = bool(before)
    said_now = run.contract_digest == contract.digest and bool(now)
    if not (said_before and said_now):
        return StaleMeasures(reason, None)
    changed = frozenset(name for name in {*before, *now} - {ANY} if before.get(name) != now.get(name))
    rules: dict[str, frozenset[str]] = defaultdict(frozenset)
    names = _names_in(contract, run.suite.aliases)
    for need in contract.needs:
        rules[need.rule] |= names(need)
    return StaleMeasures(reason, changed, dict(rules))
