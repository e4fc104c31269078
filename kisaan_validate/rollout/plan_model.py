"""The tables of ``rollout.toml``."""

from __future__ import annotations

from typing import Annotated, Literal

from kisaan_validate.toml.durations import Duration, SomeTime
from kisaan_validate.toml.model import (
    Field,
    FilePath,
    Names,
    TomlTable,
    model_validator,
    shaped,
    tables,
    version,
    wrong,
)

_END = r"(?![\s\S])"
"""The end of a text: $ would let a line feed follow."""
_ID = shaped(rf"^[a-z0-9][a-z0-9_-]{{0,59}}{_END}", "a name of at most 60 small letters, digits, - and _")
# No control character: titles stand on a terminal.
_LINE = shaped(rf"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]+{_END}", "one line of text that is not blank")
_VARIABLE = shaped(rf"^[A-Za-z_][A-Za-z0-9_]*{_END}", "the name of an environment variable")
StepId = Annotated[str, _ID]
Line = Annotated[str, _LINE]
Verdicts = Annotated[tuple[Literal["pass", "fail", "unknown"], ...], Field(strict=False, min_length=1)]

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish", "csh", "tcsh", "cmd", "powershell", "pwsh"})


class ConditionTable(TomlTable):
    """When a step is needed."""

    step: StepId = Field(description="the earlier step that decides", examples=["validate"])
    verdict: Verdicts = Field(description="it is needed if that step came to one of these", examples=["fail"])


class StepTable(TomlTable):
    """A step of a phase."""

    id: StepId = Field(description="its name", examples=["preflight"])
    title: Line = Field(description="what is to be done, in a line", examples=["Take the backup"])
    kind: Literal["ours", "person", "shown", "command"] = Field(
        description="ours: a command of kisaan-validate is run; person: somebody attests it; shown: commands "
        "of others are shown and somebody attests them; command: a command of others, run if run = true",
        examples=["person"],
    )
    why: str = Field("", description="why it is done; shown at its turn")
    argv: Names = Field((), description="program and words; of ours the words after kisaan-validate")
    show: Annotated[tuple[Line, ...], Field(strict=False)] = Field((), description="lines to copy")
    records: Annotated[tuple[FilePath, ...], Field(strict=False)] = Field(
        (), description="files that it writes, in the folder of the rollout; * stands for a part of a name"
    )
    needs: Annotated[tuple[StepId, ...], Field(strict=False)] = Field(
        (), description="earlier steps that it needs; if one of them is done again, it is open again"
    )
    gate: Verdicts = Field(("pass",), description="verdicts after which the next step may begin")
    only_if: ConditionTable | None = Field(None, description="when it is needed; otherwise always")
    on_failure: str = Field("", description="the phase of the way back")
    optional: bool = Field(False, description="true: somebody may attest that it is not done")
    run: bool = Field(False, description="true: the command of others is run, not only shown")
    environment: Annotated[tuple[Annotated[str, _VARIABLE], ...], Field(strict=False)] = Field(
        (), description="variables that the command gets although they may hold a secret"
    )
    directory: str = Field("", description="the folder in which the command runs")
    timeout: SomeTime = Field(3_600, description="how long it may run")
    wait: Duration = Field(0, description="how long after the step before it can be attested")

    @model_validator(mode="after")
    def _fits(self) -> StepTable:
        wants = {"ours": "argv", "command": "argv", "shown": "show", "person": ""}[self.kind]
        for key in ("argv", "show"):
            if bool(getattr(self, key)) != (key == wants):
                must = f"needs {key}" if key == wants else f"has no {key}"
                raise wrong(f"a step of kind {self.kind} {must}", "see docs/rollout.md")
        runs = self.kind == "ours" or self.run
        if self.run and self.kind != "command":
            raise wrong("run = true is for steps of kind command", "leave it out")
        if self.records and not runs:
            raise wrong("only a step that is run has records", "a person names a file with attest --file")
        if self.wait and runs:
            raise wrong("only a step that a person attests has a wait", "leave it out")
        if self.kind != "command" and (self.environment or self.directory):
            raise wrong("environment and directory are for steps of kind command", "leave them out")
        return self

    @model_validator(mode="after")
    def _no_shell(self) -> StepTable:
        if any("\x00" in word for word in self.argv):
            raise wrong("argv has a NUL character", "no program takes one")
        # Also after env or sudo. A shell that runs a script file is a program like any other.
        if self.kind == "command" and any(map(_runs_a_text, self.argv, self.argv[1:])):
            raise wrong(
                "argv lets a shell run a text", "write the program and its words, or put it in a script"
            )
        return self

    @model_validator(mode="after")
    def _inside(self) -> StepTable:
        for path in self.records:
            parts = path.split("/")
            # On any system: a record is a file of the folder, which is copied as a whole.
            if path.startswith("/") or "\\" in path or ":" in path or not all(p.strip(".") for p in parts):
                raise wrong("records must be paths within the rollout's folder", "without .., / or a drive")
            if "**" in path:
                raise wrong("records must not have **", "* stands for a part of one name")
        return self


def _runs_a_text(program: str, option: str) -> bool:
    """Whether a word names a shell, and the next is its option for a command as a text: -c, -lc, /c."""
    name = program.replace("\\", "/").rsplit("/", 1)[-1].lower().removesuffix(".exe")
    return name in _SHELLS and option[:1] in {"-", "/"} and "c" in option.lower()


class PhaseTable(TomlTable):
    """A phase of the runbook."""

    id: StepId = Field(description="its name", examples=["pre-migration"])
    title: Line = Field(description="its title in the runbook", examples=["Phase 1: Pre-Migration Checks"])
    rollback: bool = Field(False, description="true: it is the way back, taken by `rollout next --rollback`")
    step: Annotated[tuple[StepTable, ...], Field(strict=False), tables("phase.step")] = Field(
        description="its steps, in order", examples=["…"]
    )


class CriteriaTable(TomlTable):
    """A success criterion, and what proves it."""

    id: StepId = Field(description="its name", examples=["payment-dates"])
    text: Line = Field(description="what the runbook requires")
    steps: Annotated[tuple[StepId, ...], Field(strict=False)] = Field((), description="all of them prove it")
    proved_in: Annotated[tuple[StepId, ...], Field(strict=False)] = Field(
        (), description="steps that record a run: the newest decides, by its criterion of this id"
    )

    @model_validator(mode="after")
    def _proved(self) -> CriteriaTable:
        if not self.steps and not self.proved_in:
            raise wrong("nothing proves it", "name its steps = […] or proved_in = […]")
        return self


class RolloutFile(TomlTable):
    """A runbook."""

    format: Annotated[int, version(1)] = Field(description="version of this format", examples=[1])
    name: Line = Field(description="what is rolled out", examples=["orders get a currency"])
    phase: Annotated[tuple[PhaseTable, ...], Field(strict=False), tables("phase")] = Field(
        description="the phases, in order", examples=["…"]
    )
    criteria: Annotated[tuple[CriteriaTable, ...], Field(strict=False), tables("criteria")] = Field(
        (), description="the success criteria"
    )
