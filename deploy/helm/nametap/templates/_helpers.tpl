{{- define "nametap.name" -}}
{{- printf "%s" (contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name)) | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels of everything of one role: (list root role) */}}
{{- define "nametap.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: nametap
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "nametap.labels" -}}
{{- $root := index . 0 -}}
{{ include "nametap.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{- define "nametap.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* nametap.yaml of a role: what the chart decides, then `config`, then the role's own. (list root role) */}}
{{- define "nametap.config" -}}
{{- $root := index . 0 -}}{{- $role := index . 1 -}}
{{- $values := index $root.Values $role -}}
{{- $given := fromYaml (include (printf "nametap.config.%s" $role) $root) -}}
{{- $log := dict "log" (dict "format" "json") -}}
{{- toYaml (mergeOverwrite (dict) $log $given (deepCopy $root.Values.config) (deepCopy $values.config)) -}}
{{- end -}}

{{- define "nametap.kafka" -}}
{{- if not .Values.kafka.brokers }}{{ fail "kafka.brokers is empty: sensors and workers need the addresses of Kafka, such as --set kafka.brokers={kafka:9092}. For one machine without Kafka see deploy/helm/sidecar.yaml." }}{{ end -}}
brokers: {{ toJson .Values.kafka.brokers }}
topic: {{ .Values.kafka.topic | quote }}
{{- end -}}

{{- define "nametap.store" -}}
{{- if not .Values.store.url }}{{ fail "store.url is empty: workers and servers need the address of the store, such as --set store.url=http://clickhouse:8123" }}{{ end -}}
engine: {{ .Values.store.engine }}
{{ .Values.store.engine }}:
  url: {{ .Values.store.url | quote }}
{{- end -}}

{{/* Environment of a role: where its secrets are. (list root role) */}}
{{- define "nametap.environment" -}}
{{- $root := index . 0 -}}
- name: NAMETAP_DATA
  value: /var/lib/nametap
{{- range $name, $key := $root.Values.secrets.files }}
- name: {{ $name }}
  value: /etc/nametap/secrets/{{ $key }}
{{- end }}
{{- end -}}

{{- define "nametap.volumes" -}}
{{- $root := index . 0 -}}{{- $role := index . 1 -}}
- name: config
  configMap:
    name: {{ include "nametap.name" $root }}-{{ $role }}
- name: temporary
  emptyDir: {}
{{- with $root.Values.secrets.existingSecret }}
- name: secrets
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "nametap.mounts" -}}
- name: config
  mountPath: /etc/nametap/nametap.yaml
  subPath: nametap.yaml
  readOnly: true
- name: temporary
  mountPath: /tmp
{{- if .Values.secrets.existingSecret }}
- name: secrets
  mountPath: /etc/nametap/secrets
  readOnly: true
{{- end }}
{{- end -}}

{{- define "nametap.checks" -}}
startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end -}}

{{/* Pods without any right: `restricted` of the Pod Security Standards. */}}
{{- define "nametap.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10053
runAsGroup: 10053
fsGroup: 10053
seccompProfile: {type: RuntimeDefault}
{{- end -}}
{{- define "nametap.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Pods of one role are on different nodes and zones where that can be. */}}
{{- define "nametap.spread" -}}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "nametap.selector" $ | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "nametap.annotations" -}}
{{- $root := index . 0 -}}
checksum/config: {{ include "nametap.config" . | sha256sum }}
{{- end -}}
