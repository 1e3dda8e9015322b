"""The operator's configuration file: where the load of replicas comes from."""

from typing import Annotated

from pydantic import Field

from stoker.api.declaration import SET, ApiModel, Rule, matching
from stoker.api.v1alpha1.names import ShortText
from stoker.api.values.frozen import EMPTY, FrozenMap

Address = Annotated[
    str,
    Field(min_length=1, max_length=1024),
    matching(
        r"https?://[^\s/@?#]+(/[^\s?#]*)?",
        "{self} is no address of a server: write http:// or https://, a host, and no user, query or fragment",
    ),
]


class Prometheus(ApiModel):
    """Where load comes from for models whose `spec.scaling.source` is Prometheus."""

    rules = (
        Rule(
            cel="",
            holds=lambda it: (it.username is None) == (it.password_file is None),
            says="username and passwordFile belong together: set both, or neither",
            at=".username",
        ),
        Rule(
            cel="",
            holds=lambda it: it.bearer_token_file is None or it.username is None,
            says="bearerTokenFile and username are two ways to say who asks: keep one",
            at=".bearerTokenFile",
        ),
    )

    url: Address = Field(examples=["http://prometheus.monitoring:9090"])
    """Its address, without credentials. It is asked directly, whatever proxies the environment names."""

    bearer_token_file: ShortText | None = Field(None, examples=["/var/run/secrets/kubernetes.io/serviceaccount/token"])
    """File with a token that it is asked with, read anew each time."""

    username: ShortText | None = Field(None, examples=["stoker"])
    """User that it is asked as, with the password of `passwordFile`."""

    password_file: ShortText | None = Field(None, examples=["/etc/stoker/prometheus-password"])
    """File with that password, read anew each time."""

    ca_file: ShortText | None = Field(None, examples=["/etc/stoker/prometheus-ca.crt"])
    """Certificates that its own is held against. Absent: the system's."""

    interval_seconds: int = Field(10, ge=2, le=300, examples=[10])
    """Time between two rounds of queries."""

    timeout_seconds: int = Field(8, ge=1, le=60, examples=[8])
    """Time that one round may take."""

    stale_seconds: int = Field(90, ge=10, le=600, examples=[90])
    """Age from which a scrape says nothing any more: at least twice the interval of the scrapes."""

    namespace_label: ShortText = Field("namespace", examples=["namespace"])
    """Label of the series that holds the namespace of the pod."""

    pod_label: ShortText = Field("pod", examples=["pod"])
    """Label of the series that holds the name of the pod."""

    replica_labels: Annotated[tuple[ShortText, ...], Field(max_length=16), SET] = Field((), examples=[["datacenter"]])
    """Labels in which the same series of two Prometheis differ, beside `prometheus_replica` and other usual ones."""

    labels: FrozenMap[Annotated[str, Field(max_length=253)]] = Field(EMPTY, examples=[{"cluster": "eu-1"}])
    """Labels that all series of this cluster have, where the Prometheus knows several clusters."""


class Signals(ApiModel):
    """How replicas are asked for their load."""

    rules = (
        Rule(
            cel="",
            holds=lambda it: it.expire_seconds > it.idle_seconds + it.timeout_seconds,
            says="expireSeconds {self.expireSeconds} is not above idleSeconds and timeoutSeconds together"
            " ({self.idleSeconds} and {self.timeoutSeconds}): raise it, or replicas without requests expire",
            at=".expireSeconds",
        ),
    )

    busy_seconds: int = Field(2, ge=1, le=30, examples=[2])
    """Time between two looks at a replica that has requests."""

    idle_seconds: int = Field(10, ge=1, le=60, examples=[10])
    """Longest time between two looks at one that has none."""

    timeout_seconds: int = Field(1, ge=1, le=10, examples=[1])
    """Time after which a replica that is connected and does not answer is taken for saturated."""

    expire_seconds: int = Field(30, ge=5, le=600, examples=[30])
    """Age from which a load says nothing any more. It is more than idleSeconds and timeoutSeconds together."""

    prometheus: Prometheus | None = Field(None, examples=[{"url": "http://prometheus.monitoring:9090"}])
    """The Prometheus to ask. Absent: models with that source are held as they are."""
