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
from backtest.plan import Recording, Span
from backtest.run import market_of, run
from backtest.span import Until
from backtest.stages import SignalStages
from core.contracts.order import EventKind
from core.errors import SettingsError
from core.sections import RunSettings
from core.settings import Settings

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
    span = Span(recording.first_msc, recording.last_msc + 1)
    return plan.jobs([recording], span, settings, **more)


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
    found = run(*jobs(recording, msgspec.structs.replace(settings, collector=collector)))
    assert found.signals == outcome.signals
    fills = [[e for e in o.events if e.kind is EventKind.FILLED] for o in (found, outcome)]
    assert [(e.ts_event_us, e.price, e.volume) for e in fills[0]] == [
        (e.ts_event_us, e.price, e.volume) for e in fills[1]
    ]


def test_a_span_is_warmed_up_by_the_ticks_before_it(recording, settings):
    """The kernel's memory after the second span is that of a run over everything."""
    whole, second = jobs(recording, settings)[0], jobs(recording, settings, spans=2)[1]
    states = []
    for job in (whole, second):
        stages, number = SignalStages(job, market_of(job)), 1
        while stages.slice(number):
            number += 1
        states.append(stages.features.state)
    assert second.from_msc > recording.first_msc
    assert states[0] == states[1]


def test_a_later_span_trades_only_within_itself(recording, settings):
    first, second = jobs(recording, settings, spans=2)
    found = [run(first), run(second)]
    assert all(s.time_msc < second.from_msc for s in found[0].signals)
    assert all(s.time_msc >= second.from_msc for s in found[1].signals)
    assert found[0].signals
    assert found[1].signals
    assert found[0].counts["ticks"] < found[1].counts["ticks"] == ROWS  # warm-up counts as work


def test_processes_give_what_one_process_gives(recording, settings):
    several = jobs(recording, settings, spans=2)
    seen = []
    apart = pool.run_all(several, 2, lambda ticks, done: seen.append((ticks, done)))
    alone = pool.run_all(several, 1)
    assert [o.events for o in apart] == [o.events for o in alone]
    assert seen[-1] == (sum(o.counts["ticks"] for o in alone), 2)


def test_an_error_in_a_process_arrives_with_its_words():
    failed, waiting = Future(), Future()
    failed.set_exception(SettingsError("no strategy 'martingale'"))
    with pytest.raises(SettingsError, match="no strategy 'martingale'"):
        pool._watched([failed, waiting], [0, 0], pool.silent)


def test_a_file_ends_where_the_span_does(recording):
    whole = np.concatenate(list(ParquetTicks(recording.file.path).chunks()))["time_msc"]
    middle = int(whole[ROWS // 2])
    part = Until(ParquetTicks(recording.file.path), middle)
    expected = whole[whole < middle].tolist()
    assert np.concatenate([c["time_msc"] for c in part.chunks()]).tolist() == expected
    assert np.concatenate(list(part.times())).tolist() == expected


def test_accounts_add_up_to_a_portfolio(recording, settings):
    outcomes = pool.run_all(jobs(recording, settings, spans=2), 1)
    whole = portfolio.together(outcomes, 100_000.0, trials=3)
    # A trade that the end of the data left open counts as closed there, its commission as paid.
    unpaid = sum(t.commission / 2 for t in whole.trades if t.cause == "end")
    assert whole.figures.net_profit == pytest.approx(
        sum(o.curve.equity[-1] - 100_000 for o in outcomes) + unpaid
    )
    assert whole.curve.equity[-1] == pytest.approx(100_000 + whole.figures.net_profit - unpaid)
    assert whole.figures.trials == 3
    closed = [t.closed_us for t in whole.trades]
    assert closed == sorted(closed)


def test_the_page_holds_every_plot_and_loads_nothing(outcome, settings):
    whole = portfolio.together([outcome], 100_000.0, trials=1)
    found = report.build(whole, report.Setting(settings, {"a.parquet": "0" * 64}, "", 1.0, 1))
    made = page.html(whole, found)
    assert made.count("<svg") == 5
    for foreign in ("http:", "https:", "<script", "<link", "@import", "src="):
        assert foreign not in made
    assert "#0a000" not in made, "a stand-in colour was not replaced"
    names = [part.split('"')[0] for part in made.split(' id="')[1:]]
    assert [n for n, same in groupby(sorted(names)) if len(list(same)) > 1] == []
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
    assert page.html(whole, found) == made, "the same backtest gives the same page"


def test_a_backtest_without_a_trade_has_a_page_too(recording, settings):
    run_ = msgspec.structs.replace(settings.run, strategy="model")
    silent = run(*jobs(recording, msgspec.structs.replace(settings, run=run_)))
    whole = portfolio.together([silent], 100_000.0, trials=1)
    found = report.build(whole, report.Setting(settings, {}, "", 1.0, 1))
    assert "No position was opened" in page.html(whole, found)
