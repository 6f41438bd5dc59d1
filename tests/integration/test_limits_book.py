"""Limits that are edited or signed while it trades have their text beside their version at once."""

import threading
from pathlib import Path

from audit.export import export
from core.clock import ManualClock
from core.controls.watch import WatchedControls
from core.home_users import SETUP
from core.sections import ExecutionSettings, RunSettings
from execution.listeners import Listeners
from execution.order_path.quotes import LiveQuotes
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.signed_limits import SignedLimits
from execution.risk.trading_state import TradingState
from tests.support.memory_bus import MemoryBus
from tests.support.signed_home import SignedHome
from tests.support.waiting import until
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]

RUN = RunSettings("live", "live", "simulated", "model")
LIMITS = 'version = "{}"\n[limits]\nmax_lots = {}\n'
BOOK = "SELECT version, hash, body, author FROM limits_book ORDER BY ts_since, version"


def test_the_text_of_an_edited_file_is_in_the_book_before_the_next_start(
    warehouse: Warehouse,
) -> None:
    empty_tables(warehouse)
    home, fallback = warehouse.home, of_settings(ExecutionSettings())
    limits = LimitsFile("simulated", fallback, home)
    clock, stop = ManualClock(1_700_000_000_000_000), threading.Event()
    listeners = Listeners(
        RUN, MemoryBus(), LiveQuotes(), TradingState(home / "control.json"), stop, limits,
        clock=clock,
    )  # fmt: skip
    listeners.start()
    try:
        known = []
        for name, lots in (("first", 0.5), ("second", 0.7), ("first", 0.5)):
            (home / "limits.toml").write_text(LIMITS.format(name, lots))
            until(lambda name=name: limits.rules.version.startswith(f"{name}+"))
            clock.advance(1_000_000)
            known.append((limits.rules.version, LIMITS.format(name, lots)))
    finally:
        stop.set()
        listeners.join()
        listeners.close()
    export(warehouse.client, warehouse.settings_of(SETUP), Path(home))
    rows = warehouse.client.query(BOOK).result_rows
    assert [(version, body, author) for version, _, body, author in rows] == [
        (version, body, "") for version, body in known[:2]
    ]
    for version, content_hash, *_ in rows:
        assert content_hash.startswith(version.partition("+")[2])


def test_the_text_of_limits_signed_while_it_trades_is_in_the_book_with_who_signed(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    empty_tables(warehouse)
    signed = SignedHome(tmp_path, ("ann", "bob"))
    signed.limits("max_lots = 0.5")
    watched = WatchedControls(signed.place, signed.judge, signed.clock, 0)
    limits = SignedLimits("simulated", of_settings(ExecutionSettings()), signed.home, watched)
    stop = threading.Event()
    listeners = Listeners(
        RUN, MemoryBus(), LiveQuotes(), TradingState(signed.home / "control.json"), stop, limits,
        clock=signed.clock,
    )  # fmt: skip
    listeners.start()
    try:
        signed.limits("max_lots = 0.4", "bob")
        until(lambda: limits.rules.version.endswith("#3"))
    finally:
        stop.set()
        listeners.join()
        listeners.close()
    export(warehouse.client, warehouse.settings_of(SETUP), signed.home)
    (row,) = warehouse.client.query(BOOK).result_rows
    assert (row[0], row[3]) == (limits.rules.version, "bob")
    assert row[2] == 'version = "t"\n[limits]\nmax_lots = 0.4\n'
