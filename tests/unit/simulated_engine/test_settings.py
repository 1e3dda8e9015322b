"""Flags and variables."""

import pytest

from stoker_runtime.simulated.settings import SettingError, Settings, settings_from
from stoker_runtime.simulated.timing import PROFILES


def given(*flags: str, **environment: str) -> Settings:
    return settings_from(["--served-model-name", "m", *flags], environment)


def test_without_flags_it_is_a_small_model_on_an_h100() -> None:
    assert given().replica == PROFILES["h100"]


def test_the_flags_of_the_operator_are_understood() -> None:
    flags = ["--port", "8000", "--shutdown-timeout", "30", "--context-length", "4096", "--max-concurrency", "8"]
    settings = given(*flags)
    assert (settings.port, settings.shutdown_timeout, settings.context_length) == (8000, 30, 4096)
    assert settings.replica.max_sequences == 8


def test_a_flag_changes_what_the_profile_says() -> None:
    replica = given("--profile", "l40s", "--prefill-tokens-per-second", "1000", "--decode-base-ms", "5").replica
    assert replica.cost.per_prompt_token_seconds == 0.001
    assert replica.cost.base_seconds == 0.005
    assert replica.cost.per_decoding_seconds == PROFILES["l40s"].cost.per_decoding_seconds


def test_a_step_has_a_token_for_each_sequence_that_may_run() -> None:
    assert given("--step-tokens", "64", "--max-concurrency", "1000").replica.step_tokens == 1000


def test_a_variable_stands_in_for_a_flag_and_the_flag_wins() -> None:
    variables = {"STOKER_SIMULATED_START_SECONDS": "7", "STOKER_SIMULATED_HANG": "true"}
    settings = given(**variables)
    assert (settings.start_seconds, settings.faults.hang) == (7, True)
    assert given("--start-seconds", "1", **variables).start_seconds == 1


def test_development_endpoints_are_vllms_variable() -> None:
    assert not given().development
    assert given(VLLM_SERVER_DEV_MODE="1").development
    assert not given(VLLM_SERVER_DEV_MODE="0").development


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--profile", "tpu"], "no profile 'tpu': choose of h100, a100, l40s"),
        (["--context-length", "0"], "--context-length must be at least 1, not 0"),
        (["--kv-tokens", "100"], "--kv-tokens 100 cannot hold one request of --context-length 32768"),
        (["--prefill-tokens-per-second", "0"], "--prefill-tokens-per-second must be more than 0, not 0.0"),
        (["--error-share", "2"], "error_share must be from 0 to 1, not 2.0"),
        (["--start-seconds", "nan"], "--start-seconds must be at least 0, not nan"),
    ],
)
def test_a_wrong_value_is_refused_in_a_sentence(flags: list[str], sentence: str) -> None:
    with pytest.raises(SettingError, match=f"^{sentence}$"):
        given(*flags)


def test_a_name_for_the_model_is_required() -> None:
    with pytest.raises(SettingError, match="--served-model-name is missing"):
        settings_from([], {})


def test_a_variable_that_mirrors_no_flag_is_refused() -> None:
    with pytest.raises(SettingError, match="STOKER_SIMULATED_SPEED mirrors no flag"):
        given(STOKER_SIMULATED_SPEED="9")
