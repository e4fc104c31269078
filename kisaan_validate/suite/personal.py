"""A guess, by names alone, of the columns whose values somebody may not want to see shown."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from kisaan_validate.personal.lineage import Asked, How, asked_of

# In several spellings; a hint too many hides values, one too few shows them.
HINTS = (
    "password",
    "passwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "private_key",
    "credential",
    "otp",
    "pin_code",
    "hash",
    "salt",
    "phone",
    "mobile",
    "telephone",
    "whatsapp",
    "fax",
    "contact",
    "email",
    "e_mail",
    "firstname",
    "first_name",
    "lastname",
    "last_name",
    "fullname",
    "full_name",
    "surname",
    "username",
    "user_name",
    "nickname",
    "maiden",
    "birth",
    "gender",
    "religion",
    "ethnic",
    "address",
    "street",
    "postcode",
    "postal",
    "zipcode",
    "zip_code",
    "latitude",
    "longitude",
    "ip_addr",
    "ipaddr",
    "user_agent",
    "device_id",
    "ssn",
    "social_security",
    "aadhaar",
    "aadhar",
    "passport",
    "licence_no",
    "license_no",
    "iban",
    "bank_account",
    "account_number",
    "account_no",
    "card_number",
    "cardnumber",
    "cvv",
    "tax_id",
    "taxid",
    "gstin",
    "salary",
    "diagnosis",
    "medical",
)
"""Parts of names behind which somebody's data may stand, on the cautious side: a match hides values, never
a check.
"""


def guessed_personal(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Patterns for ``personal`` in suite.toml, each with those of the names ("table.column") that it
    stands for.
    """
    known = sorted(set(names))
    found = {}
    for hint in HINTS:
        pattern = f"*.*{hint}*"
        # Case is ignored, as for patterns of ``personal``.
        if matched := tuple(name for name in known if fnmatchcase(name.lower(), pattern)):
            found[pattern] = matched
    return found


def looks_asked(public: Iterable[str] = ()) -> Asked:
    """Who is asked whether a column's name looks like somebody's data. Such a guess is never a full name.

    Columns that fit ``public`` are not: of a table in the schema ``public`` also without the schema.
    """
    nobodys = asked_of(public)

    def asked(table: str, column: str) -> How:
        said = f"{table}.{column}".lower().partition(".")[2]  # as ``*.*hint*`` does, a hundred times faster
        if not any(hint in said for hint in HINTS):
            return How.NOT
        # Who said "public" by name has looked at the column.
        titles = (table, table.removeprefix("public."))
        return How.NOT if any(nobodys(title, column) for title in titles) else How.PATTERN

    return asked
