"""All processes of a real `up` die at once: orders are filled again, and everything comes back.

The seconds are printed, for they depend on the machine: on two quiet cores it trades again within
10 s and is whole within 30.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.bus import select
from adapters.bus.base import Bus
from adapters.simulator.markets.generated_market import GeneratedMarket
from cli.diagnostics.status import HEALTHY
from core.contracts import codec
from core.contracts.order import EventKind
from core.contracts.signal import Signal
from core.credentials import directory_of
from core.sections import BusSettings
from core.topics import SIGNALS
from execution.journal import journal
from tests.support import new_home
from tests.support.running_stack import healthy, status_of
from tests.support.waiting import until

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival"), pytest.mark.timeout(600)]

_ROOT = Path(__file__).parents[2]
_TICKHOUSE = [sys.executable, "-m", "cli.main"]
_PATIENCE_S = 180.0
_BTC = GeneratedMarket(("BTCUSD",), "sim", 7)  # what the terminal of `up` shows by default


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    return kept | {
        "PYTHONPATH": str(_ROOT),
        "TICKHOUSE_HOME": str(tmp_path / "home"),
        "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",  # its market never closes
        "TICKHOUSE_EXECUTION__LOTS": "0.1",
        "TICKHOUSE_ORCHESTRATION__ENABLED": "false",  # tests/integration/test_dagster_up.py
    }


@pytest.fixture
def home(tmp_path: Path, environment: dict[str, str]) -> Iterator[Path]:
    """Of a running `up`."""
    new_home.for_up(tmp_path / "home")
    with (tmp_path / "up.log").open("wb") as log:
        up = subprocess.Popen(
            [*_TICKHOUSE, "up", "--bare"], cwd=tmp_path, env=environment, stdout=log, stderr=log
        )
    try:
        yield tmp_path / "home"
        up.send_signal(signal.SIGTERM)
        up.wait(timeout=60)
    finally:
        up.kill()
        up.wait()


@pytest.fixture
def bus(home: Path, environment: dict[str, str]) -> Iterator[Bus]:
    stack = until(lambda: status_of(environment).stack, _PATIENCE_S)
    where = stack.urls["bus"]
    owner = select.connect(BusSettings(url=where, credentials=str(directory_of(home))), "owner")
    yield owner
    owner.close()


def test_all_processes_killed_at_once_trade_again_and_all_come_back(
    home: Path, environment: dict[str, str], bus: Bus
) -> None:
    started = healthy(environment)
    wishes = Wishes(home, bus)
    until(lambda: wishes.filled() > 0, _PATIENCE_S, meanwhile=wishes.wish, every_s=0.1)
    pids = {name: state.pid for name, state in started.processes.items()}
    assert len(pids) == 10
    known, begin, back = wishes.filled(), time.monotonic(), {}
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: wishes.filled() > known, _PATIENCE_S, meanwhile=wishes.wish, every_s=0.1)
    back["an order is filled"] = time.monotonic() - begin

    def whole() -> bool:
        report = status_of(environment)
        for name, state in report.processes.items():
            if state.ready and state.pid != pids[name]:
                back.setdefault(name, time.monotonic() - begin)
        return report.exit_code == HEALTHY and pids.keys() <= back.keys()

    until(whole, _PATIENCE_S, every_s=0.2)
    back["all is healthy"] = time.monotonic() - begin
    print(
        "\nall killed at once; seconds until",
        *(f"  {v:5.1f} {k}" for k, v in back.items()),
        sep="\n",
    )


class Wishes:
    """Somebody who wishes for BTCUSD, in turn long and flat, and counts what was filled."""

    def __init__(self, home: Path, bus: Bus) -> None:
        self._journal = home / "execution" / "simulated" / "journal"
        self._bus, self._count, self._due = bus, 0, 0.0

    def filled(self) -> int:
        if not self._journal.exists():
            return 0
        return sum(event.kind is EventKind.FILLED for event in journal.events(self._journal))

    def wish(self) -> None:
        """At most once a second: an execution that just came denies some."""
        if time.monotonic() < self._due:
            return
        self._due, self._count, now = (
            time.monotonic() + 1.0,
            self._count + 1,
            time.time_ns() // 1000,
        )
        quote, target = _BTC.tape("sim", "BTCUSD").last_until(now // 1000), float(self._count % 2)
        assert quote is not None
        signal = Signal(
            signal_id=f"wish.{self._count}", run_id="live", mode="demo", account="simulated",
            strategy="model", source="sim", symbol="BTCUSD", ts_event_us=now, ts_init_us=now,
            time_msc=now // 1000, seq=0, target=target, reference_price=quote.bid,
            stop_price=quote.bid * 0.97 if target else 0.0, horizon_us=now + 3_600_000_000,
            expires_us=now + 10_000_000, confidence=0.9, model="a model", prediction_id="",
        )  # fmt: skip
        self._bus.send(SIGNALS, "sim.BTCUSD", codec.encode(signal), signal.signal_id)
