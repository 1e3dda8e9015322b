"""What a simulated engine is told at its start, by flags or by variables STOKER_SIMULATED_*."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stoker_runtime.simulated.faults import FaultError, Faults
from stoker_runtime.simulated.timing import PROFILES, Replica, StepCost

_PREFIX = "STOKER_SIMULATED_"
_YES = {"1", "true", "yes"}
_NO = {"", "0", "false", "no"}


@dataclass(frozen=True)
class Settings:
    served_model_name: str
    replica: Replica
    host: str | None = None
    port: int = 8000
    context_length: int = 32_768
    answer_tokens: int = 200
    seed: int = 0
    start_seconds: float = 0.0
    sleep_seconds: float = 0.0
    wake_seconds: float = 0.0
    shutdown_timeout: float = 0.0
    development: bool = False
    faults: Faults = field(default_factory=Faults)


class SettingError(Exception):
    """A sentence that says which flag is wrong, and how."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stoker_runtime simulated",
        description="Behaves as a vLLM server does, without a model. Each flag --some-flag may also be given as "
        f"{_PREFIX}SOME_FLAG. With VLLM_SERVER_DEV_MODE=1 it has vLLM's /sleep, /wake_up, /is_sleeping and, to load its"
        " weights anew, /collective_rpc.",
        allow_abbrev=False,
    )
    serving = parser.add_argument_group("serving")
    serving.add_argument("--host", help="address to listen on (default: all)")
    serving.add_argument("--port", type=int, default=8000, help="0 lets the system choose one on loopback")
    serving.add_argument("--served-model-name", help="required")
    serving.add_argument("--context-length", type=int, default=32_768, help="tokens of a prompt and its answer")
    serving.add_argument(
        "--answer-tokens", type=int, default=200, help="where an answer ends if nothing ends it before"
    )
    serving.add_argument("--seed", type=int, default=0, help="of the answers")
    serving.add_argument("--start-seconds", type=float, default=0.0, help="until /health answers 200")
    serving.add_argument("--shutdown-timeout", type=float, default=0.0, help="seconds that streams get on SIGTERM")
    serving.add_argument("--sleep-seconds", type=float, default=0.0, help="that falling asleep takes")
    serving.add_argument("--wake-seconds", type=float, default=0.0, help="that waking up takes")
    speed = parser.add_argument_group("speed and size: a profile, and what to change in it")
    speed.add_argument("--profile", default="h100", help=f"an 8B model on one of: {', '.join(PROFILES)}")
    speed.add_argument("--prefill-tokens-per-second", type=float)
    speed.add_argument("--decode-base-ms", type=float, help="of each step")
    speed.add_argument("--decode-per-sequence-ms", type=float, help="of each step, for each sequence that decodes")
    speed.add_argument("--decode-per-cached-token-ns", type=float, help="of each step, for each token in the KV cache")
    speed.add_argument("--kv-tokens", type=int, help="capacity of the KV cache")
    speed.add_argument("--max-concurrency", type=int, help="sequences that run at once")
    speed.add_argument("--step-tokens", type=int, help="most tokens of prompts and answers computed in one step")
    faults = parser.add_argument_group("faults, which POST /faults changes")
    faults.add_argument("--slow-start-seconds", type=float, default=0.0, help="added to --start-seconds")
    faults.add_argument("--never-ready", action="store_true")
    faults.add_argument("--crash-at-token", type=int, help="exit when so many tokens were generated")
    faults.add_argument("--out-of-memory-at-token", type=int, help="the same with PyTorch's line; 0: while loading")
    faults.add_argument("--exit-code", type=int, help="of both (default: 1 and 137)")
    faults.add_argument("--hang", action="store_true", help="no token comes, and /health is good")
    faults.add_argument("--metrics-gone", action="store_true", help="/metrics answers 404")
    faults.add_argument("--wrong-weights", action="store_true", help="are loaded anew after a sleep at level 2")
    faults.add_argument("--error-share", type=float, default=0.0, help="of requests, answered with 500")
    return parser


