"""Lineage: every order event leads to its signal, session, prediction, tick and its versions."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from adapters.clickhouse import client, migrate
from core.home_users import DBT
from dashboards.grafana.macros import BoardSpan, expand
from tests.support.board_panels import targets
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = pytest.mark.process

KINDS = (
    "received", "superseded", "denied", "submitted", "accepted", "partially_filled", "filled",
    "rejected", "cancelled", "expired", "unknown", "reconciled", "closed", "stop_moved",
)  # fmt: skip
FILLS = ("partially_filled", "filled", "closed")
TICK = {"source": "sim", "symbol": "PAIR", "ts_event": "2026-03-02 10:00:00.000000", "seq": 1}
RUN = {"run_id": "live", "mode": "live", "account": "a", "strategy": "s"}
SIGNAL = RUN | TICK | {
    "signal_id": "g", "model": "m", "prediction_id": "live.sim.PAIR.1772445600000.1",
    "ts_init": "2026-03-02 10:00:00.001000", "reference_price": 1.5, "session_id": "live-2",
}  # fmt: skip
ORDER = RUN | {"order_id": "o", "signal_id": "g", "source": "sim", "symbol": "PAIR"}
DEAL = {"mode": "live", "account": "a", "kind": "buy", "price": 1.5,
        "ts_event": "2026-03-02 10:00:00.000000"}  # fmt: skip
VERSION = TICK | {"kind": "correction", "ask": 1.6}
ROWS: dict[str, list[dict[str, Any]]] = {
    "tick": [
        TICK | {"bid": 1.4, "ask": 1.6},
        TICK | {"seq": 0, "bid": 9, "ask": 9},
        TICK | {"seq": 2, "bid": 1.41, "ask": 1.6},
    ],
    "feature": [RUN | TICK | {"mid": 1.5, "spread": 0.2, "feature_set_hash": "f"}],
    "prediction": [
        RUN | TICK | {"model": "m", "p_down": 0.25, "p_flat": 0.25, "p_up": 0.5, "absent": 2,
                      "members": [0.5, 0.25, 0.25, 0, 0, 1], "outside": 3},
    ],
    "model": [{"model": "m", "members": ["trees", "linear"], "member_weights": [0.75, 0.25]}],
    "shadow_prediction": [
        RUN | TICK | {"model": "other", "members": [0.5, 0.25, 0.25], "absent": 0},
    ],
    "session": [
        RUN | {"session_id": f"live-{n}", "number": n, "settings_hash": f"settings {n}"}
        for n in (1, 2)
    ],
    "signal": [
        SIGNAL,
        SIGNAL | {"signal_id": "corrected", "seq": 2},
        SIGNAL | {"signal_id": "late", "seq": 2, "ts_init": "2026-03-05 10:00:00.001000"},
        SIGNAL | {"signal_id": "withdrawn", "seq": 3},
        SIGNAL | {"signal_id": "replayed", "seq": 2, "run_id": "r", "mode": "replay",
                  "reference_price": 1.505, "session_id": ""},
        SIGNAL | {"signal_id": "unknown tick", "seq": 4},
    ],
    "order_event": [
        *(
            ORDER | {"seq": n, "event_id": f"o.{n}", "kind": kind, "hash": f"h{n}",
                     "ts_event": "2026-03-02 10:00:01.000000", "session_id": "live-1",
                     "venue_position": 7, "limits_version": "limits 3", "limit": 2.0,
                     "observed": 3.0, "reason": f"why {kind}", "profit": 1.0}
            for n, kind in enumerate(KINDS, 1)
        ),
        ORDER | {"seq": 20, "kind": "cancelled", "mode": "shadow", "account": "b", "order_id": "w",
                 "reason": "shadow: nothing is sent", "ts_event": "2026-03-02 10:00:01.000000"},
        *(
            ORDER | {"seq": 30 + n, "kind": "denied", "order_id": name, "signal_id": name,
                     "ts_event": "2026-03-02 10:00:02.000000"}
            for n, name in enumerate(("corrected", "late", "withdrawn", "unknown tick"))
        ),
        ORDER | {"seq": 40, "kind": "booked", "order_id": "", "signal_id": "",
                 "ts_event": "2026-03-03 10:00:00.000000"},
        *(
            ORDER | {"seq": 50 + n, "kind": "filled", "order_id": name, "venue_deal": deal,
                     "side": "buy", "volume": lots, "price": 1.5, "profit": 9.0,
                     "ts_event": "2026-03-05 10:00:00.000000"}
            for n, (name, deal, lots) in enumerate(
                (("part", 5, 1.0), ("rest", 5, 2.0), ("busted", 6, 1.0), ("as told", 8, 1.0))
            )
        ),
        ORDER | {"seq": 1, "kind": "filled", "order_id": "replayed", "signal_id": "replayed",
                 "run_id": "r", "mode": "replay", "ts_event": "2026-03-04 10:00:00.000000"},
    ],
    "broker_correction": [
        DEAL | {"deal": 5, "change": "addition", "ts_known": "2026-03-03 00:00:00.000000",
                "volume": 3.0, "correction_id": "b1"},
        DEAL | {"deal": 5, "change": "correction", "ts_known": "2026-03-04 00:00:00.000000",
                "volume": 1.5, "price": 1.25, "commission": -3.0, "profit": 6.0,
                "ts_event": "2026-03-02 11:00:00.000000", "correction_id": "b2"},
        DEAL | {"deal": 6, "change": "withdrawal", "ts_known": "2026-03-04 00:00:00.000000",
                "volume": 1.0, "correction_id": "b3"},
        DEAL | {"deal": 8, "change": "addition", "ts_known": "2026-03-03 00:00:00.000000",
                "volume": 9.0, "correction_id": "b4"},
    ],
    "tick_version": [
        VERSION | {"seq": 2, "version": 0, "kind": "first", "bid": 1.4,
                   "ts_known": "2026-03-02 10:00:00.000000"},
        VERSION | {"seq": 2, "version": 1, "bid": 1.41, "ts_known": "2026-03-04 00:00:00.000000",
                   "correction_id": "c1"},
        VERSION | {"seq": 3, "version": 0, "kind": "first", "bid": 1.3,
                   "ts_known": "2026-03-02 10:00:00.000000"},
        VERSION | {"seq": 3, "version": 1, "kind": "withdrawal", "bid": 0, "ask": 0,
                   "ts_known": "2026-03-04 00:00:00.000000", "correction_id": "c2"},
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


def rows(server: Warehouse, sql: str) -> list[dict[str, Any]]:
    return list(server.client.query(sql).named_results())


def of(server: Warehouse, order: str, run: str = "live") -> list[dict[str, Any]]:
    view = f"lineage_of(run = '{run}', order = '{order}')"
    return rows(server, f"SELECT * FROM {view} ORDER BY journal_seq")


def old_query() -> str:
    text = next(m.text for m in migrate.product_migrations() if m.name == "020_lineage.sql")
    return text[text.index(") AS\nSELECT") + 5 :].rstrip().removesuffix(";")


def test_whatever_became_of_an_order_leads_to_its_tick_and_its_sessions(server: Warehouse) -> None:
    events = of(server, "o")
    assert [event["kind"] for event in events] == list(KINDS)
    assert [event["event_id"] for event in events] == [f"o.{n}" for n in range(1, len(KINDS) + 1)]
    for event in events:
        assert (event["signal_id"], event["seq"]) == ("g", 1)
        assert event["prediction_id"] == "live.sim.PAIR.1772445600000.1"
        assert (event["p_up"], event["feature_mid"]) == (0.5, 1.5)
        assert (float(event["tick_bid"]), float(event["tick_ask"])) == (1.4, 1.6)
        assert (event["tick_status"], event["tick_versions"]) == ("unchanged", 0)
        assert event["session_id"] == "live-1"
        assert (event["signal_session_id"], event["settings_hash"]) == ("live-2", "settings 2")
        assert event["reason"] == f"why {event['kind']}"
        assert event["fill_kind"] == (event["kind"] if event["kind"] in FILLS else "")
        assert (event["ts_fill"].year == 2026) == (event["kind"] in FILLS)
    (denial,) = (event for event in events if event["kind"] == "denied")
    assert (denial["limits_denied"], denial["limit_value"], denial["observed"]) == (
        "limits 3",
        2,
        3,
    )
    assert {event["limits_denied"] for event in events} == {"limits 3", ""}


def test_a_shadow_order_and_what_nobody_signalled_have_their_rows(server: Warehouse) -> None:
    (shadow,) = of(server, "w")
    assert (shadow["mode"], shadow["reason"]) == ("shadow", "shadow: nothing is sent")
    assert (shadow["seq"], float(shadow["tick_bid"])) == (1, 1.4)
    assert of(server, "") == [], "no order, and not all of them"
    booked = "SELECT * FROM lineage_between(start = '2026-03-03', end = '2026-03-03 23:00:00')"
    (event,) = rows(server, booked)
    assert (event["kind"], event["tick_status"], event["signal_session_id"]) == ("booked", "", "")


@pytest.mark.parametrize(
    ("order", "run", "status", "then", "now", "correction"),
    [
        ("corrected", "live", "corrected", 1.4, 1.41, "c1"),
        ("late", "live", "corrected", 1.41, 1.41, "c1"),
        ("withdrawn", "live", "withdrawn", 1.3, 0.0, "c2"),
        ("unknown tick", "live", "missing", 0.0, 0.0, ""),
        ("replayed", "r", "corrected", 1.41, 1.41, "c1"),
    ],
)
def test_a_decision_shows_the_tick_as_it_was_and_as_it_is(
    server: Warehouse, order: str, run: str, status: str, then: float, now: float, correction: str
) -> None:
    """Live by what was known then; of a replay, whose clock is the market's, by its own quote."""
    (event,) = of(server, order, run)
    assert (event["tick_status"], event["tick_correction_id"]) == (status, correction)
    assert (float(event["tick_bid_then"]), float(event["tick_bid"])) == (then, now)


