"""A strategy that is for some regimes: what it may hold in each, and when nobody knows."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.contracts.order import EventKind as Kind
from core.desk import StrategyLimits, parse
from core.errors import InputError
from tests.unit.execution.desk import Desk
from tests.unit.execution.risk.test_context import desk
from tests.unit.execution.risk.test_portfolio_risk import EUR, FEEDS, figures


def opened_in(tmp_path: Path, regime: str, limits: str) -> Desk:
    """A desk whose figures, of now, say that EURUSD is in a regime."""
    text = f"[strategies.scripted]\n[strategies.scripted.limits]\n{limits}\n"
    opened = desk(tmp_path, "max_lots = 10.0", strategies=parse(text.encode(), "desk.toml"))
    sent, _ = figures()
    regimes = [regime if feed == EUR else "calm" for feed in FEEDS]
    now = opened.clock.now_us()
    opened.engine.market_risk.take(replace(sent, ts_event_us=now, regimes=regimes))
    return opened


@pytest.mark.parametrize("regime", ["calm", "normal"])
def test_it_enters_in_its_regimes_alone(tmp_path: Path, regime: str) -> None:
    opened = opened_in(tmp_path, regime, 'regimes = ["normal"]')
    opened.trade(1.0)
    event = opened.events()[-1]
    if regime == "normal":
        assert event.kind is Kind.FILLED
    else:
        assert (event.kind, event.reason) == (Kind.DENIED, "regime")
        assert (event.limit, event.observed) == (1.0, 0.0)
        assert event.limits_version.startswith("desk ")
    opened.close()


def volume(at_desk: Desk) -> float:
    at_desk.trade(1.0)
    event = at_desk.events()[-1]
    assert event.kind is Kind.FILLED, event
    at_desk.close()
    return event.volume


def test_a_share_makes_positions_smaller_in_its_regime_alone(tmp_path: Path) -> None:
    limits = "wild_share = 0.5"
    full, calm, wild = (
        volume(opened_in(tmp_path / str(n), regime, text))
        for n, (regime, text) in enumerate(
            (("wild", "max_lots = 10.0"), ("calm", limits), ("wild", limits))
        )
    )
    assert calm == full
    assert wild == pytest.approx(full / 2)


def test_a_regime_that_nobody_knows_counts_as_the_least_of_all(tmp_path: Path) -> None:
    old = opened_in(tmp_path / "old", "calm", 'regimes = ["calm"]')
    old.at(200.0)
    for opened in (old, opened_in(tmp_path / "new", "unknown", 'regimes = ["calm"]')):
        opened.trade(1.0)
        event = opened.events()[-1]
        assert (event.kind, event.reason) == (Kind.DENIED, "regime")
        assert (event.limit, event.observed) == (0.0, -1.0)
        opened.close()
    shares = StrategyLimits(calm_share=0.7, wild_share=0.3)
    assert [shares.regime_share(r) for r in ("calm", "normal", "wild", "unknown", "")] == [
        0.7, 1.0, 0.3, 0.3, 0.3,
    ]  # fmt: skip


def test_what_is_held_closes_in_any_regime(tmp_path: Path) -> None:
    opened = opened_in(tmp_path, "calm", 'regimes = ["calm"]')
    assert opened.trade(1.0)[-1] == "entry filled"
    sent, _ = figures()
    now = opened.clock.now_us() + 1
    opened.engine.market_risk.take(replace(sent, ts_event_us=now, regimes=["wild"] * 3))
    assert opened.trade(0.0, "closes")[-1] == "opposite filled"
    opened.close()


@pytest.mark.parametrize(
    "wrong", ['regimes = ["stormy"]', "wild_share = 1.5", "calm_share = -0.1", 'regimes = "calm"']
)
def test_a_mistake_is_named_with_its_line(wrong: str) -> None:
    text = f"[strategies.a]\n[strategies.a.limits]\n{wrong}\n"
    with pytest.raises(InputError) as raised:
        parse(text.encode(), "desk.toml")
    assert raised.value.row == 3


@pytest.mark.parametrize(
    ("limits", "uses"),
    [("max_lots = 1.0", False), ('regimes = ["calm"]', True), ("normal_share = 0.0", True)],
)
def test_a_desk_says_whether_it_needs_regimes(tmp_path: Path, limits: str, uses: bool) -> None:
    opened = opened_in(tmp_path, "calm", limits)
    assert opened.engine.needs_figures is uses
    opened.close()
