"""Tests by tier: unit (no I/O), integration (a real API server); the end-to-end tier is in e2e/."""
