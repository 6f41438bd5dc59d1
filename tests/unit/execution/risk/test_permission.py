"""Real money: each thing that it asks for is named while it is missing."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.mt5.venue.venue import Account
from core.controls.approvals import settings_content, shipped_content
from core.controls.watch import WatchedControls
from core.desk import parse
from core.sections import RunSettings, SignalSettings, TerminalSettings
from core.settings import Settings
from execution.risk.permission import Permission, may_send, missing
from execution.risk.trading_state import TradingState
from tests.support.signed_home import END_US, SignedHome

SERVER, MODEL = "Broker-Live", "a" * 64
ACCOUNT = Account(42, SERVER, "USD", 1.0, 1.0, 0.0, 1.0)
REAL = {"kind": "real", "login": 42, "server": SERVER}


def settings_of(home: Path, mode: Any = "live", terminal: dict[str, Any] = REAL) -> Settings:
    return Settings(
        home=str(home), run=RunSettings(mode=mode), terminal=TerminalSettings(**terminal)
    )


def promote(home: Path, *promotions: dict[str, Any]) -> None:
    (home / "models").mkdir(exist_ok=True)
    (home / "models" / "champion.json").write_text(json.dumps(promotions))


@pytest.fixture
def home(tmp_path: Path) -> SignedHome:
    """Everything signed by two people."""
    home = SignedHome(tmp_path, ("ann", "bob"), "firm")
    promote(home.home, {"sha256": MODEL, "by": "ann", "simulated": False})
    home.limits("max_lots = 0.5")
    settings = settings_of(home.home)
    for kind, subject, content in (
        ("model", MODEL, MODEL.encode()),
        ("strategy", "model", shipped_content("model")),
        ("settings", "", settings_content(settings)),
        ("terminal_check", SERVER, b'{"passed": true}'),
    ):
        home.approve(home.sign(kind, content, "ann", subject, END_US).number, "bob")
    return home


def watched(home: SignedHome) -> WatchedControls:
    return WatchedControls(home.place, home.judge, home.clock)


@pytest.mark.parametrize("mode", ["live", "demo", "replay", "shadow"])
def test_a_simulated_terminal_asks_for_nothing(tmp_path: Path, mode: Any) -> None:
    settings = settings_of(tmp_path, mode, {})
    assert may_send(settings, ACCOUNT) is (mode != "shadow")


def test_with_everything_signed_it_is_unlocked(home: SignedHome) -> None:
    assert missing(settings_of(home.home), ACCOUNT, watched(home)) == []
    assert may_send(settings_of(home.home), ACCOUNT, watched(home))
    assert not may_send(settings_of(home.home, "shadow"), ACCOUNT, watched(home))


@pytest.mark.parametrize(
    ("mode", "terminal"),
    [
        ("live", {"kind": "real"}),
        ("live", {"kind": "real", "login": 42}),
        ("live", {"kind": "real", "server": SERVER}),
        ("live", REAL | {"login": 43}),
        ("demo", REAL),
    ],
)
def test_another_mode_or_account_is_locked(home: SignedHome, mode: Any, terminal: Any) -> None:
    lacking = missing(settings_of(home.home, mode, terminal), ACCOUNT, watched(home))
    assert lacking[0].startswith("mode live" if mode == "demo" else "terminal.login")


@pytest.mark.parametrize(
    "promotions",
    [
        [],
        [{"sha256": MODEL, "by": "ann", "simulated": True}],
        [{"sha256": MODEL, "by": "", "simulated": False}],
        [{"sha256": "b" * 64, "by": "ann", "simulated": False}],  # nobody signed this one
    ],
)
def test_it_needs_a_champion_that_was_promoted_on_real_data_and_signed(
    home: SignedHome, promotions: list[dict[str, Any]]
) -> None:
    promote(home.home, *promotions)
    lacking = "; ".join(missing(settings_of(home.home), ACCOUNT, watched(home)))
    assert "model" in lacking


def test_without_users_or_signatures_it_is_locked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    promote(tmp_path, {"sha256": MODEL, "by": "ann", "simulated": False})
    [lacking] = missing(settings_of(tmp_path), ACCOUNT, None)
    assert "tickhouse controls begin" in lacking
    assert not may_send(settings_of(tmp_path), ACCOUNT, None)
    assert lacking in caplog.text
    (tmp_path / "b").mkdir()
    begun = SignedHome(tmp_path / "b")
    promote(begun.home, {"sha256": MODEL, "by": "ann", "simulated": False})
    lacking = missing(settings_of(begun.home), ACCOUNT, watched(begun))
    assert [text.split(" of ")[-1] for text in lacking] == [
        "signed limits", "model aaaaaaaaaaaa", "strategy model as it is",
        "the settings as they are", SERVER,
    ]  # fmt: skip


def other_strategy(home: SignedHome, settings: Settings) -> Settings:
    (home.home / "strategies").mkdir()
    (home.home / "strategies" / "model.py").write_text("another")
    return settings


def other_settings(home: SignedHome, settings: Settings) -> Settings:
    return replace(settings, signals=SignalSettings(threshold=0.5))


@pytest.mark.parametrize(
    ("change", "word"), [(other_strategy, "strategy"), (other_settings, "settings")]
)
def test_what_was_approved_is_what_runs(
    home: SignedHome, change: Callable[[SignedHome, Settings], Settings], word: str
) -> None:
    settings = change(home, settings_of(home.home))
    [lacking] = missing(settings, ACCOUNT, watched(home))
    assert word in lacking


def test_an_approval_that_ended_a_second_ago_does_not_count_while_trading_either(
    home: SignedHome, tmp_path: Path
) -> None:
    controls, settings = watched(home), settings_of(home.home)
    trading = TradingState(tmp_path / "control.json", tmp_path / "breakers.json")
    again = Permission(lambda: missing(settings, ACCOUNT, controls), trading, controls, Hurried())
    again.poll()
    assert trading.state == "active"
    home.clock.advance(END_US - 1)
    again.poll()
    assert trading.state == "active"
    home.clock.advance(END_US)
    again.poll()
    assert trading.state == "reducing"
    assert len(missing(settings, ACCOUNT, controls)) == 4
    assert "strategy model" in trading.current.reason


class Hurried:
    """A timer by which every look is a minute after the one before."""

    def __init__(self) -> None:
        self._s = 0.0

    def seconds(self) -> float:
        self._s += 60.0
        return self._s

    def sleep(self, seconds: float) -> None:
        self._s += seconds


def test_a_desk_needs_signatures_of_itself_and_of_each_strategy_that_would_send(
    home: SignedHome,
) -> None:
    text = b'[strategies.one]\nuse = "model"\n[strategies.two]\nuse = "breakout"\nmode = "shadow"\n'
    settings = settings_of(home.home)
    settings = replace(settings, run=replace(settings.run, strategy="desk"))
    for kind, content in (("settings", settings_content(settings)), ("desk", text)):
        end = END_US if kind == "settings" else 0
        home.approve(home.sign(kind, content, "ann", "", end).number, "bob")
    desk = parse(text, "desk.toml")
    assert missing(settings, ACCOUNT, watched(home), desk) == []
    other = parse(text.replace(b"shadow", b"live"), "desk.toml")
    assert missing(settings, ACCOUNT, watched(home), other) == [
        "a signed approval of strategy breakout as it is",
        "a signed approval of the desk as it is",
    ]
    demo = parse(text.replace(b"shadow", b"demo"), "desk.toml")
    assert missing(settings, ACCOUNT, watched(home), demo) == [
        "a signed approval of the desk as it is"
    ], "what is for a simulated terminal needs no approval to send"


def naming(home: SignedHome, simulated: bool = False) -> tuple[str, str]:
    """A desk's text with one strategy that names a model, and the model."""
    manifest = json.dumps({"horizon_s": 60.0, "simulated": simulated}).encode()
    model = hashlib.sha256(manifest).hexdigest()
    (home.home / "models" / f"{model}.model").write_bytes(manifest)
    return f'[strategies.own]\nuse = "model"\nmode = "live"\nmodel = "{model}"\n', model


