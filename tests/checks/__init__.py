"""Checks of `make lint` that no linter brings along."""
