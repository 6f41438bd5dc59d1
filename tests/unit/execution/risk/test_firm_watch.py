"""A live account under its firm's rules: denied before a breach, stopped by one, also restarted."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from core import calendar
from core.calendar import CalendarContent, CalendarEvent, Coverage
from core.contracts.firm import FirmRuleState
from core.contracts.order import EventKind
from core.topics import ORDER_EVENTS
from core.trading_control import ControlCommand, write
from execution.broker.poller import PollerParts
from execution.journal.brokerage import Foreign
from execution.order_path.engine import Engine
from execution.risk import day_clock
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.news import News
from tests.unit.execution.desk import KEY, RUN, Desk, HandTimer

RULES = """version = "t"
[limits]
max_daily_loss_share = inf
[breakers]
reducing_at_drawdown = inf
halted_at_drawdown = inf
half_at_drawdown = inf
[accounts.simulated]
firm = "f"
[firms.f]
dated = 2026-11-01
"""


def opened(home: Path, rules: str) -> Desk:
    desk = Desk(home, control=home / "control.json")
    (home / "limits.toml").write_text(RULES + rules)
    desk.use(LimitsFile(RUN.account, of_settings(desk.settings.execution), home))
    return desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened_ = opened(tmp_path, 'daily_loss = 300.0\nmax_open_lots = 0.15\non_breach = "flatten"\n')
    yield opened_
    opened_.close()


def observe(desk: Desk, watched: PollerParts, equity: float) -> None:
    """The account at an equity, a second later."""
    desk.at((desk.clock.now_us() - 1_704_801_600_000_000) / 1e6 + 1)
    assert watched.firm is not None
    watched.firm.observe(replace(desk.venue.account(), equity=equity))


def rules_told(desk: Desk) -> dict[str, FirmRuleState]:
    desk.outbox.publish()
    states = [m for m in desk.bus.messages(ORDER_EVENTS) if isinstance(m, FirmRuleState)]
    return {state.rule: state for state in states}


def last_denial(desk: Desk) -> tuple[str, float, float]:
    denied = [e for e in desk.events() if e.kind is EventKind.DENIED][-1]
    assert denied.limits_version.startswith("t+")
    return denied.reason, denied.limit, denied.observed


def test_nothing_opens_before_anybody_looked_at_the_account(desk: Desk) -> None:
    assert desk.trade(1.0)[-1] == "entry denied"
    observe(desk, desk.watched(), 100_000.0)
    desk.at(4)
    assert desk.trade(1.0)[-1] == "entry filled"


def test_an_entry_is_denied_when_its_stop_could_break_a_rule(desk: Desk) -> None:
    watched = desk.watched()
    observe(desk, watched, 100_000.0)
    observe(desk, watched, 99_800.0)
    lost = replace(desk.venue.account(), equity=99_800.0)
    desk.funds._account, desk.funds._refreshed_us = lost, desk.clock.now_us()
    assert desk.trade(1.0)[-1] == "entry denied"
    reason, limit, observed = last_denial(desk)
    assert (reason, limit) == ("firm_daily_loss", pytest.approx(270.0))
    assert observed == pytest.approx(200.0 + 0.1 * 100_000 * 0.01005, abs=0.01)  # 1.10005 to 1.09


def test_the_firms_lots_count_all_positions(desk: Desk) -> None:
    observe(desk, desk.watched(), 100_000.0)
    desk.trade(1.0)
    desk.at(5)
    desk.engine.on_signal(replace(desk.signal(1.0, "other"), strategy="second"))
    assert last_denial(desk) == ("firm_lots", 0.15, 0.2)
    assert desk.trade(0.0)[-1] == "opposite filled"  # an exit passes


def test_the_firms_lots_count_what_a_person_holds(desk: Desk) -> None:
    observe(desk, desk.watched(), 100_000.0)
    desk.book.broker.foreign[7] = Foreign("oanda", "XAUUSD", -0.08, suspends=False)
    desk.trade(1.0)
    assert last_denial(desk) == ("firm_lots", 0.15, 0.18)


def test_a_breach_halts_and_closes_and_is_told(desk: Desk) -> None:
    watched = desk.watched()
    observe(desk, watched, 100_000.0)
    desk.trade(1.0)
    observe(desk, watched, 99_700.01)
    assert desk.trading.state == "active"
    assert rules_told(desk)["daily_loss"].headroom == pytest.approx(0.01)
    observe(desk, watched, 99_700.0)
    now = desk.trading.current
    assert (now.state, now.positions, now.by) == ("halted", "flatten", "breaker firm daily_loss")
    assert now.reason == "daily loss: 300.00 of 300.00"
    broken_us = desk.clock.now_us()
    desk.live(threading.Event())._flatten()
    assert desk.book.net(KEY) == 0.0
    observe(desk, watched, 99_700.0)
    assert rules_told(desk)["daily_loss"].broken_us == broken_us
    assert rules_told(desk)["daily_loss"].least_headroom == 0.0


def test_a_restart_goes_on_from_the_journal_and_a_person_resumes_once(
    desk: Desk, tmp_path: Path
) -> None:
    watched = desk.watched()
    observe(desk, watched, 100_400.0)
    observe(desk, watched, 99_600.0)
    state = desk.ledger.activity.firm
    assert state is not None
    assert state.standing == ("daily_loss",)
    order = ControlCommand("active", "ann", "seen", desk.clock.now_us() + 1)
    write(tmp_path / "control.json", order)
    desk.trading.poll()
    assert desk.trading.state == "active"
    desk.close()
    again = opened(tmp_path, "daily_loss = 300.0\n")
    again.at(10)
    assert again.ledger.activity.firm == state
    observe(again, again.watched(), 99_590.0)
    assert again.trading.state == "active"  # it was told of, and accepted
    assert again.ledger.activity.firm.high_equity == 100_400.0
    assert rules_told(again)["daily_loss"].broken_us == state.broken[0].ts_us
    again.close()


def test_a_clock_that_was_set_back_takes_no_loss_away_and_begins_no_other_day(desk: Desk) -> None:
    watched = desk.watched()
    observe(desk, watched, 100_000.0)
    state = desk.ledger.activity.firm
    assert state is not None
    desk.clock._now_us -= 86_400_000_000
    watched.firm.observe(replace(desk.venue.account(), equity=99_800.0))
    now = desk.ledger.activity.firm
    assert now is not None
    assert (now.ts_us, now.day_us, now.day_equity) == (state.ts_us, state.day_us, 100_000.0)
    assert desk.trading.state == "active"
    watched.firm.observe(replace(desk.venue.account(), equity=90_000.0))
    assert (desk.trading.state, desk.trading.current.by) == ("halted", "breaker firm daily_loss")


@pytest.mark.parametrize("stays_s", [30.0, 600.0])
def test_a_clock_that_jumps_ahead_begins_another_day_only_when_it_stays_there(
    desk: Desk, stays_s: float
) -> None:
    timer = HandTimer()
    watched = desk.watched(timer)
    assert watched.firm is not None
    poorer = replace(desk.venue.account(), equity=99_750.0)
    watched.firm.observe(replace(poorer, equity=100_000.0))
    day = 86_400_000_000
    desk.clock._now_us += day
    while timer.seconds() < stays_s:
        watched.firm.observe(poorer)
        timer.sleep(1.0)
        desk.clock._now_us += 1_000_000
    state = desk.ledger.activity.firm
    assert state is not None
    moved = stays_s > day_clock.LASTS_S
    assert state.day_equity == (99_750.0 if moved else 100_000.0)
    if moved:
        return
    desk.clock._now_us -= day
    watched.firm.observe(replace(poorer, equity=99_650.0))
    assert (desk.trading.state, desk.trading.current.by) == ("halted", "breaker firm daily_loss")


def test_what_is_no_number_is_no_news_and_lets_nothing_open(desk: Desk) -> None:
    watched = desk.watched()
    observe(desk, watched, 100_000.0)
    state = desk.ledger.activity.firm
    observe(desk, watched, float("nan"))
    assert desk.ledger.activity.firm is state
    assert desk.trading.state == "active"
    nothing = replace(desk.venue.account(), equity=float("nan"))
    desk.funds._account, desk.funds._refreshed_us = nothing, desk.clock.now_us()
    desk.engine.on_signal(desk.signal(1.0))
    assert not any(e.kind is EventKind.SUBMITTED for e in desk.events())


def retail(home: Path) -> Desk:
    """An account of a broker's retail client, whose other limits are wide."""
    wide = "max_order_equity = inf\nmax_position_equity = inf\nmax_gross_equity = inf\n"
    rules = RULES.replace("[limits]\n", f"[limits]\n{wide}")
    desk = Desk(home, control=home / "control.json")
    (home / "limits.toml").write_text(rules + 'retail = true\non_breach = "flatten"\n')
    desk.use(LimitsFile(RUN.account, of_settings(desk.settings.execution), home))
    return desk


