from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.mt5.venue.venue import VenueOrder
from execution.risk.margin import CachedFunds, VenueFunds
from tests.unit.execution.desk import Desk

ORDER = VenueOrder("ab" * 15, "oanda", "EURUSD", "buy", 0.1, 1.1, 1.09)


def test_remembered_margin_is_the_venues_own(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    direct, remembered = VenueFunds(desk.venue), CachedFunds(desk.venue, desk.clock)
    expected = direct.margin(ORDER)
    margin = remembered.margin(ORDER)
    assert margin.needed == pytest.approx(expected.needed, abs=0.01)
    assert margin.free == expected.free == 100_000
    desk.close()


def test_orders_between_two_refreshes_do_not_share_free_margin(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    funds = CachedFunds(desk.venue, desk.clock)
    big = replace(ORDER, volume=20.0)
    first, second = funds.margin(big), funds.margin(big)
    assert first.needed is not None
    assert second.free == first.free - first.needed
    funds.refresh()
    assert funds.margin(big).free == first.free
    desk.close()


def test_what_is_old_is_asked_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    funds = CachedFunds(desk.venue, desk.clock)
    funds.margin(ORDER)
    desk.at(60)
    desk.terminal.order_calc_margin = lambda *_: None  # type: ignore[method-assign]
    assert funds.margin(ORDER).needed is None
    desk.close()
