"""Load out of a Prometheus: one query for each figure of the whole fleet."""