TENTH_OF_A_LOT = 0.1 * 100_000 * 1.1001 * 0.0333  # initial margin of a major pair


def test_a_retail_client_opens_no_more_than_equity_covers_by_esmas_shares(tmp_path: Path) -> None:
    desk = retail(tmp_path)
    observe(desk, desk.watched(), 100_000.0)
    for equity, kind in ((TENTH_OF_A_LOT - 0.1, "denied"), (TENTH_OF_A_LOT + 0.1, "filled")):
        poor = replace(desk.venue.account(), equity=equity)
        desk.funds._account, desk.funds._refreshed_us = poor, desk.clock.now_us()
        assert desk.trade(1.0, kind)[-1] == f"entry {kind}"
        if kind == "denied":
            reason, limit, observed = last_denial(desk)
            assert (reason, limit) == ("retail_margin", equity)
            assert observed == pytest.approx(TENTH_OF_A_LOT, abs=0.1)  # at the mid
    desk.close()


def test_a_retail_client_is_closed_out_at_half_of_the_margin(tmp_path: Path) -> None:
    desk = retail(tmp_path)
    watched = desk.watched()
    observe(desk, watched, 100_000.0)
    desk.trade(1.0)
    observe(desk, watched, TENTH_OF_A_LOT / 2 + 0.01)
    assert desk.trading.state == "active"
    assert rules_told(desk)["margin_close_out"].headroom == pytest.approx(0.01, abs=1e-4)
    observe(desk, watched, TENTH_OF_A_LOT / 2 - 0.01)
    now = desk.trading.current
    assert (now.state, now.positions) == ("halted", "flatten")
    assert now.reason == "margin close out: 183.16 of 183.17"
    desk.live(threading.Event())._flatten()
    assert desk.book.net(KEY) == 0.0
    observe(desk, watched, -5.0)  # nothing is left to close
    state = desk.ledger.activity.firm
    assert state is not None
    assert state.standing == ()
    assert rules_told(desk)["negative_balance"].broken_us == 0
    desk.close()


