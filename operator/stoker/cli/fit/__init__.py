"""`stoker fit`: whether a model fits a GPU, before one is asked for."""

import argparse

from stoker.cli import answer_options
from stoker.cli.numbers import whole

_GPU_HELP = "a product or slice, such as H100-80GB or A100-80GB-MIG-3g.40gb (default: compare common ones)"
_ENGINES = (
    "vllm",
    "sglang",
    "llamacpp",
    "ollama",
    "tgi",
    "triton",
    "tensorrt-llm",
    "transformers",
    "exllamav2",
    "bentoml",
    "custom",
    "simulated",
)


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "fit",
        help="say whether a model fits a GPU",
        description="Says whether a model fits a GPU, how many requests it then holds, and what to change where it does"
        " not. Reads the headers and the configuration of the model alone, and neither a cluster nor a GPU. Exits with"
        " 1 where it does not fit.",
    )
    parser.add_argument("model", metavar="SOURCE|DIR", help="a source such as hf://ORG/NAME, or a folder")
    parser.add_argument("--gpu", metavar="NAME", help=_GPU_HELP)
    parser.add_argument("--context", type=_tokens, metavar="TOKENS", help="longest request (default: the model's own)")
    parser.add_argument("--tp", type=_count, metavar="GPUS", help="GPUs that each layer is split over (default: 1)")
    parser.add_argument("--pp", type=_count, metavar="STAGES", help="stages of layers (default: 1)")
    parser.add_argument(
        "--concurrency", type=_count, metavar="N", help="requests of full length that it must hold at once (default: 1)"
    )
    parser.add_argument("--engine", choices=_ENGINES, default="vllm", metavar="NAME", help="(default: vllm)")
    parser.add_argument("--kv-dtype", choices=("auto", "fp8"), default="auto", help="of the KV cache (default: auto)")
    parser.add_argument(
        "--gpu-memory-percent", type=_percent, default=90, metavar="N", help="that the engine may fill (default: 90)"
    )
    parser.add_argument("--include", action="append", default=[], metavar="PATTERN", help="files of the source to read")
    answer_options.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from stoker.cli.fit.answer import answer  # noqa: PLC0415 - start-up must be quick
    from stoker.cli.fit.model import facts_of  # noqa: PLC0415

    facts = facts_of(options.model, options.engine, tuple(options.include))
    code, text = answer(facts, options)
    print(text)
    return code


def _tokens(text: str) -> int:
    return whole(text.replace(",", ""), 16, 16_777_216)


def _count(text: str) -> int:
    return whole(text, 1, 65_536)


def _percent(text: str) -> int:
    return whole(text, 10, 99)
