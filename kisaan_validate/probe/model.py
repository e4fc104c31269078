"""``probes.toml`` as it is written. No error quotes a text from it: that could be a secret."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from kisaan_validate.probe.paths import path_fault
from kisaan_validate.probe.places import address_fault, route_fault
from kisaan_validate.toml.durations import Duration
from kisaan_validate.toml.model import (
    Field,
    FilePath,
    Filled,
    LookBefore,
    TomlTable,
    model_validator,
    tables,
    version,
    wrong,
)

PROBES_FORMAT = 1
"""Version of a file of probes. 1: first form."""

KINDS = ("text", "number", "boolean", "null", "object", "list")
"""What a JSON value can be."""

_STATUS = re.compile(r"[1-5]xx")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_TAKEN = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "te"})
"""Headers that say where a request goes or how it is read; only the client may write them."""


def _status(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    good = all(_is_status(item) for item in items)
    if not items or not good:
        raise wrong("is not a status", 'write 201, "2xx" or [200, 201]')
    return [str(item) for item in items]


def _is_status(item: Any) -> bool:
    if isinstance(item, str):
        return _STATUS.fullmatch(item) is not None
    return type(item) is int and 100 <= item <= 599


def _query(value: Any) -> Any:
    if not isinstance(value, str):
        raise wrong("must be a JSON path", 'write "$.data.id"')
    if fault := path_fault(value):
        raise wrong(
            f"is not a JSON path that can be used here: {fault}",
            'write names, indexes and *: "$.items[0].id"',
        )
    return value


def _route(value: Any) -> Any:
    if not isinstance(value, str):
        raise wrong("must be a path", 'write "/api/users"')
    if fault := route_fault(value):
        raise wrong(fault, "write a path of the base URL alone: /api/users/${user_id}")
    return value


def _address(value: Any) -> Any:
    if not isinstance(value, str):
        raise wrong("must be a URL", 'write "http://127.0.0.1:3000"')
    if fault := address_fault(value):
        raise wrong(fault, 'write "https://host:port", or "${env:NAME}"')
    return value


def _scalar(value: Any) -> Any:
    if not isinstance(value, (str, bool, int, Decimal)):
        raise wrong("must be a text, a number, true or false")
    return value


def _headers(value: Any) -> Any:
    for name in value if isinstance(value, dict) else ():
        if _HEADER.fullmatch(name) is None or name.lower() in _TAKEN:
            raise wrong("has a name that a probe may not send", "leave Host, Content-Length and the like out")
    return value


MOST_STEPS = 1_000
"""Of a file: the record is written again after each of them."""


def _bounded(value: Any) -> Any:
    if isinstance(value, list) and len(value) > MOST_STEPS:
        raise wrong(f"has more than {MOST_STEPS:,} steps", "write several files")
    return value


_STATUS_SCHEMA = {
    "type": ["integer", "string", "array"],
    "items": {"type": ["integer", "string"]},
    "pattern": "^[1-5]xx$",
}
StatusWanted = Annotated[tuple[str, ...], Field(strict=False), LookBefore(_status, _STATUS_SCHEMA)]
_few = LookBefore(_bounded, {"maxItems": MOST_STEPS})
Query = Annotated[str, LookBefore(_query, {"pattern": r"^\$"})]
Route = Annotated[str, LookBefore(_route, {"pattern": "^/"})]
Address = Annotated[str, LookBefore(_address, {})]
Scalar = Annotated[Any, LookBefore(_scalar, {"type": ["string", "number", "boolean"]})]
Headers = Annotated[dict[str, str], LookBefore(_headers, {})]
Milliseconds = Annotated[int, Field(ge=1, le=600_000)]


class AnswerTable(TomlTable):
    """What must be at a JSON path of the answer: one of the keys beside ``json``."""

    path: Query = Field(alias="json", description="the JSON path (RFC 9535 without filters)")
    equals: Scalar = Field(None, description="the one value there, or ${name}; numbers are compared exactly")
    matches: Filled | None = Field(None, description="a regular expression that is found in each text there")
    type: Literal["text", "number", "boolean", "null", "object", "list"] | None = Field(
        None, description="what each value there is"
    )
    exists: bool | None = Field(None, description="true: there is a value; false: there is none")
    count: int | None = Field(None, ge=0, description="how many values there are, or items of the one list")

    @model_validator(mode="after")
    def _one(self) -> AnswerTable:
        given = self.model_fields_set - {"path"}
        if len(given) != 1:
            raise wrong("says one thing of a path", "write equals, matches, type, exists or count")
        return self


class RequestTable(TomlTable):
    """A request that is to be answered."""

    path: Route = Field(description="the path", examples=["/api/health"])
    status: StatusWanted = Field(("2xx",), description='the status: 201, "2xx" or a list')
    within_ms: Milliseconds | None = Field(None, description="an answer that takes longer fails the step")
    timeout_ms: Milliseconds = Field(10_000, description="the whole time that one try may take")
    headers: Headers = Field(
        default_factory=dict, description="headers; ${env:NAME} is a variable of the environment"
    )


class HealthTable(RequestTable):
    """The first step of every run: GET of the path by which the application says that it works."""

    retries: int = Field(0, ge=0, le=1_000, description="how often it is asked again if it fails")
    wait: Duration = Field(1, description="the time between two tries")
    expect: Annotated[tuple[AnswerTable, ...], Field(strict=False), tables("health.expect")] = Field(
        (), description="what its JSON must say"
    )


class CleanupTable(RequestTable):
    """The request that removes what a step created."""

    method: Literal["DELETE", "POST", "PUT", "PATCH"] = Field("DELETE", description="its method")
    body: Any = Field(None, alias="json", description="its JSON body")


class ProbeStepTable(RequestTable):
    """One request, its expected answer, and what later steps need of it."""

    name: Filled = Field(description="what it is called", examples=["create a user"])
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field("GET", description="its method")
    body: Any = Field(None, alias="json", description="its JSON body")
    expect: Annotated[tuple[AnswerTable, ...], Field(strict=False), tables("step.expect")] = Field(
        (), description="what its JSON must say"
    )
    capture: dict[str, Query] = Field(
        default_factory=dict, description="values for later steps, as ${name}, by their JSON paths"
    )
    retries: int = Field(0, ge=0, le=100, description="how often it is sent again if it fails")
    wait: Duration = Field(1, description="the time between two tries")
    idempotent: bool = Field(False, description="true: a request that writes may be sent again")
    cleanup: CleanupTable | None = Field(None, description="the request that removes what it created")

    @model_validator(mode="after")
    def _safe(self) -> ProbeStepTable:
        writes = self.method not in {"GET", "HEAD"}
        if self.retries and writes and not self.idempotent:
            raise wrong(
                "is repeated, and writes", "leave retries out, or write idempotent = true if that is true"
            )
        if not writes and (self.body is not None or self.cleanup is not None):
            raise wrong("only reads, and has a body or a cleanup", "write its method")
        if self.method == "HEAD" and (self.expect or self.capture):
            raise wrong("asks for no body, and expects one", 'write method = "GET"')
        return self


class ProbesFile(TomlTable):
    """Requests to a running application, in their order, and the answers that are expected."""

    elsewhere: ClassVar[dict[str, str]] = {"url": "write base_url"}

    format: Annotated[int, version(PROBES_FORMAT)] = Field(
        description="the version of this format", examples=[PROBES_FORMAT]
    )
    name: Filled = Field("probes", description="what these probes are called")
    base_url: Address | None = Field(
        None, description="scheme, host and port; --base-url says another", examples=["http://127.0.0.1:3000"]
    )
    production: bool = Field(description="whether customers use that application", examples=["true"])
    ca: FilePath | None = Field(None, description="a file of certificates that are trusted, beside this file")
    headers: Headers = Field(default_factory=dict, description="headers of every request")
    health: HealthTable = Field(description="the first step", examples=['{ path = "/api/health" }'])
    step: Annotated[tuple[ProbeStepTable, ...], Field(strict=False), tables("step"), _few] = Field(
        (), description="the other steps, in their order"
    )
