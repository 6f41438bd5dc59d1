"""Real starts of `tickhouse up`, each with another strategy and other settings."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.clickhouse.client import connect
from cli.stack.home_lock import is_taken
from core.credentials import directory_of
from core.errors import TickhouseError
from core.home_users import OWNER, sign_in
from core.sections import ClickhouseSettings
from tests.support.waiting import until

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="models"), pytest.mark.timeout(600)]

_ROOT = Path(__file__).parents[2]
_TICKHOUSE = [sys.executable, "-m", "cli.main"]
_STRATEGY = """
import numpy as np
from features.catalog import NAMES
from tickhouse import Targets


class Mine:
    name = "mine"
    needs_model = False

    def __init__(self, settings):
        self.horizon_s = {horizon}

    def targets(self, rows, probabilities):
        place = np.nan_to_num(rows[:, NAMES.index("bollinger_position")] - 0.5)
        side = np.where(place > 0, 1, -1).astype(np.int8)
        return Targets({sign} * side, np.full(len(rows), {confidence}))
"""


class Home:
    """A home that is started again and again."""

    def __init__(self, folder: Path) -> None:
        self.home, self.file = folder / "home", folder / "mine.py"
        self.environ = {
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            "TICKHOUSE_HOME": str(self.home),
            "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",  # its market never closes
            "TICKHOUSE_ORCHESTRATION__ENABLED": "false",
        }

    @contextmanager
    def up(self, code: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
        self.file.write_text(code)
        line = [*_TICKHOUSE, "up", "--strategy", str(self.file)]
        process = subprocess.Popen(
            line, cwd=self.file.parent, env=self.environ | settings, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=120)

    def decided(self, known: set[str], process: "subprocess.Popen[str]") -> tuple[str, str]:
        """Session and signal of the newest start, once it has decided."""
        query = (
            "SELECT session_id, min(signal_id) FROM signal FINAL WHERE session_id != ''"
            " GROUP BY session_id HAVING count() > 1"
        )

        def newest() -> tuple[str, str] | None:
            of_session = dict(self.rows(query))
            return next(((s, of_session[s]) for s in of_session.keys() - known), None)

        return until(newest, 120.0, running=process, every_s=0.3)

    def rows(self, query: str) -> list[Any]:
        try:
            url = (self.home / "run" / "warehouse.url").read_text().strip()
            where = ClickhouseSettings(url=url, credentials=str(directory_of(self.home)))
            client = connect(sign_in(where, OWNER))
        except (OSError, TickhouseError):  # not there yet
            return []
        try:
            return list(client.query(query).result_rows)
        except Exception:  # tables are not there yet
            return []
        finally:
            client.close()

    def command(self, *words: str) -> Any:
        done = subprocess.run(
            [*_TICKHOUSE, *words, "--json"], env=self.environ, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


def test_each_start_is_a_session_and_its_decisions_stay_its_own(tmp_path: Path) -> None:
    home, decisions = Home(tmp_path), dict[str, str]()
    with home.up(_STRATEGY.format(horizon=5.0, sign=1, confidence=0.6)) as up:
        decisions.update([home.decided(set(decisions), up)])
    changed = {"TICKHOUSE_SIGNALS__STOP_SPREADS": "12", "TICKHOUSE_FEATURES__SAMPLE_MS": "250"}
    with home.up(_STRATEGY.format(horizon=7.0, sign=-1, confidence=0.7), **changed) as up:
        decisions.update([home.decided(set(decisions), up)])
        up.kill()  # no drain, and no word of an end
        up.wait()
    until(lambda: not is_taken(home.home))  # the supervisor ends what its owner left
    listed = home.command("sessions")["sessions"]
    assert [one["number"] for one in listed] == [1, 2]
    assert [one["status"] for one in listed] == ["ended", "end never written"]
    assert [one["session_id"] for one in listed] == list(decisions)
    assert len({one["strategy_hash"] for one in listed}) == 2
    for session, decision in decisions.items():
        account = home.command("explain", decision)
        assert account["same"], account["verdict"]
        assert account["session"]["session_id"] == session
        events = account["orders"]
        assert {event["session_id"] for event in events} <= set(decisions)
