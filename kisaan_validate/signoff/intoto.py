"""The bundle as an in-toto statement (v1) with the test-result predicate (v0.1), for tools that gather such.

It is unsigned and says nothing that the bundle's own files do not: it is made of them, and verified by
making it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.signoff.statement import sha256
from kisaan_validate.verdict.judgement import Judgement

INTOTO = "statement.intoto.json"
_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def intoto_of(judged: Judgement, files: Mapping[str, bytes]) -> bytes:
    """The text of the statement. The predicate knows no third word: whatever is not PASS is FAILED there.

    A check without an answer is listed as failed, one that does not apply not at all.
    """
    run = judged.run
    passed, warned, failed = [], [], []
    counted = set(judged.failing)
    for result in run.results:
        # By the verdict's own list: a failure that was waived or is old does not fail the run.
        if result.status in (Status.PASS, Status.TOLERATED):
            passed.append(result.check_id)
        elif result.status is Status.FAIL and result.check_id not in counted:
            warned.append(result.check_id)
        elif result.status is not Status.NOT_APPLICABLE:
            failed.append(result.check_id)
    severe = any(run.by_id[r.check_id].severity is Severity.BLOCKING for r in run.failures)
    good = "WARNED" if warned or severe else "PASSED"
    # sort_keys and a fixed indent below: the same bundle must give the same bytes.
    document = {
        "_type": _TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": sha256(data)}} for name, data in sorted(files.items())
        ],
        "predicateType": _PREDICATE,
        "predicate": {
            "result": good if judged.verdict is Verdict.PASS else "FAILED",
            "configuration": [{"name": f"suite {run.suite.name}", "digest": {"sha256": run.suite.digest}}],
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
        },
    }
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
