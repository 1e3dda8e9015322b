"""What a command line cannot work with."""

from collections.abc import Sequence


class InputError(Exception):
    """Everything that is wrong with what the user gave, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))
