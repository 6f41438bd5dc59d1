"""Execution obeys what was signed; files that are changed by hand are named and not obeyed."""

import shutil
from pathlib import Path

import msgspec
import pytest

from core.clock import ManualClock
from core.controls.watch import WatchedControls
from core.sections import ControlSettings, ExecutionSettings
from core.settings import Settings
from core.trading_control import ControlCommand, content_of, write
from execution.risk import controls, overrides
from execution.risk.controls import limits_in_force, obeyed
from execution.risk.limits import of_settings
from execution.risk.overrides import Override, Overrides, Release
from execution.risk.signed_limits import SignedLimits
from execution.risk.signed_resumes import SignedResumes
from execution.risk.trading_state import TradingState
from tests.support.signed_home import HOUR_US, SignedHome

FALLBACK = of_settings(ExecutionSettings())


@pytest.fixture
def firm(tmp_path: Path) -> SignedHome:
    home = SignedHome(tmp_path, ("ann", "bob"), "firm")
    home.limits("max_lots = 0.5")
    return home


def reader(home: SignedHome, since_us: int = 0) -> SignedLimits:
    watched = WatchedControls(home.place, home.judge, home.clock, since_us)
    return SignedLimits("simulated", FALLBACK, home.home, watched)


def at(limits: SignedLimits, now_us: int) -> tuple[float, str]:
    held, version = limits.rules.at("EURUSD", now_us)
    return held.max_lots, version


def test_a_decision_names_the_signed_version(firm: SignedHome) -> None:
    limits = reader(firm)
    assert at(limits, 0)[0] == 0.5
    assert at(limits, 0)[1].startswith("t+")
    assert at(limits, 0)[1].endswith("#2")
    firm.limits("max_lots = 0.4")
    assert limits.poll()
    assert not limits.poll()
    assert at(limits, 0)[0] == 0.4
    assert limits.rules.version.endswith("#3")


def test_what_is_signed_while_trading_is_told_with_its_text_and_who_signed_it(
    firm: SignedHome,
) -> None:
    limits = reader(firm)
    assert limits.edited is None, "the session has what it began with"
    firm.limits("max_lots = 0.4", "bob")
    limits.poll()
    assert limits.edited is not None
    assert b"max_lots = 0.4" in limits.edited
    assert (limits.author, limits.home) == ("bob", firm.home)
    limits.edited = None
    (firm.home / "limits.toml").write_text('version = "t"\n[limits]\nmax_lots = 99.0\n')
    limits.poll()
    assert limits.edited is None, "a file that nobody obeys"


def test_an_edited_file_is_named_and_not_obeyed(firm: SignedHome) -> None:
    limits, path = reader(firm), firm.home / "limits.toml"
    path.write_text('version = "t"\n[limits]\nmax_lots = 99.0\n')
    assert not limits.poll()
    assert (at(limits, 0)[0], str(path) in limits.problem) == (0.5, True)
    assert "not signed and not obeyed" in reader(firm).problem  # nor after a restart
    path.write_text('version = "t"\n[limits]\nmax_lots = 0.5\n')  # what was signed, spelled out
    limits.poll()
    assert limits.problem == ""


def test_decisions_written_by_hand_hold_nothing(firm: SignedHome) -> None:
    now = firm.clock.now_us()
    override = Override(
        rule="max_lots", value=9.0, account="simulated", symbol="", by="eve", reason="",
        from_us=now, until_us=now + HOUR_US,
    )  # fmt: skip
    path = overrides.path_in(firm.home)
    overrides.save(path, Overrides([override], [Release("simulated", "", "", "eve", "", now + 1)]))
    limits = reader(firm)
    assert at(limits, now)[0] == 0.5
    assert limits.rules.released_us("model", "EURUSD") == 0
    assert str(path) in limits.problem


def test_signed_overrides_and_releases_hold_and_name_who_and_which(firm: SignedHome) -> None:
    now = firm.clock.now_us()
    override = Override(
        rule="max_lots", value=0.7, account="simulated", symbol="", by="ann", reason="",
        from_us=now, until_us=now + HOUR_US,
    )  # fmt: skip
    entry = firm.sign("override", msgspec.json.encode(override), until_us=now + HOUR_US)
    limits = reader(firm)
    assert at(limits, now)[0] == 0.5  # one signature
    firm.approve(entry.number, "bob")
    release = firm.sign("release", msgspec.json.encode(Release("simulated", "", "", "ann", "", 7)))
    firm.approve(release.number, "bob")
    limits.poll()
    lots, version = at(limits, now)
    assert lots == 0.7
    assert version.endswith(f"#2 override max_lots=0.7 #{entry.number} by ann")
    assert limits.rules.released_us("model", "EURUSD") == 7
    assert at(limits, now + HOUR_US)[0] == 0.5


def test_a_clock_set_back_does_not_bring_an_override_back(firm: SignedHome) -> None:
    now = firm.clock.now_us()
    override = Override(
        rule="max_lots", value=0.7, account="simulated", symbol="", by="ann", reason="",
        from_us=now, until_us=now + HOUR_US,
    )  # fmt: skip
    entry = firm.sign("override", msgspec.json.encode(override), until_us=now + HOUR_US)
    firm.approve(entry.number, "bob")
    limits = reader(firm)
    firm.clock.advance(now + HOUR_US)
    assert at(limits, now + HOUR_US)[0] == 0.5
    assert at(limits, now)[0] == 0.5
    firm.clock = ManualClock(now)
    assert at(reader(firm, since_us=now + HOUR_US), now)[0] == 0.5  # nor across a restart


