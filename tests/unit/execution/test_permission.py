from typing import Any

import pytest

from adapters.mt5.execution import Account
from core.settings import RunSettings, Settings, TerminalSettings
from execution.permission import may_send

ACCOUNT = Account(42, "Broker-Live", "USD", 1.0, 1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("mode", "terminal", "allowed"),
    [
        ("live", {}, True),
        ("demo", {}, True),
        ("replay", {}, True),
        ("shadow", {}, False),
        ("live", {"kind": "real"}, False),
        ("live", {"kind": "real", "login": 42}, False),
        ("live", {"kind": "real", "server": "Broker-Live"}, False),
        ("live", {"kind": "real", "login": 43, "server": "Broker-Live"}, False),
        ("live", {"kind": "real", "login": 42, "server": "Broker-Live"}, True),
        ("demo", {"kind": "real", "login": 42, "server": "Broker-Live"}, False),
        ("shadow", {"kind": "real", "login": 42, "server": "Broker-Live"}, False),
    ],
)
def test_real_money_is_locked(mode: Any, terminal: dict[str, Any], allowed: bool) -> None:
    settings = Settings(run=RunSettings(mode=mode), terminal=TerminalSettings(**terminal))
    assert may_send(settings, ACCOUNT) is allowed