@pytest.mark.parametrize(
    ("order", "status", "kind", "lots", "price", "profit", "versions", "correction"),
    [
        ("part", "corrected", "filled", 0.5, 1.25, 1.0, 2, "b2"),
        ("rest", "corrected", "filled", 1.0, 1.25, 2.0, 2, "b2"),
        ("busted", "withdrawn", "busted", 0.0, 1.5, 0.0, 2, "b3"),
        ("as told", "unchanged", "filled", 1.0, 1.5, 9.0, 0, ""),
    ],
)
def test_a_fill_is_shown_as_the_broker_tells_it_now_beside_what_was_journalled(
    server: Warehouse, order: str, status: str, kind: str, lots: float, price: float,
    profit: float, versions: int, correction: str,
) -> None:  # fmt: skip
    """Of a deal that filled two orders each has its share, also where only one is asked for."""
    (event,) = of(server, order)
    assert (event["fill_status"], event["fill_kind"], event["kind"]) == (status, kind, "filled")
    assert (event["volume"], event["price"], event["profit_net"]) == (lots, price, profit)
    assert (event["fill_versions"], event["fill_correction_id"]) == (versions, correction)
    journalled = {"part": 1.0, "rest": 2.0}.get(order, 1.0)
    assert (event["side_then"], event["volume_then"]) == ("buy", journalled)
    assert (event["price_then"], event["profit_net_then"]) == (1.5, 9.0)
    assert event["ts_fill"].hour == (11 if status == "corrected" else 10)
    assert event["ts_fill_then"].hour == 10


