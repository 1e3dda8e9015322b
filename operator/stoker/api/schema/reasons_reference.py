"""docs/reference/reasons.md: what every reason of a condition means, and what to do about it."""

from stoker.api.v1alpha1.reason import Reason

_INTRODUCTION = """\
<!-- Generated from operator/stoker/api by `make generate`. Do not edit. -->
# Reasons

`kubectl get mdep NAME -o jsonpath='{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\\n"}{end}'`
shows the conditions of a ModelDeployment. Their reasons are these and no others; the messages carry names and numbers.

| reason | what it means | what to do |
|---|---|---|
"""


def reasons_reference() -> str:
    rows = (
        f"| `{reason.value}` | {reason.explanation.meaning} | {reason.explanation.remedy} |"
        for reason in sorted(Reason, key=str)
    )
    return _INTRODUCTION + "\n".join(rows) + "\n"