def test_what_a_broker_owes_a_retail_client_is_named(tmp_path: Path) -> None:
    desk = retail(tmp_path)
    watched = desk.watched()
    observe(desk, watched, 100_000.0)
    desk.at((desk.clock.now_us() - 1_704_801_600_000_000) / 1e6 + 1)
    assert watched.firm is not None
    watched.firm.observe(replace(desk.venue.account(), balance=-40.0, equity=-40.0))
    rule = rules_told(desk)["negative_balance"]
    assert (rule.broken_us, rule.observed, rule.limit) == (desk.clock.now_us(), -40.0, 0.0)
    desk.close()


def test_rules_that_are_only_watched_stop_nothing(tmp_path: Path) -> None:
    desk = opened(tmp_path, "daily_loss = 300.0\nenforce = false\n")
    watched = desk.watched()
    observe(desk, watched, 100_000.0)
    observe(desk, watched, 90_000.0)
    assert desk.trading.state == "active"
    assert rules_told(desk)["daily_loss"].broken_us == desk.clock.now_us()
    assert desk.trade(1.0)[-1] == "entry filled"
    desk.close()


def test_an_account_without_a_firm_journals_nothing_of_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    watched = desk.watched()
    watched.firm.observe(desk.venue.account())
    watched.firm.keep()
    assert desk.ledger.activity.firm is None
    assert rules_told(desk) == {}
    desk.close()


def test_an_event_closes_live_positions_and_denies_entries(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    now = desk.clock.now_us()
    at = now + 300_000_000
    event = CalendarEvent("c", "1", now - 1, at, "USD", "high", "Rate decision")
    span = Coverage("c", now - 3_600_000_000, now + 3_600_000_000, now - 1)
    path = calendar.path_in(tmp_path)
    (tmp_path / "limits.toml").write_text(
        'version = "t"\n[news.n]\nbefore_min = 4\naction = "flatten"\n'
    )
    limits = LimitsFile(RUN.account, of_settings(desk.settings.execution), tmp_path)
    news = News(path)
    desk.engine = Engine(
        settings=desk.settings, clock=desk.clock, ledger=desk.ledger, venue=desk.venue,
        quotes=desk.quotes, trading=desk.trading, reconciler=desk.reconciler, funds=desk.funds,
        limits=limits, news=news,
    )  # fmt: skip
    assert desk.trade(1.0)[-1] == "entry denied"
    assert last_denial(desk)[0] == "no_calendar"
    calendar.save(path, CalendarContent([event], [span]))
    news.poll()
    desk.at(5)
    assert desk.trade(1.0)[-1] == "entry filled"
    driver = desk.live(threading.Event())
    driver._flatten()
    assert desk.book.net(KEY) == 0.1
    desk.at(61)
    assert desk.trade(-1.0, "late")[-1] == "entry denied"  # the closing passes
    assert last_denial(desk) == ("news", -4.0, pytest.approx(-4.0))
    desk.at(62)
    driver._flatten()
    assert desk.book.net(KEY) == 0.0
    desk.close()
