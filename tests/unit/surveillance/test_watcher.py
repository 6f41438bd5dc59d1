"""What is an alert, what is not, and that each says how long it took."""

from pathlib import Path

import pytest

from adapters.alert_box import AlertBox
from adapters.bus.base import Message
from core.clock import ManualClock
from core.contracts import codec
from core.contracts.operations import RiskState
from core.contracts.order import EventKind
from core.errors import UnavailableError
from core.sections import AlertSettings
from surveillance.watcher import Alert, Watcher, alert_of
from tests.support.orders import event

NOW = 1_800_000_000_000_000


@pytest.mark.parametrize(
    ("kind", "reason", "alerts"),
    [
        (EventKind.DENIED, "oversized", True),
        (EventKind.DENIED, "daily_loss", True),
        (EventKind.DENIED, "throttled", True),
        (EventKind.DENIED, "market_closed", False),
        (EventKind.DENIED, "below_minimum", False),
        (EventKind.UNKNOWN, "", True),
        (EventKind.FILLED, "", False),
    ],
)
def test_breaches_and_failures_are_alerts(kind: EventKind, reason: str, alerts: bool) -> None:
    found = alert_of(event(1, kind, NOW, reason=reason), NOW + 1_000)
    assert (found is not None) is alerts


def test_what_is_history_is_not_alerted_again() -> None:
    denied = event(1, EventKind.DENIED, NOW, reason="oversized")
    assert alert_of(denied, NOW + 61_000_000) is None


def test_a_stop_of_trading_is_an_alert_and_a_resume_is_none() -> None:
    halted = RiskState("live", "live", "acc1", NOW, NOW, "halted", "breaker crash", "fell 3 %")
    found = alert_of(halted, NOW)
    assert found is not None
    assert (found.control, found.subject, found.detail) == ("halted", "breaker crash", "fell 3 %")
    active = RiskState("live", "live", "acc1", NOW, NOW, "active", "ann", "calm")
    assert alert_of(active, NOW) is None


def test_an_alert_carries_when_it_was_out_and_is_stored_after_a_warehouse_came_back() -> None:
    stored: list[Alert] = []
    away = [True]

    def store(alerts: list[Alert]) -> None:
        if away.pop() if away else False:
            raise UnavailableError("the warehouse does not answer")
        stored.extend(alerts)

    clock = ManualClock(NOW + 250_000)
    watcher = Watcher(clock, store)
    denied = event(1, EventKind.DENIED, NOW, reason="oversized", observed=5.0, limit=1.0)
    watcher.note(Message("order_events", "acc1", 1, codec.encode(denied), 0))
    with pytest.raises(UnavailableError):
        watcher.flush()
    assert watcher.flush() == 1
    [alert] = stored
    assert alert.ts_raised_us - alert.ts_event_us == 250_000
    assert "seen 5, limit 1" in alert.detail
    assert watcher.flush() == 0


def test_a_webhook_that_does_not_answer_keeps_no_alert_back(tmp_path: Path) -> None:
    box = AlertBox(tmp_path, AlertSettings(webhook="http://127.0.0.1:9/none"), ManualClock(NOW))
    watcher = Watcher(ManualClock(NOW), lambda alerts: None, box)
    denied = event(1, EventKind.DENIED, NOW, reason="oversized")
    raised = watcher.note(Message("order_events", "acc1", 1, codec.encode(denied), 0))
    assert raised is not None
    assert raised.channel == "log, webhook failed"
