"""The lines of a draft: each one check (or one column with its checks), why it is there, and its source
text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import groupby

from kisaan_validate.author.source import call, commented_out, python_value, remark
from kisaan_validate.dataclass import dataclass

Key = tuple[str, tuple[str, ...], str]
"""A check of a model, as a suite knows it: table, columns, kind. A check that is declared is known by its
id.
"""


@dataclass(frozen=True)
class DraftLine:
    """One declaration. ``arguments`` are source texts, without the id; ``named`` tells whether the id must
    be written. ``counted``: the look counted just what the check counts, over every row of a large table.
    """

    function: str
    arguments: tuple[str, ...]
    id: str
    why: str
    named: bool = False
    observed: bool = False
    counted: bool = False

    def source(self, refused: Mapping[str, str], said: bool = False) -> str:
        """The line, or if it was refused, the reason and the line commented out. ``said``: why it is there
        stands above.
        """
        listed = list(self.arguments)
        if self.named:
            listed.append(f"id={python_value(self.id)}")
        if self.observed:
            listed.append("**OBSERVED")
        # Where the reason stands above several lines it is not repeated on each.
        text = call(self.function, listed, "" if said else self.why)
        reason = refused.get(self.id)
        # Commented out, not deleted: the reader sees what was tried and why it is not there.
        return text if reason is None else f"# not drafted: {remark(reason, 300)}\n{commented_out(text)}"


@dataclass(frozen=True)
class Note:
    """Something that the catalogue has and no check can say, and why."""

    text: str

    def source(self, refused: Mapping[str, str], said: bool = False) -> str:
        """The note, as a comment."""
        return f"# {remark(self.text, 400)}"


@dataclass(frozen=True)
class DraftColumn:
    """One column of a model. ``type`` is what the dtype does not say exactly, "" if it does."""

    table: str
    name: str
    attribute: str
    dtype: str
    dtype_arguments: Mapping[str, object]
    type: str
    not_null: bool
    why: str
    comment: str = ""

    @property
    def typed(self) -> Key:
        """The key of the check of its type."""
        return (self.table, (self.name,), "type")

    @property
    def filled(self) -> Key:
        """The key of the check that it is never NULL."""
        return (self.table, (self.name,), "not_null")

    @property
    def checks(self) -> int:
        """How many checks it makes: that it exists, its type, and where it is NOT NULL, that."""
        return 3 if self.not_null else 2

    def source(self, refused: Mapping[Key, str]) -> str:
        """The field of the model; what was refused is left out, and said."""
        typed, filled = self.typed not in refused, self.not_null and self.filled not in refused
        arguments = [] if self.attribute == self.name else [f"alias={python_value(self.name)}"]
        # A refused NOT NULL must not be checked, and pandera's default is not nullable.
        arguments += [] if filled else ["nullable=True"]
        if typed and self.dtype_arguments:
            arguments.append(f"dtype_kwargs={python_value(dict(self.dtype_arguments))}")
        metadata = ({"type": self.type} if typed and self.type else {}) | (
            {"why": self.comment} if self.comment else {}
        )
        if metadata:
            arguments.append(f"metadata={python_value(dict(metadata))}")
        dtype = self.dtype if typed else "object"
        said = [
            remark(f"not drafted: {what}: {refused[key]}", 300)
            for what, key in (("its type", self.typed), ("NOT NULL", self.filled))
            if key in refused
        ]
        lines = [*(f"    # {text}" for text in said)]
        lines.append(
            f"    {self.attribute}: {dtype} = pa.Field({', '.join(arguments)})  # {remark(self.why)}"
        )
        return "\n".join(lines)


def sources(lines: Sequence[DraftLine | Note], refused: Mapping[str, str]) -> str:
    """Lines one below the other; what several have in common is said once, above them."""
    made: list[str] = []
    # groupby joins neighbours only; the lines were sorted so that equal reasons meet.
    for why, group in groupby(lines, key=lambda line: line.why if isinstance(line, DraftLine) else ""):
        members = list(group)
        together = bool(why) and len(members) > 1
        made += [f"# {remark(why)}"] if together else []
        made += [line.source(refused, said=together) for line in members]
    return "\n".join(made)


@dataclass(frozen=True)
class TableDraft:
    """All that is drafted of one table. ``name`` is as declarations write it, ``bare`` as the catalogue
    has it.
    """

    name: str
    bare: str
    title: str
    schema: str
    model: str
    columns: tuple[DraftColumn, ...]
    declared: tuple[DraftLine | Note, ...]
    observed: tuple[DraftLine, ...]
    comment: str = ""
    notes: tuple[str, ...] = field(default=())
