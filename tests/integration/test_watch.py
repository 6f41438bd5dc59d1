"""The watcher as a process: an order denied on the bus is an alert with its latency in a table."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from itertools import count
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
from tests.support.waiting import until
from tests.support.warehouse_server import ROOT, Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process

BREACHES = "SELECT control, dateDiff('microsecond', ts_event, ts_raised) FROM control_alert"
PEOPLE = "SELECT actor, reason FROM audit_event ORDER BY seq"
CLOCKS = "SELECT DISTINCT method, granularity_us > 0 FROM clock_sync"


def heart_of(bus: Bus) -> Message:
    """The last beat of the watcher: it is on the bus within a second or two."""
    return until(lambda: bus.last(HEARTBEATS, "watch"))


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
        numbers = count(1)

        def deny() -> None:  # again and again, until it listens
            seq = next(numbers)
            denied = event(seq, EventKind.DENIED, SystemClock().now_us(), reason="oversized")
            bus.publish(ORDER_EVENTS, "acc1", codec.encode(denied), f"m{seq}")

        def rows(statement: str) -> Sequence[Sequence[object]]:
            return client.query(statement).result_rows

        breaches = until(lambda: rows(BREACHES), running=process, meanwhile=deny, every_s=0.2)
        until(lambda: len(rows(PEOPLE)) == 2, running=process)
        clocks = until(lambda: rows(CLOCKS), running=process)
        assert breaches[0][0] == "oversized"
        assert breaches[0][1] > 0
        assert rows(PEOPLE) == [("ann", "news"), ("breaker loss", "too much")]
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