def test_until_limits_are_signed_those_that_ship_hold_unless_the_settings_are_stricter(
    tmp_path: Path,
) -> None:
    home = SignedHome(tmp_path)
    watched = WatchedControls(home.place, home.judge, home.clock)
    for lots, holds in ((9.0, 1.0), (0.3, 0.3)):
        fallback = of_settings(ExecutionSettings(max_lots=lots))
        limits = SignedLimits("simulated", fallback, home.home, watched)
        assert at(limits, 0)[0] == holds
        assert ("not signed" in limits.problem) is (lots > 1.0)


def test_a_home_without_users_obeys_its_files_and_one_that_began_never_again(
    tmp_path: Path,
) -> None:
    def taken(home: Path, trust: str) -> controls.ObeyedControls:
        settings = Settings(home=str(home), controls=ControlSettings(trust=trust))
        return obeyed(settings, FALLBACK, home / "own", ManualClock(), 0)

    text = 'version = "t"\n[limits]\nmax_lots = 3.0\n'
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "limits.toml").write_text(text)
    plain = taken(tmp_path / "plain", str(tmp_path / "trust"))
    assert plain.watched is None
    assert plain.limits.rules.own.max_lots == 3.0
    firm = SignedHome(tmp_path, ("ann", "bob"), "firm")
    firm.limits("max_lots = 0.5")
    (firm.home / "limits.toml").write_text(text)
    shutil.rmtree(firm.place.chain.parent)  # and there never was a file of users
    after = taken(firm.home, firm.settings.trust)
    assert after.limits.rules.own.max_lots == 0.5
    assert "is gone" in after.limits.problem
    signed = limits_in_force(Settings(home=str(firm.home), controls=firm.settings), firm.clock)
    assert signed == b'version = "t"\n[limits]\nmax_lots = 0.5\n'


class Desk:
    """A control file, and who obeys it."""

    def __init__(self, home: SignedHome) -> None:
        self.home, self.path = home, home.home / "control.json"

    def trading(self) -> TradingState:
        watched = WatchedControls(self.home.place, self.home.judge, self.home.clock)
        resumes = SignedResumes(self.home.place, watched)
        return TradingState(self.path, self.home.home / "breakers.json", resumes)

    def resume(self, ts_us: int, *, approved: bool = True) -> ControlCommand:
        order = ControlCommand("active", "ann", "over", ts_us)
        entry = self.home.sign("resume", content_of(order))
        if approved:
            self.home.approve(entry.number, "bob")
        write(self.path, order)
        return order


def test_a_halt_needs_no_signature_and_a_resume_two(firm: SignedHome) -> None:
    desk = Desk(firm)
    trading = desk.trading()
    write(desk.path, ControlCommand("halted", "anybody", "news", 5))
    assert trading.poll()
    assert trading.state == "halted"
    write(desk.path, ControlCommand("active", "eve", "go", 6))
    for state in (trading, desk.trading()):
        state.poll()
        assert state.state == "halted"
        assert "nobody signed" in state.problem
    desk.resume(7, approved=False)
    trading.poll()
    assert trading.state == "halted"
    desk.resume(8)
    trading.poll()
    assert (trading.state, trading.problem) == ("active", "")
    assert desk.trading().state == "active"


def test_a_halt_outlives_its_file_and_an_old_resume_played_again(firm: SignedHome) -> None:
    desk = Desk(firm)
    trading = desk.trading()
    old = desk.resume(3)
    trading.poll()
    write(desk.path, ControlCommand("halted", "ann", "news", 5))
    trading.poll()
    desk.path.unlink()
    trading.poll()
    assert trading.state == desk.trading().state == "halted"
    write(desk.path, old)
    trading.poll()
    assert trading.state == desk.trading().state == "halted"
    write(desk.path, ControlCommand("reducing", "eve", "less", 6))
    trading.poll()
    assert trading.state == desk.trading().state == "halted"


def test_what_a_breaker_did_is_kept_outside_the_home(firm: SignedHome) -> None:
    """Also what it did before controls began."""
    own = firm.home / "execution" / "simulated"
    trip = ControlCommand("halted", "breaker crash", "a crash", 5)
    TradingState(firm.home / "control.json", own / "breakers.json").trip(trip)
    settings = Settings(home=str(firm.home), controls=firm.settings)

    def trading() -> TradingState:
        taken = obeyed(settings, FALLBACK, own, firm.clock, 0)
        return TradingState(firm.home / "control.json", taken.breakers, taken.resumes)

    assert trading().state == "halted"
    (own / "breakers.json").unlink()
    assert trading().state == "halted"


def test_a_firms_rules_hold_as_they_were_signed_and_an_edited_file_changes_none(
    firm: SignedHome,
) -> None:
    rules = '\n[accounts.simulated]\nfirm = "f"\n[firms.f]\ndated = 2026-11-01\ndaily_loss = {}\n'
    firm.limits("max_lots = 0.5" + rules.format(500))
    limits = reader(firm)
    name, held = limits.rules.firm or ("", None)
    assert (name, held.daily_loss) == ("f", 500.0)
    assert limits.rules.version.endswith("#3")
    (firm.home / "limits.toml").write_text('version = "x"\n' + rules.format(50_000))
    limits.poll()
    assert limits.rules.firm[1].daily_loss == 500.0
    assert "not signed and not obeyed" in limits.problem
