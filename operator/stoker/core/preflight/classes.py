"""The PriorityClass and the RuntimeClass that the configuration gives to every pod."""

from stoker.api.configuration import Configuration
from stoker.core.preflight.check import Check, Level
from stoker.core.preflight.facts import Facts, Unread


def pod_classes(facts: Facts, configuration: Configuration) -> list[Check]:
    """Only of what the configuration names."""
    pods = configuration.pods
    named = (
        ("priority-class", "pods.priorityClassName", pods.priority_class_name, facts.priority_class_exists),
        ("runtime-class", "pods.runtimeClassName", pods.runtime_class_name, facts.runtime_class_exists),
    )
    return [_exists(check, key, value, there) for check, key, value, there in named if value is not None]


def _exists(name: str, key: str, value: str, there: bool | Unread) -> Check:
    if isinstance(there, Unread):
        return there.check(name)
    if there:
        return Check(name, Level.OK, f"{value}, which {key} names, exists")
    sentence = f"{value}, which {key} names, does not exist, so every pod would be refused"
    return Check(name, Level.FAIL, sentence, f"create it, or change {key}")
