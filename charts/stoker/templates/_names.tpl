{{- define "stoker.name" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride }}
{{- else if contains "stoker" .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-stoker" .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "stoker.operatorName" -}}
{{ include "stoker.name" . }}-operator
{{- end }}

{{- /* Of objects without a namespace, so that releases in two namespaces do not meet. */}}
{{- define "stoker.clusterName" -}}
{{ .Release.Namespace }}:{{ include "stoker.operatorName" . }}
{{- end }}

{{- define "stoker.selector" -}}
app.kubernetes.io/name: stoker
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "stoker.labels" -}}
{{ include "stoker.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "stoker.accountName" -}}
{{- if .Values.serviceAccount.name -}}
{{ .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create -}}
{{ include "stoker.operatorName" . }}
{{- else -}}
default
{{- end -}}
{{- end }}

{{- define "stoker.keySecretName" -}}
{{ .Values.agentKey.existingSecret | default (printf "%s-agent-key" (include "stoker.name" .)) }}
{{- end }}

{{- /* Whether `helm test` has a model made: where the operator looks after the release's namespace, and has an image. */}}
{{- define "stoker.testHasTrial" -}}
{{- $watched := include "stoker.namespaces" . | fromJsonArray -}}
{{- if and .Values.test.simulated.enabled .Values.runtime.enabled (or (empty $watched) (has .Release.Namespace $watched)) -}}
true
{{- end -}}
{{- end }}
