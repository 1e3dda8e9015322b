"""Every metric that the operator exports. The reference page, the alerts and the dashboards are checked against this
list."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Prometheus' own kinds."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """One family of series. A counter's name ends in _total, a histogram's has no ending."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, meaning, labels)


_MODEL = ("namespace", "model")

# The operator itself.
OPERATOR_INFO = _gauge("stoker_operator_info", "1, with the operator's version.", "version")
LEADER = _gauge("stoker_leader", "1 where this operator acts, 0 where it stands by.")
QUEUE_DEPTH = _gauge("stoker_queue_depth", "Models that wait for a worker.")
LOOK_SECONDS = Metric(
    "stoker_look_seconds",
    Kind.HISTOGRAM,
    "How long one look at one model took, by how it ended: done, moved_on (the world was another one by then, so it is"
    " looked at again) or failed.",
    ("outcome",),
    (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0),
)
API_CALLS = _counter(
    "stoker_api_calls_total",
    "Requests to the API server, by verb and by the status of the answer; none where nobody answered.",
    "verb",
    "code",
)
API_SECONDS = Metric(
    "stoker_api_call_seconds",
    Kind.HISTOGRAM,
    "How long requests to the API server took; of a watch, until it began.",
    ("verb",),
    (0.005, 0.025, 0.1, 0.5, 1.0, 4.0),
)
WATCH_SILENCE = _gauge(
    "stoker_watch_silence_seconds",
    "Since when the quietest watch of this kind of object has said nothing. The API server speaks about once a minute.",
    "resource",
)
WATCH_OBJECTS = _gauge("stoker_watch_objects", "Objects of this kind that are watched.", "resource")
MODELS = _gauge("stoker_models", "ModelDeployments that this operator looks after.")

# The fleet.
ACCELERATORS = _gauge(
    "stoker_accelerators",
    "Devices that nodes which take pods have. Absent where nodes cannot be seen.",
    "resource",
    "product",
)
HOURLY_PRICE = _gauge("stoker_accelerator_hourly_price", "What one device costs for an hour.", "product")