def test_lineage_and_versions_of_fills_say_the_same(server: Warehouse) -> None:
    newest = (
        "SELECT order_id, max(version) + 1, argMax(side, version), argMax(volume, version),"
        " argMax(price, version), argMax(profit + commission + swap, version),"
        " argMax(ts_event, version), argMax(correction_id, version)"
        " FROM fill_version GROUP BY order_id ORDER BY order_id"
    )
    shown = (
        "SELECT order_id, fill_versions, side, volume, price, profit_net, ts_fill,"
        " fill_correction_id FROM lineage WHERE fill_versions > 0 ORDER BY order_id"
    )
    rows_of_versions = server.client.query(newest).result_rows
    assert rows_of_versions == server.client.query(shown).result_rows
    assert [row[0] for row in rows_of_versions] == ["busted", "part", "rest"]


def test_the_view_keeps_what_it_said_of_fills(server: Warehouse) -> None:
    """Columns of before with their names, types and order; of fills the same rows."""
    old = server.client.query(old_query())
    columns = rows(server, "DESCRIBE lineage")[: len(old.column_names)]
    assert tuple(column["name"] for column in columns) == old.column_names
    text = next(m.text for m in migrate.product_migrations() if m.name == "020_lineage.sql")
    typed = re.findall(r"^    (\w+) (.+?) COMMENT", text, re.MULTILINE)
    assert [(column["name"], column["type"]) for column in columns] == typed
    names = ", ".join(old.column_names)
    uncorrected = "fill_status = 'unchanged'"
    new = server.client.query(f"SELECT {names} FROM lineage WHERE {uncorrected}").result_rows
    place, changed = old.column_names.index("venue_deal"), (5, 6)
    before = [row for row in old.result_rows if row[place] not in changed]
    assert sorted(map(str, new)) == sorted(map(str, before))
    assert len(new) == 5


