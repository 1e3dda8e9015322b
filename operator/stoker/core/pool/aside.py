"""How many replicas that rest may stand aside, and who stands in for them.

With a of them aside, o other ready replicas, and S serving and W warm ones wanted:

    traded = min(a, W, max(0, o - (S - a)))    each of them is one of the W, and a warm one serves for it
    S - a + traded others serve, and never none
"""

from dataclasses import replace

from stoker.core.pool.seat import Want


def aside(resting: int, others: int, want: Want) -> tuple[int, Want]:
    """How many of those that rest stand aside, and what is wanted of all the others. No label counts here: the answer
    is the same before and after they moved."""
    for count in range(resting, 0, -1):
        traded = min(count, want.warm, max(0, others + (resting - count) - (want.serving - count)))
        if want.serving - count + traded >= 1:
            return count, replace(want, serving=want.serving - count + traded, warm=want.warm - traded)
    return 0, want
