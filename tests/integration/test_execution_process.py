"""`python -m execution` over a real bus and a served terminal: a replay, a crash, live trading."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from adapters.bus.base import Bus
from adapters.bus.select import connect
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.server import Server
from adapters.simulator.terminal import SimulatedTerminal
from core import trading_control
from core.contracts import codec
from core.contracts.operations import Heartbeat
from core.contracts.order import EventKind, ExecutionMarker, OrderEvent
from core.contracts.signal import SignalBatch
from core.contracts.tick import TICK, TickBatch
from core.credentials import directory_of
from core.sections import BusSettings
from core.topics import HEARTBEATS, ORDER_EVENTS, SIGNALS, TICKS
from core.trading_control import ControlCommand
from execution.journal import journal
from execution.risk import overrides
from execution.risk.overrides import Override, Overrides
from tests.support import replays
from tests.support.servers import NatsServer
from tests.support.signed_home import SignedHome
from tests.support.waiting import until

pytestmark = pytest.mark.process


@pytest.fixture
def bus(nats_server: NatsServer) -> Iterator[Bus]:
    client = connect(BusSettings(url=nats_server.url), "test")
    yield client
    client.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Server]:
    server = Server(replays.terminal(tmp_path), directory_of(tmp_path))
    yield server
    server.close()


def environment(home: Path, nats_server: NatsServer, served: Server, **more: str) -> dict[str, str]:
    run = replays.RUN
    return {
        **os.environ, "TICKHOUSE_HOME": str(home), "TICKHOUSE_BUS__URL": nats_server.url,
        "TICKHOUSE_TERMINAL__ADDRESS": served.address, "TICKHOUSE_RUN__RUN_ID": run.run_id,
        "TICKHOUSE_RUN__MODE": run.mode, "TICKHOUSE_RUN__ACCOUNT": run.account,
        "TICKHOUSE_RUN__STRATEGY": run.strategy,
        "TICKHOUSE_EXECUTION__MAX_ORDERS_PER_MINUTE": "12", **more,
    }  # fmt: skip


def execution(environ: dict[str, str]) -> "subprocess.Popen[str]":
    line = [sys.executable, "-m", "execution"]
    return subprocess.Popen(line, env=environ, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]") -> int:
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, -9), errors
    return process.returncode


def stored(bus: Bus) -> list[object]:
    reader, records = bus.subscribe(ORDER_EVENTS), []
    while (message := reader.next(0.5)) is not None:
        records.append(codec.decode("order_events", message.payload))
    reader.close()
    return records


def test_a_replay_killed_on_its_way_ends_with_the_events_of_one_that_was_not(
    tmp_path: Path, bus: Bus, nats_server: NatsServer, served: Server
) -> None:
    (tmp_path / "unkilled").mkdir()
    replays.run(tmp_path / "unkilled", replays.filled_bus())
    for part in replays.parts():
        for payload in part.ticks:
            bus.send(TICKS, "k", payload)
        for payload in part.signals:
            bus.send(SIGNALS, "k", payload)
    bus.flush()
    environ = environment(
        tmp_path, nats_server, served, TICKHOUSE_CHAOS__CRASH_AT="execution.send.after:60"
    )
    assert ended(execution(environ)) == -9
    assert ended(execution(environ)) == 0
    expected = replays.events(tmp_path / "unkilled")
    assert list(journal.events(tmp_path / "runs" / "r1" / "journal")) == expected
    records = stored(bus)
    assert [m for m in records if isinstance(m, OrderEvent)] == expected
    assert isinstance(records[-1], ExecutionMarker)
    assert records[-1].end
    beat = bus.last(HEARTBEATS)
    assert beat is not None
    last = codec.decode("heartbeats", beat.payload)
    assert isinstance(last, Heartbeat)
    assert (last.process, last.status) == ("execution", "stopping")


def test_a_replay_under_signed_limits_names_the_signed_version_in_every_denial(
    tmp_path: Path, bus: Bus, nats_server: NatsServer, served: Server
) -> None:
    signed = SignedHome(tmp_path)
    signed.limits("max_lots = 0.5")
    entry = signed.limits("max_lots = 0.05")
    for part in replays.parts():
        for payload in part.ticks:
            bus.send(TICKS, "k", payload)
        for payload in part.signals:
            bus.send(SIGNALS, "k", payload)
    bus.flush()
    environ = environment(
        signed.home, nats_server, served, TICKHOUSE_CONTROLS__TRUST=signed.settings.trust,
        TICKHOUSE_TERMINAL__CREDENTIALS=str(directory_of(tmp_path)),
    )  # fmt: skip
    assert ended(execution(environ)) == 0
    events = list(journal.events(signed.home / "runs" / "r1" / "journal"))
    denied = [e for e in events if e.kind is EventKind.DENIED and e.limits_version]
    assert {e.limits_version.rpartition("#")[2] for e in denied} == {str(entry.number)}
    assert "oversized" in {e.reason for e in denied}


def test_live_it_trades_halts_and_drains(tmp_path: Path, bus: Bus, nats_server: NatsServer) -> None:
    market = GeneratedMarket(("BTCUSD",), "sim", 7)
    server = Server(SimulatedTerminal(market, log=tmp_path / "account.log"), directory_of(tmp_path))
    environ = environment(
        tmp_path, nats_server, server, TICKHOUSE_RUN__RUN_ID="live",
        TICKHOUSE_RUN__MODE="demo", TICKHOUSE_RUN__ACCOUNT="simulated",
    )  # fmt: skip
    process = execution(environ)
    try:
        health = tmp_path / "run" / "execution.json"
        until(health.exists)
        until(lambda: bus.last(HEARTBEATS) is not None)
        _signal(bus, 1.0)
        until(lambda: EventKind.FILLED in _kinds(bus))
        (tmp_path / "control.json").write_text(
            '{"state": "halted", "by": "ann", "reason": "news", "ts_us": 5}'
        )
        (tmp_path / "limits.toml").write_text('version = "desk"\n')
        assert trading_control.halt_running(
            tmp_path, ControlCommand("halted", "ann", "by port too", 6)
        )
        _signal(bus, -1.0)  # closes, and does not open the other way
        until(lambda: EventKind.DENIED in _kinds(bus))
        process.send_signal(signal.SIGTERM)
        assert ended(process) == 0
        assert not health.exists()
    finally:
        process.kill()
        process.wait()
        server.close()
    events = list(journal.events(tmp_path / "execution" / "simulated" / "journal"))
    assert (events[0].kind, events[0].purpose) == (EventKind.BOOKED, "opening")
    assert [f"{e.purpose} {e.kind.value}" for e in events[1:]] == [
        "entry received", "entry submitted", "entry accepted", "entry filled",
        "opposite received", "opposite submitted", "opposite accepted", "opposite filled",
        "entry denied",
    ]  # fmt: skip
    assert events[-1].reason == "halted"
    assert events[-1].limits_version.startswith("desk+")


def test_who_owns_the_files_of_a_running_home_raises_nothing(
    tmp_path: Path, bus: Bus, nats_server: NatsServer
) -> None:
    """He edits limits, grants himself an override, cuts the chain and starts what was halted."""
    signed = SignedHome(tmp_path, ("ann", "bob"), "firm")
    home, entry = signed.home, signed.limits("max_lots = 0.05")
    market = GeneratedMarket(("BTCUSD",), "sim", 7)
    server = Server(SimulatedTerminal(market, log=tmp_path / "account.log"), directory_of(home))
    environ = environment(
        home, nats_server, server, TICKHOUSE_RUN__RUN_ID="live", TICKHOUSE_RUN__MODE="demo",
        TICKHOUSE_RUN__ACCOUNT="simulated", TICKHOUSE_CONTROLS__TRUST=signed.settings.trust,
    )  # fmt: skip
    process = execution(environ)
    try:
        until((home / "run" / "execution.json").exists)
        (home / "limits.toml").write_text('version = "e"\n[limits]\nmax_lots = 9.0\n')
        now = time.time_ns() // 1000
        allowed = Override(
            rule="max_lots", value=9.0, account="simulated", symbol="", by="eve", reason="",
            from_us=now, until_us=now + 3_600_000_000,
        )  # fmt: skip
        overrides.save(overrides.path_in(home), Overrides([allowed]))
        chain = signed.place.chain.read_bytes()
        signed.place.chain.write_bytes(chain.splitlines(keepends=True)[0])
        until(lambda: "not obeyed" in _says(bus))
        _signal(bus, 1.0)
        until(lambda: EventKind.DENIED in _kinds(bus))
        signed.approve(signed.limits("max_lots = 0.5").number, "bob")
        trading_control.write(home / "control.json", ControlCommand("halted", "ann", "news", 5))
        until((signed.place.trust / "control.json").exists)
        (home / "control.json").unlink()
        _signal(bus, -1.0)
        until(lambda: _kinds(bus).count(EventKind.DENIED) == 2)
    finally:
        process.kill()
        process.communicate()
        server.close()
    events = journal.events(home / "execution" / "simulated" / "journal")
    denied = [e for e in events if e.kind is EventKind.DENIED]
    assert [e.reason for e in denied] == ["oversized", "halted"]
    assert [e.limits_version.rpartition("#")[2] for e in denied] == [str(entry.number), "3"]


def _says(bus: Bus) -> str:
    """What execution says of itself."""
    beat = bus.last(HEARTBEATS)
    last = codec.decode("heartbeats", beat.payload) if beat else None
    return last.detail if isinstance(last, Heartbeat) else ""


def _signal(bus: Bus, target: float) -> None:
    """A signal at the market as it is now, with the quote that goes with it."""
    now = time.time_ns() // 1000
    price = _btc()
    tick = np.zeros(1, TICK)
    tick["time_msc"], tick["bid"], tick["ask"] = now // 1000, price, price + 10
    batch = TickBatch("live", "demo", "sim", "BTCUSD", 0, 0, tick.tobytes())
    bus.publish(TICKS, "sim.BTCUSD", codec.encode(batch))
    time.sleep(0.1)  # execution tells nobody that a quote came; a signal before it is denied
    signal = replays.signal("sim", "BTCUSD", (now // 1000, price, price + 10), target)
    stop = price * (0.97 if target > 0 else 1.03)
    signal = replace(
        signal, run_id="live", mode="demo", account="simulated", ts_event_us=now, stop_price=stop,
        horizon_us=now + 60_000_000, expires_us=now + 5_000_000,
    )  # fmt: skip
    bus.publish(SIGNALS, "sim.BTCUSD", codec.encode(SignalBatch("live", 0, now, [signal])))


def _btc() -> float:
    market = GeneratedMarket(("BTCUSD",), "sim", 7)
    quote = market.tape("sim", "BTCUSD").last_until(time.time_ns() // 1_000_000)
    assert quote is not None
    return quote.bid


def _kinds(bus: Bus) -> list[EventKind]:
    return [m.kind for m in stored(bus) if isinstance(m, OrderEvent)]