def lacking_with(home: SignedHome, text: str) -> list[str]:
    settings = settings_of(home.home)
    settings = replace(settings, run=replace(settings.run, strategy="desk"))
    desk = parse(text.encode(), "desk.toml")
    for kind, content in (("desk", desk.content), ("settings", settings_content(settings))):
        end = END_US if kind == "settings" else 0
        home.approve(home.sign(kind, content, "ann", "", end).number, "bob")
    return missing(settings, ACCOUNT, watched(home), desk)


def test_a_model_that_a_strategy_names_needs_a_signature_of_its_own(home: SignedHome) -> None:
    text, model = naming(home)
    assert lacking_with(home, text) == [f"a signed approval of model {model[:12]}"]
    home.approve(home.sign("model", model.encode(), "ann", model, END_US).number, "bob")
    assert lacking_with(home, text) == []
    shorter = text.replace(model, model[:12])
    assert lacking_with(home, shorter) == [f"all 64 digits of model {model[:12]} in the desk"]
    assert lacking_with(home, shorter.replace("live", "shadow")) == []
    (home.home / "models" / f"{model}.model").write_text('{"simulated": false}')
    [lacking] = lacking_with(home, text)
    assert "as it was trained" in lacking


def test_a_named_model_of_a_simulated_market_stays_locked(home: SignedHome) -> None:
    text, model = naming(home, simulated=True)
    home.approve(home.sign("model", model.encode(), "ann", model, END_US).number, "bob")
    assert lacking_with(home, text) == [f"model {model[:12]} as it was trained, on a real market"]