# One model.
MODEL_INFO = _gauge(
    "stoker_model_info",
    "1, with what joins names to a model: its engine, the name that clients send, and the labels that"
    " metrics.modelLabels of the configuration adds.",
    *_MODEL,
    "engine",
    "served_name",
)
CONDITION = _gauge(
    "stoker_model_condition",
    "1 where the condition is True, 0 where it is False. Absent where it is Unknown.",
    *_MODEL,
    "type",
    "reason",
)
REPLICAS = _gauge(
    "stoker_model_replicas",
    "Replicas by what they are: starting, or ready and of a tier (serving, warm, asleep), or draining.",
    *_MODEL,
    "state",
)
WANTED = _gauge(
    "stoker_model_wanted_replicas",
    "Replicas that are wanted within all limits, by tier. Absent for warm where nothing follows the load.",
    *_MODEL,
    "tier",
)
LIMIT = _gauge("stoker_model_limit_replicas", "scaling.maxReplicas.", *_MODEL)
FLOOR = _gauge("stoker_model_floor_replicas", "spec.replicas.", *_MODEL)
SIGHT = _gauge(
    "stoker_model_seen_replicas",
    "Ready serving replicas by what is known of their load: known, saturated (they answer too late) or unknown.",
    *_MODEL,
    "reading",
)
IN_FLIGHT = _gauge(
    "stoker_model_in_flight_requests", "Requests in flight in the replicas whose load is known.", *_MODEL
)
WAITING = _gauge("stoker_model_waiting_requests", "Of those in flight, requests without a first byte.", *_MODEL)
QUEUE_OBJECTIVE = _gauge("stoker_model_queue_wait_objective_seconds", "scaling.queueWaitMilliseconds.", *_MODEL)
TTFT_OBJECTIVE = _gauge("stoker_model_ttft_objective_seconds", "scaling.objective.ttftMilliseconds.", *_MODEL)
ITL_OBJECTIVE = _gauge("stoker_model_itl_objective_seconds", "scaling.objective.itlMilliseconds.", *_MODEL)
DECISIONS = _counter(
    "stoker_model_decisions_total",
    "Decisions that changed the wanted replicas, once for each of their reasons.",
    *_MODEL,
    "direction",
    "reason",
)
REPLACED = _counter(
    "stoker_model_replaced_total",
    "Replicas that were ended for another one: their engine did not wake up (WakeUpFailed) or not in time (WakeUpLate),"
    " or their device failed (DeviceFault).",
    *_MODEL,
    "reason",
)
ASKED = _gauge(
    "stoker_model_asked_replicas",
    "Replicas that each part of the last decision asked for: rate, queue, backlog, cache, wait, bursts or held.",
    *_MODEL,
    "by",
)
ARRIVALS = _gauge("stoker_model_arrivals_per_second", "Requests that arrive, as the last decision saw them.", *_MODEL)
CAPACITY = _gauge(
    "stoker_model_replica_capacity_per_second",
    "Requests that one replica is believed to finish inside the objective.",
    *_MODEL,
)
CONCURRENCY = _gauge(
    "stoker_model_replica_concurrency", "Requests that one replica is believed to run at once inside it.", *_MODEL
)
CONFIDENCE = _gauge("stoker_model_capacity_confidence", "How sure that belief is, from 0 to 1.", *_MODEL)
BACKLOG = _gauge(
    "stoker_model_projected_backlog_requests",
    "Requests that will wait when a replica that is ordered now is ready.",
    *_MODEL,
)
LEAD = _gauge("stoker_model_lead_seconds", "How long a new replica is expected to need.", *_MODEL)
STARTUP = Metric(
    "stoker_model_startup_seconds",
    Kind.HISTOGRAM,
    "How long new replicas stayed in a stage of their start-up: queued, provisioning, pulling, loading; ready is all of"
    " it. What began before this operator led counts as a whole only.",
    (*_MODEL, "stage"),
    (2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0),
)
HELD = _gauge("stoker_model_accelerators", "Devices that are held now, by state.", *_MODEL, "state", "product")
HELD_SECONDS = _counter(
    "stoker_model_accelerator_seconds_total",
    "Device-seconds by state: serving, idle (serving, and known to have no request), warm, asleep, loading (on a node"
    " and not ready) or draining.",
    *_MODEL,
    "state",
    "product",
)
COST = _counter(
    "stoker_model_cost_total",
    "Cost of those device-seconds, in the currency of the prices. Absent without a price.",
    *_MODEL,
    "state",
)
WEIGHTS_BYTES = _gauge("stoker_model_weights_bytes", "Bytes that the source lists.", *_MODEL)
FETCHED_BYTES = _gauge("stoker_model_weights_fetched_bytes", "Of those, bytes on the volume.", *_MODEL)
REPLICA_INFO = _gauge(
    "stoker_replica_info",
    "1 for each replica, with what may change while it lives. Join it on namespace and pod to the agent's metrics,"
    " whose own labels never change.",
    *_MODEL,
    "pod",
    "tier",
    "revision",
    "node",
    "product",
)

OF_THE_OPERATOR = (
    OPERATOR_INFO, LEADER, QUEUE_DEPTH, LOOK_SECONDS, API_CALLS, API_SECONDS, WATCH_SILENCE, WATCH_OBJECTS, MODELS,
)  # fmt: skip
OF_THE_FLEET = (ACCELERATORS, HOURLY_PRICE)
OF_A_MODEL = (
    MODEL_INFO, CONDITION, REPLICAS, WANTED, LIMIT, FLOOR, SIGHT, IN_FLIGHT, WAITING, QUEUE_OBJECTIVE, TTFT_OBJECTIVE,
    ITL_OBJECTIVE, DECISIONS, REPLACED, ASKED, ARRIVALS, CAPACITY, CONCURRENCY, CONFIDENCE, BACKLOG, LEAD, STARTUP,
    HELD, HELD_SECONDS, COST, WEIGHTS_BYTES, FETCHED_BYTES, REPLICA_INFO,
)  # fmt: skip
METRICS = (*OF_THE_OPERATOR, *OF_THE_FLEET, *OF_A_MODEL)
