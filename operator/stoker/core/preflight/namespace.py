"""The namespace of the first model: there, and with room left in its quotas."""

from stoker.api.values.quantity import Quantity
from stoker.core.preflight.accelerators import is_accelerator
from stoker.core.preflight.check import Check, Level
from stoker.core.preflight.facts import Facts, Quota, Unread

_NAMESPACE, _QUOTA = "namespace", "quota"
_POD_COUNTS = ("pods", "count/pods")


def namespace(facts: Facts) -> list[Check]:
    there = facts.namespace_exists
    if there is False:
        sentence = f"{facts.namespace} does not exist"
        return [Check(_NAMESPACE, Level.FAIL, sentence, f"kubectl create namespace {facts.namespace}, or give -n")]
    first = (
        there.check(_NAMESPACE)
        if isinstance(there, Unread)
        else Check(_NAMESPACE, Level.OK, f"{facts.namespace} exists")
    )
    return [first, *_quotas(facts)]


def _quotas(facts: Facts) -> list[Check]:
    if isinstance(facts.quotas, Unread):
        return [facts.quotas.check(_QUOTA)]
    checks = [
        _room(quota, resource, facts.namespace)
        for quota in facts.quotas
        for resource in quota.hard
        if resource in _POD_COUNTS or is_accelerator(resource.removeprefix("requests."))
    ]
    none = Check(_QUOTA, Level.OK, f"nothing bounds pods or accelerators in {facts.namespace}")
    return checks or [none]


def _room(quota: Quota, resource: str, place: str) -> Check:
    # left = hard - used
    hard, used = _amount(quota.hard[resource]), _amount(quota.used.get(resource))
    where = f"ResourceQuota {quota.name} in {place}"
    if hard is None or used is None:
        return Check(_QUOTA, Level.UNKNOWN, f"{where} does not say yet how much of {resource} is used", "ask again")
    left = max(hard - used, 0)
    some = ", for the pods that its scopes select" if quota.scoped else ""
    sentence = f"{where} leaves {left} of {hard} {resource}{some}"
    if left:
        return Check(_QUOTA, Level.OK, sentence)
    level = Level.WARN if quota.scoped else Level.FAIL
    return Check(_QUOTA, level, sentence, "raise it, or free some: no pod of a model can be made")


def _amount(text: str | None) -> int | None:
    try:
        return Quantity.parse(text).whole_units if text is not None else None
    except ValueError:
        return None
