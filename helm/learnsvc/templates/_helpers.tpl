{{- define "learnsvc.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "learnsvc.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "learnsvc.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "learnsvc.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Labels that never change: a Deployment's selector is immutable. The component keeps other pods out of it. */}}
{{- define "learnsvc.selectorLabels" -}}
app.kubernetes.io/name: {{ include "learnsvc.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "learnsvc.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "learnsvc.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "learnsvc.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "learnsvc.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "learnsvc.secretName" -}}
{{- default (include "learnsvc.fullname" .) .Values.secrets.existingSecret }}
{{- end }}

{{/* The digest names exactly one image; a tag may move. So the digest wins. */}}
{{- define "learnsvc.image" -}}
{{- $name := .Values.image.repository }}
{{- with .Values.image.registry }}{{ $name = printf "%s/%s" . $name }}{{ end }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $name .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* A number of values.yaml as the environment wants it: Helm reads 1048576 as a float and would print 1.048576e+06. */}}
{{- define "learnsvc.plain" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{- define "learnsvc.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where the secret keys stand: name of the variable, key in the secret, whether a pod starts without it. */}}
{{- define "learnsvc.env" -}}
- name: POD_NAME # the consumer of the group is named after the pod
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- $secret := include "learnsvc.secretName" . }}
{{- range $name, $key := .Values.secrets.keys }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ $key }}
      optional: {{ not (has $name (list "REDIS_URL" "MONGODB_URI")) }}
{{- end }}
{{- with .Values.extraEnv }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end }}

{{/* A container that runs one command of learnsvc; the caller adds args, probes and ports. */}}
{{- define "learnsvc.container" -}}
image: {{ include "learnsvc.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
env:
  {{- include "learnsvc.env" . | nindent 2 }}
envFrom:
  - configMapRef:
      name: {{ include "learnsvc.fullname" . }}
  {{- with .Values.extraEnvFrom }}
  {{- tpl (toYaml .) $ | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- with .Values.extraVolumeMounts }}
  {{- tpl (toYaml .) $ | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What the pods of all components share. Service links are off: a Service called learning-http would set
LEARNING_HTTP_PORT to a URL. */}}
{{- define "learnsvc.pod" -}}
serviceAccountName: {{ include "learnsvc.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- include "learnsvc.pullSecrets" . }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- tpl (toYaml .) $ | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
  {{- with .Values.extraVolumes }}
  {{- tpl (toYaml .) $ | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Changes when what a running pod has read at its start changes, and not with the labels of a newer chart. */}}
{{- define "learnsvc.checksums" -}}
checksum/config: {{ .Values.settings | toJson | sha256sum }}
{{- if not .Values.secrets.existingSecret }}
checksum/secret: {{ list (include "learnsvc.redisUrl" .) (include "learnsvc.mongodbUri" .) .Values.secrets | toJson | sha256sum }}
{{- end }}
{{- end }}

{{- define "learnsvc.redisUrl" -}}
{{- if .Values.tryout.enabled }}redis://{{ include "learnsvc.fullname" . }}-tryout-redis:6379/0{{ else }}{{ .Values.secrets.redisUrl }}{{ end }}
{{- end }}

{{- define "learnsvc.mongodbUri" -}}
{{- if .Values.tryout.enabled }}mongodb://{{ include "learnsvc.fullname" . }}-tryout-mongodb:27017/learnsvc{{ else }}{{ .Values.secrets.mongodbUri }}{{ end }}
{{- end }}

{{/* The streams, one a partition, named as service/streams/keys.py names them. */}}
{{- define "learnsvc.streams" -}}
{{- $prefix := .Values.settings.LEARNING_KEY_PREFIX }}
{{- $partitions := int .Values.settings.LEARNING_PARTITIONS }}
{{- if eq $partitions 1 }}
- {{ printf "{%s}:jobs" $prefix | quote }}
{{- else }}
{{- range $number := until $partitions }}
- {{ printf "{%s:%d}:jobs" $prefix $number | quote }}
{{- end }}
{{- end }}
{{- end }}
