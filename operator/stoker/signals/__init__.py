"""Load of replicas, from their agents, their engines or a Prometheus. What is not known is said to be unknown."""
