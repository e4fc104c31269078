"""The state of the server apart from its data: read only where a check of the suite is about it."""

from __future__ import annotations

from dataclasses import replace

from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.catalogue import Catalogue
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.server import Counters
from kisaan_validate.postgres.server import read_server
from kisaan_validate.postgres.session import Session
from kisaan_validate.prove.options import Options
from kisaan_validate.rules.server.base import ServerRule
from kisaan_validate.suite.load import Suite


def about_server(suite: Suite) -> bool:
    """Whether a check that is asked is about the server."""
    return any(isinstance(suite.rules[check.id], ServerRule) for check in suite.checks)


def with_server(session: Session, suite: Suite, options: Options, catalogue: Catalogue) -> Catalogue:
    """The catalogue, with the server's facts if a check is about them. Raises DatabaseError only if the
    session is lost.
    """
    if not about_server(suite):
        return catalogue
    earlier = [counters_of(before) for before in (options.baseline, options.earlier) if before is not None]
    return replace(catalogue, server=read_server(session, earlier))


def counters_of(before: Run | Baseline) -> Counters:
    """Where the counters stood when a run or baseline was taken."""
    # A comparison reads sequences too, by their titles, which leave "public" out.
    titled = {s.name: s.last_value for s in before.sequences if s.is_called}
    named = {name if "." in name else f"public.{name}": value for name, value in titled.items()}
    return Counters(before.place.at, named | {c.name: c.value for c in before.counters})
