"""From the configuration to the sources of load."""

from pathlib import Path

from stoker.api.load_sources import Prometheus
from stoker.api.load_sources import Signals as Settings
from stoker.signals.polling.pace import Pace
from stoker.signals.prometheus.asking import Access
from stoker.signals.prometheus.queries import Labels
from stoker.signals.prometheus.source import PrometheusSettings, PrometheusSource
from stoker.signals.signals import Signals


def signals_from(settings: Settings) -> Signals:
    pace = Pace(
        busy_seconds=float(settings.busy_seconds),
        idle_seconds=float(settings.idle_seconds),
        timeout_seconds=float(settings.timeout_seconds),
        expire_seconds=float(settings.expire_seconds),
    )
    return Signals(pace, _source(settings.prometheus) if settings.prometheus else None)


def _source(prometheus: Prometheus) -> PrometheusSource:
    access = Access(
        prometheus.url,
        _path(prometheus.bearer_token_file),
        prometheus.username or "",
        _path(prometheus.password_file),
        _path(prometheus.ca_file),
    )
    labels = Labels(prometheus.namespace_label, prometheus.pod_label, prometheus.replica_labels, prometheus.labels)
    return PrometheusSource(
        PrometheusSettings(
            access,
            labels,
            interval_seconds=float(prometheus.interval_seconds),
            timeout_seconds=float(prometheus.timeout_seconds),
            stale_seconds=float(prometheus.stale_seconds),
        )
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
