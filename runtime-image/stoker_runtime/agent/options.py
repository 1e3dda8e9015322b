"""What the agent is told at its start."""

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ENGINES = (
    *("vllm", "sglang", "llamacpp", "ollama", "tgi", "triton", "tensorrt-llm"),
    *("transformers", "exllamav2", "bentoml", "custom", "simulated"),
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[A-Za-z0-9]{1,64}")


class OptionError(Exception):
    """A sentence that says which option is wrong, what was found and what to write instead."""


@dataclass(frozen=True)
class Options:
    """Of one replica; without `command` the engine runs in another container of the pod."""

    engine: str
    command: tuple[str, ...] = ()
    serve_port: int = 8000
    control_port: int = 8010
    engine_port: int = 8100
    engine_socket: str | None = None
    health_path: str = "/health"
    metrics_path: str = "/metrics"
    served_name: str | None = None
    grace_seconds: float = 300.0
    settle_seconds: float = 5.0
    stall_seconds: float = 120.0
    start_seconds: float = 1800.0
    warmup_prompts: tuple[str, ...] = ()
    weights: Path | None = None
    compiled: Path | None = None
    compiled_kept: Path | None = None
    compiled_key: str | None = None
    control_token_sha256: str | None = None
    prestop_token_sha256: str | None = None

    @property
    def is_sidecar(self) -> bool:
        return not self.command


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise OptionError(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m stoker_runtime agent",
        usage="%(prog)s [options] [-- ENGINE COMMAND ...]",
        description="Stands in front of an engine: with a command it starts and watches it, without one it serves "
        "beside an engine in another container of the pod.",
        allow_abbrev=False,
    )
    where = parser.add_argument_group("where")
    where.add_argument("--serve-port", type=int, default=8000, help="that clients talk to")
    where.add_argument("--control-port", type=int, default=8010, help="that kubelet and operator talk to")
    engine = where.add_mutually_exclusive_group()
    engine.add_argument("--engine-port", type=int, default=8100, help="of the engine on loopback")
    engine.add_argument("--engine-socket", help="of the engine, in place of its port")
    told = parser.add_argument_group("the engine")
    told.add_argument("--engine", default="", help=f"required, one of: {', '.join(ENGINES)}")
    told.add_argument("--health-path", default="/health")
    told.add_argument("--metrics-path", default="/metrics")
    told.add_argument("--served-name", help="of the model; required where there is a warm-up")
    told.add_argument("--warmup-prompt", action="append", default=[], help="answered before it is ready; repeatable")
    told.add_argument("--weights", type=Path, help="folder whose manifest is checked first, by sizes")
    told.add_argument("--compiled", type=Path, help="folder in which the engine keeps what it compiled")
    told.add_argument("--compiled-kept", type=Path, help="folder of the model's own, where that outlives the pod")
    told.add_argument("--compiled-key", help="of weights, image, devices and flags: another one is compiled anew")
    times = parser.add_argument_group("times, in seconds")
    times.add_argument("--grace-seconds", type=float, default=300.0, help="that running requests get on leaving")
    times.add_argument("--settle-seconds", type=float, default=5.0, help="served normally at least, before refusing")
    times.add_argument("--stall-seconds", type=float, default=120.0, help="without progress, after which it is hung")
    times.add_argument("--start-seconds", type=float, default=1800.0, help="until its health must be good")
    tokens = parser.add_argument_group("tokens; without them what they guard is refused")
    tokens.add_argument("--control-token-sha256", help="of the bearer token for POST /drain, /open, /sleep and /wake")
    tokens.add_argument("--prestop-token-sha256", help="of the header X-Stoker-Prestop of GET /prestop")
    return parser


def options_from(arguments: Sequence[str]) -> Options:
    """Raises OptionError."""
    own, command = list(arguments), None
    if "--" in own:
        cut = own.index("--")
        own, command = own[:cut], own[cut + 1 :]
    given = vars(_parser().parse_args(own))
    if command == []:
        raise OptionError("no command follows --: write the engine's, or leave -- out to run beside the engine")
    prompts = tuple(given.pop("warmup_prompt"))
    options = Options(**given, warmup_prompts=prompts, command=tuple(command or ()))
    _check(options)
    return options


def _check(options: Options) -> None:
    if options.engine not in ENGINES:
        raise OptionError(f"--engine is {options.engine!r}: write one of {', '.join(ENGINES)}")
    ports = {"--serve-port": options.serve_port, "--control-port": options.control_port}
    if options.engine_socket is None:
        ports["--engine-port"] = options.engine_port
    for flag, port in ports.items():
        if not 1 <= port <= 65535:
            raise OptionError(f"{flag} is {port}: write a port from 1 to 65535")
    if len(set(ports.values())) < len(ports):
        found = ", ".join(f"{flag} {port}" for flag, port in ports.items())
        raise OptionError(f"two of {found} are the same: give each its own")
    for flag, path in (("--health-path", options.health_path), ("--metrics-path", options.metrics_path)):
        if not re.fullmatch(r"/[!-~]*", path):
            raise OptionError(f"{flag} is {path!r}: write a path that begins with / and has no spaces")
    if options.warmup_prompts and not options.served_name:
        raise OptionError("--served-name is missing: --warmup-prompt asks the model by its name")
    _check_compiled(options)
    _check_times(options)
    _check_tokens(options)


def _check_compiled(options: Options) -> None:
    flags = {
        "--compiled": options.compiled,
        "--compiled-kept": options.compiled_kept,
        "--compiled-key": options.compiled_key,
    }
    missing = [flag for flag, value in flags.items() if value is None]
    if 0 < len(missing) < len(flags):
        raise OptionError(f"{missing[0]} is missing: --compiled, --compiled-kept and --compiled-key go together")
    if options.compiled_key is not None and not _KEY.fullmatch(options.compiled_key):
        raise OptionError(f"--compiled-key is {options.compiled_key!r}: write letters and digits, at most 64")


def _check_times(options: Options) -> None:
    lowest = {
        "--grace-seconds": (options.grace_seconds, 0.0),
        "--settle-seconds": (options.settle_seconds, 0.0),
        "--stall-seconds": (options.stall_seconds, 1.0),
        "--start-seconds": (options.start_seconds, 1.0),
    }
    for flag, (value, least) in lowest.items():
        if not math.isfinite(value) or value < least:
            raise OptionError(f"{flag} is {value:g}: write a number of at least {least:g}")
    if options.settle_seconds > options.grace_seconds:
        raise OptionError(
            f"--settle-seconds {options.settle_seconds:g} is longer than --grace-seconds {options.grace_seconds:g}: "
            "running requests would get no time at all"
        )


def _check_tokens(options: Options) -> None:
    digests = {
        "--control-token-sha256": options.control_token_sha256,
        "--prestop-token-sha256": options.prestop_token_sha256,
    }
    for flag, digest in digests.items():
        if digest is not None and not _SHA256.fullmatch(digest):
            # What was given is not shown: it may be the token itself.
            raise OptionError(f"{flag} is no SHA-256: write 64 hexadecimal digits in lower case, not the token itself")
