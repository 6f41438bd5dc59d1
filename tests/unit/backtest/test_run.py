"""One real job on recorded ticks, checked by slow code that shares nothing with it."""

from concurrent.futures import Future
from itertools import groupby

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from adapters.simulator.markets.tickfile import ParquetTicks
from backtest import page, plan, pool, portfolio, report
from backtest.job import FeedFile
from backtest.plan import MarketSpan, Recording
from backtest.run import market_of, run
from backtest.span import Until
from backtest.stages import SignalStages
from core.contracts.order import EventKind
from core.desk import parse
from core.errors import SettingsError
from core.sections import RunSettings
from core.settings import Settings
from tests.support.signed_home import START_US, SignedHome

START, ROWS = 40_000, 40_000


@pytest.fixture(scope="module")
def recording(recordings, tmp_path_factory):
    """Some hours of EURUSD around US payrolls."""
    source = recordings / "ticks" / "EURUSD_oanda.parquet"
    path = tmp_path_factory.mktemp("ticks") / source.name
    table = pq.read_table(source).slice(START, ROWS)
    pq.write_table(table, path, row_group_size=7_000)
    times = table["time_msc"].to_numpy()
    return Recording(FeedFile(str(path), "oanda", "EURUSD"), int(times[0]), int(times[-1]))


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    home = str(tmp_path_factory.mktemp("home"))
    return Settings(home, run=RunSettings("b1", "backtest", "b1", "breakout"))


@pytest.fixture(scope="module")
def outcome(recording, settings):
    return run(*jobs(recording, settings))


def jobs(recording, settings, **more):
    span = MarketSpan(recording.first_msc, recording.last_msc + 1)
    return plan.jobs([recording], span, settings, **more)


def test_denials_under_signed_limits_name_the_signed_version(recording, settings, tmp_path):
    """Those in force, and those that a plan took when they held."""
    signed = SignedHome(tmp_path)
    entry = signed.limits("max_lots = 0.05")
    home = msgspec.structs.replace(settings, home=str(signed.home), controls=signed.settings)
    content = signed.now().content(signed.now().version("limits", "", START_US))
    for more in ({}, {"limits": content, "limits_entry": entry.number}):
        events = run(*jobs(recording, home, **more)).events
        denied = [e for e in events if e.kind is EventKind.DENIED and e.reason == "oversized"]
        assert denied
        assert {e.limits_version[-2:] for e in denied} == {f"#{entry.number}"}


def test_equity_and_drawdown_equal_a_loop_over_every_tick(recording, outcome):
    """Mark each position to the side that closes it, tick by tick, from the order events alone."""
    fills = [e for e in outcome.events if e.kind in (EventKind.FILLED, EventKind.CLOSED)]
    fills.sort(key=lambda e: e.ts_event_us)
    table = pq.read_table(recording.file.path)
    balance, peak, worst, held, at = 100_000.0, 100_000.0, 0.0, {}, 0
    for time, bid, ask in zip(
        *(table[c].to_pylist() for c in ("time_msc", "bid", "ask")), strict=True
    ):
        while at < len(fills) and fills[at].ts_event_us <= time * 1000:
            event, at = fills[at], at + 1
            balance += event.profit + event.commission + event.swap
            if event.purpose == "entry":
                held[event.venue_position] = event
            else:
                del held[event.venue_position]
        equity = balance
        for e in held.values():
            move = min(bid, ask) - e.price if e.side == "buy" else e.price - max(bid, ask)
            equity += move * e.volume * 100_000
        peak = max(peak, equity)
        worst = max(worst, peak - equity)
    assert len(fills) > 40
    assert outcome.equity_drawdown.maximal == pytest.approx(worst, abs=1e-6)
    assert outcome.curve.balance[-1] == pytest.approx(balance)


