"""A replay of strategies whose orders wait: a backtest decides and fills the same, all explained.

One is that of examples/; another remembers, and has targets too; a third has targets alone; a
fourth sees a pair of symbols, and lets an order wait in one of them.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from backtest.job import FeedFile, Job
from backtest.run import run
from cli.main import main
from core import settings
from core.contracts.order import EventKind as Kind
from core.contracts.signal import OrderSignal, Signal
from core.credentials import directory_of
from core.home_users import DBT, sign_in
from core.sections import ClickhouseSettings
from execution.journal import journal
from streams.explain import bundle, facts, history, material
from streams.explain.recompute import recompute
from streams.explain.reproduction import compare
from tests.e2e.replay_runs import (
    cut,
    environment,
    finished,
    kill_in_turn,
    start_replay,
    warehouse_on,
)
from tests.e2e.test_same_decisions import without_names
from tests.support import new_home
from tests.support.compliance import dbt

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]

DIP = Path(__file__).parents[2] / "examples" / "strategies" / "dip.py"
DESK = """
[strategies.dip]
share = 0.1

[strategies.range]
share = 0.2

[strategies.out]
use = "breakout"
share = 0.2
symbols = ["EURUSD"]

[strategies.between]
share = 0.1
pairs = [["EURUSD", "XAUUSD"]]
"""
WAITING, TARGETS = ("dip", "range", "between"), ("range", "out")
RANGE = '''
"""Both sides of a quiet market: a stop above and one below, taken back when it moves."""

from tickhouse import FEATURE_NAMES, Order

RANGE, SPREAD = FEATURE_NAMES.index("atr_14_bp"), FEATURE_NAMES.index("spread_bp")
RSI = FEATURE_NAMES.index("rsi_14")


class Range:
    name, horizon_s, needs_model, state_size = "range", 900.0, False, 2

    def __init__(self, settings):
        pass

    def step(self, state, row, probabilities):
        state[0] += 1.0
        return (1 if row[RSI] > 80 else 0), 0.5

    def step_orders(self, state, row, probabilities):
        quiet = row[RANGE] < 3.0 * row[SPREAD]
        state[1] = state[1] + 1.0 if quiet else 0.0
        away, moved = 2.0 * max(float(row[RANGE]), 1.0), abs(row[RSI] - 50.0) > 25.0
        if not moved and state[1] % 200 != 199:
            return None
        return [
            Order(1, away, entry="stop", name="above", life_s=240.0, cancel=moved, expiry="gtc",
                  one_of="break"),
            Order(-1, away, entry="stop", name="below", life_s=240.0, cancel=moved, size=0.5,
                  one_of="break"),
        ]
'''
BETWEEN = '''
"""Waits in the first of two symbols for its strength index to come back to the other's."""

import numpy as np
from tickhouse import FEATURE_NAMES, Orders

RSI = FEATURE_NAMES.index("rsi_14")


class Between:
    name, horizon_s, needs_model, group_size = "between", 600.0, False, 2

    def __init__(self, settings):
        pass

    def pair_orders(self, rows, age_s):
        gap = np.nan_to_num(rows[:, 0, RSI] - rows[:, 1, RSI])
        gap = gap * (np.abs(gap) > 20) * (age_s < 30).all(axis=1)
        away = np.full(gap.shape, 1.5)
        return [Orders(-np.sign(gap), away, cancel=gap == 0, name="back", life_s=120.0), None]
