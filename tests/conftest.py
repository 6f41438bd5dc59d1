"""Shared fixture: the reference data."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of reference data; tests that need it skip where it is missing."""
    folder = Path(os.environ.get("TICKHOUSE_TEST_DATA", "../shared/data"))
    if not (folder / "ticks").is_dir():
        pytest.skip(f"no reference data in {folder} (set TICKHOUSE_TEST_DATA)")
    return folder
