"""Fix kits and their proofs as JSON files, by their published JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kisaan_validate.facts.repair import FIX_KIT_FORMAT, FixKit, FixProof
from kisaan_validate.record.files import read_file
from kisaan_validate.record.typed import json_of, published_schema, read_exactly

FIX_KIT_FILE, FIX_PROOF_FILE = "fix-kit.json", "fix-proof.json"
_KIT, _PROOF = "fix-kit", "fix-proof"


def fix_kit_to_json(kit: FixKit) -> str:
    """The text of ``fix-kit.json``."""
    return json_of(_KIT, kit)


def read_fix_kit(path: Path) -> FixKit:
    """The record in a file. Raises RecordError where it is damaged, edited or of another kind."""
    made: FixKit = read_exactly(
        FixKit, _KIT, FIX_KIT_FORMAT, read_file(path), str(path), "write the kit again with fix-kit"
    )
    return made


def fix_proof_to_json(proof: FixProof) -> str:
    """The text of ``fix-proof.json``."""
    return json_of(_PROOF, proof)


def fix_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of both, by the files' names."""
    return {"fix-kit": published_schema(FixKit, _KIT), "fix-proof": published_schema(FixProof, _PROOF)}
