"""What an engine says of its own load, out of its Prometheus page. One mapping of names for each engine."""

from stoker_runtime.readings.names import WITHOUT_METRICS
from stoker_runtime.readings.reading import Reading, read

__all__ = ["WITHOUT_METRICS", "Reading", "read"]
