"""A step sent, and sent again if that is safe, until it passes or its tries are used up."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.probe import ProbeState, ProbeStep
from kisaan_validate.probe.asking import HttpAnswer, Outgoing, ask
from kisaan_validate.probe.expect import judge_answer
from kisaan_validate.probe.places import BaseAddress
from kisaan_validate.probe.silence import Silence
from kisaan_validate.probe.values import CannotFill, Captured, ProbeNames, json_bytes
from kisaan_validate.process.stopping import Stop

if TYPE_CHECKING:
    from kisaan_validate.probe.model import AnswerTable, RequestTable

READS = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""


@dataclass(frozen=True)
class SendingRequest:
    """A request of the file, with defaults for what its table cannot say."""

    name: str
    method: str
    table: RequestTable
    body: Any = None
    expect: tuple[AnswerTable, ...] = ()
    capture: Mapping[str, str] | None = None
    retries: int = 0
    wait: float = 1.0

    @staticmethod
    def of(table: RequestTable, name: str, method: str) -> SendingRequest:
        """The request of a table, whichever of the keys it has."""
        return SendingRequest(
            name,
            method,
            table,
            getattr(table, "body", None),
            getattr(table, "expect", ()),
            getattr(table, "capture", None),
            getattr(table, "retries", 0),
            getattr(table, "wait", 1),
        )

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method not in READS


@dataclass(frozen=True)
class Sender:
    """Sends requests to one address, with headers that all of them have."""

    address: BaseAddress
    headers: Mapping[str, str]
    trust: ssl.SSLContext
    stop: Stop

    def send(self, request: SendingRequest, names: ProbeNames) -> tuple[ProbeStep, dict[str, Captured]]:
        """The outcome of a request, and what was captured from its answer."""
        try:
            outgoing = self._filled(request, names)
            request = replace(request, expect=tuple(_expected(one, names) for one in request.expect))
        except CannotFill as error:
            # What cannot be filled in was captured: the application gave such an id.
            return _step(request, ProbeState.FAIL, f"not sent: {error}"), {}
        tries, perhaps = 0, False
        while True:
            tries += 1
            got = ask(outgoing, self.trust, self.stop)
            perhaps = perhaps or (request.writes and _is_open(got))
            done, kept = _judged(request, got, tries)
            done = replace(done, perhaps=perhaps)
            if done.state is ProbeState.PASS or tries > request.retries or self.stop.wait(request.wait):
                return done, kept

    def _filled(self, request: SendingRequest, names: ProbeNames) -> Outgoing:
        table = request.table
        route = names.route(table.path)
        headers = {name: names.header(value) for name, value in {**self.headers, **table.headers}.items()}
        body = None
        if request.body is not None:
            body = json_bytes(names.body(request.body))
            headers.setdefault("Content-Type", "application/json")
        url = self.address.url(route)
        return Outgoing(request.method, url, headers, body, table.timeout_ms / 1000)


def _expected(one: AnswerTable, names: ProbeNames) -> AnswerTable:
    """An expectation whose value may be one that a step before captured. Raises CannotFill."""
    return one.model_copy(update={"equals": names.body(one.equals)})


def _judged(
    request: SendingRequest, got: HttpAnswer | Silence, tries: int
) -> tuple[ProbeStep, dict[str, Captured]]:
    if isinstance(got, Silence):
        state = ProbeState.FAIL if got.known else ProbeState.UNKNOWN
        words = f"{got.words}; it may have been carried out" if request.writes and got.reached else got.words
        return _step(request, state, words, got.todo, tries=tries), {}
    table = request.table
    judged = judge_answer(got, table.status, table.within_ms, request.expect, dict(request.capture or {}))
    again = f" at try {tries}" if tries > 1 and judged.state is ProbeState.PASS else ""
    step = _step(
        request, judged.state, f"{judged.words}{again}", status=got.status, seconds=got.seconds, tries=tries
    )
    return step, judged.captured


def _is_open(got: HttpAnswer | Silence) -> bool:
    """Whether the application may have done what was asked: its own error can come at any point."""
    return got.reached if isinstance(got, Silence) else got.status >= 500


def _step(
    request: SendingRequest,
    state: ProbeState,
    fact: str,
    todo: str = "",
    *,
    status: int | None = None,
    seconds: float | None = None,
    tries: int = 0,
) -> ProbeStep:
    path = request.table.path
    return ProbeStep(
        request.name, request.method, path, state, fact, todo, status, seconds, tries, request.writes
    )
