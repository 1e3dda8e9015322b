"""One request on its way through a replica."""

NEVER = -1.0


class Request:
    """What a client sees of it, and where its replica has got to with it."""

    __slots__ = (
        "admitted_as",
        "arrived",
        "base_tokens",
        "born_at_step",
        "computed_tokens",
        "ended",
        "first",
        "generated",
        "gone",
        "left_at",
        "number",
        "output_tokens",
        "prefix",
        "prompt_tokens",
        "slow_before",
        "slow_gaps",
        "submitted",
        "tries",
        "uncomputed",
    )

    def __init__(self, number: int, arrived: float, prompt_tokens: int, output_tokens: int, prefix: int = -1) -> None:
        self.number = number
        self.arrived = arrived
        self.submitted = arrived
        self.prompt_tokens = prompt_tokens
        self.computed_tokens = prompt_tokens  # less what a prefix cache held
        self.output_tokens = output_tokens
        self.prefix = prefix
        self.first = NEVER
        self.ended = NEVER
        self.gone = False  # its client gave up, or its replica died
        self.tries = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """As it comes to a replica."""
        self.first = NEVER
        self.generated = 0
        self.uncomputed = self.computed_tokens
        self.base_tokens = 0  # its KV tokens, less the steps its replica had made when it began to decode
        self.born_at_step = 0
        self.admitted_as = 0
        self.slow_before = 0
        self.slow_gaps = 0
        self.left_at = NEVER  # when it was displaced
