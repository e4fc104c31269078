"""Dataclasses whose comparing and showing methods are not compiled when a module is imported.

For a frozen dataclass the standard library writes six methods as source and compiles each, much of the
time of importing this package. Here it compiles three (``__init__`` and the two that refuse changes); the
others are built from the fields' names, and return the same.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(kind=None, /, **options):
        """As :func:`dataclasses.dataclass`; options other than ``frozen`` go there unchanged."""
        if kind is None:
            return lambda kind: dataclass(kind, **options)
        if options != {"frozen": True}:
            return dataclasses.dataclass(**options)(kind)
        # Python gives a class that defines __eq__ alone a __hash__ of None.
        implied = "__eq__" in kind.__dict__ and kind.__dict__.get("__hash__", kind) is None
        kind = dataclasses.dataclass(frozen=True, repr=False, eq=False)(kind)
        for name, method in _methods(kind).items():
            # What a class defines itself stays.
            if name not in kind.__dict__ or (name == "__hash__" and implied):
                setattr(kind, name, method)
        return kind


def _methods(kind: type[Any]) -> dict[str, Any]:
    """``__repr__``, ``__eq__`` and ``__hash__`` of a frozen dataclass, by name."""
    fields = dataclasses.fields(kind)
    shown = [field.name for field in fields if field.repr]
    compared = _values([field.name for field in fields if field.compare])
    hashed = _values([field.name for field in fields if _is_hashed(field)])

    @recursive_repr()
    def __repr__(self: Any) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({values})"

    def __eq__(self: Any, other: object) -> Any:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(hashed(self))

    return {"__repr__": __repr__, "__eq__": __eq__, "__hash__": __hash__}


def _is_hashed(field: dataclasses.Field[Any]) -> bool:
    return field.compare if field.hash is None else field.hash


def _values(names: list[str]) -> Any:
    """A function from an object to the tuple of its attributes of these names."""
    if len(names) > 1:
        return attrgetter(*names)
    # attrgetter of one name returns no tuple, and takes no empty list.
    return lambda self: tuple(getattr(self, name) for name in names)
