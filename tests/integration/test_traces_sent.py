"""Ended orders reach a collector once; one that is away stops nothing and misses nothing."""

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.clock import ManualClock
from core.sections import RunSettings, TraceSettings
from core.settings import Settings
from core.trace import trace_id
from surveillance.traces import TraceSender
from tests.integration.test_order_trace import DENIED, ORDER, ROWS, START, WAITED, event
from tests.support.http_receiver import Receiver
from tests.support.servers import free_port
from tests.support.warehouse_server import Warehouse, empty_tables, migrated
from tests.unit.adapters.test_otlp import parsed

pytestmark = pytest.mark.process

NOW_US = round(START.timestamp() * 1e6) + 60_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = migrated(tmp_path_factory.mktemp("warehouse"))
    yield warehouse
    warehouse.stop()


def fill(server: Warehouse) -> None:
    for table, rows in ROWS.items():
        add(server, table, rows)


def add(server: Warehouse, table: str, rows: list[dict[str, object]]) -> None:
    lines = b"\n".join(msgspec.json.encode(row) for row in rows)
    server.client.raw_insert(table, insert_block=lines, fmt="JSONEachRow")


def sender(server: Warehouse, home: Path, url: str, now_us: int = NOW_US) -> TraceSender:
    settings = Settings(
        home=str(home),
        run=RunSettings(run_id="live", mode="live", account="a"),
        clickhouse=server.settings_of("watch"),
        traces=TraceSettings(otlp_endpoint=url),
    )
    return TraceSender(settings, ManualClock(now_us))


def names(collector: Receiver) -> list[list[str]]:
    """Trace ids of each request, by the protocol's own reading."""
    return [
        list(
            dict.fromkeys(
                span.trace_id.hex()
                for resource in parsed(body).resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            )
        )
        for body in collector.received
    ]


def test_each_order_is_sent_once_after_it_ended(server: Warehouse, tmp_path: Path) -> None:
    empty_tables(server)
    with Receiver() as collector:
        sender(server, tmp_path, collector.base).turn()  # begins with what comes from now on
        fill(server)
        early = sender(server, tmp_path, collector.base, NOW_US - 50_000_000)
        early.turn()  # ended a moment ago: rows may be on their way
        assert collector.received == []
        one = sender(server, tmp_path, collector.base)
        one.turn()
        one.turn()
        sender(server, tmp_path, collector.base).turn()  # a process that was started again
        more = [event("f" * 30, 20, "denied", 1_000)]
        add(server, "order_event", more)
        one.turn()
    sent = names(collector)
    assert sorted(sent[0]) == sorted(trace_id(o) for o in (ORDER, DENIED, WAITED, "e" * 30))
    assert sent[1:] == [[trace_id("f" * 30)]]


def test_a_collector_that_is_away_is_told_of_once_and_misses_nothing(
    server: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty_tables(server)
    caplog.set_level(logging.INFO)
    port = free_port()
    away = sender(server, tmp_path, f"http://127.0.0.1:{port}")
    away.turn()
    fill(server)
    waits = []
    for _ in range(6):
        away.turn()
        waits.append(away.wait_s)
    assert waits == [10, 20, 40, 60, 60, 60]
    warned = [r for r in caplog.records if "traces" in r.message]
    assert [r.levelname for r in warned] == ["WARNING"]
    with Receiver() as collector:
        away.endpoint = collector.base
        away.turn()
        assert len(names(collector)[0]) == 4
    assert away.wait_s == 5
    assert "sent again" in caplog.text


def test_what_a_collector_refuses_for_good_does_not_hold_up_the_rest(
    server: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty_tables(server)
    with Receiver(400) as collector:
        one = sender(server, tmp_path, collector.base)
        one.turn()
        fill(server)
        one.turn()
        one.turn()
        assert len(collector.received) == 1
    assert "traces of 4 orders were refused" in caplog.text


def test_a_damaged_note_begins_with_the_orders_from_now_on(
    server: Warehouse, tmp_path: Path
) -> None:
    empty_tables(server)
    fill(server)
    (tmp_path / "traces.json").write_text("{")
    with Receiver() as collector:
        sender(server, tmp_path, collector.base).turn()
        assert collector.received == []
