"""Signals: what is known of replicas' load, and what is not."""
