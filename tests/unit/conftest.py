import pytest

from tests.longest_first import begin_with

LONGEST = ("test_calibration", "test_crashes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    begin_with(LONGEST, items)
