"""A backup leaves the host when the newest is too old, and not again an hour after one failed."""

import re
from pathlib import Path

import dagster as dg
import pytest

from adapters.offsite import sealed
from adapters.offsite.note import Backup, Note, read_note, write_note
from cli.diagnostics.offsite import offsite
from core import settings
from core.clock import SystemClock
from orchestration.defs.offsite import offsite_backup, offsite_sensor
from orchestration.resources import Tickhouse
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Dagster of pydantic
]
HOUR_US = 3_600_000_000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A home whose backups go to a folder beside it."""
    home = tmp_path / "home"
    (tmp_path / "there").mkdir()
    sealed.make_key(tmp_path / "key")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKHOUSE_HOME", str(home))
    monkeypatch.setenv("TICKHOUSE_BACKUP__DESTINATION", str(tmp_path / "there"))
    monkeypatch.setenv("TICKHOUSE_BACKUP__KEYFILE", str(tmp_path / "key"))
    return Warehouse(home)


def answer_of(instance: dg.DagsterInstance) -> str:
    """Why not, or that it is due."""
    with dg.build_sensor_context(instance=instance) as context:
        answer = offsite_sensor(context)
    return "due" if isinstance(answer, dg.RunRequest) else str(answer.skip_message)


def newest(age_h: float) -> Backup:
    ts_us = SystemClock().now_us() - round(age_h * HOUR_US)
    return Backup("backup", "n", ts_us, 1_000_000, 1, 1, 1.0)


def test_it_is_due_by_the_age_of_the_newest(
    server: Warehouse, dagster_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = server.home
    home.mkdir()
    assert answer_of(dagster_instance) == "due"
    write_note(home, Note(newest(20)))
    assert "due in 4.0 hours" in answer_of(dagster_instance)
    write_note(home, Note(newest(25)))
    assert answer_of(dagster_instance) == "due"
    failed_us = SystemClock().now_us() - HOUR_US // 2
    write_note(home, Note(newest(25), failed="full", failed_us=failed_us))
    assert "due in 0.5 hours" in answer_of(dagster_instance)
    monkeypatch.setenv("TICKHOUSE_BACKUP__DESTINATION", "")
    assert "not set" in answer_of(dagster_instance)


def test_the_asset_makes_one(
    server: Warehouse, dagster_instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    running = migrated(server.home)
    resources = {"tickhouse": Tickhouse()}
    try:
        done = dg.materialize([offsite_backup], instance=dagster_instance, resources=resources)
    finally:
        running.stop()
    assert done.success
    (file,) = (tmp_path / "there").iterdir()
    note = read_note(server.home).newest
    assert note is not None
    assert (note.name, note.size) == (file.name, file.stat().st_size)
    assert re.search(r"due in 2[34]\.\d hours", answer_of(dagster_instance))


def test_status_says_how_old_it_is_and_what_failed(server: Warehouse) -> None:
    config, clock = settings.load(), SystemClock()
    server.home.mkdir()
    assert offsite(config, clock) == "none was made yet"
    write_note(server.home, Note(newest(2), newest(5)))
    assert offsite(config, clock) == "2.0 h old, 1,000,000 bytes; last drill 5.0 h ago"
    write_note(server.home, Note(newest(40), failed="No space left"))
    said = offsite(config, clock)
    assert "40.0 h old, older than rules.backup_hours" in said
    assert said.endswith("the newest attempt failed: No space left")