def test_three_views_say_the_same_and_a_trade_is_its_fills(server: Warehouse) -> None:
    every = "SELECT * FROM lineage ORDER BY run_id, account, journal_seq"
    between = every.replace("lineage", "lineage_between(start = '2026-01-01', end = '2027-01-01')")
    whole = rows(server, every)
    assert whole == rows(server, between)
    assert len(whole) == len(ROWS["order_event"])
    orders = rows(server, "SELECT DISTINCT run_id, order_id FROM order_event WHERE order_id != ''")
    for run, order in (tuple(row.values()) for row in orders):
        of_order = [row for row in whole if (row["run_id"], row["order_id"]) == (run, order)]
        assert of(server, order, run) == of_order
    trade = rows(server, "SELECT kind FROM trade(run = 'live', position = 7)")
    assert {event["kind"] for event in trade} == set(FILLS)


def test_lineage_is_read_from_another_database_and_whatever_outer_joins_give(
    server: Warehouse,
) -> None:
    """dbt's user works in the marts' database and asks for NULL where a join finds nothing."""
    query = (
        "SELECT count(), countIf(tick_bid > 0) FROM tickhouse.lineage SETTINGS join_use_nulls = 1"
    )
    reader = client.connect(server.settings_of(DBT))
    server.clients.append(reader)
    reader.database = "default"
    assert reader.query(query).result_rows == server.client.query(query).result_rows
    of_order = "SELECT count() FROM tickhouse.lineage_of(run = 'live', order = 'o')"
    assert int(reader.command(of_order)) == len(KINDS)


@pytest.mark.parametrize(("order", "events"), [("o", len(KINDS)), ("", 0), ("no such", 0)])
def test_the_board_shows_an_orders_lineage_and_nothing_without_one(
    server: Warehouse, order: str, events: int
) -> None:
    server.client.command("INSERT INTO run (run_id, mode) VALUES ('live', 'live')")
    (panel,) = (sql for title, _, sql in targets("trading") if title.startswith("Lineage"))
    shown = expand(panel, BoardSpan(0, 2_000_000_000, 60), {"mode": "live", "order": order})
    answer = server.client.query(shown)
    assert len(answer.result_rows) == events
    assert {"event", "p_up", "tick_bid", "session"} <= set(answer.column_names) or not events


def test_what_members_said_of_a_row_are_columns(server: Warehouse) -> None:
    """One is absent: the others share its weight, and its being outside vetoes nothing."""
    at = "run_id = 'live' AND source = 'sim' AND symbol = 'PAIR' AND seq = 1"
    columns = "role, member, p_down, p_up, weight, weight_used, absent, outside, veto"
    answer = server.client.query(
        f"SELECT {columns} FROM prediction_member WHERE {at} ORDER BY role, place"
    ).result_rows
    assert answer == [
        ("challenger", "member 1", 0.5, 0.25, 0.0, 0.0, False, False, False),
        ("champion", "trees", 0.5, 0.25, 0.75, 1.0, False, True, True),
        ("champion", "linear", 0.0, 1.0, 0.25, 0.0, True, True, False),
    ]
