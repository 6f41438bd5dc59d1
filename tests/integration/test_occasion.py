"""A warehouse started for the occasion never stands in the way of one that runs."""

import os
import signal
from pathlib import Path

import pytest

from core import home_version
from core.errors import UnavailableError
from tests.support.warehouse_server import Warehouse
from warehouse import occasion

pytestmark = pytest.mark.process


def test_one_that_runs_and_does_not_answer_keeps_its_address_and_its_home(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.start()
    assert warehouse.process is not None
    try:
        os.kill(warehouse.process.pid, signal.SIGSTOP)
        with (
            pytest.raises(UnavailableError, match=f"process {warehouse.process.pid}\\) runs and"),
            occasion.reached(tmp_path),
        ):
            raise AssertionError("it was reached")
        os.kill(warehouse.process.pid, signal.SIGCONT)
        with occasion.reached(tmp_path) as url:
            assert url == warehouse.url
    finally:
        os.kill(warehouse.process.pid, signal.SIGCONT)
        warehouse.stop()


def test_where_one_was_killed_the_next_takes_over_and_leaves_nothing(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.start()
    assert warehouse.process is not None
    warehouse.process.kill()
    warehouse.process.wait()
    with occasion.reached(tmp_path) as url:
        assert url.startswith("http://127.0.0.1:")
    assert not (tmp_path / "run" / "warehouse.url").exists()
    assert occasion.is_stored(tmp_path)
    assert not occasion.is_stored(tmp_path / "other")


def test_a_new_home_that_an_import_began_is_of_this_version(tmp_path: Path) -> None:
    with occasion.started(tmp_path):
        pass
    stands = home_version.of(tmp_path)
    assert stands is not None
    assert stands.layout == home_version.LAYOUT
