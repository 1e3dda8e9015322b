"""Which files of a listing are fetched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.facts import Format
from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile
from stoker_runtime.fetch.sources.selection import Wanted, select
from tests.unit.sources.directed import Refusal

ALL = frozenset(Format)
SAFE = frozenset({Format.SAFETENSORS})
DESCRIBED = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "chat_template.jinja",
    "LICENSE",
]
SHARDS = [f"model-{number:05d}-of-00003.safetensors" for number in (1, 2, 3)]
INDEX = "model.safetensors.index.json"


def chosen(*paths: str, formats: frozenset[Format] = ALL, **wanted: object) -> list[str]:
    files = [RemoteFile(path, 10) for path in paths]
    return [file.path for file in select(files, Wanted(formats, **wanted))]  # type: ignore[arg-type]


def test_one_format_and_the_files_that_describe_it_are_taken() -> None:
    others = [
        "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack", "rust_model.ot",
        "onnx/model.onnx", "onnx/config.json", "openvino/openvino_model.bin", "coreml/model.mlmodel", "model.gguf",
        "original/consolidated.00.pth", "original/tokenizer.model", "consolidated.safetensors", "training_args.bin",
        "optimizer.pt", "trainer_state.json", "README.md", "image.png", "modeling.py", ".gitattributes",
        "checkpoint-500/model.safetensors",
    ]  # fmt: skip
    kept = [*DESCRIBED, INDEX, *SHARDS, "1_Pooling/config.json"]
    assert chosen(*kept, *others) == kept


def test_gguf_is_taken_where_the_engine_loads_nothing_else_or_there_is_nothing_else() -> None:
    assert chosen("a.safetensors", "a.gguf", formats=frozenset({Format.GGUF})) == ["a.gguf"]
    assert chosen("a.gguf", "config.json") == ["a.gguf", "config.json"]


def test_consolidated_files_are_the_model_where_they_are_all_there_is() -> None:
    paths = ["consolidated-00001-of-00002.safetensors", "consolidated-00002-of-00002.safetensors", "params.json"]
    assert chosen(*paths) == paths


def test_several_quantizations_are_not_chosen_among() -> None:
    with Refusal(Reason.NO_WEIGHTS) as refusal:
        chosen("m-Q4_K_M.gguf", "m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf")
    assert "there are 2 GGUF models" in refusal.message
    assert "m-Q4_K_M.gguf" in refusal.message
    assert "m-Q8_0.gguf" in refusal.message
    assert "['*m-Q4_K_M.gguf']" in refusal.message


def test_a_pattern_chooses_among_them_and_so_does_leaving_out() -> None:
    paths = ["m-Q4_K_M.gguf", "q8/m-Q8_0.gguf", "config.json"]
    assert chosen(*paths, include=("*Q8_0.gguf",)) == ["q8/m-Q8_0.gguf"]
    assert chosen(*paths, exclude=("q8/",)) == ["m-Q4_K_M.gguf", "config.json"]


def test_a_projector_and_an_importance_matrix_are_no_quantizations() -> None:
    paths = ["m.gguf", "mmproj-m-bf16.gguf", "mmproj-m-f16.gguf", "mmproj-m-f32.gguf", "m.imatrix.gguf"]
    assert chosen(*paths) == ["m.gguf", "mmproj-m-f16.gguf"]


def test_leaving_out_wins_over_naming() -> None:
    assert chosen("a.safetensors", "b.safetensors", include=("*",), exclude=("b*",)) == ["a.safetensors"]


def test_named_files_are_taken_as_named() -> None:
    assert chosen("a.safetensors", "config.json", "x.onnx", include=("a*", "x*")) == ["a.safetensors", "x.onnx"]


def test_pickle_alone_is_refused_unless_it_is_allowed() -> None:
    with Refusal(Reason.UNSAFE_FORMAT) as refusal:
        chosen("pytorch_model.bin", "config.json")
    assert "pytorch_model.bin" in refusal.message
    assert chosen("pytorch_model.bin", "config.json", "training_args.bin", allow_pickle=True) == [
        "pytorch_model.bin",
        "config.json",
    ]


@pytest.mark.parametrize("path", ["model.bin", "original/a.PTH", "a.pkl", "modeling.py", "onnx/run.py", "lib.so"])
def test_a_pattern_does_not_get_round_the_ban_on_pickle_and_code(path: str) -> None:
    with Refusal(Reason.UNSAFE_FORMAT) as refusal:
        chosen("a.safetensors", path, include=("*",))
    assert path in refusal.message


def test_code_comes_along_only_where_it_is_allowed() -> None:
    paths = ["a.safetensors", "modeling.py"]
    assert chosen(*paths) == ["a.safetensors"]
    assert chosen(*paths, allow_code=True) == paths


def test_pickle_that_the_engine_does_not_load_is_no_weights() -> None:
    with Refusal(Reason.NO_WEIGHTS) as refusal:
        chosen("pytorch_model.bin", "config.json", formats=SAFE, allow_pickle=True)
    assert "which is safetensors. There is config.json, pytorch_model.bin" in refusal.message


@pytest.mark.parametrize("paths", [[], ["config.json"], ["README.md", *(f"{number}.png" for number in range(20))]])
def test_nothing_left_says_what_was_there(paths: list[str]) -> None:
    with Refusal(Reason.NO_WEIGHTS) as refusal:
        chosen(*paths)
    assert (paths[0] if len(paths) == 1 else "more" if paths else "no file") in refusal.message


def test_a_missing_shard_is_missed() -> None:
    with Refusal(Reason.NO_WEIGHTS) as refusal:
        chosen(SHARDS[0], SHARDS[2], INDEX)
    assert "model.safetensors is in 3 parts, and number 2 is not there, the first of 1 missing" in refusal.message


@pytest.mark.parametrize(
    "path",
    ["/a", "../a", "a/../b", "a//b", "a/", "a\\b", "a\0b", "a\nb", "a\x7fb", "x" * 256, "a/./b", "", ".stoker/a",
     ".Stoker-lock", "\ud800", "a\u2028b", "/".join(["x" * 200] * 20)],
)  # fmt: skip
def test_paths_that_no_honest_source_lists_are_refused(path: str) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        chosen("a.safetensors", path)


@pytest.mark.parametrize(
    "paths",
    [
        ("Config.json", "config.json"),
        ("a.json", "a.json"),
        ("caf\u00e9.json", "cafe\u0301.json"),
        ("a.json", "A.json/b.json"),
    ],
)
def test_paths_that_some_volumes_cannot_tell_apart_are_refused(paths: tuple[str, str]) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        chosen("m.safetensors", *paths)


def test_a_collision_among_files_that_nobody_wants_does_no_harm() -> None:
    assert chosen("m.safetensors", "README.md", "readme.md") == ["m.safetensors"]


@pytest.mark.parametrize("size", [-1, (16 << 40) + 1])
def test_sizes_that_no_file_has_are_refused(size: int) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        select([RemoteFile("a.safetensors", size)], Wanted(ALL))


def test_too_many_files_are_refused() -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        chosen(*(f"{number}.safetensors" for number in range(20_001)))


@given(st.lists(st.text("abAB./-\\é0", max_size=12).map(lambda text: f"{text}.safetensors"), max_size=8))
def test_whatever_is_chosen_can_be_written_below_a_folder(paths: list[str]) -> None:
    try:
        taken = chosen(*paths)
    except WeightsError:
        return
    assert len({path.casefold() for path in taken}) == len(taken) == len(paths)
    assert not any(part in {"", ".", ".."} for path in taken for part in path.split("/"))
