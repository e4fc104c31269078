"""Flyway's names, versions and checksums, by its documentation and its issues."""

from __future__ import annotations

import re
import zlib
from functools import reduce

from kisaan_validate.text.authored import MARK

_VERSIONED = re.compile(r"V(\d+(?:[._]\d+)*)(?:__(.*))?\.sql", re.DOTALL)
_REPEATABLE = re.compile(r"R__(.+)\.sql", re.DOTALL)
_LINE_END = re.compile(r"\r\n|\r|\n")
_PLACEHOLDER = re.compile(r"\$\{")


def flyway_name(file: str) -> str:
    """``V1.2`` of V01_2__orders.sql, ``R__views`` of R__views.sql; "" for what Flyway does not apply."""
    if found := _VERSIONED.fullmatch(file):
        return f"V{plain_version(found[1])}"
    found = _REPEATABLE.fullmatch(file)
    return f"R__{found[1]}" if found is not None else ""


def plain_version(version: str) -> str:
    """A version in the one form that its numbers have: no leading zeros, and none at the end."""
    numbers = [str(int(part)) for part in re.split(r"[._]", version)]
    while len(numbers) > 1 and numbers[-1] == "0":
        numbers.pop()
    return ".".join(numbers)


def version_key(name: str) -> tuple[int, tuple[int, ...], str]:
    """How names sort: versions by their numbers, then what is repeated, by name."""
    if name.startswith("V"):
        return 0, tuple(int(part) for part in name[1:].split(".")), ""
    return 1, (), name


def flyway_checksum(text: str) -> str:
    """The checksum of a file's text: CRC-32 of its lines without their ends, as a signed number. "" where
    Flyway puts other text in the place of a placeholder, of which nothing is known here.
    """
    if _PLACEHOLDER.search(text):
        return ""
    lines = (line.encode() for line in _LINE_END.split(text.removeprefix(MARK)))
    value = reduce(lambda total, line: zlib.crc32(line, total), lines, 0)
    return str(value - 2**32 if value >= 2**31 else value)
