"""Trailing stops against the simulated terminal: journalled, throttled, never looser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.sections import ExitSettings
from execution.risk.limits_file import LimitsFile
from tests.support.markets import TUESDAY, Rows
from tests.unit.execution.desk import Desk, story

RISING: Rows = [
    (TUESDAY + 500 * n, round(1.1 + n * 1e-4, 5), round(1.1001 + n * 1e-4, 5)) for n in range(120)
]
MOVED = ["trail stop_moving", "trail stop_moved"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path, rows=RISING)
    yield opened
    opened.close()


def at(desk: Desk, seconds: float) -> None:
    desk.at(seconds, round(1.1 + int(seconds * 2) * 1e-4, 5))


def follow(desk: Desk) -> list[OrderEvent]:
    before = len(desk.events())
    stops = getattr(desk, "stops", None) or desk.watched().stops
    desk.stops = stops  # type: ignore[attr-defined]
    stops.follow()
    return desk.events()[before:]


def test_take_profit_rides_in_the_entrys_own_request_and_closes_at_its_level(desk: Desk) -> None:
    desk.trade(1.0, take_profit=1.105)
    [request] = desk.terminal.sent
    assert (request["sl"], request["tp"]) == (1.09, 1.105)
    at(desk, 40)
    desk.engine.poll()
    closed = desk.events()[-1]
    assert (closed.kind, closed.reason, closed.price) == (Kind.CLOSED, "take_profit", 1.105)
    assert not desk.book.positions


def test_a_take_profit_on_the_wrong_side_is_denied(desk: Desk) -> None:
    assert desk.trade(1.0, take_profit=1.0999) == ["entry received", "entry denied"]
    assert desk.events()[-1].reason == "off_price"


def test_a_stop_follows_the_gain_and_never_the_loss(desk: Desk) -> None:
    desk.trade(1.0, trail=0.003)
    at(desk, 20)
    assert story(follow(desk)) == MOVED
    [held] = desk.venue.positions()
    assert held.stop_price == desk.book.positions[1].stop_price == pytest.approx(1.101)
    at(desk, 22)
    desk.at(22, 1.1015)
    assert follow(desk) == []


def test_moves_keep_their_distance_in_time_and_in_messages(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rows=RISING, exits=ExitSettings(trail_interval_s=5.0))
    desk.trade(1.0, trail=0.001)
    at(desk, 10)
    assert story(follow(desk)) == MOVED
    at(desk, 13)
    assert follow(desk) == []
    at(desk, 15.5)
    assert story(follow(desk)) == MOVED
    desk.close()


def test_a_message_rate_that_is_used_up_leaves_stops_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text('version = "1"\n[limits]\nmax_messages_per_second = 1\n')
    desk = Desk(tmp_path, rows=RISING)
    desk.use(LimitsFile("simulated", desk.limits_file.rules.book, tmp_path))
    desk.trade(1.0, trail=0.001)
    at(desk, 10)
    assert follow(desk) == []
    desk.close()


@pytest.mark.parametrize("lost", ["answer", "request"])
def test_a_lost_answer_is_settled_by_looking_at_the_position(desk: Desk, lost: str) -> None:
    desk.trade(1.0, trail=0.003)
    at(desk, 20)
    desk.terminal.lose = [lost]
    assert story(follow(desk)) == MOVED[:1]
    at(desk, 22)
    seen = follow(desk)
    if lost == "answer":
        assert story(seen) == MOVED[1:]
        return
    assert seen == []  # it may still arrive
    at(desk, 33)
    assert story(follow(desk)) == ["trail stop_kept"]
    at(desk, 34)
    assert story(follow(desk)) == MOVED


def test_a_refused_move_is_journalled_with_its_reason(desk: Desk) -> None:
    desk.trade(1.0, trail=0.003)
    at(desk, 20)
    desk.at(20, 1.2)  # our quote is wrong: the stop would be beyond the market
    seen = follow(desk)
    assert story(seen) == ["trail stop_moving", "trail stop_kept"]
    assert seen[-1].reason.startswith("10016")
    assert desk.book.positions[1].stop_price == 1.09


def test_it_goes_on_after_a_restart_from_the_journal(desk: Desk, tmp_path: Path) -> None:
    desk.trade(1.0, trail=0.003)
    at(desk, 20)
    desk.terminal.lose = ["answer"]
    follow(desk)
    desk.close()
    again = Desk(tmp_path, rows=RISING)
    at(again, 22)
    assert story(follow(again)) == MOVED[1:]
    at(again, 30)
    assert story(follow(again)) == MOVED
    assert again.book.positions[1].stop_price == pytest.approx(1.103)
    again.close()


def test_a_stop_that_a_person_moves_is_taken_as_it_is(desk: Desk) -> None:
    desk.trade(1.0, trail=0.003)
    [held] = desk.venue.positions()
    desk.venue.move_stop(held, 1.095)
    [seen] = follow(desk)
    assert (seen.kind, seen.purpose, seen.stop_price) == (Kind.STOP_MOVED, "manual", 1.095)
    assert desk.book.positions[1].stop_price == 1.095
