"""Requests and errors as a Prometheus server counted them: one number each, at the end of each period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.error_rate import ErrorWindow
from kisaan_validate.probe.asking import HttpAnswer, Outgoing, ask, trusting
from kisaan_validate.probe.document import NoDocument, document_of
from kisaan_validate.probe.places import read_address
from kisaan_validate.probe.times import TwoWindows
from kisaan_validate.process.stopping import Stop

WINDOW = "$window"
"""Stands in a query for the length of the time."""

_TIMEOUT = 30.0


class NotCounted(Exception):
    """Prometheus gave no number; the text says why."""


@dataclass(frozen=True)
class PrometheusQueries:
    """Where Prometheus answers, and the queries of all requests and of those that failed."""

    url: str
    requests: str
    errors: str
    headers: Mapping[str, str]
    ca: Path | None = None


def count_prometheus(
    asked: PrometheusQueries, windows: TwoWindows, stop: Stop
) -> tuple[tuple[ErrorWindow, ErrorWindow], tuple[str, ...]]:
    """Both times with their counts, rounded, and why they are not whole. Raises UsageError."""
    address, trust = read_address(asked.url), trusting(asked.ca)
    for name, query in (("--requests", asked.requests), ("--failed", asked.errors)):
        if WINDOW not in query:
            raise UsageError(f"{name} has no {WINDOW}", f"write sum(increase(http_requests_total[{WINDOW}]))")
    sides, gaps = [], []
    for begins, ends in (windows.before, windows.after):
        numbers = []
        for query in (asked.requests, asked.errors):
            route = _route(query, begins, ends)
            got = ask(Outgoing("GET", address.url(route), asked.headers, None, _TIMEOUT), trust, stop)
            try:
                if not isinstance(got, HttpAnswer):
                    raise NotCounted(got.words)
                numbers.append(_number(got))
            except NotCounted as error:
                gaps.append(f"Prometheus: {error}")
                numbers.append(0)
        sides.append(ErrorWindow(begins, ends, max(numbers), numbers[1]))
        if numbers[1] > numbers[0]:
            gaps.append("Prometheus counts more errors than requests: the queries do not match")
    return (sides[0], sides[1]), tuple(gaps)


def _route(query: str, begins: datetime, ends: datetime) -> str:
    long = f"{int((ends - begins).total_seconds())}s"
    return f"/api/v1/query?query={quote(query.replace(WINDOW, long), safe='')}&time={ends.timestamp():.0f}"


def _number(answer: HttpAnswer) -> int:
    """The one number of an answer. Raises NotCounted."""
    if answer.status != 200 or answer.broken:
        raise NotCounted(f"HTTP {answer.status}{', and no whole answer' if answer.broken else ''}")
    try:
        document = document_of(answer)
        return _rounded(_value(document))
    except NoDocument as error:
        raise NotCounted(error.words) from None
    except (AttributeError, KeyError, TypeError, IndexError, InvalidOperation):
        raise NotCounted("its answer is not that of a query") from None


def _value(document: dict[str, Any]) -> str:
    # As of a store that did not answer: the status is success, and the number too small.
    if document.get("warnings"):
        raise NotCounted("it warns that its answer may not be whole")
    data = document["data"]
    kind, result = data["resultType"], data["result"]
    if kind == "scalar" and isinstance(result, list):
        return str(result[1])
    if kind != "vector" or not isinstance(result, list):
        raise NotCounted("a query gives no single number: put sum( ) around it")
    if len(result) != 1:
        many = (
            "several series: put sum( ) around it"
            if result
            else "no series: add `or vector(0)`, if it may be none"
        )
        raise NotCounted(f"a query gives {many}")
    return str(result[0]["value"][1])


def _rounded(text: str) -> int:
    number = Decimal(text)
    if not number.is_finite() or number < 0 or number.adjusted() > 15:
        raise NotCounted("a query gives no count")
    # increase() extrapolates to the ends of the period, so its counts are not whole numbers.
    return int(number.to_integral_value())
