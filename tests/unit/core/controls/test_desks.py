"""Which desk holds: the file, the signed version, a run's own copy, or one strategy alone."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from core import desk
from core.clock import SystemClock
from core.controls import desks
from core.errors import InputError, SettingsError
from core.sections import RunSettings
from core.settings import Settings
from tests.support.signed_home import DAY_US, START_US, SignedHome

TEXT = b"[strategies.a]\n[strategies.b]\n"
CLOCK = SystemClock()


def of(home: Path, strategy: str, mode: str = "demo") -> Settings:
    return Settings(str(home), run=RunSettings("r", mode, "acc", strategy))


def test_without_a_desk_file_one_strategy_is_alone(tmp_path: Path) -> None:
    assert desks.in_force(of(tmp_path, "model"), CLOCK) == desk.one_alone("model")
    with pytest.raises(InputError, match=r"desk.toml: No such file"):
        desks.in_force(of(tmp_path, "desk"), CLOCK)
    desk.path_in(tmp_path).write_bytes(TEXT)
    assert desks.in_force(of(tmp_path, "model"), CLOCK).alone
    assert desks.in_force(of(tmp_path, "desk"), CLOCK).names == ("a", "b")
    assert desks.in_force(of(tmp_path, "x,y"), CLOCK).names == ("x", "y")


def test_a_replay_takes_the_copy_of_its_run(tmp_path: Path) -> None:
    own = tmp_path / "runs" / "r"
    own.mkdir(parents=True)
    desks.freeze(desk.parse(TEXT, "d"), own)
    desk.path_in(tmp_path).write_bytes(b"[strategies.other]\n")
    assert desks.in_force(of(tmp_path, "desk", "replay"), CLOCK).names == ("a", "b")
    assert desks.frozen(of(tmp_path, "desk", "backtest"), own).names == ("a", "b")
    desks.freeze(desk.one_alone("model"), tmp_path)
    assert desk.path_in(tmp_path).read_bytes() == b"[strategies.other]\n"


def test_where_controls_are_signed_only_a_signed_desk_holds(tmp_path: Path) -> None:
    signed = SignedHome(tmp_path)
    settings = replace(of(signed.home, "desk", "live"), controls=signed.settings)
    desk.path_in(signed.home).write_bytes(b"[strategies.forged]\n")
    with pytest.raises(SettingsError, match="no signed version of the desk holds"):
        desks.in_force(settings, signed.clock)
    signed.sign("desk", TEXT)
    with pytest.raises(SettingsError, match="no signed version of the desk holds"):
        desks.in_force(settings, signed.clock)  # it raises risk, and waits for its day
    signed.clock.advance(START_US + DAY_US + 1)
    assert desks.in_force(settings, signed.clock).names == ("a", "b")
    now = signed.clock.now_us()
    assert "not as the desk was signed" in desks.edited(signed.now(), signed.home, now)
    desk.path_in(signed.home).write_bytes(TEXT)
    assert desks.edited(signed.now(), signed.home, now) == ""
