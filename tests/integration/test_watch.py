"""The watcher as a process: an order denied on the bus is an alert with its latency in a table."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adapters.bus import select
from adapters.bus.base import Bus, Message
from core.audit_log import AuditLine, append
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.operations import Heartbeat, RiskState
from core.contracts.order import EventKind
from core.sections import BusSettings
from core.topics import HEARTBEATS, ORDER_EVENTS, RISK
from tests.support.orders import event
from tests.support.servers import NatsServer
from tests.support.warehouse_server import ROOT, Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process


def heart_of(bus: Bus) -> Message:
    """The last beat of the watcher: it is on the bus within a second or two."""
    deadline = time.monotonic() + 20
    while (heartbeat := bus.last(HEARTBEATS, "watch")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return heartbeat


def test_a_breach_is_alerted_measured_and_the_log_is_brought_over(
    warehouse: Warehouse, nats_server: NatsServer, tmp_path: Path
) -> None:
    append(tmp_path, AuditLine(1, "ann", True, "override", "more", reason="news"))
    environment = os.environ | {
        "TICKHOUSE_HOME": str(tmp_path),
        **warehouse.environment,
        "TICKHOUSE_BUS__URL": nats_server.url,
    }
    bus = select.connect(BusSettings(url=nats_server.url), "test")
    tripped = RiskState(
        run_id="live", mode="live", account="acc1", ts_event_us=7_000_000, ts_init_us=7_000_000,
        state="halted", by="breaker loss", reason="too much",
    )  # fmt: skip
    bus.publish(RISK, "acc1", codec.encode(tripped), "while the watcher was down")
    process = subprocess.Popen([sys.executable, "-m", "surveillance"], cwd=ROOT, env=environment)
    client = warehouse.client
    try:
        deadline = time.monotonic() + 60
        breaches, people, clocks, sent = [], [], [], 0
        while not (breaches and len(people) == 2 and clocks):
            assert time.monotonic() < deadline
            sent += 1  # until it listens
            denied = event(sent, EventKind.DENIED, SystemClock().now_us(), reason="oversized")
            bus.publish(ORDER_EVENTS, "acc1", codec.encode(denied), f"m{sent}")
            time.sleep(0.2)
            breaches = client.query(
                "SELECT control, dateDiff('microsecond', ts_event, ts_raised) FROM control_alert"
            ).result_rows
            people = client.query("SELECT actor, reason FROM audit_event ORDER BY seq").result_rows
            clocks = client.query(
                "SELECT DISTINCT method, granularity_us > 0 FROM clock_sync"
            ).result_rows
        assert breaches[0][0] == "oversized"
        assert breaches[0][1] > 0
        assert people == [("ann", "news"), ("breaker loss", "too much")]
        beat = codec.decode(HEARTBEATS.name, heart_of(bus).payload)
        assert isinstance(beat, Heartbeat)
        assert (beat.process, beat.status) == ("watch", "ready")
        assert ("kernel", 1) in clocks
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
        bus.close()
