"""The rules for Grafana and Prometheus are those of the table."""

from pathlib import Path

import pytest

from dashboards.provisioned import files


@pytest.mark.parametrize("path", files(), ids=lambda path: path.parent.name)
def test_the_files_for_others_are_what_the_table_makes(path: Path) -> None:
    assert path.read_text() == files()[path], "run python -m dashboards.provisioned"
