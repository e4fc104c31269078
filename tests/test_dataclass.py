"""Our dataclasses behave as those of the standard library."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kisaan_validate import dataclass as ours

PACKAGE = Path(ours.__file__).parent
VALUES = st.one_of(st.none(), st.integers(-2, 2), st.text("ab", max_size=2))
OPTIONS = st.fixed_dictionaries(
    {"repr": st.booleans(), "compare": st.booleans(), "hash": st.sampled_from([None, True, False])}
)
OWN = {
    "repr": ("__repr__", lambda self: "mine"),
    "eq": ("__eq__", lambda self, other: False),
    "hash": ("__hash__", lambda self: 7),
    "no hash": ("__hash__", None),
}
"""What a class may define itself."""


def both(names: list[str], options: list[dict[str, Any]], own: set[str]) -> list[type[Any]]:
    """The same class, made by the standard library and by us."""
    made = []
    for decorator in (dataclasses.dataclass(frozen=True), ours.dataclass(frozen=True)):
        body: dict[str, Any] = {"__annotations__": dict.fromkeys(names, Any)}
        body |= {n: dataclasses.field(**o) for n, o in zip(names, options, strict=True)}
        body |= dict(OWN[said] for said in sorted(own))
        made.append(decorator(type("Made", (), body)))
    return made


def hashed(one: object) -> int | None:
    """Its hash, if it has one."""
    return hash(one) if type(one).__hash__ is not None else None


@given(st.data(), st.lists(OPTIONS, max_size=3), st.sets(st.sampled_from(sorted(OWN))))
def test_they_show_compare_and_hash_as_the_standard_library_s(
    data: st.DataObject, options: list[dict[str, Any]], own: set[str]
) -> None:
    names = ["a", "b", "c"][: len(options)]
    one, other = (data.draw(st.tuples(*(VALUES for _ in names))) for _ in range(2))
    standard, made = both(names, options, own)
    assert repr(made(*one)) == repr(standard(*one))
    assert (made(*one) == made(*other)) is (standard(*one) == standard(*other))
    assert made(*one) != standard(*one)
    assert hashed(made(*one)) == hashed(standard(*one))
    assert made.__match_args__ == standard.__match_args__
    assert dataclasses.asdict(made(*one)) == dataclasses.asdict(standard(*one))


@ours.dataclass(frozen=True)
class Base:
    """Refers to itself."""

    held: list[Any]


@ours.dataclass(frozen=True)
class Heir(Base):
    """Has a field more."""

    more: int = 1


def test_nothing_changes_an_object_and_its_heir_is_another() -> None:
    one = Heir([], 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.more = 3  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.more
    assert dataclasses.replace(one, more=1) == Heir([])
    assert one != Heir([])
    assert Base([]) != Heir([])
    one.held.append(one)
    assert repr(one) == "Heir(held=[...], more=2)"


def test_other_options_are_the_standard_library_s() -> None:
    @ours.dataclass
    class Plain:
        a: int = 0

    @ours.dataclass(frozen=True, order=True)
    class Ordered:
        a: int = 0

    plain = Plain()
    plain.a = 5
    assert plain == Plain(5)
    assert Ordered(1) < Ordered(2)


def test_no_module_uses_the_standard_library_s() -> None:
    """Every dataclass of the package is one of ours."""
    imported = re.compile(r"^\s*(from dataclasses import .*\bdataclass\b|@dataclasses\.dataclass)", re.M)
    found = [path for path in PACKAGE.rglob("*.py") if imported.search(path.read_text())]
    assert found == [PACKAGE / "dataclass.py"]
