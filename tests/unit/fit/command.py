"""Runs `stoker fit` on models that are known, as it would run on their sources."""

import argparse
import shlex

from stoker.cli import fit
from stoker.cli.fit.answer import answer
from stoker_runtime.facts import Facts
from tests.unit.fit.models import DEEPSEEK_V3, LLAMA_8B, LLAMA_70B, in_four_bits

SOURCES: dict[str, Facts] = {
    "hf://meta-llama/Llama-3.1-8B-Instruct": LLAMA_8B,
    "hf://meta-llama/Llama-3.3-70B-Instruct": LLAMA_70B,
    "hf://deepseek-ai/DeepSeek-V3": DEEPSEEK_V3,
    "s3://models/llama-70b-awq": in_four_bits(LLAMA_70B),
}


def options_of(command: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stoker")
    fit.add_to(parser.add_subparsers())
    return parser.parse_args(shlex.split(command))


def answered(command: str) -> tuple[int, str]:
    options = options_of(command)
    return answer(SOURCES[options.model], options)
