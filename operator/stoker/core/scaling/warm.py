"""Replicas kept loaded and off traffic, so that a peak meets one in a moment.

    warm = min(warmReplicas, maximum - serving - asleep)

A replica that stands for bursts is no dearer serving than warm, and serving it needs no promotion: so what bursts are
worth is added to the serving ones, less the warm ones that are there anyway.
"""

from stoker.core.scaling.observation import Limits


def warm_wanted(serving: int, limits: Limits) -> int:
    return max(0, min(limits.warm, limits.maximum - serving - limits.asleep))


def standing_beyond_warm(standing: int, warm_ready: int) -> int:
    return max(0, standing - warm_ready)
