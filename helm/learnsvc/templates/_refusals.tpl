{{/* What cannot work is refused here, with a sentence each, before anything reaches the cluster. */}}
{{- define "learnsvc.refusals" -}}
{{- include "learnsvc.refuseSecrets" . }}
{{- include "learnsvc.refuseTimes" . }}
{{- include "learnsvc.refuseScaling" . }}
{{- with .Values.image.digest }}
{{- if not (hasPrefix "sha256:" .) }}
{{- fail (printf "image.digest must start with sha256:, got %q." .) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "learnsvc.refuseSecrets" -}}
{{- $s := .Values.secrets }}
{{- $inline := or $s.redisUrl $s.mongodbUri $s.geminiApiKey $s.pageToken }}
{{- if and $s.existingSecret $inline }}
{{- fail "secrets.existingSecret and inline secrets are both set: keep existingSecret and take the inline ones out." }}
{{- end }}
{{- if .Values.tryout.enabled }}
{{- if or $s.existingSecret $s.redisUrl $s.mongodbUri (ne .Values.autoscaling.mode "none") }}
{{- fail "tryout.enabled brings a Redis and a MongoDB that keep nothing: it cannot be combined with secrets.existingSecret, secrets.redisUrl, secrets.mongodbUri or autoscaling." }}
{{- end }}
{{- else if not (or $s.existingSecret (and $s.redisUrl $s.mongodbUri)) }}
{{- fail "learnsvc needs to know its Redis and its MongoDB: set secrets.existingSecret to a Secret with REDIS_URL and MONGODB_URI, or tryout.enabled=true to try it out." }}
{{- end }}
{{- end }}

{{- define "learnsvc.refuseTimes" -}}
{{- $s := .Values.settings }}
{{- $drain := $s.LEARNING_GRACE_SECONDS | default 20 }}
{{- $sleep := dig "preStop" "sleep" "seconds" 0 .Values.lifecycle }}
{{- if lt (float64 .Values.terminationGracePeriodSeconds) (addf $drain $sleep 15) }}
{{- fail (printf "terminationGracePeriodSeconds (%v) must be at least LEARNING_GRACE_SECONDS (%v) + preStop sleep (%v) + 15, else a pod is killed while it finishes its work." .Values.terminationGracePeriodSeconds $drain $sleep) }}
{{- end }}
{{- if gt (mulf $s.LEARNING_REDIS_TIMEOUT_SECONDS 3.0) (mulf $s.LEARNING_LEASE_SECONDS 2.0) }}
{{- fail "LEARNING_LEASE_SECONDS leaves no time to renew: it must be at least one and a half times LEARNING_REDIS_TIMEOUT_SECONDS." }}
{{- end }}
{{- if ge (float64 $s.GEMINI_TIMEOUT_SECONDS) (float64 $s.LEARNING_JOB_TIMEOUT_SECONDS) }}
{{- fail "GEMINI_TIMEOUT_SECONDS must be less than LEARNING_JOB_TIMEOUT_SECONDS, else a slow Gemini fails jobs." }}
{{- end }}
{{- if lt (int $s.LEARNING_PREFETCH) (int $s.LEARNING_QUEUE_CONCURRENCY) }}
{{- fail "LEARNING_PREFETCH must be at least LEARNING_QUEUE_CONCURRENCY." }}
{{- end }}
{{- end }}

{{- define "learnsvc.refuseScaling" -}}
{{- $a := .Values.autoscaling }}
{{- $s := .Values.settings }}
{{- if and $a.hpa.enabled $a.keda.enabled }}
{{- fail "autoscaling.hpa.enabled and autoscaling.keda.enabled are both set: two autoscalers on one Deployment fight. Choose one with autoscaling.mode." }}
{{- end }}
{{- if or (and $a.hpa.enabled (ne $a.mode "hpa")) (and $a.keda.enabled (ne $a.mode "keda")) }}
{{- fail (printf "autoscaling.mode is %q and another autoscaler is enabled as well: leave the enabled switches out and set the mode alone." $a.mode) }}
{{- end }}
{{- if eq $a.mode "hpa" }}
{{- if gt (int $a.hpa.minReplicas) (int $a.hpa.maxReplicas) }}
{{- fail "autoscaling.hpa.minReplicas is above maxReplicas." }}
{{- end }}
{{- end }}
{{- if eq $a.mode "keda" }}
{{- if gt (int $a.keda.minReplicas) (int $a.keda.maxReplicas) }}
{{- fail "autoscaling.keda.minReplicas is above maxReplicas." }}
{{- end }}
{{- if not $a.keda.redis.addresses }}
{{- fail "autoscaling.keda.redis.addresses is empty: KEDA needs host:port of Redis, of all cluster nodes or of the sentinels; it cannot read REDIS_URL." }}
{{- end }}
{{- if and (eq $a.keda.redis.type "redis-sentinel-streams") (not $a.keda.redis.sentinelMaster) }}
{{- fail "autoscaling.keda.redis.sentinelMaster must name the master set for redis-sentinel-streams." }}
{{- end }}
{{- if and (eq (int $a.keda.minReplicas) 0) (not (or $a.keda.cron .Values.reclaim.enabled)) }}
{{- fail "autoscaling.keda.minReplicas is 0: edits that wait for the rate limit are learned later, by a worker that must be there then. Set autoscaling.keda.cron, reclaim.enabled, or minReplicas 1." }}
{{- end }}
{{- if le (float64 $a.keda.cooldownPeriod) (addf $s.LEARNING_LEASE_SECONDS $s.LEARNING_JOB_TIMEOUT_SECONDS) }}
{{- fail "autoscaling.keda.cooldownPeriod must be longer than LEARNING_LEASE_SECONDS + LEARNING_JOB_TIMEOUT_SECONDS, else the last worker may go while an abandoned job waits." }}
{{- end }}
{{- end }}
{{- end }}
