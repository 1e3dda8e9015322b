"""Orders to the agents of replicas: drain, open, sleep, wake."""