def test_trades_add_up_to_what_the_account_booked(outcome):
    booked = outcome.curve.balance[-1] - 100_000.0
    at_end = [t for t in outcome.trades if t.cause == "end"]
    assert not at_end
    assert sum(t.net for t in outcome.trades) == pytest.approx(booked)
    entries = [e for e in outcome.events if e.kind is EventKind.FILLED and e.purpose == "entry"]
    assert len(outcome.trades) == len(entries)


def test_the_same_job_gives_the_same_events_and_another_run_other_ids(recording, settings, outcome):
    again = run(*jobs(recording, settings))
    assert again.events == outcome.events
    run_ = msgspec.structs.replace(settings.run, run_id="b2")
    other = run(*jobs(recording, msgspec.structs.replace(settings, run=run_)))
    assert {s.signal_id for s in other.signals}.isdisjoint(s.signal_id for s in outcome.signals)
    assert [s.time_msc for s in other.signals] == [s.time_msc for s in outcome.signals]


def test_slices_of_any_length_give_the_same_signals_and_fills(recording, settings, outcome):
    collector = msgspec.structs.replace(settings.collector, slice_ticks=1_000)
    result = run(*jobs(recording, msgspec.structs.replace(settings, collector=collector)))
    assert result.signals == outcome.signals
    fills = [[e for e in o.events if e.kind is EventKind.FILLED] for o in (result, outcome)]
    assert [(e.ts_event_us, e.price, e.volume) for e in fills[0]] == [
        (e.ts_event_us, e.price, e.volume) for e in fills[1]
    ]


def test_a_span_is_warmed_up_by_the_ticks_before_it(recording, settings):
    """The kernel's memory after the second span is that of a run over everything."""
    complete, second = jobs(recording, settings)[0], jobs(recording, settings, spans=2)[1]
    states = []
    for job in (complete, second):
        stages, number = SignalStages(job, market_of(job)), 1
        while stages.slice(number):
            number += 1
        states.append(stages.features.state)
    assert second.from_msc > recording.first_msc
    assert states[0] == states[1]


def test_a_later_span_trades_only_within_itself(recording, settings):
    first, second = jobs(recording, settings, spans=2)
    result = [run(first), run(second)]
    assert all(s.time_msc < second.from_msc for s in result[0].signals)
    assert all(s.time_msc >= second.from_msc for s in result[1].signals)
    assert result[0].signals
    assert result[1].signals
    assert result[0].counts["ticks"] < result[1].counts["ticks"] == ROWS  # warm-up counts as work


def test_processes_give_what_one_process_gives(recording, settings):
    several = jobs(recording, settings, spans=2)
    observed = []
    apart = pool.run_all(several, 2, lambda ticks, done: observed.append((ticks, done)))
    alone = pool.run_all(several, 1)
    assert [o.events for o in apart] == [o.events for o in alone]
    assert observed[-1] == (sum(o.counts["ticks"] for o in alone), 2)


def test_an_error_in_a_process_arrives_with_its_words():
    failed, waiting = Future(), Future()
    failed.set_exception(SettingsError("no strategy 'martingale'"))
    with pytest.raises(SettingsError, match="no strategy 'martingale'"):
        pool._watched([failed, waiting], [0, 0], pool.silent)


