"""Stream, replay, backtest and SQL say the same of what can be lost; limits on it deny the same.

One replay of two feeds under limits on value at risk and stress, its tables, and beside them a
backtest of the same files, the fold as it runs live, and a script that shares no code with any.
"""

import math
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from backtest.job import FeedFile, Job
from backtest.run import run
from core import settings
from core.contracts.order import AccountState, EventKind, PositionState
from core.contracts.tick import TICK, TickBatch
from core.sections import RiskSettings, RunSettings
from execution.journal import journal
from streams.portfolio_risk import RiskFold
from streams.risk_rows import risk_rows
from streams.rows import merge
from tests.e2e.replay_runs import cut, environment, replay, warehouse_on
from tests.e2e.test_same_decisions import without_names
from tests.integration.test_risk_figures import DAY, Z_99, minutes_before, shrunk_covariance
from tests.support import new_home

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]

LIMITS = """version = "t"
[limits]
max_var_equity = 0.0021
max_stress_equity = 0.2
"""
#: Nobody knows the regime of a feed in its first two days.
DESK = """
[strategies.breakout]
share = 0.9
[strategies.careful]
use = "breakout"
share = 0.1
[strategies.careful.limits]
regimes = ["calm"]
"""
KEY = ["ts_event", "account", "strategy", "source", "symbol", "currency", "measure", "confidence",
       "horizon", "other_source", "other_symbol"]  # fmt: skip
TABLES = ("portfolio_risk", "value_at_risk", "feed_exposure", "currency_exposure", "regime",
          "correlation")  # fmt: skip


@pytest.fixture(scope="module")
def replayed(recordings, tmp_path_factory):
    """Home, files and result of a replay under limits on risk."""
    folder = tmp_path_factory.mktemp("ticks")
    home = new_home.for_replay(tmp_path_factory.mktemp("home"))
    limits = folder / "limits.toml"
    limits.write_text(LIMITS)
    desk = folder / "desk.toml"
    desk.write_text(DESK)
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 60_000, 25_000),
        cut(recordings / "ticks" / "NZDUSD_oanda.parquet", folder, 75_840, 33_242),
    ]
    result = replay(home, [*map(str, files), "--desk", str(desk), "--limits", str(limits)])
    return home, files, result


@pytest.fixture(scope="module")
def backtested(replayed):
    home, files, _ = replayed
    chosen = settings.load(environment(home))
    named = msgspec.structs.replace(
        chosen.run, run_id="own", mode="backtest", account="own", strategy="desk"
    )
    feeds = tuple(FeedFile(str(f), f.stem.split("_")[1], f.stem.split("_")[0]) for f in files)
    traded = tuple((f.source, f.symbol) for f in feeds)
    config = msgspec.structs.replace(chosen, run=named)
    more = {"limits": LIMITS.encode(), "desk": DESK.encode(), "risk": True}
    return run(Job("all", config, feeds, traded, **more))


def test_limits_on_risk_deny_and_let_pass_the_same_in_both(replayed, backtested):
    home, _, result = replayed
    live = list(journal.events(home / "runs" / result["run_id"] / "journal"))
    denied = {(e.strategy, e.reason) for e in live if e.kind is EventKind.DENIED}
    assert {("breakout", "value_at_risk"), ("careful", "regime")} <= denied
    assert {e.strategy for e in live if e.kind is EventKind.FILLED} == {"breakout"}
    assert sum(e.kind is EventKind.FILLED for e in live) > 10
    assert [without_names(e) for e in backtested.events] == [without_names(e) for e in live]


@pytest.fixture(scope="module")
def stored(replayed):
    """Each table of the replay, and the ticks and positions that it follows from."""
    with warehouse_on(replayed[0]) as client:
        return {
            name: pd.DataFrame(
                list(client.query(f"SELECT {columns} FROM {name} FINAL {rest}").named_results())
            )
            for name, columns, rest in (
                *((table, "*", "") for table in TABLES),
                ("tick", "source, symbol, ts_event, toFloat64(bid) AS bid, toFloat64(ask) AS ask,"
                 " quality", "ORDER BY ts_event, source, symbol, seq"),
                ("position", "*", "ORDER BY seq"),
            )
        }  # fmt: skip


