"""All checks, in the order in which a person would mend what they find."""

from stoker.api.configuration import Configuration
from stoker.core.preflight.accelerators import accelerator_nodes
from stoker.core.preflight.allowed import permissions
from stoker.core.preflight.check import Check
from stoker.core.preflight.classes import pod_classes
from stoker.core.preflight.definition import crd
from stoker.core.preflight.facts import Facts
from stoker.core.preflight.namespace import namespace
from stoker.core.preflight.server import api_server, leader_worker_set
from stoker.core.preflight.storage import storage


def checks(facts: Facts, configuration: Configuration, operator_namespace: str) -> list[Check]:
    return [
        api_server(facts),
        crd(facts),
        *permissions(facts, configuration.watch.namespaces, operator_namespace),
        *namespace(facts),
        *storage(facts, configuration),
        *accelerator_nodes(facts),
        *pod_classes(facts, configuration),
        leader_worker_set(facts),
    ]
