from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.contracts.order import DenialReason, EventKind, PositionState
from core.topics import ORDER_EVENTS
from core.trading_control import ControlCommand, write
from execution.journal import events
from tests.support.markets import TUESDAY
from tests.unit.execution.desk import KEY, Desk

OPENED = ["entry received", "entry submitted", "entry accepted", "entry filled"]
CLOSED = [
    "opposite received", "opposite submitted", "opposite accepted", "opposite filled",
]  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path, control=tmp_path / "control.json")
    yield opened
    opened.close()


def test_a_signal_opens_its_position_with_the_stop_in_the_same_request(desk: Desk) -> None:
    assert desk.trade(1.0) == OPENED
    [request] = desk.terminal.sent
    assert (request["volume"], request["sl"], request["price"]) == (0.1, 1.09, 1.1001)
    assert request["comment"] == desk.events()[0].order_id
    filled = desk.events()[-1]
    assert (filled.price, filled.commission, filled.venue_position) == (1.1001, -0.35, 1)
    assert filled.arrival_mid == pytest.approx(1.10005)
    assert desk.book.net(KEY) == 0.1


def test_events_are_numbered_within_their_order_and_the_journal(desk: Desk) -> None:
    desk.trade(1.0)
    desk.at(5)
    desk.trade(0.0)
    events = desk.events()
    assert [e.seq for e in events] == list(range(1, 9))
    assert [e.event_id for e in events[:4]] == [f"{events[0].order_id}.{n}" for n in (1, 2, 3, 4)]


def test_a_reversal_closes_first_and_then_opens(desk: Desk) -> None:
    desk.trade(1.0)
    desk.at(5)
    assert desk.trade(-0.5) == CLOSED + OPENED[1:]
    assert desk.book.net(KEY) == -0.05


def test_a_reversal_whose_entry_is_denied_still_closes(desk: Desk) -> None:
    desk.trade(1.0)
    desk.at(5)
    assert desk.trade(-1.0, reference_price=2.0) == [*CLOSED, "entry denied"]
    assert desk.book.net(KEY) == 0


def test_what_is_held_already_is_only_prolonged(desk: Desk) -> None:
    desk.trade(1.0)
    desk.at(5)
    assert desk.trade(1.0, horizon_us=99) == ["entry received"]
    assert desk.events()[-1].reason == "held"
    assert desk.book.positions[1].horizon_us == 99


@pytest.mark.parametrize(
    ("limits", "target", "changes", "reason"),
    [
        ({}, 1.0, {"symbol": "GBPUSD"}, DenialReason.UNKNOWN_SYMBOL),
        ({}, 1.0, {"expires_us": 1}, DenialReason.STALE_SIGNAL),
        ({"lots": 5.0}, 1.0, {}, DenialReason.OVERSIZED),
        ({}, 2.0, {}, DenialReason.OVERSIZED),
        ({"max_orders_per_minute": 0}, 1.0, {}, DenialReason.TOO_MANY),
        ({}, 1.0, {"reference_price": 1.2}, DenialReason.OFF_PRICE),
        ({"lots": 0.01}, 0.5, {}, DenialReason.BELOW_MINIMUM),
        ({"lots": 50.0, "max_lots": 50.0}, 1.0, {}, DenialReason.ORDER_VALUE),
    ],
)
def test_a_denied_signal_is_journalled_with_rule_limit_and_version(
    tmp_path: Path,
    limits: dict[str, float],
    target: float,
    changes: dict[str, object],
    reason: DenialReason,
) -> None:
    desk = Desk(tmp_path, limits_version="v7", **limits)
    assert [s.split()[1] for s in desk.trade(target, **changes)] == ["received", "denied"]
    denied = desk.events()[-1]
    assert (denied.reason, denied.limits_version) == (reason.value, "v7")
    assert denied.limit != denied.observed
    assert desk.terminal.sent == []
    desk.close()


