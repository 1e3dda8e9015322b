"""The operator on the real cluster."""
