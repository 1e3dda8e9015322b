"""Stoker keeps fleets of GPU model servers hot on Kubernetes."""
