"""One Dagster instance on disk for all of these tests: making its databases takes seconds."""

from collections.abc import Iterator

import dagster as dg
import pytest

from orchestration import instance


@pytest.fixture(scope="session")
def kept_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """As `tickhouse up` writes it, in a folder whose name is awkward."""
    home = tmp_path_factory.mktemp("orchestration") / "it's home"
    instance.write(home)
    with dg.DagsterInstance.from_config(str(instance.directory(home))) as built:
        yield built


@pytest.fixture
def dagster_instance(kept_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """Without runs."""
    for run in kept_instance.get_runs():
        kept_instance.delete_run(run.run_id)
    return kept_instance
