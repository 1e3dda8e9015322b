"""How long ago another machine's clock says that something was."""

import math
from datetime import datetime

# Clocks of one cluster differ by less, or one of them is wrong.
SKEW_SECONDS = 60.0


def seconds_since(moment: datetime, now: datetime) -> float:
    """A moment that is yet to come was told by a clock that is wrong, and waiting for it could take for ever: so it is
    taken for long ago."""
    seconds = (now - moment).total_seconds()
    return seconds if seconds > -SKEW_SECONDS else math.inf
