"""`python -m bench.reading_pods`: what Python's search for cycles costs while 5,000 pods are decoded and projected.

Prints the CPU time with the usual thresholds, with the operator's, and without any search; seconds in all.
"""

import gc
import json
import time
from typing import Any

import stoker.handlers.process  # noqa: F401 - what an operator has imported is what is searched
from stoker.cli.operator import COLLECTED_EVERY
from stoker.kube import projections

PAGES, PODS_ON_A_PAGE = 10, 500
_MANAGED: dict[str, Any] = {"fieldsV1": {f"f:{field}": {f"k:{key}": {} for key in range(8)} for field in range(8)}}
POD = {
    "metadata": {
        "name": "model-1-0123456789-abcde",
        "namespace": "fleet",
        "uid": "0" * 36,
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-21T00:00:00Z",
        "labels": {f"label-{number}": "value" for number in range(6)},
        "ownerReferences": [{"uid": "0" * 36, "controller": True}],
        "managedFields": [_MANAGED] * 3,
    },
    "spec": {
        "nodeName": "node",
        "containers": [
            {
                "name": "server",
                "ports": [{"name": "http", "containerPort": 8000}],
                "env": [{"name": str(number), "value": "x"} for number in range(8)],
                "volumeMounts": [{"name": str(number), "mountPath": "/x"} for number in range(5)],
            }
        ],
        "volumes": [{"name": str(number), "emptyDir": {}} for number in range(5)],
    },
    "status": {
        "phase": "Running",
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": "2026-11-21T00:00:00Z"}
            for kind in ("Ready", "PodScheduled", "Initialized")
        ],
        "containerStatuses": [{"name": "server", "state": {"running": {}}, "imageID": "x"}],
    },
}


def read(page: bytes) -> float:
    """CPU seconds. What was read is kept, as the operator keeps it."""
    kept = []
    began = time.process_time()
    for _ in range(PAGES):
        kept += [projections.pod(item) for item in json.loads(page)["items"]]
    return time.process_time() - began


def main() -> None:
    page = json.dumps({"items": [POD] * PODS_ON_A_PAGE}).encode()
    usual = gc.get_threshold()
    print(f"{read(page):6.2f} s  usual thresholds {usual}")
    gc.freeze()
    gc.set_threshold(*COLLECTED_EVERY)
    print(f"{read(page):6.2f} s  the operator's {COLLECTED_EVERY}, what was there before left out")
    gc.disable()
    print(f"{read(page):6.2f} s  no search")


if __name__ == "__main__":
    main()
