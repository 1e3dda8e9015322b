"""What is made around the replicas."""

import json

from stoker.api.configuration import Configuration
from stoker.core.plan.owned_objects import owned_objects
from stoker.core.plan.snapshot import ObjectKind
from tests.unit.plan.builders import deployment

GATEWAY = {"matchLabels": {"kubernetes.io/metadata.name": "gateway"}}


def test_the_namespaces_that_the_configuration_selects_stand_in_the_policy_as_they_were_written() -> None:
    settings = Configuration.model_validate({"network": {"clients": [GATEWAY]}}, strict=False)
    policy = dict(owned_objects(deployment(), 1, settings, spans_pods=False))[ObjectKind.NETWORK_POLICY]
    (clients, _watchers) = json.loads(json.dumps(policy))["spec"]["ingress"]
    assert clients["from"] == [{"namespaceSelector": GATEWAY}]
