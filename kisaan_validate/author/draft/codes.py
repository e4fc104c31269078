"""Which values may stand in a file for a repository: short codes, and nothing that could be about a person.

A list of English words cannot distinguish a name from a code. So a set of values is drafted only where two
things say that they are codes: the column's name (or every value is a word of state), and the shape of
every value. A name, an account, a tax or telephone number, an address have other shapes, in any script.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

SHORT = 24
"""A longer value is no code. Characters."""

FREQUENT = 5
"""A code stands in at least so many rows; what is rarer may be about one person."""

KINDS = (
    "status",
    "state",
    "type",
    "kind",
    "level",
    "category",
    "mode",
    "priority",
    "stage",
    "class",
    "grade",
    "rating",
)
"""Words in names of columns whose values, texts or numbers, tell a kind of thing."""

CODE_WORDS = frozenset(KINDS) | frozenset(
    {
        "role",
        "flag",
        "code",
        "codes",
        "currency",
        "country",
        "lang",
        "language",
        "locale",
        "unit",
        "units",
        "uom",
        "plan",
        "tier",
        "size",
        "color",
        "colour",
        "channel",
        "method",
        "source",
        "season",
        "phase",
        "outcome",
        "result",
        "severity",
        "format",
        "event",
        "action",
        "gateway",
        "protocol",
        "platform",
        "env",
        "environment",
        "version",
        "estado",
        "tipo",
        "statut",
        "zustand",
        "typ",
        "art",
        "moneda",
        "devise",
        "waehrung",
        "stato",
        "valuta",
        "tipus",
        "durum",
        "tur",
    }
)
"""Words in the name of a column that holds codes."""

STATE_WORDS = frozenset(
    {
        "active",
        "inactive",
        "enabled",
        "disabled",
        "open",
        "closed",
        "pending",
        "paid",
        "unpaid",
        "new",
        "old",
        "done",
        "draft",
        "final",
        "yes",
        "no",
        "y",
        "n",
        "true",
        "false",
        "t",
        "f",
        "on",
        "off",
        "live",
        "gone",
        "deleted",
        "archived",
        "approved",
        "rejected",
        "cancelled",
        "canceled",
        "completed",
        "complete",
        "failed",
        "success",
        "succeeded",
        "error",
        "ok",
        "low",
        "medium",
        "high",
        "none",
        "unknown",
        "cash",
        "card",
        "cheque",
        "bank",
        "online",
        "offline",
        "in",
        "out",
        "debit",
        "credit",
        "admin",
        "user",
        "guest",
        "manual",
        "automatic",
        "public",
        "private",
        "internal",
        "external",
        "sent",
        "received",
        "started",
        "running",
        "stopped",
        "queued",
        "waiting",
        "expired",
        "blocked",
        "locked",
        "partial",
        "full",
        "daily",
        "weekly",
        "monthly",
        "yearly",
    }
)
"""Words that say how something stands, and whom they say it of does not matter."""

NOT_CODES = "neither its name nor its values show that these are codes and not names"
RARE = "some of its few values are rare and may each be about one person"


def why_withheld(column: str, values: Iterable[str]) -> str:
    """Why this column's few values are not written down, without any of them; "" if they are plainly
    codes.
    """
    listed = list(values)
    for value in listed:
        # Shape before name: a column called "code" may hold telephone numbers.
        if why := looks_like(value) or _shape(value):
            return f"its few values look like {why}"
    # A name says what the column is for only if no value speaks against it.
    if all(value.casefold() in STATE_WORDS for value in listed) or CODE_WORDS & set(_words(column)):
        return ""
    return NOT_CODES


def is_shape(reason: str) -> bool:
    """Whether the values themselves gave the reason, so that the column is probably personal."""
    return reason.startswith("its few values look like")


def looks_like(text: str) -> str:
    """What about a person a value could hold, by checksum and shape; "" if none of these."""
    return certainly(text) or _numbers(text)


def certainly(text: str) -> str:
    """The same, only for what is hardly anything else, so that sentences and expressions with dates and
    limits can be searched.
    """
    # Full-width digits and letters are read as the ASCII ones that they look like.
    plain = unicodedata.normalize("NFKC", text)
    if re.search(r"[^\s@]+@[^\s@]+\.\w", plain):
        return "e-mail addresses"
    if re.search(r"\+\d(?:[ ()./-]*\d){7}", plain):
        return "telephone numbers"
    # A letter or digit must follow each blank, so that a sentence is not one long word.
    for part in re.findall(r"[^\W_](?:[^\W_]|[ .-](?=[^\W_]))*", plain):
        for words in _runs(part.upper()):
            if _is_iban(words):
                return "account numbers (IBAN)"
            if re.fullmatch(r"\d{12,19}", words) and _luhn(words):
                return "card or account numbers"
    return ""


def _runs(part: str) -> Iterator[str]:
    """Neighbouring words without what is between them, for numbers are written in groups."""
    words = re.split(r"[ .-]", part)
    # Any neighbouring words: a number may stand behind others, and be written in groups of any length.
    for start in range(len(words)):
        yield from ("".join(words[start:end]) for end in range(start + 1, min(len(words), start + 9) + 1))


def _numbers(text: str) -> str:
    for word in re.findall(r"\+?\w(?:\w|[ ./()-](?=[\d(]))*", unicodedata.normalize("NFKC", text)):
        digits, letters = sum(c.isdecimal() for c in word), sum(c.isalpha() for c in word)
        # Seven digits: the shortest telephone numbers, and dates without signs between.
        if digits >= 7 and not letters:
            return "telephone, account or tax numbers, or dates"
        if digits >= 4 and digits + letters >= 8:
            return "account, tax or document numbers"
    return ""


def _shape(value: str) -> str:
    """Why a whole value is no code by its shape; "" if it could be one."""
    # Other scripts have no capitals to tell names by.
    if not value.isascii():
        return "words of a language, which may be names"
    # A capital before small letters is how names begin.
    if len(value) > SHORT or re.search(r"\s", value.strip()) or re.search(r"[A-Z][a-z]", value):
        return "names or text"
    if not re.fullmatch(r"-?\d{1,4}|[a-z0-9]+([_.:/+-][a-z0-9]+)*|[A-Z0-9]+([_.:/+-][A-Z0-9]+)*", value):
        return "text"
    # A code has letters; more than four digits may be somebody's number.
    return "numbers" if sum(c.isdigit() for c in value) > 4 else ""


def _words(name: str) -> list[str]:
    """The words of a column's name: "roleCode" and "role_code" both give "role", "code"."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def _is_iban(packed: str) -> bool:
    """ISO 13616: the first four characters moved to the end, letters as 10 to 35, modulo 97 is 1."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}", packed):
        return False
    return int("".join(str(int(c, 36)) for c in packed[4:] + packed[:4])) % 97 == 1


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812: every second digit from the right doubled, the digits of all added, modulo 10 is 0."""
    doubled = (int(d) * (1 + n % 2) for n, d in enumerate(reversed(digits)))
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0
