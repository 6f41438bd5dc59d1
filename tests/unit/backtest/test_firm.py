"""Which tick breaks a firm's rule in a backtest, against a loop that shares nothing with it."""

from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from backtest import firm, page, portfolio, report
from backtest.run import run
from core.contracts.order import EventKind
from tests.unit.backtest.test_run import jobs, recording, settings  # noqa: F401

LIMITS = """version = "t"
[accounts.b1]
firm = "f"
[firms.f]
dated = 2026-11-01
reset = "12:00"
zone = "Europe/Prague"
daily_loss = 60.0
daily_loss_from = "higher"
drawdown = 150.0
drawdown_kind = "trailing"
enforce = false
consistency = 0.5
min_days = 3
profit_target_share = 0.1
"""


@pytest.fixture(scope="module")
def watched(recording, settings):  # noqa: F811
    return run(*jobs(recording, settings, limits=LIMITS.encode()))


def looks(recording, events):  # noqa: F811
    """(time, balance, equity) at every tick, from the order events and the file alone."""
    fills = [e for e in events if e.kind in (EventKind.FILLED, EventKind.CLOSED)]
    fills.sort(key=lambda e: e.ts_event_us)
    table = pq.read_table(recording.file.path)
    balance, held, at = 100_000.0, {}, 0
    for time, bid, ask in zip(
        *(table[c].to_pylist() for c in ("time_msc", "bid", "ask")), strict=True
    ):
        while at < len(fills) and fills[at].ts_event_us <= time * 1000:
            event, at = fills[at], at + 1
            balance += event.profit + event.commission + event.swap
            if event.purpose == "entry" and event.kind is EventKind.FILLED:
                held[event.venue_position] = event
            else:
                held.pop(event.venue_position)
        worth = 0.0
        for e in held.values():
            move = min(bid, ask) - e.price if e.side == "buy" else e.price - max(bid, ask)
            worth += move * e.volume * 100_000
        yield time * 1000, balance, balance + worth


def test_each_rule_is_broken_at_the_tick_that_a_plain_loop_names(recording, watched):  # noqa: F811
    day, opening, high, first = None, 100_000.0, 100_000.0, {}
    balance = equity = 100_000.0
    least = {"daily_loss": (1e9, 0), "drawdown": (1e9, 0)}
    for time, now_balance, now_equity in looks(recording, watched.events):
        moment = datetime.fromtimestamp(time / 1e6, UTC)
        key = moment.date(), moment.hour >= 10  # 12:00 in Prague's summer
        key = (key[0].toordinal() + key[1],)
        if key != day:
            day, opening = key, max(balance, equity)
        balance, equity = now_balance, now_equity
        high = max(high, equity)
        for rule, floor in (("daily_loss", opening - 60.0), ("drawdown", high - 150.0)):
            if equity <= floor:
                first.setdefault(rule, time)
            if equity - floor < least[rule][0] - 1e-6:
                least[rule] = equity - floor, time
    state = watched.firm.state
    assert first, "the recording breaks no rule: the test shows nothing"
    assert {b.rule: b.ts_us for b in state.broken} == first
    for each in state.least:
        assert (each.left, each.ts_us) == (
            pytest.approx(least[each.rule][0], abs=0.02),
            least[each.rule][1],
        )


def test_the_report_says_what_was_left_and_when_a_rule_broke(recording, settings, watched):  # noqa: F811
    result = portfolio.together([watched], 100_000.0, 1)
    built = report.build(result, report.Setting(settings, {}, "", 1.0, 1))
    assert {row["rule"] for row in built["firm"]} == {
        "daily_loss", "drawdown", "profit_target", "min_days", "consistency",
    }  # fmt: skip
    shown = page.html(result, built)
    assert "Rules of the firm" in shown
    for row in firm.table(built["firm"]):
        assert row.verdict in shown
    broken = [row for row in built["firm"] if row["broken_at"]]
    assert broken
    assert f"broken at the tick of {broken[0]['broken_at']} UTC" in shown


def test_without_a_firm_the_report_says_nothing_of_one(recording, settings):  # noqa: F811
    plain = LIMITS.partition("[accounts")[0] + "[limits]\n"
    outcome = run(*jobs(recording, settings, limits=plain.encode()))
    assert outcome.firm is None
    result = portfolio.together([outcome], 100_000.0, 1)
    built = report.build(result, report.Setting(settings, {}, "", 1.0, 1))
    assert "Rules of the firm" not in page.html(result, built)
