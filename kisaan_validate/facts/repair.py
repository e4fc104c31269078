"""A repair as declared, the fix kits written from it, and their proof on a copy."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.receipt import ReceiptFile
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import verdict_of

FIX_KIT_FORMAT = 1
"""Version of fix-kit.json. 1: first form."""

FIX_PROOF_FORMAT = 1
"""Version of fix-proof.json. 1: first form."""


FIX_SCHEMA = "fix_kit"
"""Where copies and the list of kits are kept: a schema of our own in the database that is repaired."""

COPY_SETTING = "fix_kit.on_copy_of"
"""A session that sets it to the name of the database says that it works on a copy of it."""

TRIGGERS_SETTING = "fix_kit.triggers"
"""A session that sets it to off lets the way back work without the tables' own triggers."""

REFUSED = "KV"
"""How all SQLSTATEs begin with which a kit refuses."""

RUN_BEFORE = f"{REFUSED}003"
"""The one by which it says that it was run already, or was not, or was taken back."""


class StepAction(StrEnum):
    """What a step does to the rows of one table."""

    UPDATE = "update"
    DELETE = "delete"
    MOVE = "move"
    """References to rows that will be deleted are moved to the row that is kept."""


class ItemState(StrEnum):
    """How one item of a checklist stands. On screen: go, no-go, cannot tell, work to do."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    WORK = "work"


@dataclass(frozen=True)
class RepairStep:
    """One declared step. ``rows`` is a SELECT of the ``key`` of each row to be touched, and beside it the new
    values of ``columns`` (update) or the key of the row that takes over, ``kept`` (delete).

    ``also`` are columns that triggers change along; ``references`` are columns (table.column) that refer to
    the rows without a foreign key; ``books`` are columns that a person lists. ``as_failing``: as many rows as
    violations.
    """

    table: str
    action: StepAction
    key: tuple[str, ...]
    rows: str
    columns: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    books: tuple[str, ...] = ()
    as_failing: bool = True


@dataclass(frozen=True)
class Repair:
    """A declared repair of one check's failure. ``text`` says what it does, ``review`` who must read it.
    ``writes`` are tables into which triggers may write along; ``leaves`` is how many violations remain.
    ``digest`` is the SHA-256 of its file, ``origin`` that file's name.
    """

    check: str
    title: str
    text: str
    review: str
    steps: tuple[RepairStep, ...]
    warnings: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    leaves: int = 0
    origin: str = ""
    digest: str = ""


@dataclass(frozen=True)
class KitStep:
    """One step as it stands in a kit: ``table`` is the qualified name; ``rows`` how many are expected, None
    where that is counted when the kit is run.
    """

    number: int
    action: StepAction
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: int | None = None
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True)
class KitFacts:
    """One kit: ``name`` is its name in the database, ``count`` and ``key_digest`` are those of the failing
    rows that it was written for. ``files`` are its files by name and SHA-256.
    """

    name: str
    check: str
    title: str
    text: str
    review: str
    count: int
    key_digest: str
    leaves: int
    steps: tuple[KitStep, ...]
    warnings: tuple[str, ...]
    repair: ReceiptFile
    files: tuple[ReceiptFile, ...] = ()

    def file(self, ending: str) -> str:
        """The name of its file that ends so."""
        return next(file.name for file in self.files if file.name.endswith(ending))


@dataclass(frozen=True)
class FixItem:
    """One failing check: ``work`` where a kit was written, else ``unknown``. ``fact`` is a sentence, ``hint``
    what to do.
    """

    check: str
    state: ItemState
    fact: str
    hint: str
    kit: str = ""


@dataclass(frozen=True)
class FixTarget:
    """The database that kits are for; ``system_identifier`` is "" where the role could not read it."""

    host: str
    port: str
    database: str
    system_identifier: str
    server_version: str


@dataclass(frozen=True)
class FixKit:
    """All kits of one recorded run, as in ``fix-kit.json``."""

    at: datetime
    version: str
    run: str
    run_digest: str
    suite: str
    target: FixTarget
    items: tuple[FixItem, ...]
    kits: tuple[KitFacts, ...]
    format_version: int = FIX_KIT_FORMAT


def judge_fix_kit(kit: FixKit) -> Verdict:
    """PASS where each failing check that was asked for has its kit; INCONCLUSIVE where one has none, or
    nothing was asked.
    """
    return verdict_of(item.state for item in kit.items)


@dataclass(frozen=True)
class FixStep:
    """One thing that was tried with a kit on a copy, and how it ended."""

    name: str
    state: ItemState
    fact: str


@dataclass(frozen=True)
class KitProof:
    """What one kit did on a clone of the restored dump. ``changed`` is what the repair changed there, by
    table, in words without values.
    """

    check: str
    kit: str
    steps: tuple[FixStep, ...]
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class FixProof:
    """Kits proved on a copy, as in ``fix-proof.json``. ``kit`` is the file that was proved."""

    at: datetime
    version: str
    kit: ReceiptFile
    run: str
    dump: ReceiptFile
    server_version: str
    suite: str
    proofs: tuple[KitProof, ...]
    interrupted_by: str = ""
    format_version: int = FIX_PROOF_FORMAT


PROVED_STEPS = (
    "fails as recorded",
    "repair",
    "the whole suite",
    "a second run is refused",
    "way back",
    "equal to before",
)
"""What each kit must show on a copy, in this order."""


def judge_fix_proof(proof: FixProof) -> Verdict:
    """FAIL where a kit did what it must not; INCONCLUSIVE where anything was not tried or is not known; else
    PASS.
    """
    states = [step.state for one in proof.proofs for step in one.steps]
    # A step that is not there was not tried, whatever the others say.
    whole = all(tuple(step.name for step in one.steps) == PROVED_STEPS for one in proof.proofs)
    if not whole or proof.interrupted_by:
        states.append(ItemState.UNKNOWN)
    return verdict_of(states)
