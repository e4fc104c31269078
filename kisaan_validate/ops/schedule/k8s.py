"""A Kubernetes CronJob. Variable texts are written as JSON strings, which YAML 1.2 reads as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kisaan_validate.ops.schedule.job import NightlyJob

HOME, REPORTS = "/work", "/reports"
"""Where the image holds the suite, and where reports are mounted."""

USER = 65532
"""An unprivileged user, as in distroless images; not root."""


def manifest(job: NightlyJob) -> str:
    """The manifest, below what must be there for it."""
    told = (
        (
            f"A CronJob by kisaan-validate {job.version}. The image contains the program, and the suite "
            f"in {HOME}."
        ),
        (
            "This contains no secret; a Secret names the database and holds its password, separately or in "
            "the URL:"
        ),
        f"  kubectl create secret generic {job.name} --from-file=dsn=FILE --from-file=password=FILE"
        + (" --from-file=ping=FILE" if job.ping_variable else ""),
        f"Reports are written to the PersistentVolumeClaim {job.name}-reports. The time is UTC.",
    )
    return "\n".join([*(f"# {line}" for line in told), *_yaml(_cron_job(job))]) + "\n"


def _cron_job(job: NightlyJob) -> dict[str, Any]:
    pod = {
        "restartPolicy": "Never",
        # The pod needs nothing from the cluster, so it gets no token.
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(job)],
        "volumes": [
            # The root is read-only: what must be written is named.
            {"name": "reports", "persistentVolumeClaim": {"claimName": f"{job.name}-reports"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    }
    spec = {
        "schedule": f"{job.minute} {job.hour} * * *",
        # Named, as the controller's own zone differs between clusters.
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 3600,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 7,
        # No retry: a second run would find the same, and hide the first.
        "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}},
    }
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": job.name}, "spec": spec}


def _container(job: NightlyJob) -> dict[str, Any]:
    config = _inside(job.config, job.folder) if job.config is not None else ""
    return {
        "name": "validate",
        "image": job.image,
        "workingDir": HOME,
        "command": ["kisaan-validate"],
        "args": list(job.words(config, _inside(job.suite, job.folder), REPORTS)),
        "env": [
            _secret("KISAAN_DSN", job.name, "dsn", False),
            # Optional: the password may stand in the address.
            _secret("PGPASSWORD", job.name, "password", True),
            *([_secret(job.ping_variable, job.name, "ping", False)] if job.ping_variable else []),
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "volumeMounts": [{"name": "reports", "mountPath": REPORTS}, {"name": "tmp", "mountPath": "/tmp"}],
    }


def _secret(variable: str, name: str, key: str, optional: bool) -> dict[str, Any]:
    more = {"optional": True} if optional else {}
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


def _inside(path: Path, folder: Path) -> str:
    """The same place in the image: below its home as it is below this folder."""
    # A suite outside of the folder has no place of its own in the image.
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return f"{HOME}/{path.name}"


def _yaml(value: dict[str, Any], indent: str = "") -> Iterator[str]:
    for key, inner in value.items():
        yield from _entry(f"{indent}{key}:", inner, indent + "  ")


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield head
        yield from _yaml(value, indent)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        yield head
        for item in value:
            # The dash takes the place of the first key's indent.
            first, *others = _yaml(item, indent + "  ")
            yield f"{indent}- {first.strip()}"
            yield from others
    else:
        # JSON is YAML: nothing in a value can end it or mean something.
        yield f"{head} {json.dumps(value, ensure_ascii=False)}"
