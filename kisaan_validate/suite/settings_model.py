"""``suite.toml`` as it is written."""

from __future__ import annotations

from typing import Annotated, Literal

from kisaan_validate.toml.durations import Duration, SomeTime
from kisaan_validate.toml.model import (
    Field,
    Filled,
    Names,
    TomlTable,
    model_validator,
    shaped,
    tables,
    wrong,
)

_WORD = r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)"
_MUST = "a word of letters, digits, '.', '_' and '-'"

Condition = Annotated[str, shaped(r"\S", "a SQL condition", 'write "deleted_at IS NULL"')]


class CriterionTable(TomlTable):
    """A success criterion of a runbook, proved by checks or attested by a person."""

    id: Annotated[str, shaped(_WORD, _MUST)] = Field(description="its name in reports", examples=["no-nulls"])
    text: Filled = Field(description="what the runbook requires")
    checks: Names = Field((), description="ids, tables or tags (patterns) of checks that prove it")
    manual: bool = Field(False, description="true: no check proves it, a person attests it")

    @model_validator(mode="after")
    def _proved_once(self) -> CriterionTable:
        if bool(self.checks) == self.manual:
            hint = "name its checks = […], or say manual = true: then a person attests it"
            raise wrong("must be proved by checks or attested by a person, one of the two", hint)
        return self


class LedgerTable(TomlTable):
    """The table in which migrations write down that they ran."""

    kind: Literal["names", "alembic", "django", "knex", "sequelize", "flyway", "rails"] = Field(
        "names", description="whose ledger it is"
    )
    table: str = Field("", description="its name; by default that of its kind", examples=["_migrations"])
    name: str = Field("", description="of kind names: its column of migrations' names", examples=["name"])
    at: str = Field("", description="of kind names: its column of times", examples=["executed_at"])
    folders: Names = Field((), description="where the migrations' files are, relative to the suite's folder")
    accept: Names = Field((), description="what is known of them and accepted, as `only reads: 007*`")
    effects: dict[str, Names] = Field(
        default_factory=dict, description="patterns of ids of promises, by the migration that keeps them"
    )

    @model_validator(mode="after")
    def _columns_named(self) -> LedgerTable:
        if self.kind == "names" and not (self.table.strip() and self.name.strip()):
            raise wrong("must name its table and its column of names", 'write table = "…" and name = "…"')
        if self.kind != "names" and (self.name or self.at):
            raise wrong(f"has the columns of {self.kind}: name and at are not for it", "leave them out")
        return self


class BackupTable(TomlTable):
    """What `backup verify` knows of the database."""

    added_since: Names = Field((), description="table.column: rows above its old maximum came later")
    newest: Names = Field((), description="table.column: a time column whose newest value is named")
    may_shrink: Names = Field((), description="tables that may have fewer rows than before")
    accept: Names = Field((), description="what may be left out: a kind of objects, or kind and name")
    max_age: SomeTime | None = Field(None, description="how old a good dump may be", examples=["26 h"])


class SettingsFile(TomlTable):
    """What a suite says of the database under validation."""

    name: str = Field("", description="the suite's name; by default its folder's")
    schemas: Annotated[Names, Field(min_length=1)] = Field(
        ("public",), description="where tables are looked up, in this order"
    )
    personal: Names = Field((), description="patterns of table.column whose values are never shown")
    exclude_tables: Names = Field((), description="patterns of tables left out of row counts")
    foreign: Names = Field((), description="tables judged though another server holds their rows")
    aliases: dict[str, Names] = Field(
        default_factory=dict, description="names of a table, by the one that checks use"
    )
    nouns: dict[str, Filled] = Field(
        default_factory=dict, description="what readers call a table's rows, by table: sales, payments"
    )
    filters: dict[str, Condition] = Field(
        default_factory=dict, description="SQL condition of the rows judged, by table"
    )
    settling: Duration | None = Field(
        None, description="when failures of checks over several tables are asked again, unless they say it"
    )
    ledger: LedgerTable | None = Field(None, description="whose new rows are told of between two nights")
    backup: Annotated[BackupTable, Field(strict=False)] = Field(
        default_factory=BackupTable, description="what backups of the database are held to"
    )
    criteria: Annotated[tuple[CriterionTable, ...], Field(strict=False), tables("criteria")] = Field(
        (), description="the success criteria of a runbook"
    )
