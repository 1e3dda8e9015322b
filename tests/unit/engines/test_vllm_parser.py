"""vLLM's command lines, parsed by vLLM's own parser. It runs where vLLM can be imported, as in its image."""

import argparse
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import pytest

from stoker.engines.vllm import leader_arguments, worker_arguments
from tests.unit.engines.golden import CASES, engine_of, mounted_in
from tests.unit.engines.specs import spec

# What `vllm serve` takes changes with every version, so nothing but its own parser can tell.
pytestmark = [
    pytest.mark.skipif(
        find_spec("vllm") is None,
        reason="NOT CHECKED: vLLM is not installed here, so its own parser has not seen these command lines",
    ),
    pytest.mark.filterwarnings("ignore"),  # of the many packages that it imports
]
Parse = Callable[[tuple[str, ...]], argparse.Namespace]
VLLM_CASES = [case for case in CASES if engine_of(case) == "vllm"]


@pytest.fixture(scope="module")
def parse() -> Parse:
    arguments = import_module("vllm.entrypoints.launchers.cli_args")
    flexible = import_module("vllm.utils.argparse_utils").FlexibleArgumentParser
    parser = arguments.make_arg_parser(flexible(prog="vllm serve"))

    def parsed(words: tuple[str, ...]) -> argparse.Namespace:
        # The kubelet puts numbers and names in their place.
        told = [word.replace("$(LWS_WORKER_INDEX)", "1").replace("$(LWS_LEADER_ADDRESS)", "a-0.a") for word in words]
        namespace: argparse.Namespace = parser.parse_args(told)
        arguments.validate_parsed_serve_args(namespace)
        return namespace

    return parsed


@pytest.mark.parametrize("case", VLLM_CASES)
def test_vllm_takes_the_command_line_of_every_golden_file(case: str, parse: Parse) -> None:
    changes = {name: value for name, value in CASES[case][0].items() if name != "args" or "lora" in case}
    settings, model = spec("vllm", **changes), mounted_in(case)
    told = parse(leader_arguments(settings, model))
    assert told.model_tag == model.path
    assert (told.host, told.port) == (model.listen.host, model.listen.port)
    assert told.served_model_name == [model.served_name]
    assert told.shutdown_timeout == settings.drain.grace_seconds
    assert told.max_model_len == settings.engine.context_length
    assert told.tensor_parallel_size == settings.engine.tensor_parallel
    assert told.quantization == settings.engine.quantization


def test_leader_and_worker_are_ranks_of_one_group(parse: Parse) -> None:
    settings = spec("vllm", tensorParallel=4, pipelineParallel=2, accelerator={"count": 4})
    model = mounted_in("vllm-two-pods")
    leader, worker = parse(leader_arguments(settings, model)), parse(worker_arguments(settings, model))
    assert (leader.nnodes, leader.node_rank, leader.headless) == (2, 0, False)
    assert (worker.nnodes, worker.node_rank, worker.headless) == (2, 1, True)
    assert (leader.master_addr, leader.master_port) == (worker.master_addr, worker.master_port)


def test_a_flag_that_vllm_does_not_know_is_refused(parse: Parse) -> None:
    with pytest.raises(SystemExit):
        parse(("/mnt/weights/abc", "--no-such-flag"))
