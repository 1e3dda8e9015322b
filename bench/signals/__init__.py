"""Measurement of the signals: what it costs to ask a whole fleet."""
