"""docs/reference/permissions.md: what the operator is allowed, and why."""

from stoker.api.schema.permissions import PERMISSIONS
from stoker.api.schema.tables import GENERATED, table

_INTRODUCTION = f"""\
{GENERATED.format(source="operator/stoker/api")}# Permissions of the operator

What the operator's ServiceAccount needs, rule by rule. `stoker preflight` checks each rule for the user that runs it.

With `watch.namespaces` set, the rules for the namespaces of the models can be Roles in these namespaces. Otherwise they
are in a ClusterRole, as are those for the cluster. The rule for the operator's namespace is a Role there.
"""

_NEVER = """\
Never asked for: Secrets, which the kubelet mounts without the operator's help; `pods/exec`; the creation of pods, which
ReplicaSets and LeaderWorkerSets make; any write to the spec of a ModelDeployment; anything with `*`.
"""


def permissions_reference() -> str:
    rows = (
        [
            f"`{permission.group or 'core'}`",
            f"`{permission.resource}`",
            ", ".join(permission.verbs),
            permission.scope.value,
            permission.why,
        ]
        for permission in PERMISSIONS
    )
    return "\n".join((_INTRODUCTION, table(("API group", "resource", "verbs", "where", "why"), rows), _NEVER))
