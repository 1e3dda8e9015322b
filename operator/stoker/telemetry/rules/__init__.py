"""Rules for Prometheus: what it computes ahead, and what it wakes people for."""