def test_stream_replay_backtest_and_a_script_over_sql_say_the_same(replayed, stored, backtested):
    home, _, result = replayed
    again = {rows.table: frame(rows) for rows in backtested.risk}
    accounts = [
        place.record
        for place in journal.read(home / "runs" / result["run_id"] / "journal")
        if isinstance(place.record, AccountState)
    ]
    streamed = {rows.table: frame(rows) for rows in live(stored, accounts)}
    held = stored["portfolio_risk"]
    assert len(held) > 200
    assert held.positions.max() >= 2, "both feeds at once"
    for table in TABLES:
        replay_rows = ordered(stored[table])
        pd.testing.assert_frame_equal(ordered(again[table]), replay_rows)
        settled = replay_rows[replay_rows.ts_event < streamed["portfolio_risk"].ts_event.max()]
        of_stream = ordered(streamed[table])
        of_stream = of_stream[of_stream.ts_event.isin(settled.ts_event)].reset_index(drop=True)
        pd.testing.assert_frame_equal(of_stream, settled)
    moments = held[(held.strategy == "") & (held.problem == "") & (held.positions > 0)]
    assert len(moments) > 50
    for _, row in moments.iloc[:: len(moments) // 5].iterrows():
        check_by_script(row, stored)


def check_by_script(row: Any, stored: dict[str, pd.DataFrame]) -> None:
    """The parametric figure of a moment, from ticks and positions alone."""
    at = row.ts_event
    ticks = stored["tick"][stored["tick"].quality & 8 == 0].assign(
        source=lambda t: t.source + t.symbol
    )
    returns = np.log(minutes_before(ticks, at)).diff().iloc[1:]
    newest = ticks[ticks.ts_event < at].groupby("source").last()
    position = stored["position"][stored["position"].ts_event <= at]
    position = position.assign(source=position.source + position.symbol)
    lots = position.groupby(["source", "strategy"]).volume.last().groupby("source").sum()
    mids = (newest.bid + newest.ask) / 2
    money = (lots.reindex(returns.columns, fill_value=0.0) * 100_000 * mids).to_numpy()
    deviation = math.sqrt(money @ shrunk_covariance(returns) @ money)
    values = stored["value_at_risk"]
    figure = values[
        (values.ts_event == at) & (values.strategy == "") & (values.measure == "parametric")
        & (values.confidence == 0.99) & (values.horizon == "1d")
    ].value_at_risk.item()  # fmt: skip
    assert figure == pytest.approx(Z_99 * deviation * math.sqrt(DAY) + row.swap_1d, rel=1e-9)


def live(stored: dict[str, pd.DataFrame], accounts: list[AccountState]) -> list[Any]:
    """The fold as it runs live: some seconds of ticks at a time, then what came meanwhile."""
    fold = RiskFold(RunSettings("live", "demo"), RiskSettings(every_s=60))
    ticks = stored["tick"]
    kept: list[Any] = []
    events = positions(stored["position"])
    for account in accounts:  # a replay tells of them a slice at a time; each waits for its time
        fold.event(account)
    for until, part in ticks.groupby(ticks.ts_event.dt.ceil("47s")):
        for (source, symbol), own in part.groupby(["source", "symbol"]):
            fold.ticks(TickBatch("live", "demo", source, symbol, 0, 0, packed(own).tobytes()))
        while events and events[0].ts_event_us <= until.value // 1000:
            fold.event(events.pop(0))
        kept += fold.rows()
    blocks: dict[str, list[Any]] = {}
    for rows in risk_rows(kept):
        blocks.setdefault(rows.table, []).append(rows)
    return [merge(parts) for parts in blocks.values()]


def packed(rows: pd.DataFrame) -> np.ndarray:
    ticks = np.zeros(len(rows), TICK)
    ticks["time_msc"] = rows.ts_event.astype("datetime64[ms]").astype("int64")
    for name in ("bid", "ask", "quality"):
        ticks[name] = rows[name]
    return ticks


def positions(rows: pd.DataFrame) -> list[PositionState]:
    """Rows as the messages that they were made of."""
    times = {"ts_event_us": "ts_event", "ts_init_us": "ts_init"}
    return [
        PositionState(
            **{
                name: row[times[name]].value // 1000 if name in times else row[name]
                for name in PositionState.__struct_fields__
            }
        )
        for row in rows.to_dict("records")
    ]


def frame(rows: Any) -> pd.DataFrame:
    """A block as the warehouse gives it back."""
    table = pd.DataFrame({c.name: np.asarray(c.values) for c in rows.columns})
    return table.assign(ts_event=pd.to_datetime(table.ts_event, unit="us"))


def ordered(rows: pd.DataFrame) -> pd.DataFrame:
    """Without what says where it ran."""
    own = rows.drop(columns=["run_id", "mode"])
    if "account" in own:
        own = own.assign(account="")
    if "ts_init" in own:
        own = own.drop(columns="ts_init")
    names = [name for name in KEY if name in own]
    own = own.assign(ts_event=own.ts_event.astype("datetime64[us]"))
    own = own[sorted(own.columns)].sort_values(names).reset_index(drop=True)
    return own.astype(dict.fromkeys(own.select_dtypes("number"), "float64"))
