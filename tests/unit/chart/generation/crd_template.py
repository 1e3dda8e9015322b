"""crds/ as a template. Word for word: taken through Helm's YAML, large integers would come out as floats."""

from tests.unit.chart.generation.places import CRD, GENERATED

_NAME = "metadata:\n  name: modeldeployments.stoker.dev\n"
_METADATA = """\
{{- if .Values.crds.keep }}
  annotations:
    # Without the definition there are no ModelDeployments, and without these no replicas.
    helm.sh/resource-policy: keep
{{- end }}
  labels:
    {{- include "stoker.labels" . | nindent 4 }}
"""


def crd_template() -> str:
    text = "".join(line for line in CRD.read_text(encoding="utf-8").splitlines(True) if not line.startswith("#"))
    if text.count(_NAME) != 1:
        raise SystemExit(
            f"{CRD}: found {text.count(_NAME)} times {_NAME!r}, where the chart adds its labels: expected one"
        )
    literal = text.replace("{{", '{{ "{{" }}')
    return (
        f"{{{{- /* {GENERATED} */}}}}\n{{{{- if .Values.crds.enabled }}}}\n"
        + literal.replace(_NAME, _NAME + _METADATA)
        + "{{- end }}\n"
    )