def settings_from(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises SettingError; argparse itself ends the process for what it does not know."""
    parser = _parser()
    # argparse converts defaults that are strings, as if they had been given on the command line.
    parser.set_defaults(**_from_environment(parser, environment))
    options = parser.parse_args(arguments)
    if not options.served_model_name:
        raise SettingError("--served-model-name is missing")
    names = Settings.__dataclass_fields__.keys() & vars(options).keys()
    given = {name: getattr(options, name) for name in names}
    development = environment.get("VLLM_SERVER_DEV_MODE", "0").lower() not in _NO
    settings = Settings(**given, replica=_replica(options), development=development, faults=_faults(options))
    _check(settings)
    return settings


def _from_environment(parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> dict[str, object]:
    defaults: dict[str, object] = {}
    for name, value in environment.items():
        if not name.startswith(_PREFIX):
            continue
        flag = name.removeprefix(_PREFIX).lower()
        known = vars(parser.parse_args([]))
        if flag not in known:
            raise SettingError(f"the variable {name} mirrors no flag")
        if not isinstance(known[flag], bool):
            defaults[flag] = value
        elif value.lower() in _YES | _NO:
            defaults[flag] = value.lower() in _YES
        else:
            raise SettingError(f"the variable {name} must be true or false, not {value!r}")
    return defaults


def _replica(options: argparse.Namespace) -> Replica:
    if options.profile not in PROFILES:
        raise SettingError(f"no profile {options.profile!r}: choose of {', '.join(PROFILES)}")
    profile = PROFILES[options.profile]
    speed = options.prefill_tokens_per_second
    if speed is not None and speed <= 0:
        raise SettingError(f"--prefill-tokens-per-second must be more than 0, not {speed}")
    cost = StepCost(
        _or(options.decode_base_ms, profile.cost.base_seconds, 1e-3),
        profile.cost.per_prompt_token_seconds if speed is None else 1 / speed,
        _or(options.decode_per_sequence_ms, profile.cost.per_decoding_seconds, 1e-3),
        _or(options.decode_per_cached_token_ns, profile.cost.per_cached_token_seconds, 1e-9),
    )
    given: dict[str, Any] = {
        "kv_tokens": options.kv_tokens,
        "max_sequences": options.max_concurrency,
        "step_tokens": options.step_tokens,
    }
    replica = replace(profile, cost=cost, **{name: value for name, value in given.items() if value is not None})
    # A step has a token for each sequence that runs.
    return replace(replica, step_tokens=max(replica.step_tokens, replica.max_sequences))


def _or(given: float | None, profile: float, unit: float) -> float:
    return profile if given is None else given * unit


def _faults(options: argparse.Namespace) -> Faults:
    try:
        return Faults().changed_by({name: getattr(options, name) for name in Faults.__dataclass_fields__})
    except FaultError as wrong:
        raise SettingError(str(wrong)) from wrong


def _check(settings: Settings) -> None:
    replica = settings.replica
    lowest = {
        "--port": (settings.port, 0),
        "--context-length": (settings.context_length, 1),
        "--answer-tokens": (settings.answer_tokens, 1),
        "--start-seconds": (settings.start_seconds, 0),
        "--sleep-seconds": (settings.sleep_seconds, 0),
        "--wake-seconds": (settings.wake_seconds, 0),
        "--shutdown-timeout": (settings.shutdown_timeout, 0),
        "--decode-base-ms": (replica.cost.base_seconds, 0),
        "--decode-per-sequence-ms": (replica.cost.per_decoding_seconds, 0),
        "--decode-per-cached-token-ns": (replica.cost.per_cached_token_seconds, 0),
        "--max-concurrency": (replica.max_sequences, 1),
        "--kv-tokens": (replica.kv_tokens, 1),
    }
    for flag, (value, least) in lowest.items():
        if not value >= least:
            raise SettingError(f"{flag} must be at least {least}, not {value}")
    if replica.kv_tokens < settings.context_length:
        raise SettingError(
            f"--kv-tokens {replica.kv_tokens} cannot hold one request of --context-length {settings.context_length}"
        )
