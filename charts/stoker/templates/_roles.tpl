{{- /* A role and its binding; takes (dict "root" ROOT "namespace" NAMESPACE-OR-EMPTY "name" NAME "rules" NAMES-OF-TEMPLATES). */}}
{{- define "stoker.role" -}}
{{- $kind := ternary "Role" "ClusterRole" (ne .namespace "") -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "stoker.labels" .root | nindent 4 }}
rules:
  {{- range .rules }}
  {{- include . $ | trim | nindent 2 }}
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "stoker.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "stoker.accountName" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
