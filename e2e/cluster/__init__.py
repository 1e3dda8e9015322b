"""A real Kubernetes on one machine: built from source once, started in seconds, removed without a trace."""
