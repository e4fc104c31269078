"""``repairs/NAME.toml`` as it is written."""

from __future__ import annotations

from typing import Annotated, Literal

from kisaan_validate.toml.model import (
    Field,
    Filled,
    Names,
    TomlTable,
    model_validator,
    tables,
    version,
    wrong,
)

Key = Annotated[Names, Field(min_length=1)]


class RepairStepTable(TomlTable):
    """What is done to the rows of one table."""

    table: Filled = Field(description="the table, as checks name it", examples=["orders"])
    action: Literal["update", "delete"] = Field(description="what is done to the rows", examples=["update"])
    key: Key = Field(description="the columns of its primary key", examples=[["id"]])
    rows: Filled = Field(
        description="a SELECT of the key of each row to be touched, and of the new values; the table "
        "`failing` holds the keys of the failing rows",
        examples=["SELECT id, made AS paid FROM orders JOIN failing USING (id)"],
    )
    columns: Names = Field((), description="update: the columns that get new values, named so in `rows`")
    kept: Names = Field(
        (), description="delete: the outputs of `rows` that hold the key of the row that stays"
    )
    references: Names = Field((), description="table.column without a foreign key that moves to the kept row")
    also: Names = Field((), description="columns of the table that triggers change as well")
    books: Names = Field((), description="columns that a person lists for the books")
    count: Literal["failing", "any"] = Field(
        "failing", description="how many rows: as many as violations, or any"
    )

    @model_validator(mode="after")
    def _of_its_action(self) -> RepairStepTable:
        update = self.action == "update"
        if update != bool(self.columns):
            fact = "an update needs columns" if update else "a delete takes no columns"
            raise wrong(fact, 'write columns = ["…"], or another action')
        if update and (self.kept or self.references):
            raise wrong("only a delete moves references", "leave kept and references out")
        if self.references and not self.kept:
            raise wrong("references need a row to move to", 'write kept = ["…"], outputs of rows')
        if self.kept and len(self.kept) != len(self.key):
            raise wrong(
                "kept names the key of the row that stays, column by column", "name as many as key has"
            )
        if set(self.columns) & set(self.key):
            raise wrong("the key of a row cannot be repaired", "leave it out of columns")
        return self


class RepairFile(TomlTable):
    """How the failure of one check is repaired."""

    format: Annotated[int, version(1)] = Field(description="version of this format", examples=[1])
    check: Filled = Field(description="the id of the check", examples=["orders.paid.not_null"])
    title: Filled = Field(description="what it does, in a line", examples=["Date payments by their entry"])
    text: Filled = Field(description="why, and what the reviewer must know", examples=["…"])
    review: Filled = Field(description="who must review it before it is run", examples=["finance"])
    warnings: Names = Field((), description="what may go wrong, each a sentence")
    writes: Names = Field((), description="tables that triggers also write into; the way back leaves these")
    leaves: Annotated[int, Field(ge=0)] = Field(0, description="how many violations remain after it")
    step: Annotated[tuple[RepairStepTable, ...], Field(strict=False, min_length=1), tables("step")] = Field(
        description="its steps, in their order", examples=["[[step]]"]
    )
