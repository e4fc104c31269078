"""Names in a request, filled in: ``${rid}``, what was captured, variables of the environment.

Each text is filled in one pass, so that a value that looks like a name is never filled in itself.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.probe.places import HOLE, as_segment

PREFIX = "rid"
"""The name of the one prefix of a run."""

Captured = str | int
"""What a step can keep of an answer."""

_HEADER_VALUE = re.compile(r"[!-~]([ \t!-~]*[!-~])?")
_ENV = "env:"


class CannotFill(Exception):
    """A name has no value, or one that is not allowed there; the text says which, without the value."""


@dataclass(frozen=True)
class ProbeNames:
    """The values of names: the prefix of the run, what was captured, and the environment."""

    prefix: str
    captured: Mapping[str, Captured] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str) -> Captured:
        """The value of a name. Raises CannotFill."""
        if name == PREFIX:
            return self.prefix
        if name.startswith(_ENV) and self.env.get(name.removeprefix(_ENV)):
            return self.env[name.removeprefix(_ENV)]
        if name in self.captured:
            return self.captured[name]
        raise CannotFill(f"${{{name}}} has no value")

    def route(self, template: str) -> str:
        """A path; each value is one part of it. Raises CannotFill."""
        return self._filled(template, self._segment)

    def header(self, template: str) -> str:
        """The value of a header: visible ASCII in one line. Raises CannotFill."""
        made = self._filled(template, lambda name: str(self.value(name)))
        if made and (_HEADER_VALUE.fullmatch(made) is None or len(made) > 8_000):
            raise CannotFill("a header would hold characters that no header may hold, or be too long")
        return made

    def body(self, template: Any) -> Any:
        """A JSON body: a text that is only a name becomes its value, with its type. Raises CannotFill."""
        if isinstance(template, dict):
            return {key: self.body(value) for key, value in template.items()}
        if isinstance(template, list):
            return [self.body(value) for value in template]
        if not isinstance(template, str):
            return template
        if alone := HOLE.fullmatch(template):
            return self.value(alone[1])
        return self._filled(template, lambda name: str(self.value(name)))

    def shown_route(self, template: str) -> tuple[str, bool]:
        """A path for people, and whether each of its values is shown. Raises CannotFill."""
        hidden = [name for name in names_in(template) if not self._may_be_shown(name)]
        shown = self._filled(template, lambda name: f"${{{name}}}" if name in hidden else self._segment(name))
        return shown, not hidden

    def _may_be_shown(self, name: str) -> bool:
        """Ids, and what we made: other texts may be personal, or a token."""
        if name.startswith(_ENV):
            return False
        value = self.value(name)
        return isinstance(value, int) or value.startswith(self.prefix) or _is_uuid(value)

    def _segment(self, name: str) -> str:
        try:
            return as_segment(str(self.value(name)))
        except ValueError as error:
            raise CannotFill(f"${{{name}}} is not filled in: {error}") from None

    def _filled(self, template: str, value: Callable[[str], str]) -> str:
        return HOLE.sub(lambda found: value(found[1]), template)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def names_in(template: Any) -> Iterator[str]:
    """The names in a text, or in the texts of a body."""
    if isinstance(template, str):
        yield from (found[1] for found in HOLE.finditer(template))
    elif isinstance(template, (dict, list)):
        for value in template.values() if isinstance(template, dict) else template:
            yield from names_in(value)


def check_variables(templates: Iterator[str], env: Mapping[str, str]) -> None:
    """Refuse header values and bodies whose variables are not set. Raises UsageError, naming one."""
    for name in templates:
        variable = name.removeprefix(_ENV)
        if name.startswith(_ENV) and not env.get(variable):
            raise UsageError(f"the environment variable {variable} is not set", "set it, and start again")


def json_bytes(body: Any) -> bytes:
    """A body as JSON; decimal numbers keep the digits that the file says."""
    return _json(body).encode()


def _json(body: Any) -> str:
    if isinstance(body, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_json(v)}" for k, v in body.items()) + "}"
    if isinstance(body, list):
        return "[" + ",".join(map(_json, body)) + "]"
    return str(body) if isinstance(body, Decimal) else json.dumps(body)


def body_fault(body: Any) -> str:
    """Why a body of the file is not JSON; "" if it is."""
    if isinstance(body, (dict, list)):
        if isinstance(body, dict) and any(HOLE.search(key) for key in body):
            return "has a name in a key, where none is filled in"
        inner = body.values() if isinstance(body, dict) else body
        return next((fault for fault in map(body_fault, inner) if fault), "")
    if isinstance(body, Decimal):
        return "" if body.is_finite() else "holds a number that JSON does not have"
    return "" if isinstance(body, (str, int)) else "holds a day or a time"