'''


@dataclass
class Replayed:
    home: Path
    files: list[Path]
    desk: bytes
    result: dict


@pytest.fixture(scope="module")
def replayed(recordings, tmp_path_factory):
    """Two feeds, four strategies; processes are killed on the way."""
    folder = tmp_path_factory.mktemp("ticks")
    home = new_home.for_replay(tmp_path_factory.mktemp("home"))
    desk = folder / "desk.toml"
    desk.write_text(DESK)
    (home / "strategies").mkdir()
    (home / "strategies" / "dip.py").write_bytes(DIP.read_bytes())
    (home / "strategies" / "range.py").write_text(RANGE)
    (home / "strategies" / "between.py").write_text(BETWEEN)
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 40_000, 30_000),
        cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 30_000),
    ]
    process = start_replay(home, [*map(str, files), "--desk", str(desk)])
    kill_in_turn(home, {"execution": 0.6, "streams.signals": 1.2}.items())
    result = finished(process)
    assert result["reconciled"], result["reconciliation"]
    return Replayed(home, files, DESK.encode(), result)


def records(replayed):
    path = replayed.home / "runs" / replayed.result["run_id"] / "journal"
    signals = [p.record for p in journal.read(path) if isinstance(p.record, Signal)]
    return signals, list(journal.events(path))


def backtested(replayed):
    config = settings.load(environment(replayed.home))
    named = msgspec.structs.replace(
        config.run, run_id="own", mode="backtest", account="own", strategy="desk"
    )
    feeds = tuple(
        FeedFile(str(f), f.stem.split("_")[1], f.stem.split("_")[0]) for f in replayed.files
    )
    return run(
        Job(
            "all", msgspec.structs.replace(config, run=named), feeds,
            tuple((f.source, f.symbol) for f in feeds), desk=replayed.desk,
        )
    )  # fmt: skip


def test_a_backtest_gives_signals_orders_and_fills_of_the_replay(replayed):
    outcome, (signals, events) = backtested(replayed), records(replayed)
    assert [without_names(s) for s in outcome.signals] == [without_names(s) for s in signals]
    assert [without_names(e) for e in outcome.events] == [without_names(e) for e in events]
    orders = [s for s in signals if isinstance(s, OrderSignal)]
    kinds = Counter((s.strategy, s.name, s.action) for s in orders)
    assert set(kinds) == {
        *(("dip", "dip", a) for a in ("place", "modify", "cancel")),
        *(("range", n, a) for n in ("above", "below") for a in ("place", "cancel")),
        *(("between", "back", a) for a in ("place", "cancel")),
    }  # fmt: skip
    assert {s.symbol for s in orders if s.strategy == "between"} == {"EURUSD"}
    assert {type(s) for s in signals if s.strategy == "range"} == {Signal, OrderSignal}
    waited = {e.order_id for e in events if e.kind is Kind.SUBMITTED and e.reason}
    ends = Counter(e.kind for e in events if e.order_id in waited)
    assert min(ends[Kind.FILLED], ends[Kind.CANCELLED], ends[Kind.MODIFIED]) > 3


def test_decisions_are_explained_bit_for_bit_also_from_a_bundle(
    replayed, tmp_path, monkeypatch, capsys
):
    signals, events = records(replayed)
    filled = {e.signal_id for e in events if e.kind is Kind.FILLED}
    orders = [s for s in signals if isinstance(s, OrderSignal)]
    cancels = [next(s for s in orders if (s.action, s.strategy) == ("cancel", w)) for w in WAITING]
    targets = [next(s for s in signals if type(s) is Signal and s.strategy == w) for w in TARGETS]
    some = [orders[0], orders[-1], next(s for s in orders if s.signal_id in filled)]
    some += [s for s in orders if s.action == "modify"][:2]
    some += [s for s in orders if (s.strategy, s.action) == ("between", "place")][:2]
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "nowhere"))
    with warehouse_on(replayed.home) as client:
        for number, signal in enumerate((*some, *cancels, *targets)):
            stored = facts.find(client, signal.signal_id)
            assert stored.signal == signal
            ticks = history.read(client, stored).at(history.NOW)
            needed = material.of(stored, replayed.home, tmp_path / str(number))
            needed = needed._replace(ticks=ticks)
            now = recompute(stored, needed)
            assert compare(stored, now).same, compare(stored, now).text
            file = tmp_path / f"{number}.zip"
            seal = bundle.write(file, stored, needed)
            assert main(["explain", "--verify", str(file), "--json", "--seal", seal]) == 0
            explained = json.loads(capsys.readouterr().out)
            assert explained["same"]
            named = f"order {signal.name}: " if isinstance(signal, OrderSignal) else "held"
            action = signal.action if isinstance(signal, OrderSignal) else ""
            named = f"order {signal.name} is taken" if action == "cancel" else named
            named = f"limit moves from {stored.waiting[2]:.8g}" if action == "modify" else named
            assert named in explained["rule"]


def test_the_table_says_what_waits(replayed):
    signals, _ = records(replayed)
    with warehouse_on(replayed.home) as client:
        rows = client.query(
            "SELECT name, action, entry, filling, expiry, count(), min(entry_price) FROM signal"
            " FINAL GROUP BY ALL ORDER BY ALL"
        ).result_rows
    expected = Counter(
        tuple(getattr(s, n, "") for n in ("name", "action", "entry", "filling", "expiry"))
        for s in signals
    )
    assert {tuple(row[:5]): row[5] for row in rows} == expected
    assert all((row[1] in ("place", "modify")) == (row[6] > 0) for row in rows)


def test_marts_and_order_records_say_what_kind_an_order_was(replayed, tmp_path):
    _, events = records(replayed)
    sent = {e.order_id: e.reason.partition(" ")[0] for e in events if e.kind is Kind.SUBMITTED}
    kinds = Counter(kind or "market" for kind in sent.values())
    assert set(kinds) == {"market", "limit", "stop"}
    with warehouse_on(replayed.home) as client:
        known = ClickhouseSettings(url=client.uri, credentials=str(directory_of(replayed.home)))
        marts = ["+fct_order", "+rpt_order_record", "+rpt_execution_order"]
        dbt(sign_in(known, DBT), tmp_path, "run", "--select", *marts, mode="replay")

        def counted(sql):
            rows = client.query(sql.replace("{marts}", "tickhouse_marts_replay")).result_rows
            return {tuple(row[:-1]): row[-1] for row in rows}

        assert counted(
            "SELECT order_type, count() FROM {marts}.fct_order WHERE ts_submitted IS NOT NULL"
            " GROUP BY ALL"
        ) == {(kind,): count for kind, count in kinds.items()}
        assert counted(
            "SELECT order_type, count() FROM {marts}.rpt_execution_order WHERE order_type IN"
            " ('market', 'limit', 'stop') GROUP BY ALL"
        ) == {(kind,): count for kind, count in kinds.items()}
        ended = Counter(
            (sent[e.order_id] or "market", str(e.kind.value))
            for e in events
            if e.order_id in sent and e.kind in (Kind.FILLED, Kind.CANCELLED, Kind.EXPIRED)
        )
        named = {"limit": "LMTO", "stop": "STOP", "market": "MARK"}
        assert counted(
            "SELECT order_type, own_event, count() FROM {marts}.rpt_order_record WHERE own_event"
            " IN ('filled', 'cancelled', 'expired') GROUP BY ALL"
        ) == {(named[kind], event): count for (kind, event), count in ended.items()}
        assert (
            counted(
                "SELECT order_type, reference_kind, count() FROM {marts}.rpt_execution_order WHERE"
                " order_type = 'limit' AND (slippage_bp != 0 OR reference_kind != 'order price')"
                " GROUP BY ALL"
            )
            == {}
        )
        assert counted(
            "SELECT order_type, validity, count() > 0 FROM {marts}.rpt_order_record GROUP BY ALL"
        ).keys() == {("MARK", "IOCV"), ("LMTO", "GTTV"), ("STOP", "GTCV"), ("STOP", "GTTV")}
