"""The file with the key of the agents' tokens."""

from pathlib import Path

import pytest

from stoker.cli.control_key import control_key
from stoker.cli.input_error import InputError


def test_no_file_is_no_key() -> None:
    assert control_key(None) is None


def test_a_line_break_at_the_end_is_no_part_of_the_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("a" * 64 + "\n")
    key = control_key(str(file))
    assert key
    assert key.secret == b"a" * 64


def test_a_short_key_is_refused_with_the_way_to_a_good_one(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("secret\n")
    with pytest.raises(InputError, match=r"agent\.keyFile .*key has 6 bytes: write at least 32 random ones"):
        control_key(str(file))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"agent\.keyFile .*nothing: No such file"):
        control_key(str(tmp_path / "nothing"))
