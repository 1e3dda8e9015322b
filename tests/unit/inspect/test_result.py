"""What is told of an inspection, and under which name its files will lie."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.facts import Attention, Facts, Format, LayerGroup
from stoker_runtime.inspect.folder_name import folder_name
from stoker_runtime.inspect.result import MOST_BYTES, bad, good, without_defaults

FACTS = Facts(Format.SAFETENSORS, 8, 8, 16, 4, 2, (LayerGroup(2, Attention.SLIDING, 8, 128, 128, 4096),))
COMMIT = "9213176726f574b556790deb65791e0c5aa438b6"


def test_facts_come_back_as_they_were() -> None:
    told = json.loads(good(COMMIT, "folder", (100, 3), FACTS))
    assert Facts.from_json(told["facts"]) == FACTS
    assert (told["ok"], told["revision"], told["totalBytes"], told["files"]) == (True, COMMIT, 100, 3)


def test_defaults_are_left_out() -> None:
    assert set(without_defaults(FACTS)) == {
        "format", "parameters", "active_parameters", "weight_bytes", "embedding_bytes", "layers", "groups", "task",
    }  # fmt: skip


def test_the_least_needed_goes_first_when_there_is_too_much_to_tell() -> None:
    many = Facts(**{**vars(FACTS), "bytes_by_dtype": {f"TYPE{number:04}": number for number in range(500)}})
    told = good(COMMIT, "folder", (100, 3), many)
    assert len(told) <= MOST_BYTES
    assert Facts.from_json(json.loads(told)["facts"]) == FACTS


def test_names_are_told_where_they_fit_and_left_out_where_they_do_not() -> None:
    assert json.loads(good(COMMIT, "folder", (100, 3), FACTS, ["a.gguf"]))["names"] == ["a.gguf"]
    assert "names" not in json.loads(good(COMMIT, "folder", (100, 3), FACTS))
    too_many = good(COMMIT, "folder", (100, 500), FACTS, [f"model-{number:05}-of-00500.gguf" for number in range(500)])
    assert len(too_many) <= MOST_BYTES
    assert "names" not in json.loads(too_many)


@given(st.text(max_size=6000))
def test_a_failure_is_told_in_few_bytes_whatever_its_message(message: str) -> None:
    told = bad("WeightsUnreadable", message)
    assert len(told.encode()) <= MOST_BYTES
    assert json.loads(told)["reason"] == "WeightsUnreadable"
    if len(json.dumps(message)) < 3000:
        assert json.loads(told)["message"] == message


def test_a_folder_is_named_after_source_and_revision() -> None:
    name = folder_name("hf://Qwen/Qwen3-8B@main", COMMIT, ["config.json"])
    assert re.fullmatch(r"hf-Qwen-Qwen3-8B-9213176726f5-[0-9a-f]{8}", name)


def test_other_files_lie_in_another_folder_and_the_same_in_the_same() -> None:
    names = {folder_name("hf://a/b", COMMIT, paths) for paths in (["x", "y"], ["y", "x"], ["x"], ["x,y"])}
    assert len(names) == 3


def test_what_a_signed_address_hides_is_not_in_the_name() -> None:
    assert "secret" not in folder_name("https://host/m.gguf?sig=secret", "e3b0", ["m.gguf"])


@given(st.text(max_size=600), st.text(max_size=90), st.lists(st.text(max_size=9), max_size=3))
def test_every_name_is_safe_as_a_file_name(source: str, revision: str, paths: list[str]) -> None:
    name = folder_name(source, revision, paths)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name)
    assert len(name) <= 120
