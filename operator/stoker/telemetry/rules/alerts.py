"""What Prometheus wakes people for. Each alert has a page docs/runbooks/PAGE.md."""

from dataclasses import dataclass

from stoker.telemetry.rules.recorded import measured

# What may pass before a model is ready, without anything being wrong.
_FETCHING = 'stoker_model_condition{type="WeightsReady", reason=~"Inspecting|Downloading"}'
_SUSPENDED = 'stoker_model_condition{type="Ready", reason="Suspended"}'
_READY = '(stoker_model_condition{type="Ready"} == 1)'
_BROKEN = "CrashLoop|OutOfGPUMemory|OutOfHostMemory|NeverHealthy"


@dataclass(frozen=True)
class Alert:
    name: str
    page: str
    severity: str
    wait: str  # how long it must hold
    expression: str
    summary: str


ALERTS = (
    Alert(
        "StokerModelNotReady", "model-not-ready", "critical", "15m",
        f"stoker_model_info unless on (namespace, model) {_READY} unless on (namespace, model) {_SUSPENDED}"
        f" unless on (namespace, model) {_FETCHING}",
        "No replica of {{ $labels.namespace }}/{{ $labels.model }} takes traffic.",
    ),
    Alert(
        "StokerLoadUnknown", "load-unknown", "warning", "5m",
        'stoker_model_seen_replicas{reading="unknown"} > 0',
        "Ready replicas of {{ $labels.namespace }}/{{ $labels.model }} that do not tell their load: {{ $value }}. None"
        " is removed.",
    ),
    Alert(
        "StokerRolloutStuck", "rollout-stuck", "warning", "45m",
        'stoker_model_condition{type="Progressing", reason="RollingOut"} == 1',
        "The rollout of {{ $labels.namespace }}/{{ $labels.model }} does not come to an end.",
    ),
    Alert(
        "StokerQueueOverObjective", "queue-over-objective", "warning", "10m",
        "stoker:model_queue_wait_seconds > on (namespace, model) stoker_model_queue_wait_objective_seconds",
        "Requests to {{ $labels.namespace }}/{{ $labels.model }} wait {{ $value | humanizeDuration }} in the engines,"
        " longer than queueWaitMilliseconds.",
    ),
    Alert(
        "StokerFirstTokenLate", "first-token-late", "warning", "10m",
        f"{measured('ttft_seconds:p95')} > on (namespace, model) stoker_model_ttft_objective_seconds",
        "The p95 to the first token of {{ $labels.namespace }}/{{ $labels.model }} is {{ $value | humanizeDuration }},"
        " above ttftMilliseconds.",
    ),
    Alert(
        "StokerCrashLoop", "crash-loop", "critical", "5m",
        f'stoker_model_condition{{type="Degraded", reason=~"{_BROKEN}"}} == 1',
        "Replicas of {{ $labels.namespace }}/{{ $labels.model }} do not stay up: {{ $labels.reason }}.",
    ),
    Alert(
        "StokerDoesNotFit", "does-not-fit", "warning", "5m",
        'stoker_model_condition{type="FitsGPU"} == 0',
        "{{ $labels.namespace }}/{{ $labels.model }} does not fit the memory of its accelerators.",
    ),
    Alert(
        "StokerCapacityShort", "capacity-short", "warning", "15m",
        'stoker_model_condition{type="ScalingLimited", reason=~"NoCapacityLeft|ReplicasPending"} == 1'
        ' or on (namespace, model) stoker_model_condition{type="Scheduled"} == 0',
        "{{ $labels.namespace }}/{{ $labels.model }} needs more replicas than there is room for: {{ $labels.reason }}.",
    ),
    Alert(
        "StokerWeightsFailing", "weights-failing", "warning", "15m",
        'stoker_model_condition{type="WeightsReady", reason!~"Inspecting|Downloading|Suspended"} == 0',
        "The weights of {{ $labels.namespace }}/{{ $labels.model }} do not arrive: {{ $labels.reason }}.",
    ),
    Alert(
        "StokerOperatorDown", "operator-down", "critical", "5m",
        "absent(stoker_leader == 1)",
        "No Stoker operator acts. Models serve on, and nothing scales, rolls out or is replaced on purpose.",
    ),
)  # fmt: skip
