"""Which answer a request gets: how many tokens, why it ends, and what it says."""

from dataclasses import dataclass

from stoker_runtime.simulated.api_requests import Generate, Prompt
from stoker_runtime.simulated.words import Answer, Words, in_tokens, seed_of, until_stop


@dataclass(frozen=True)
class AnswerRules:
    context_length: int
    answer_tokens: int
    seed: int

    def answer(self, request: Generate, prompt: Prompt, *, garbled: bool = False) -> Answer:
        """Garbled: with weights that are not the model's."""
        room = self.context_length - prompt.tokens
        limit = room if request.most_tokens is None else min(room, request.most_tokens)
        if request.tool_call:
            return in_tokens(request.tool_call.arguments, limit)
        wanted = limit if request.ignores_end else max(self.answer_tokens, request.least_tokens)
        # Where both come at once, vLLM says stop; without an end of its own, only the limit is left.
        ends_itself = wanted <= limit and not request.ignores_end
        words = Words(
            seed_of(self.seed, request.seed, prompt.text, *("garbled",) * garbled),
            min(wanted, limit),
            "stop" if ends_itself else "length",
        )
        return until_stop(words, request.stops) if request.stops else words
