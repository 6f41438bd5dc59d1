"""The terminal as a process: killed between and within orders, stopped, wrongly started."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator.markets.generated_files import write_parquet
from cli.main import main
from core import instruments
from tests.support.markets import order
from tests.support.terminals import asking_home

pytestmark = pytest.mark.process
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
NOON_MSC = int(NOON.timestamp() * 1000)


class Process:
    """A terminal process that can be killed and started again."""

    def __init__(self, home: Path, market: str, plan: Path | None, **environ: str) -> None:
        self.home = home
        self._command = [sys.executable, "-m", "adapters.simulator.server", "--home", str(home)]
        self._command += ["--market", market, *(["--plan", str(plan)] if plan else [])]
        self._environ = {**os.environ, **environ}
        self.start()

    def start(self) -> None:
        address = self.home / "run" / "terminal.address"
        address.unlink(missing_ok=True)
        self.popen = subprocess.Popen(
            self._command, env=self._environ, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 30
        while not (address.exists() and address.read_text()):
            assert self.popen.poll() is None, self.popen.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.remote = asking_home(self.home, timeout_s=5.0)

    def end(self, number: int) -> int:
        self.remote.shutdown()
        self.popen.send_signal(number)
        self.popen.communicate(timeout=20)
        return self.popen.returncode


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("market")
    paths = write_parquet(directory, ["EURUSD", "BTCUSD"], NOON, hours=1)
    files = [{"path": str(p), "source": "sim", "symbol": p.stem.split("_")[0]} for p in paths]
    path = directory / "plan.json"
    path.write_text(json.dumps({"files": files}))
    return path


@pytest.fixture
def started() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for process in processes:
        process.remote.shutdown()
        if process.popen.poll() is None:
            process.popen.kill()
        process.popen.communicate()


def trade(remote: RemoteTerminal, number: int) -> Any:
    remote.at(NOON_MSC + 60_000 * (number + 1))
    tick = remote.symbol_info_tick("EURUSD")
    return remote.order_send(order("EURUSD", "buy", sl=round(tick.bid - 0.0005, 5), tp=0.0))


def books(remote: RemoteTerminal) -> list[Any]:
    remote.at(NOON_MSC + 3_600_000)
    return [remote.history_deals_get(0, 4e9), remote.positions_get(), remote.account_info()]


def test_kill_between_orders_changes_nothing(
    plan: Path, tmp_path: Path, started: list[Process]
) -> None:
    outcomes = []
    for name, kills in (("calm", ()), ("killed", (1, 3))):
        process = Process(tmp_path / name, "recorded", plan)
        started.append(process)
        for number in range(5):
            if number in kills:
                assert process.end(signal.SIGKILL) == -signal.SIGKILL
                process.start()
            assert trade(process.remote, number).retcode == mt5.TRADE_RETCODE_DONE
        outcomes.append(books(process.remote))
        assert process.end(signal.SIGTERM) == 0
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][0]) >= 6


def test_instruments_of_one_s_own_are_described_by_the_terminal(
    plan: Path, tmp_path: Path, started: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    started.append(Process(tmp_path, "recorded", plan))
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    address = (tmp_path / "run" / "terminal.address").read_text()
    monkeypatch.setenv("TICKHOUSE_TERMINAL__ADDRESS", address)
    fetch = ["instruments", "fetch", "--session", "forex", "--commission", "2", "--margin-rate"]
    assert main([*fetch, "0.1", "--from", "2026-01-01", "EURUSD"]) == 0
    own, shipped = instruments.known()["EURUSD"][-1], instruments.shipped()["EURUSD"][-1]
    said_here = {"valid_from": date(2026, 1, 1), "commission": 2.0, "margin_rate": 0.1}
    assert own == msgspec.structs.replace(shipped, **said_here)
    assert main([*fetch, "0.1", "NOSUCH"]) == 2
    instruments.use_home(tmp_path / "none")


@pytest.mark.parametrize(("place", "kept"), [("before", 1), ("after", 2)])
def test_kill_at_the_commit_keeps_exactly_what_was_committed(
    plan: Path, tmp_path: Path, started: list[Process], place: str, kept: int
) -> None:
    crash = {"TICKHOUSE_CHAOS__CRASH_AT": f"terminal.send.{place}:2"}
    process = Process(tmp_path, "recorded", plan, **crash)
    started.append(process)
    assert trade(process.remote, 0).retcode == mt5.TRADE_RETCODE_DONE
    assert trade(process.remote, 1) is None
    assert process.remote.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_TIMEOUT
    process.popen.communicate(timeout=20)
    assert list((tmp_path / "run").glob("crashed.*"))
    process.start()
    process.remote.at(NOON_MSC + 120_000)
    entries = [d for d in process.remote.history_deals_get(1, 4e9) if d.entry == mt5.DEAL_ENTRY_IN]
    assert len(entries) == kept
    assert trade(process.remote, 2).retcode == mt5.TRADE_RETCODE_DONE  # it dies once


def test_a_live_terminal_trades_and_stops_cleanly(tmp_path: Path, started: list[Process]) -> None:
    environ = {"TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD", "TICKHOUSE_TERMINAL__SOURCE": "gen"}
    process = Process(tmp_path, "generated", None, **environ)
    started.append(process)
    assert process.remote.feeds() == (("gen", "BTCUSD"),)
    answer = process.remote.order_send(order("BTCUSD", "buy", 0.1))
    assert answer.retcode in (mt5.TRADE_RETCODE_DONE, mt5.TRADE_RETCODE_MARKET_CLOSED)
    health = json.loads((tmp_path / "run" / "terminal.json").read_text())
    assert health["pid"] == process.popen.pid
    assert process.end(signal.SIGTERM) == 0
    assert not (tmp_path / "run" / "terminal.json").exists()
    assert not (tmp_path / "run" / "terminal.address").exists()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "--plan"),
        (["--plan", "missing.json"], "missing.json"),
        (["--plan", "{csv}"], "import it first"),
    ],
)
def test_a_wrong_start_says_why(tmp_path: Path, options: list[str], problem: str) -> None:
    csv = tmp_path / "plan.json"
    csv.write_text('{"files":[{"path":"x.csv","source":"a","symbol":"EURUSD"}]}')
    command = [sys.executable, "-m", "adapters.simulator.server", "--home", str(tmp_path)]
    command += ["--market", "recorded", *(o.format(csv=csv) for o in options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert problem in done.stderr


def test_a_server_that_is_killed_while_it_tells_of_no_tick_is_not_waited_for(
    tmp_path: Path, started: list[Process]
) -> None:
    started.append(process := Process(tmp_path, "generated", None))
    assert process.remote.initialize()
    far_msc = 2 * NOON_MSC  # no tick is later
    killer = threading.Timer(0.0, process.popen.kill)
    killer.start()
    while process.popen.poll() is None:  # who stops meanwhile would be held up by the patience
        assert process.remote.wait_for_ticks(["EURUSD"], far_msc, 1.0)
    assert process.remote.wait_for_ticks(["EURUSD"], far_msc, 1.0), "asking it is the next one's"
    killer.join()
