import json
from pathlib import Path
from typing import Any

import pytest

from adapters.mt5.venue.venue import Account
from core.sections import RunSettings, TerminalSettings
from core.settings import Settings
from execution.risk.permission import may_send

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
def test_real_money_is_locked(
    tmp_path: Path, mode: Any, terminal: dict[str, Any], allowed: bool
) -> None:
    promote(tmp_path, {"sha256": "a", "by": "Ada", "simulated": False})
    settings = Settings(
        home=str(tmp_path), run=RunSettings(mode=mode), terminal=TerminalSettings(**terminal)
    )
    assert may_send(settings, ACCOUNT) is allowed


@pytest.mark.parametrize(
    "promotions",
    [
        [],
        [{"sha256": "a", "by": "Ada", "simulated": True}],
        [{"sha256": "a", "by": "", "simulated": False}],
        [
            {"sha256": "a", "by": "Ada", "simulated": False},
            {"sha256": "b", "by": "Ada", "simulated": True},
        ],
    ],
)
def test_real_money_needs_a_champion_that_a_person_approved_on_real_data(
    tmp_path: Path, promotions: list[dict[str, Any]]
) -> None:
    promote(tmp_path, *promotions)
    terminal = TerminalSettings(kind="real", login=42, server="Broker-Live")
    settings = Settings(home=str(tmp_path), run=RunSettings(mode="live"), terminal=terminal)
    assert not may_send(settings, ACCOUNT)


def promote(home: Path, *promotions: dict[str, Any]) -> None:
    (home / "models").mkdir()
    (home / "models" / "champion.json").write_text(json.dumps(promotions))
