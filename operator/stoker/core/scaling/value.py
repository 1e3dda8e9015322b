"""What each serving replica is worth: the curve by which a fleet that is too small is shared.

late(k)  = max(0, 3600·λ + B - 3600·h·μ·k)             requests an hour that come late with k replicas
value_k  = late(k-1) - late(k)                         clipped so that it never rises with k
held     a level that is only kept against noise is worth a hundredth of a replica's full work
"""

from stoker.core.scaling.demands import Worth

HOUR_SECONDS = 3600.0
HELD_SHARE = 0.01


def curve(serving: int, floor: int, late_per_hour: float, full_per_hour: float | None) -> tuple[Worth, ...]:
    """`late_per_hour` come late without any replica, `full_per_hour` is what each of them carries; None: unknown."""
    if full_per_hour is None:
        return tuple(Worth(level, 1.0, level <= floor) for level in range(1, serving + 1))
    least = HELD_SHARE * full_per_hour
    left = late_per_hour
    worths = []
    for level in range(1, serving + 1):
        worths.append(Worth(level, max(least, min(full_per_hour, left)), level <= floor))
        left -= full_per_hour
    return tuple(worths)
