"""Moments, as Kubernetes writes them."""

from datetime import datetime


def timestamp(moment: datetime) -> str:
    """Of a moment in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
