"""What the agent is told, and how a wrong word is refused."""

import pytest

from stoker_runtime.agent.options import OptionError, options_from

GOOD = ["--engine", "vllm"]


def test_what_follows_the_dashes_is_the_engine_s_command_whatever_it_looks_like() -> None:
    options = options_from([*GOOD, "--serve-port", "1", "--", "vllm", "serve", "--serve-port", "2", "--", "x"])
    assert options.command == ("vllm", "serve", "--serve-port", "2", "--", "x")
    assert (options.serve_port, options.is_sidecar) == (1, False)


def test_without_a_command_it_stands_beside_an_engine() -> None:
    options = options_from(GOOD)
    assert options.is_sidecar
    assert (options.serve_port, options.control_port, options.engine_port) == (8000, 8010, 8100)
    assert (options.grace_seconds, options.settle_seconds, options.stall_seconds) == (300, 5, 120)


def test_prompts_to_warm_up_with_keep_their_order() -> None:
    options = options_from([*GOOD, "--served-name", "m", "--warmup-prompt", "a", "--warmup-prompt", "b"])
    assert options.warmup_prompts == ("a", "b")


def test_a_socket_takes_the_place_of_the_engine_s_port() -> None:
    options = options_from([*GOOD, "--engine-socket", "/run/engine.sock", "--serve-port", "8100"])
    assert options.engine_socket == "/run/engine.sock"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--engine is '': write one of vllm"),
        ([*GOOD, "--grace", "5"], "unrecognized arguments: --grace 5"),
        ([*GOOD, "--"], "no command follows --"),
        ([*GOOD, "--serve-port", "0"], "--serve-port is 0: write a port from 1 to 65535"),
        ([*GOOD, "--serve-port", "x"], "argument --serve-port: invalid int value: 'x'"),
        ([*GOOD, "--serve-port", "8010"], "two of --serve-port 8010, --control-port 8010, --engine-port 8100"),
        ([*GOOD, "--engine-port", "1", "--engine-socket", "/s"], "not allowed with argument --engine-port"),
        ([*GOOD, "--health-path", "health"], "--health-path is 'health': write a path that begins with /"),
        ([*GOOD, "--metrics-path", "/a b"], "--metrics-path is '/a b'"),
        ([*GOOD, "--warmup-prompt", "a"], "--served-name is missing"),
        ([*GOOD, "--stall-seconds", "0"], "--stall-seconds is 0: write a number of at least 1"),
        ([*GOOD, "--start-seconds", "nan"], "--start-seconds is nan: write a number of at least 1"),
        ([*GOOD, "--grace-seconds", "inf"], "--grace-seconds is inf: write a number"),
        ([*GOOD, "--grace-seconds", "2"], "--settle-seconds 5 is longer than --grace-seconds 2"),
        ([*GOOD, "--control-token-sha256", "AB" * 32], "--control-token-sha256 is no SHA-256"),
    ],
)
def test_a_wrong_word_is_named_with_what_was_found(arguments: list[str], sentence: str) -> None:
    with pytest.raises(OptionError) as wrong:
        options_from(arguments)
    assert sentence in str(wrong.value)


def test_a_token_given_for_its_digest_is_not_repeated() -> None:
    with pytest.raises(OptionError) as wrong:
        options_from([*GOOD, "--prestop-token-sha256", "my-secret"])
    assert "my-secret" not in str(wrong.value)
