"""The chart's README: how to begin, and the table of its values."""

import json

from tests.unit.chart.generation.documented_values import VALUES, DocumentedValue, documented_values
from tests.unit.chart.generation.places import GENERATED

_INTRODUCTION = f"""\
<!-- {GENERATED} -->
# The Helm chart of Stoker

```sh
helm install stoker charts/stoker --namespace stoker-system --create-namespace \\
  --set registry=registry.example.com/stoker
helm test stoker --namespace stoker-system
```

[Install, upgrade, uninstall](../../docs/guides/install.md) tells the rest: air-gapped clusters, one team's namespaces
only, GitOps, and what happens to models that serve.

## Values

A value that is not in this table is refused, and so is a key of `configuration` that the operator does not know.

| value | default | meaning |
|---|---|---|
"""


def readme() -> str:
    return _INTRODUCTION + "".join(map(_row, documented_values(VALUES.read_text(encoding="utf-8"))))


def _row(value: DocumentedValue) -> str:
    default = json.dumps(value.default).replace("|", "\\|")
    return f"| `{'.'.join(value.path)}` | `{default}` | {value.meaning.replace('|', chr(92) + '|')} |\n"
