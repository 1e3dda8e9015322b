{{- /* What the user wrote wins over what the chart fills in. */}}
{{- define "stoker.configuration" -}}
{{- $written := deepCopy .Values.configuration -}}
{{- $filled := dict "agent" (dict "keyFile" (include "stoker.keyFile" .)) -}}
{{- if .Values.runtime.enabled -}}
{{- $_ := set $filled "runtime" (dict "image" (include "stoker.image" (list . .Values.runtime.image))) -}}
{{- end -}}
{{- $images := deepCopy .Values.engineImages -}}
{{- $engines := list -}}
{{- range $engine := $written.engines | default list -}}
{{- if and (hasKey $images $engine.name) (not $engine.image) -}}
{{- $engine = set $engine "image" (include "stoker.image" (list $ (get $images $engine.name))) -}}
{{- end -}}
{{- $_ := unset $images $engine.name -}}
{{- $engines = append $engines $engine -}}
{{- end -}}
{{- range $name, $image := $images -}}
{{- $engines = append $engines (dict "name" $name "image" (include "stoker.image" (list $ $image))) -}}
{{- end -}}
{{- if $engines -}}
{{- $_ := set $written "engines" $engines -}}
{{- end -}}
{{ mergeOverwrite $filled $written | toYaml }}
{{- end }}

{{- define "stoker.keyFile" -}}
/etc/stoker/agent-key/{{ .Values.agentKey.key }}
{{- end }}

{{- define "stoker.namespaces" -}}
{{ dig "watch" "namespaces" list .Values.configuration | toJson }}
{{- end }}

{{- define "stoker.port" -}}
{{ dig "probes" "port" 8080 .Values.configuration }}
{{- end }}
