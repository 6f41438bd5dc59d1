"""Limits on what the whole portfolio risks: arithmetic, and on the order path."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from core.contracts.order import DenialReason as Reason
from core.contracts.order import EventKind as Kind
from core.contracts.risk import MarketRisk, StressShock
from core.sections import RunSettings
from execution.risk import portfolio_risk
from execution.risk.limits import Limits, parse
from execution.risk.portfolio_risk import Figures, Held, MarketFigures
from risk import covariance, portfolio
from risk.exposure import Holding
from risk.minutes import History, Moment
from risk.value_at_risk import scenarios
from streams.portfolio_risk import message
from tests.support.markets import TUESDAY
from tests.unit.execution.desk import Desk
from tests.unit.execution.risk.test_context import desk

EUR, JPY, GBP = ("oanda", "EURUSD"), ("oanda", "USDJPY"), ("oanda", "GBPJPY")
FEEDS = (EUR, GBP, JPY)
MIDS = {EUR: 1.1, GBP: 190.0, JPY: 150.0}
NOW = TUESDAY * 1000
RUN = RunSettings("live", "live")


def market(count: int = 400, quiet: int | None = None) -> tuple[History, Moment]:
    """Minutes of three feeds, two of which move together; `quiet` has no history."""
    rng = np.random.default_rng(8)
    returns = (
        rng.standard_normal((count, 3)) @ np.array([[1, 0, 0], [0, 1, 0.7], [0, 0, 0.7]]) * 1e-4
    )
    mids = np.array([MIDS[f] for f in FEEDS]) * np.exp(np.cumsum(returns, axis=0))
    if quiet is not None:
        mids[:-5, quiet] = np.nan
    last = dict(zip(FEEDS, mids[-1].tolist(), strict=True))
    return History(FEEDS, mids), Moment(NOW, last, dict.fromkeys(FEEDS, 1e-4), closed=True)


def figures(
    quiet: int | None = None, stress: tuple[StressShock, ...] = ()
) -> tuple[MarketRisk, Any]:
    """What execution gets, and what the stream computes accounts by."""
    history, moment = market(quiet=quiet)
    known = covariance.estimate(history.returns, FEEDS, half_life=100.0, least=60)
    sent = replace(message(RUN, moment, 0, history, known), stress=list(stress))
    return sent, (moment, scenarios(history, known, half_life=100.0, least=60))


@pytest.mark.parametrize("quiet", [None, 0])
def test_the_figure_checked_is_the_parametric_one_that_people_see(quiet: int | None) -> None:
    """Positions with a profit so far, conversion, swap and a feed without history included."""
    sent, (moment, by) = figures(quiet)
    held = [Held(EUR, 0.5, 1.05), Held(GBP, -0.3, 195.0)]
    order = Held(JPY, 0.4)
    account = portfolio.Account("live", "live", "a", "USD")
    for count, risked in enumerate(Figures(sent, "USD").before_and_after(held, order), 2):
        holdings = [
            Holding("s", *h.feed, h.lots, h.price or moment.mids[h.feed]) for h in [*held, order]
        ]
        seen = portfolio.portfolio(account, "", holdings[:count], moment, by, 0.5)
        day = next(
            v for v in seen.values
            if (v.measure, v.confidence, v.horizon) == ("parametric", 0.99, "1d")
        )  # fmt: skip
        assert risked.value_at_risk == pytest.approx(day.value_at_risk, rel=1e-9)
        assert risked.expected_shortfall == pytest.approx(day.expected_shortfall, rel=1e-9)
        foreign = [abs(c.exposure) for c in seen.currencies if c.currency != "USD"]
        assert risked.currency == pytest.approx(max(foreign), rel=1e-9)
        if quiet is None and count == 3:
            moving = next(f.correlated for f in seen.feeds if f.symbol == "USDJPY")
            assert risked.correlated == pytest.approx(abs(moving), rel=1e-9)


def test_the_only_strategy_has_the_accounts_figures_as_if_they_were_computed_for_it() -> None:
    _, (moment, by) = figures()
    account = portfolio.Account("live", "live", "a", "USD", equity=9_000.0, margin=500.0, seq=7)
    held = [Holding("s", *EUR, 0.5, 1.05), Holding("s", *GBP, -0.3, 195.0)]
    whole = portfolio.portfolio(account, "", held, moment, by, 0.5)
    own = portfolio.portfolio(account, "s", held, moment, by, 0.5)
    assert whole.summary.stop_out > 0
    assert portfolio.of_only_strategy(whole, "s") == own


@pytest.mark.parametrize("quiet", [None, 0])
def test_an_order_counts_as_if_it_were_held(quiet: int | None) -> None:
    """Hedges and reversals of what is held included; and newer figures know what was held."""
    shocks = tuple(
        StressShock(name, "1", moves, [1e-3, 0.0, 2e-3], 1.0)
        for name, moves in (("a", [-0.1, 0.05, 0.0]), ("b", [0.1, -0.2, 0.3]))
    )
    sent, _ = figures(quiet, shocks)
    ready = Figures(replace(sent, ts_event_us=sent.ts_event_us - 1), "USD").renewed(sent)
    held, nothing = [Held(EUR, 0.5, 1.05), Held(GBP, -0.3, 195.0)], Held(JPY, 0.0)
    orders = [Held(f, lots, price) for f in FEEDS for lots in (0.2, -0.9) for price in (0.0, 1.2)]
    for order in [*orders, Held(EUR, -0.5)]:
        _, after = ready.before_and_after(held, order)
        alike = Figures(sent, "USD").before_and_after([*held, order], nothing)[0]
        assert after._replace(correlated=0.0) == pytest.approx(alike._replace(correlated=0.0))
        known, _ = ready.renewed(sent).before_and_after(held, order)
        assert known == ready.before_and_after(held, order)[0]


def test_stress_is_the_worst_scenario_with_half_the_wider_spread_and_the_wait() -> None:
    falls = StressShock("falls", "1", [-0.1, 0.0, 0.0], [0.002, 0.0, 0.0], 2.0)
    rises = StressShock("rises", "1", [0.1, 0.0, 0.0], [0.0] * 3, 0.0)
    sent, _ = figures(stress=(falls, rises))
    sent = replace(sent, mids=[1.1, 190.0, 150.0])
    ready = Figures(sent, "USD")
    _, long = ready.before_and_after([], Held(EUR, 1.0))
    waited = 2.0 * 110_000 * sent.sigma[0] * math.sqrt(60)
    assert long.stress == pytest.approx(11_000 + 110 + waited)
    assert ready.before_and_after([], Held(EUR, -1.0))[1].stress == pytest.approx(11_000)


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("max_var_equity", Reason.VALUE_AT_RISK),
        ("max_shortfall_equity", Reason.EXPECTED_SHORTFALL),
        ("max_order_var_equity", Reason.ORDER_RISK),
        ("max_currency_equity", Reason.CURRENCY_EXPOSURE),
        ("max_correlated_equity", Reason.CORRELATED_EXPOSURE),
        ("max_stress_equity", Reason.STRESS_LOSS),
    ],
)
def test_a_limit_denies_what_goes_beyond_it_and_lets_pass_what_hedges(
    limit: str, reason: Reason
) -> None:
    sent, _ = figures(stress=(StressShock("s", "1", [-0.1, 0.0, 0.0], [0.0] * 3, 0.0),))
    ready, limits = Figures(sent, "USD"), Limits(**{limit: 1e-6})

    def check(held: list[Held], order: Held) -> portfolio_risk.Denial | None:
        return portfolio_risk.check(limits, ready, held, order, 10_000.0, NOW)

    denial = check([], Held(EUR, 0.1))
    assert denial is not None
    assert denial.reason is reason
    assert denial.limit == pytest.approx(0.01)
    assert denial.observed > denial.limit
    assert check([Held(EUR, 1.0)], Held(EUR, -0.4)) is None
    generous = Limits(**{limit: 1e6})
    assert portfolio_risk.check(generous, ready, [], Held(EUR, 0.1), 10_000.0, NOW) is None


def test_no_figures_old_ones_and_ones_without_history_deny() -> None:
    sent, _ = figures()
    limits, order = Limits(max_var_equity=1.0), Held(EUR, 0.1)
    mute = Figures(replace(sent, sigma=[0.0] * 3), "USD")
    for known, now in ((None, NOW), (mute, NOW), (Figures(sent, "USD"), NOW + 151_000_000)):
        denial = portfolio_risk.check(limits, known, [], order, 1e6, now)
        assert denial is not None
        assert denial.reason is Reason.STALE_RISK
        assert denial.limit == 150.0
    assert (
        portfolio_risk.check(limits, Figures(sent, "USD"), [], order, 1e6, NOW + 149_000_000)
        is None
    )


@pytest.mark.parametrize("feed", [("oanda", "NOPE"), ("elsewhere", "EURUSD"), ("oanda", "EURGBP")])
def test_what_cannot_be_valued_denies(feed: tuple[str, str]) -> None:
    sent, _ = figures()
    for held, order in (([], Held(feed, 0.1)), ([Held(feed, 0.1, 1.0)], Held(EUR, 0.1))):
        denial = portfolio_risk.check(
            Limits(max_var_equity=1.0), Figures(sent, "USD"), held, order, 1e6, NOW
        )
        assert denial is not None
        assert denial.reason is Reason.NO_CONVERSION_RATE


def test_figures_of_others_and_older_ones_are_left_out() -> None:
    sent, _ = figures()
    known = MarketFigures("live")
    known.take(replace(sent, run_id="another"))
    known.take("no figures")
    assert known.at("USD") is None
    known.take(sent)
    ready = known.at("USD")
    known.take(replace(sent, ts_event_us=NOW - 1))
    assert known.at("USD") is ready
    known.take(replace(sent, ts_event_us=NOW + 1))
    assert known.at("USD") is not ready


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("max_lots = 2.0", False),
        ("max_var_equity = inf", False),
        ("max_var_equity = 0.1", True),
        ("[symbols.EURUSD]\nmax_order_var_equity = 0.1", True),
        ("[accounts.a.symbols.EURUSD]\nmax_stress_equity = 0.1", True),
    ],
)
def test_a_book_says_whether_it_needs_figures(text: str, uses: bool) -> None:
    book = parse(f'version = "t"\n[limits]\n{text}'.encode(), "f")
    assert portfolio_risk.uses_figures(book) is uses


LIMITED = "max_var_equity = 0.0001"


def fed(at_desk: Desk) -> Desk:
    sent, _ = figures()
    at_desk.engine.market_risk.take(replace(sent, ts_event_us=at_desk.clock.now_us()))
    return at_desk


def test_on_the_order_path_a_denial_names_figure_limit_and_version(tmp_path: Path) -> None:
    opened = fed(desk(tmp_path, LIMITED))
    opened.trade(1.0)
    event = opened.events()[-1]
    assert (event.kind, event.reason) == (Kind.DENIED, "value_at_risk")
    assert event.limit == pytest.approx(0.0001 * opened.funds.account().equity)
    assert event.observed > event.limit
    assert event.limits_version.startswith("t+")
    opened.close()


def test_while_figures_are_stale_entries_are_denied_and_exits_pass(tmp_path: Path) -> None:
    opened = fed(desk(tmp_path, "max_var_equity = 10.0"))
    assert opened.trade(1.0)[-1] == "entry filled"
    opened.at(200.0)
    assert opened.trade(0.0, "closes")[-1] == "opposite filled"
    opened.trade(1.0, "again")
    assert opened.events()[-1].reason == "stale_risk"
    opened.close()


def test_without_such_a_limit_nothing_asks_for_figures(tmp_path: Path) -> None:
    opened = desk(tmp_path, "max_lots = 1.0")
    assert opened.trade(1.0)[-1] == "entry filled"
    opened.close()


def wilder(at_desk: Desk, times: float) -> None:
    """Newer figures, by which everything moves so many times as much."""
    sent, _ = figures()
    now, sigma = at_desk.clock.now_us(), [times * s for s in sent.sigma]
    at_desk.engine.market_risk.take(replace(sent, ts_event_us=now, sigma=sigma))


def test_an_order_that_waits_is_taken_back_once_it_would_be_denied(tmp_path: Path) -> None:
    opened = fed(desk(tmp_path, "max_var_equity = 0.01"))
    opened.engine.on_signal(opened.order(0.5, 1.095))
    assert opened.events()[-1].kind is Kind.ACCEPTED
    assert not opened.engine.changing.withdraw(), "it is not counted twice"
    opened.at(10.0)
    wilder(opened, 100.0)
    assert opened.engine.changing.withdraw()
    event = opened.events()[-1]
    assert (event.kind, event.reason) == (Kind.CANCELLING, "value_at_risk")
    opened.close()


def test_so_it_is_while_nobody_knows_what_it_risks(tmp_path: Path) -> None:
    opened = fed(desk(tmp_path, "max_var_equity = 10.0\nmax_risk_age_s = 20.0"))
    opened.engine.on_signal(opened.order(0.5, 1.095))
    opened.at(20.0)
    assert not opened.engine.changing.withdraw()
    opened.at(25.0)
    assert opened.engine.changing.withdraw()
    assert opened.events()[-1].reason == "stale_risk"
    opened.close()


def test_after_a_fill_what_is_held_is_valued_before_the_next_order_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valued, stand = list[int](), Figures._stand

    def counted(of: Figures, held: list[Held]) -> Any:
        valued.append(len(held))
        return stand(of, held)

    monkeypatch.setattr(Figures, "_stand", counted)
    opened = fed(desk(tmp_path, "max_var_equity = 10.0"))
    opened.trade(0.5)
    valued.clear()
    opened.engine.risk.prepare()
    opened.engine.risk.prepare()
    assert valued == [1]
    opened.at(3.0)
    assert opened.trade(1.0, "more")[-1] == "entry filled"
    assert valued == [1]
    opened.close()