def test_a_file_ends_where_the_span_does(recording):
    complete = np.concatenate(list(ParquetTicks(recording.file.path).chunks()))["time_msc"]
    middle = int(complete[ROWS // 2])
    part = Until(ParquetTicks(recording.file.path), middle)
    expected = complete[complete < middle].tolist()
    assert np.concatenate([c["time_msc"] for c in part.chunks()]).tolist() == expected
    assert np.concatenate(list(part.times())).tolist() == expected


def test_accounts_add_up_to_a_portfolio(recording, settings):
    outcomes = pool.run_all(jobs(recording, settings, spans=2), 1)
    complete = portfolio.together(outcomes, 100_000.0, trials=3)
    assert complete.figures.net_profit == pytest.approx(
        sum(o.curve.equity[-1] - 100_000 for o in outcomes)
    )
    assert complete.curve.equity[-1] == pytest.approx(100_000 + complete.figures.net_profit)
    assert "end" in {t.cause for t in complete.trades}
    assert complete.figures.trials == 3
    closed = [t.closed_us for t in complete.trades]
    assert closed == sorted(closed)


def test_the_page_holds_every_plot_and_loads_nothing(outcome, settings):
    complete = portfolio.together([outcome], 100_000.0, trials=1)
    result = report.build(complete, report.Setting(settings, {"a.parquet": "0" * 64}, "", 1.0, 1))
    built = page.html(complete, result)
    assert built.count("<svg") == 6
    for foreign in ("http:", "https:", "<script", "<link", "@import", "src="):
        assert foreign not in built
    assert "#0a000" not in built, "a stand-in colour was not replaced"
    names = [part.split('"')[0] for part in built.split(' id="')[1:]]
    assert [n for n, same in groupby(sorted(names)) if len(list(same)) > 1] == []
    assert msgspec.json.decode(msgspec.json.encode(result)) == result
    assert page.html(complete, result) == built, "the same backtest gives the same page"


def test_names_that_people_give_are_text_on_the_page(outcome, settings):
    bad = "<script>alert('x')</script>"
    complete = portfolio.together([outcome], 100_000.0, trials=1)
    trades = [msgspec.structs.replace(trade, cause=bad) for trade in complete.trades]
    complete = complete._replace(trades=trades)
    result = report.build(complete, report.Setting(settings, {bad: "0" * 64}, bad, 1.0, 1))
    result |= {"strategy": bad, "model": bad, "run_id": bad, "warnings": [bad]}
    result |= {"orders_denied": 2, "denied_by_reason": {bad: 1, "b": 1}, "trades": [
        {**trade, "symbol": bad, "cause": bad, "side": bad} for trade in result["trades"]
    ]}  # fmt: skip
    result["accounts"] = [{**account, "name": bad} for account in result["accounts"] * 2]
    built = page.html(complete, result)
    assert "<script" not in built
    assert built.count("&lt;script&gt;") > 2 * len(trades)
    assert built.count("<svg") == 6


def test_a_backtest_without_a_trade_has_a_page_too(recording, settings):
    run_ = msgspec.structs.replace(settings.run, strategy="model")
    silent = run(*jobs(recording, msgspec.structs.replace(settings, run=run_)))
    complete = portfolio.together([silent], 100_000.0, trials=1)
    result = report.build(complete, report.Setting(settings, {}, "", 1.0, 1))
    assert "No position was opened" in page.html(complete, result)


def test_a_desk_earns_what_its_strategies_earn(recording, settings):
    """Each by itself would hold other tickets, and the account is the sum of them."""
    text = b'[strategies.quick]\nuse = "breakout"\n[strategies.slow]\nuse = "scripted"\n'
    run_ = msgspec.structs.replace(settings.run, strategy="desk")
    chosen = msgspec.structs.replace(settings, run=run_)
    desk = parse(text, "desk.toml")
    outcomes = [run(one) for one in jobs(recording, chosen, desk=desk)]
    result = portfolio.together(outcomes, 100_000.0, 1)
    setting = report.Setting(chosen, {}, "", 1.0, 1)
    built = report.build(result, setting)
    rows = {row["strategy"]: row for row in built["strategies"]}
    assert rows.keys() == {"quick", "slow"}
    assert sum(row["trades"] for row in rows.values()) == len(built["trades"]) > 20
    by_hand = dict.fromkeys(rows, 0.0)
    for event in outcomes[0].events:
        by_hand[event.strategy] += event.profit + event.commission + event.swap
    open_at_end = {t.strategy for t in result.trades if t.cause == "end"}
    for name in rows.keys() - open_at_end:
        assert rows[name]["net"] == pytest.approx(by_hand[name], abs=0.005)
    assert sum(row["net"] for row in rows.values()) == pytest.approx(result.figures.net_profit)
    html = page.html(result, built)
    assert html.index("By strategy and symbol") < html.index("<h2>Figures")
