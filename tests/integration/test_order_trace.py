"""An order's trace: a row per span from tick to fill, of the times that its events carry."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from core.sections import ClickhouseSettings
from core.trace import trace_id
from dashboards.live.trace_page import TracePage
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = pytest.mark.process

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
FEED = {"source": "sim", "symbol": "PAIR"}
RUN = {"run_id": "live", "mode": "live", "account": "a", "strategy": "s"}
ORDER = "0123456789abcdef0123456789abcd"
DENIED, EXIT, OLD = "d" * 30, "e" * 30, "an order of another version"
WAITED, GONE = "a" * 30, "b" * 30


def at(milliseconds: float) -> str:
    return f"{START + timedelta(milliseconds=milliseconds):%F %T.%f}"


def event(order: str, seq: int, kind: str, ms: float, **more: Any) -> dict[str, Any]:
    order_of = {"purpose": "entry", "side": "buy", "volume": 0.1, "signal_id": "g"} | more
    row = {"seq": seq, "order_id": order, "kind": kind, "ts_event": at(ms), "ts_init": at(ms)}
    return RUN | FEED | row | order_of


ROWS: dict[str, list[dict[str, Any]]] = {
    "tick": [FEED | {"ts_event": at(0), "seq": 1, "bid": 1.4, "ask": 1.6, "recv_after_us": 2000}],
    "feature": [RUN | FEED | {"ts_event": at(0), "seq": 1, "ts_init": at(6), "spread": 0.2}],
    "prediction": [
        RUN | FEED | {"ts_event": at(0), "seq": 1, "ts_init": at(6), "p_down": 0.25, "p_up": 0.5}
    ],
    "signal": [
        RUN | FEED
        | {"signal_id": "g", "ts_event": at(0), "seq": 1, "ts_init": at(4), "confidence": 0.5}
    ],
    "order_event": [
        event(ORDER, 1, "received", 5),
        event(ORDER, 2, "submitted", 5),
        event(ORDER, 3, "accepted", 9),
        event(ORDER, 4, "partially_filled", 10, ts_event=at(8), volume=0.06, price=1.6),
        event(ORDER, 5, "filled", 11, ts_event=at(8.5), volume=0.04, price=1.61),
        event(ORDER, 6, "closed", 60_000, purpose="stop"),
        event(DENIED, 7, "received", 5, signal_id="none"),
        event(DENIED, 8, "denied", 5.5, reason="wide_spread", signal_id="none"),
        event(EXIT, 9, "submitted", 9_000, purpose="horizon", side="sell"),
        event(EXIT, 10, "rejected", 9_010, purpose="horizon", side="sell", reason="10019 no money"),
        event(OLD, 11, "submitted", 1, signal_id=""),
        event(WAITED, 12, "submitted", 10, reason="limit dip", price=1.45, signal_id="none"),
        event(WAITED, 13, "accepted", 15, signal_id="none"),
        event(WAITED, 14, "filled", 9_020, ts_event=at(9_015), price=1.45, signal_id="none"),
        event(GONE, 15, "submitted", 10, reason="stop out", price=1.7, signal_id="none"),
        event(GONE, 16, "accepted", 15, signal_id="none"),
        event(GONE, 17, "expired", 60_015, reason="state 6", signal_id="none"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = migrated(tmp_path_factory.mktemp("warehouse"))
    try:
        for table, rows in ROWS.items():
            lines = b"\n".join(msgspec.json.encode(row) for row in rows)
            warehouse.client.raw_insert(table, insert_block=lines, fmt="JSONEachRow")
        yield warehouse
    finally:
        warehouse.stop()


def of(server: Warehouse, *orders: str) -> list[dict[str, Any]]:
    sql = "SELECT * FROM order_trace(orders = {orders:Array(String)})"
    return list(server.client.query(sql, {"orders": list(orders)}).named_results())


def test_an_order_is_told_from_its_tick_to_its_fills(server: Warehouse) -> None:
    spans = of(server, ORDER)
    times = [
        (s["span"], (s["ts_start"].replace(tzinfo=UTC) - START) / timedelta(milliseconds=1),
         s["duration_us"] / 1000)
        for s in spans
    ]  # fmt: skip
    assert times == [
        ("order", 0.0, 11.0), ("tick", 0.0, 2.0), ("decision", 2.0, 2.0), ("feature", 6.0, 0.0),
        ("prediction", 6.0, 0.0), ("signal", 4.0, 1.0), ("risk", 5.0, 0.0), ("sent", 5.0, 4.0),
        ("broker", 5.0, 3.0), ("fill", 8.0, 2.0), ("fill", 8.5, 2.5),
    ]  # fmt: skip
    assert spans[0]["detail"] == "buy 0.1 PAIR, entry: filled"
    assert spans[-1]["detail"] == "0.04 lots at 1.61"


def test_the_order_names_the_trace_and_the_trace_its_spans(server: Warehouse) -> None:
    spans = of(server, ORDER, OLD)
    assert {s["order_id"]: s["trace_id"] for s in spans} == {o: trace_id(o) for o in (ORDER, OLD)}
    assert trace_id(ORDER) == f"00{ORDER}"
    assert all(len(trace_id(order)) == 32 for order in (ORDER, OLD))
    own = [s for s in spans if s["order_id"] == ORDER]
    assert len({s["span_id"] for s in own}) == len(own)
    assert [s["parent_id"] for s in own] == ["", *([own[0]["span_id"]] * (len(own) - 1))]
    assert of(server, ORDER) == own


def test_what_was_not_sent_ends_where_it_was_refused(server: Warehouse) -> None:
    spans = of(server, DENIED)
    assert [(s["span"], s["duration_us"]) for s in spans] == [("order", 500), ("risk", 500)]
    assert spans[1]["detail"] == "denied wide_spread"


def test_an_exit_does_not_go_back_to_the_signal_that_opened_the_position(
    server: Warehouse,
) -> None:
    spans = of(server, EXIT)
    assert [s["span"] for s in spans] == ["order", "sent"]
    assert spans[0]["duration_us"] == 10_000
    assert spans[0]["detail"] == "sell 0.1 PAIR, horizon: rejected 10019 no money"


def test_an_order_that_waits_has_its_wait_instead_of_the_brokers_time(server: Warehouse) -> None:
    spans = {
        order: [(s["span"], s["duration_us"] / 1000) for s in of(server, order)]
        for order in (WAITED, GONE)
    }
    assert spans[WAITED] == [("order", 9_010), ("sent", 5), ("waiting", 9_000), ("fill", 5)]
    assert spans[GONE] == [("order", 60_005), ("sent", 5), ("waiting", 60_000)]
    assert of(server, WAITED)[2]["detail"] == "limit dip at 1.45"
    assert of(server, GONE)[0]["detail"] == "buy 0.1 PAIR, entry: expired state 6"


def test_an_order_nobody_knows_has_no_trace(server: Warehouse) -> None:
    assert of(server, "f" * 30) == []


def page(settings: ClickhouseSettings) -> TestClient:
    return TestClient(Starlette(routes=[Route("/trace", TracePage(settings).answer)]))


def test_the_page_draws_an_orders_spans(server: Warehouse) -> None:
    with page(server.settings_of("board")) as browser:
        text = browser.get(f"/trace?order={ORDER}").text
        assert text.count("<tr") == 1 + 11
        assert trace_id(ORDER) in text
        assert "margin-left:45.45%;width:36.36%" in text  # sent: from 5 ms, 4 of 11
        assert browser.get(f"/trace?order={'f' * 30}").status_code == 404
        assert browser.get("/trace").status_code == 400
        hostile = browser.get("/trace?order=<script>alert(1)</script>")
        assert "<script" not in hostile.text


def test_the_page_says_that_the_warehouse_is_away() -> None:
    with page(ClickhouseSettings(url="http://127.0.0.1:9")) as browser:
        answer = browser.get(f"/trace?order={ORDER}")
    assert answer.status_code == 503
    assert "the warehouse does not answer" in answer.text
