"""Limits from a file on the whole order path: what is stored, and what is never stopped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.clock import ManualClock
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.trading_control import ControlCommand
from execution.risk import overrides as decisions
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.overrides import Override, Overrides, Release
from tests.support.markets import TUESDAY
from tests.unit.execution.desk import KEY, Desk

LARGE = "lots = 50.0\nmax_lots = 50.0\n"
UNBOUNDED = "max_order_equity = inf\nmax_position_equity = inf\nmax_gross_equity = inf"


def desk(home: Path, text: str, **settings: Any) -> Desk:
    home.mkdir(exist_ok=True)
    (home / "limits.toml").write_text(f'version = "t"\n[limits]\n{text}')
    opened = Desk(home, **settings)
    opened.limits_file = LimitsFile("simulated", of_settings(opened.settings.execution), home)
    opened.use(opened.limits_file)
    return opened


def denied(at_desk: Desk, **changes: Any) -> str:
    at_desk.trade(1.0, **changes)
    event = at_desk.events()[-1]
    assert event.kind is Kind.DENIED, event
    assert event.limits_version == at_desk.limits_file.rules.version
    assert event.limits_version.startswith("t+")
    return event.reason


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("restricted = true", "restricted"),
        ("max_order_value = 10000", "order_value"),  # 0.1 lots of EURUSD are 11,000
        ("max_gross_exposure = 10000", "gross_exposure"),
        ("max_position_lots = 0.09", "position_limit"),
        ("max_messages_per_second = 0", "message_rate"),
        ("max_repeats = 0", "throttled"),
        ("lots = 2.0", "oversized"),
        (f"{LARGE}max_position_equity = inf\nmax_gross_equity = inf", "order_value"),
        (f"{LARGE}max_order_equity = inf\nmax_gross_equity = inf", "position_limit"),
        (f"{LARGE}max_order_equity = inf\nmax_position_equity = inf", "gross_exposure"),
        (f"{LARGE}{UNBOUNDED}", "no_margin"),
    ],
)
def test_a_limit_of_the_file_denies_with_its_version(
    tmp_path: Path, limit: str, reason: str
) -> None:
    opened = desk(tmp_path, limit)
    assert denied(opened) == reason
    assert opened.terminal.sent == []
    opened.close()


def test_a_loss_of_the_day_or_from_the_peak_denies_and_closings_pass(tmp_path: Path) -> None:
    for limit, reason in (("max_daily_loss", "daily_loss"), ("max_drawdown", "drawdown")):
        opened = desk(tmp_path / reason, f"{limit} = 500.0\nmax_repeats = 99")
        opened.trade(1.0)
        opened.ledger.activity.account(100_501.0, opened.clock.now_us())
        opened.at(5)
        opened.ledger.activity.account(100_501.0, opened.clock.now_us())
        opened.trade(-1.0)
        assert opened.events()[-1].reason == reason
        assert opened.book.net(KEY) == 0  # the closing went before
        opened.close()


def test_a_loss_of_three_percent_of_the_days_opening_denies_as_shipped(tmp_path: Path) -> None:
    shipped = desk(tmp_path, "")
    now = shipped.clock.now_us()
    shipped.ledger.activity.account(103_200.0, now)  # and 100,000 now: 3.1 % less
    assert denied(shipped) == "daily_loss"
    event = shipped.events()[-1]
    assert (event.limit, round(event.observed)) == (pytest.approx(3_096.0), 3_200)
    shipped.close()


@pytest.mark.parametrize(
    ("tick_value", "reason", "observed"),
    [(0.0, "no_conversion_rate", 0.0), (0.9, "order_value", 9_900.0)],
)
def test_without_a_pair_of_the_account_the_terminals_word_of_a_lot_counts(
    tmp_path: Path, tick_value: float, reason: str, observed: float
) -> None:
    built = desk(tmp_path, "max_order_value = 9000.0")
    account, info = built.venue.account(), built.terminal.symbol_info
    built.funds.account = lambda: replace(account, currency="CHF")  # type: ignore[method-assign]
    built.terminal.symbol_info = lambda name: info(name)._replace(  # type: ignore[attr-defined]
        trade_tick_value=tick_value, trade_tick_size=1e-5
    )
    built.venue.at(built.clock.now_us() + 86_400_000_000)  # specifications are asked for daily
    built.venue.at(built.clock.now_us())
    assert denied(built) == reason
    assert built.events()[-1].observed == pytest.approx(observed, rel=1e-3)
    built.close()


def test_limits_that_change_between_two_looks_size_by_the_version_that_is_recorded(
    tmp_path: Path,
) -> None:
    built = desk(tmp_path, "lots = 0.1")
    built.ledger.activity.account(106_000.0, built.clock.now_us())
    built.ledger.activity.account(100_000.0, built.clock.now_us())  # 5.7 % lower: half size
    quote = built.quotes.at

    def changed_meanwhile(*feed: Any) -> Any:
        off = 'version = "u"\n[breakers]\nhalf_at_drawdown = inf\n'
        (tmp_path / "limits.toml").write_text(off)
        built.limits_file.poll()
        return quote(*feed)

    built.quotes.at = changed_meanwhile  # type: ignore[method-assign]
    built.trade(1.0, reference_price=1.1)
    entered = [e for e in built.events() if e.purpose == "entry" and e.volume]
    assert {e.volume for e in entered} == {0.05}
    built.close()


def test_a_closed_throttle_stays_closed_until_a_person_releases_it(tmp_path: Path) -> None:
    opened = desk(tmp_path, "max_repeats = 2\nrepeat_window_s = 10.0")
    for second in (1, 3):
        opened.at(second)
        assert opened.trade(1.0)[-1] == "entry filled"
        opened.at(second + 1)
        opened.trade(0.0)
    opened.at(5)
    assert denied(opened) == "throttled"
    opened.at(60)  # long after the window
    assert denied(opened) == "throttled"
    opened.close()
    opened = desk(tmp_path, "max_repeats = 2\nrepeat_window_s = 10.0")  # a restart remembers
    opened.at(61)
    assert denied(opened) == "throttled"
    release = Release("simulated", "scripted", "EURUSD", "ann", "checked", opened.clock.now_us())
    decisions.save(decisions.path_in(tmp_path), Overrides(releases=[release]))
    opened.limits_file.poll()
    opened.at(62)
    assert opened.trade(1.0)[-1] == "entry filled"
    opened.close()


def test_an_override_lets_pass_is_recorded_and_ends_by_the_clock(tmp_path: Path) -> None:
    opened = desk(tmp_path, "max_position_lots = 0.05")
    start = TUESDAY * 1000
    override = Override(
        rule="max_position_lots", value=0.1, account="simulated", symbol="", by="ann",
        reason="month end", from_us=start, until_us=start + 10_000_000,
    )  # fmt: skip
    decisions.save(decisions.path_in(tmp_path), Overrides([override]))
    opened.limits_file.poll()
    opened.trade(1.0)
    submitted = next(e for e in opened.events() if e.kind is Kind.SUBMITTED)
    assert submitted.limits_version.endswith(" override max_position_lots=0.1 by ann")
    opened.at(11)
    opened.trade(-1.0)
    assert opened.events()[-1].reason == "position_limit"
    opened.close()


class Ticking(ManualClock):
    """Time goes on by a microsecond with every look at the clock."""

    def now_us(self) -> int:
        self.advance(super().now_us() + 1)
        return super().now_us()


def is_denied(event: OrderEvent) -> bool:
    return event.kind is Kind.DENIED


def passes(event: OrderEvent) -> bool:
    return event.kind is Kind.SUBMITTED


def is_halved(event: OrderEvent) -> bool:
    return event.volume == 0.05


@pytest.mark.parametrize("later_us", range(1, 8))
@pytest.mark.parametrize(
    ("limits", "override", "shows"),
    [
        ("max_lots = 0.2", ("max_lots", 0.05), is_denied),
        ("max_lots = 0.05", ("max_lots", 0.2), passes),
        ("lots = 0.1\nmax_position_lots = 0.01", ("lots", 0.05), is_halved),
    ],
)
def test_limits_are_recorded_as_they_decided_also_when_an_override_begins_meanwhile(
    tmp_path: Path,
    limits: str,
    override: tuple[str, float],
    shows: Callable[[OrderEvent], bool],
    later_us: int,
) -> None:
    opened = desk(tmp_path, limits)
    signal = opened.signal(1.0)
    opened.clock = Ticking(opened.clock.now_us())
    opened.use(opened.limits_file)
    start = opened.clock.now_us() + later_us
    begins = Override(*override, "simulated", "", "ann", "", start, start + 60_000_000)
    decisions.save(decisions.path_in(tmp_path), Overrides([begins]))
    opened.limits_file.poll()
    opened.engine.on_signal(signal)
    decided = next(e for e in opened.events() if e.kind in (Kind.DENIED, Kind.SUBMITTED))
    assert (" override " in decided.limits_version) == shows(decided)
    opened.close()


def test_no_limit_stops_what_reduces_risk(tmp_path: Path) -> None:
    opened = desk(tmp_path, "max_repeats = 1")
    opened.trade(1.0)
    opened.close()
    strict = (
        "restricted = true\nmax_order_value = 0\nmax_gross_exposure = 0\nmax_position_lots = 0\n"
        "max_messages_per_second = 0\nmax_repeats = 0\nmax_daily_loss = 0\nmax_drawdown = 0\n"
        "max_lots = 0\nmax_quote_age_s = 0\nmax_spread_ratio = 0\ncollar = 0"
    )
    opened = desk(tmp_path, strict)
    opened.at(30)
    assert opened.trade(0.0)[-1] == "opposite filled"
    assert opened.book.positions == {}
    opened.close()


def test_volatility_sizes_by_the_stop_and_the_lot_step(tmp_path: Path) -> None:
    opened = desk(tmp_path, 'sizing = "volatility"\nrisk_share = 0.002')
    opened.trade(1.0)  # stop 0.01005 from the mid: 200 / 1005 = 0.199 lots
    assert opened.book.net(KEY) == 0.19
    opened.at(5)
    opened.trade(1.0, stop_price=1.0905)  # a little nearer: not worth a trade
    assert opened.book.net(KEY) == 0.19
    opened.close()


def test_kelly_without_an_edge_is_too_small_to_trade(tmp_path: Path) -> None:
    opened = desk(tmp_path, 'sizing = "kelly"')
    assert denied(opened, confidence=0.4) == "below_minimum"
    opened.at(2)
    assert opened.trade(1.0, confidence=0.6)[-1] == "entry filled"
    opened.close()


def test_a_halt_while_the_order_goes_to_disk_keeps_it_from_being_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Desk(tmp_path, control=tmp_path / "control.json")
    sync = opened.ledger.sync

    def halts() -> None:
        sync()
        opened.trading.halt(ControlCommand("halted", "ann", "news", 5))

    monkeypatch.setattr(opened.ledger, "sync", halts)
    assert opened.trade(1.0) == ["entry received", "entry submitted", "entry expired"]
    assert opened.terminal.sent == []
    assert opened.book.unsettled == {}
    opened.close()
