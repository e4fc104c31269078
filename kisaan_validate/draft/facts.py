"""What a draft is made of: the catalogue, its comments, and what one scan of each table saw. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase

from kisaan_validate.catalogue import Catalogue, Table, TableKey
from kisaan_validate.database.statistics import Comments
from kisaan_validate.model import Place


@dataclass(frozen=True)
class Observed:
    """What one scan saw of a table: exact, of one snapshot, and promised by nobody.

    ``rows`` is None where the table was not read, with the ``reason``. ``nulls`` counts them by column, as far as that was
    asked; ``unique`` are columns without two equal values, ``two_decimals`` those whose values never had more places, and
    ``values`` all the values of columns that have few.
    """

    rows: int | None = None
    reason: str = ""
    nulls: Mapping[str, int] = field(default_factory=dict)
    unique: frozenset[str] = frozenset()
    two_decimals: frozenset[str] = frozenset()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NOT_READ = Observed(reason="its rows were not looked at")


@dataclass(frozen=True)
class Facts:
    """Everything that a draft says. ``personal`` are patterns over ``table.column`` whose values appear nowhere."""

    catalogue: Catalogue
    place: Place
    on: date
    comments: Comments
    observed: Mapping[TableKey, Observed]
    personal: tuple[str, ...] = ()

    def of(self, table: Table) -> Observed:
        """What was seen of a table."""
        return self.observed.get(table.key, NOT_READ)


_HINTS = (
    "password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "credential", "otp", "pin_code", "hash",
    "salt", "phone", "mobile", "telephone", "whatsapp", "fax", "contact", "email", "e_mail", "firstname", "first_name",
    "lastname", "last_name", "fullname", "full_name", "surname", "username", "user_name", "nickname", "maiden", "birth",
    "gender", "religion", "ethnic", "address", "street", "postcode", "postal", "zipcode", "zip_code", "latitude",
    "longitude", "ip_addr", "ipaddr", "user_agent", "device_id", "ssn", "social_security", "aadhaar", "aadhar", "passport",
    "licence_no", "license_no", "iban", "bank_account", "account_number", "account_no", "card_number", "cardnumber", "cvv",
    "tax_id", "taxid", "gstin", "salary", "diagnosis", "medical",
)  # fmt: skip
"""Parts of names behind which somebody's data may stand. A guess, on the cautious side: it hides values, no check."""


def guessed_personal(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Patterns of columns that may be personal, each with the columns that it stands for here. Judged by name alone."""
    names = sorted({f"{t.name}.{c}" for t in catalogue.tables.values() for c in t.columns})
    found = {}
    for hint in _HINTS:
        pattern = f"*.*{hint}*"
        if matched := tuple(name for name in names if fnmatchcase(name.lower(), pattern)):
            found[pattern] = matched
    return found


def is_personal(patterns: tuple[str, ...], table: str, column: str) -> bool:
    """Whether a column is one of those whose values appear nowhere (as ``SuiteSettings.is_personal``)."""
    name = f"{table}.{column}".lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
