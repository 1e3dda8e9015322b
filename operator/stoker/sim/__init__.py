"""Discrete-event simulation of models under load, to compare scaling policies on equal terms.

Replicas batch as the simulated engine does, and Stoker decides with the very code that the operator runs.
"""
