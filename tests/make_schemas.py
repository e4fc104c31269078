"""Write docs/schemas from the nouns and the models of TOML files: ``python tests/make_schemas.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.contract.schema import contract_schema  # noqa: E402
from kisaan_validate.facts.baseline import Baseline  # noqa: E402
from kisaan_validate.facts.run import Run  # noqa: E402
from kisaan_validate.ops.config_model import ConfigFile  # noqa: E402
from kisaan_validate.probe.model import ProbesFile  # noqa: E402
from kisaan_validate.record.certificate import certificate_schemas  # noqa: E402
from kisaan_validate.record.codec import schema_of as record_schema  # noqa: E402
from kisaan_validate.record.error_rates import error_schemas  # noqa: E402
from kisaan_validate.record.judged import judged_schema  # noqa: E402
from kisaan_validate.record.migrations import migrations_schema  # noqa: E402
from kisaan_validate.record.preflight import preflight_schema  # noqa: E402
from kisaan_validate.record.probed import probe_schemas  # noqa: E402
from kisaan_validate.record.rehearsed import receipt_schema  # noqa: E402
from kisaan_validate.record.repair import fix_schemas  # noqa: E402
from kisaan_validate.record.rollout import rollout_schema  # noqa: E402
from kisaan_validate.rollout.plan_model import RolloutFile  # noqa: E402
from kisaan_validate.suite.repairs_model import RepairFile  # noqa: E402
from kisaan_validate.suite.settings_model import SettingsFile  # noqa: E402
from kisaan_validate.toml.model import schema_of  # noqa: E402
from kisaan_validate.verdict.waivers_model import WaiversFile  # noqa: E402

FOLDER = ROOT / "docs" / "schemas"


def toml_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each TOML file that people write, by its name in the folder."""
    return {
        "contract": contract_schema(),
        "kisaan": schema_of(ConfigFile, "kisaan.toml, the configuration of kisaan-validate"),
        "repair": schema_of(RepairFile, "repairs/NAME.toml of a suite of kisaan-validate"),
        "probes": schema_of(ProbesFile, "probes.toml, requests to an application for kisaan-validate"),
        "rollout": schema_of(RolloutFile, "rollout.toml, a runbook for kisaan-validate"),
        "suite": schema_of(SettingsFile, "suite.toml of a suite of kisaan-validate"),
        "waivers": schema_of(WaiversFile, "waivers.toml, known failures for kisaan-validate"),
    }


def record_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each file that the package writes, by the schema's name."""
    return {
        "run": record_schema(Run),
        "baseline": record_schema(Baseline),
        "judged": judged_schema(),
        **certificate_schemas(),
        **fix_schemas(),
        **probe_schemas(),
        **error_schemas(),
        "receipt": receipt_schema(),
        "migrations": migrations_schema(),
        "preflight": preflight_schema(),
        "rollout-record": rollout_schema(),
    }


def main() -> None:
    """Write every schema, and say which."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, schema in {**record_schemas(), **toml_schemas()}.items():
        path = FOLDER / f"{name}.schema.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
