"""What an engine says of its own load, out of its Prometheus page. One mapping of names for each engine."""

from stoker_runtime.readings.reading import Reading, read

__all__ = ["Reading", "read"]
