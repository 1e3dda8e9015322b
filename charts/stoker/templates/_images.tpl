{{- /* registry/repository:tag, or @digest; takes (list ROOT IMAGE). */}}
{{- define "stoker.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := required "registry is empty: set it to where the images are, as --set registry=registry.example.com/stoker" $root.Values.registry -}}
{{- $name := printf "%s/%s" $registry $image.repository -}}
{{- if $image.digest -}}
{{ $name }}@{{ $image.digest }}
{{- else -}}
{{ $name }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end }}