def test_a_stale_quote_denies(desk: Desk) -> None:
    desk.clock.advance(desk.clock.now_us() + 11_000_000)
    desk.trade(1.0)
    assert desk.events()[-1].reason == "stale_quote"


def test_a_missing_conversion_rate_denies(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.terminal.order_calc_margin = lambda *_: None  # type: ignore[attr-defined]
    desk.trade(1.0)
    assert desk.events()[-1].reason == "no_conversion_rate"
    desk.close()


def test_a_signal_seen_before_is_denied_once_and_traded_once(desk: Desk) -> None:
    desk.trade(1.0, "s1")
    assert desk.trade(1.0, "s1") == ["entry denied"]
    assert desk.events()[-1].reason == "duplicate"
    assert desk.trade(1.0, "s1") == []
    assert len(desk.terminal.sent) == 1


@pytest.mark.parametrize("state", ["halted", "reducing"])
def test_when_halted_or_reducing_entries_are_denied_and_exits_pass(
    desk: Desk, tmp_path: Path, state: str
) -> None:
    desk.trade(1.0)
    write(tmp_path / "control.json", ControlCommand(state, "ann", "news", 1))  # type: ignore[arg-type]
    desk.trading.poll()
    desk.at(5)
    assert desk.trade(-1.0) == [*CLOSED, "entry denied"]
    assert desk.events()[-1].reason == state


def test_exits_pass_when_everything_would_deny_an_entry(tmp_path: Path) -> None:
    desk = Desk(tmp_path, max_orders_per_minute=1, control=tmp_path / "control.json")
    desk.trade(1.0)
    write(tmp_path / "control.json", ControlCommand("reducing", "ann", "news", 1))
    desk.trading.poll()
    desk.clock.advance(desk.clock.now_us() + 60_000_000)  # quote and signal are stale
    desk.venue.at(desk.clock.now_us())
    old = {"expires_us": 1, "reference_price": 9.0}
    assert desk.trade(0.0, **old) == CLOSED
    desk.close()


def test_a_position_closes_at_its_horizon(desk: Desk) -> None:
    desk.trade(1.0)
    desk.at(30)
    assert desk.engine.exit(desk.book.positions[1], "horizon")
    assert desk.events()[-1].purpose == "horizon"
    assert desk.book.positions == {}


def test_a_stop_at_the_broker_is_journalled_once_with_its_own_time_and_price(
    tmp_path: Path,
) -> None:
    rows = [(TUESDAY + 1000 * n, 1.1 if n < 10 else 1.08, 1.1001) for n in range(60)]
    desk = Desk(tmp_path, rows=rows)
    desk.trade(1.0)
    desk.at(20)
    desk.engine.poll()
    desk.engine.poll()
    closed = desk.events()[-1]
    assert (closed.kind, closed.purpose, closed.price) == (EventKind.CLOSED, "stop", 1.08)
    assert closed.ts_event_us == (TUESDAY + 10_000) * 1000
    assert len(desk.events()) == 5
    states = [m for m in desk.bus.messages(ORDER_EVENTS) if isinstance(m, PositionState)]
    assert [state.volume for state in states] == [0.1, 0.0]
    assert desk.venue.account().balance == 100_000 + states[-1].profit_realised
    desk.close()


def test_in_shadow_decisions_are_journalled_and_nothing_is_sent(tmp_path: Path) -> None:
    desk = Desk(tmp_path, sends=False)
    assert desk.trade(1.0) == ["entry received", "entry cancelled"]
    assert desk.trade(1.0, "stale", expires_us=1) == ["entry received", "entry denied"]
    assert desk.terminal.sent == []
    desk.close()


def test_a_refused_entry_is_rejected_with_the_venues_words(desk: Desk) -> None:
    desk.clock.advance(desk.clock.now_us())
    desk.venue.at((TUESDAY + 3_600_000) * 1000)  # no quote there any more
    assert desk.trade(1.0)[-1] == "entry rejected"
    assert desk.events()[-1].reason.startswith("10018 ")


def test_a_superseded_signal_is_journalled_and_never_traded(desk: Desk) -> None:
    desk.engine.untraded.supersede([desk.signal(1.0, "old")])
    assert [e.kind for e in desk.events()] == [EventKind.RECEIVED, EventKind.SUPERSEDED]
    assert desk.trade(1.0, "old") == ["entry denied"]


def test_equal_inputs_give_equal_events(tmp_path: Path) -> None:
    runs = []
    for name in ("a", "b"):
        desk = Desk(tmp_path / name)
        desk.trade(1.0)
        desk.at(5)
        desk.trade(-1.0)
        runs.append(desk.events())
        desk.close()
    assert runs[0] == runs[1]
    assert runs[0][-1].hash == replace(runs[1][-1]).hash


def test_a_halt_that_comes_while_an_entry_is_journalled_stops_it(
    desk: Desk, tmp_path: Path
) -> None:
    sync = desk.journal.sync

    def halt_meanwhile() -> None:
        write(tmp_path / "control.json", ControlCommand("halted", "ann", "news", 1))
        desk.trading.poll()
        sync()

    desk.journal.sync = halt_meanwhile  # type: ignore[method-assign]
    assert desk.trade(1.0) == [*OPENED[:2], "entry expired"]
    assert desk.events()[-1].reason == "halted before it was sent"
    assert desk.terminal.sent == []


def test_an_exit_that_expired_or_was_cancelled_is_tried_again_under_another_name(
    desk: Desk,
) -> None:
    desk.trade(1.0)
    [position] = desk.book.positions.values()
    for kind in (EventKind.EXPIRED, EventKind.REJECTED):
        exit_order = events.of_exit(position, "horizon", None, 5, desk.settings.run)
        desk.ledger.record([exit_order])
        desk.ledger.record([replace(exit_order, kind=kind)])
    assert position.refused == 2
    assert desk.engine.exit(position, "horizon")


def test_many_superseded_signals_wait_for_the_disk_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[int] = []
    sync = desk.journal.sync
    monkeypatch.setattr(desk.journal, "sync", lambda: (syncs.append(1), sync()))
    desk.engine.untraded.supersede([desk.signal(1.0, f"old{n}") for n in range(100)])
    assert len(syncs) == 1  # what was appended before, if anything was
    assert [e.kind for e in desk.events()].count(EventKind.SUPERSEDED) == 100


def test_a_reversal_interrupted_between_its_legs_is_finished_after_the_restart(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.trade(1.0)
    desk.at(5)
    cut_between_legs(desk)
    again = Desk(tmp_path)
    again.at(6)
    before = len(again.events())
    again.engine.finish()
    kinds = [e.kind.value for e in again.events()[before:]]
    assert kinds == ["submitted", "accepted", "filled"]
    assert again.book.net(KEY) == -0.1
    again.engine.finish()
    assert len(again.events()) == before + 3
    again.close()


def test_a_reversal_that_came_too_late_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.trade(1.0)
    desk.at(5)
    cut_between_legs(desk)
    again = Desk(tmp_path)
    again.at(60)
    again.engine.finish()
    denied = again.events()[-1]
    assert (denied.kind, denied.reason, denied.purpose) == (
        EventKind.DENIED, "stale_signal", "entry",
    )  # fmt: skip
    assert again.book.net(KEY) == 0
    again.close()


def cut_between_legs(desk: Desk) -> None:
    """The process dies after the closing of a reversal, before its entry is journalled."""
    leg, legs = desk.engine._leg, iter((True, False))

    def first_only(*args: Any) -> bool:
        if not next(legs):
            raise KeyboardInterrupt
        return leg(*args)

    desk.engine._leg = first_only  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        desk.trade(-1.0)
    desk.close()
