"""Fixtures that cost a minute and serve several modules."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.analysed import Analysed, analyse


@pytest.fixture(scope="session")
def analysed(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analysed]:
    """A home after a replay and one dbt build, with its warehouse running. Read only."""
    yield from analyse(recordings, tmp_path_factory)
