"""What is sent to people: one message, the same for every channel."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from hashlib import sha256
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity

MESSAGE_FORMAT = 1
"""Version of the JSON that a webhook gets. 1: first form."""

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Message:
    """One message. ``id`` is the same whenever it is sent again, so that receivers can drop what they have.

    ``subject`` is one line, ``body`` plain text, ``facts`` the same as JSON values: counts, ids and names,
    never a value or a key of a row. ``drill``: nothing is wrong, the way is tried.
    """

    id: str
    at: datetime
    subject: str
    body: str
    severity: Severity
    facts: Mapping[str, Any] = field(default_factory=dict)
    drill: bool = False

    def to_json(self) -> bytes:
        """The message as one JSON document, in ASCII."""
        document = {
            "kind": "kisaan-validate.message",
            "format": MESSAGE_FORMAT,
            "id": self.id,
            "at": self.at.isoformat(),
            "drill": self.drill,
            "severity": self.severity.value,
            "subject": self.subject,
            "text": self.body,
            "facts": self.facts,
        }
        # In ASCII: half a character, which no UTF-8 holds, is written by its number.
        return json.dumps(document, ensure_ascii=True).encode("ascii")


def message_id(name: str) -> str:
    """A text as an id that can name a file and stand in a header: itself, or its digest."""
    return (
        name if _SAFE_ID.fullmatch(name) else sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    )
