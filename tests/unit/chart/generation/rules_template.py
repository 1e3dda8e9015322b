"""The table of permissions as rules of roles, one comment each."""

import textwrap

from stoker.api.schema.permissions import PERMISSIONS, Permission, Scope
from tests.unit.chart.generation.places import GENERATED

_TEMPLATES = {Scope.MODELS: "models", Scope.CLUSTER: "cluster", Scope.OPERATOR: "operator"}


def rules_template() -> str:
    parts = [f"{{{{- /* {GENERATED} */}}}}\n"]
    for scope, name in _TEMPLATES.items():
        rules = [_rule(permission) for permission in PERMISSIONS if permission.scope == scope]
        parts.append(f'\n{{{{- define "stoker.rules.{name}" }}}}\n' + "".join(rules) + "{{- end }}\n")
    return "".join(parts)


def _rule(permission: Permission) -> str:
    why = "".join(f"# {line}\n" for line in textwrap.wrap(permission.why, 100))
    return (
        f'{why}- apiGroups: ["{permission.group}"]\n'
        f"  resources: [{permission.resource}]\n"
        f"  verbs: [{', '.join(permission.verbs)}]\n"
    )
