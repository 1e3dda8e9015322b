"""`python -m stoker_runtime agent`: stands in front of an engine until it is told to end, or has to."""

import asyncio
import sys
import traceback

from stoker_runtime.agent.event_loop import new_event_loop
from stoker_runtime.agent.exit_codes import ExitCode
from stoker_runtime.agent.interpreter import share_it
from stoker_runtime.agent.options import OptionError, options_from
from stoker_runtime.agent.running import Agent, Surroundings
from stoker_runtime.agent.termination import termination_message, write_termination_message
from stoker_runtime.agent.verdict import Verdict


def main(arguments: list[str], surroundings: Surroundings | None = None) -> int:
    around = surroundings or Surroundings()
    try:
        options = options_from(arguments)
    except OptionError as wrong:
        return _ended(around, ExitCode.BAD_ARGUMENTS, f"{wrong}")

    async def live() -> int:
        return await Agent(options, around).run()

    share_it()
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(live())
    except Exception as error:  # noqa: BLE001 - whatever it is, the pod's status has to say it
        traceback.print_exc()
        return _ended(around, ExitCode.AGENT_FAILED, f"{type(error).__name__}: {error}")


def _ended(around: Surroundings, code: ExitCode, sentence: str) -> int:
    print(f"agent: exit {int(code)} ({code.reason}): {sentence}", file=sys.stderr, flush=True)
    write_termination_message(around.termination_log, termination_message(Verdict(code, sentence), []))
    return int(code)
