"""Fetches a revision of a model to a volume, whole and verified, or not at all."""
