"""Own features of a home whose controls are signed: what was signed takes effect, not the file."""

from pathlib import Path

from core import feature_set
from core.controls import own_features
from core.sections import RunSettings
from core.settings import Settings
from tests.support.signed_home import END_US, SignedHome


def home_of(folder: Path) -> SignedHome:
    firm = SignedHome(folder, ("ann", "bob"), "firm")
    (firm.home / "features").mkdir()
    (firm.home / "features" / "mine.py").write_text("signed")
    return firm


def settings_of(firm: SignedHome, mode: str = "demo") -> Settings:
    run = RunSettings(mode=mode)  # type: ignore[arg-type]
    return Settings(home=str(firm.home), run=run, controls=firm.settings)


def taken(firm: SignedHome, mode: str = "demo") -> dict[str, bytes]:
    folder = own_features.folder_of(settings_of(firm, mode), firm.clock)
    return feature_set.of_folder(folder)


def test_a_file_takes_effect_as_it_was_signed_until_its_end(tmp_path: Path) -> None:
    firm = home_of(tmp_path)
    assert taken(firm) == {}
    assert "mine" in own_features.edited(firm.now(), firm.home, firm.clock.now_us())
    entry = firm.sign("feature", b"signed", "ann", "mine", END_US)
    assert taken(firm) == {}, "one person is not two"
    firm.approve(entry.number, "bob")
    assert taken(firm) == {"mine": b"signed"}
    assert own_features.edited(firm.now(), firm.home, firm.clock.now_us()) == ""
    (firm.home / "features" / "mine.py").write_text("edited")
    (firm.home / "features" / "other.py").write_text("never signed")
    assert taken(firm) == {"mine": b"signed"}
    problem = own_features.edited(firm.now(), firm.home, firm.clock.now_us())
    assert "(mine, other)" in problem
    folder = own_features.folder_of(settings_of(firm), firm.clock)
    assert not folder.is_relative_to(firm.home)
    (folder / "mine.py").write_text("swapped")
    assert taken(firm) == {"mine": b"signed"}
    firm.clock.advance(END_US + 1)
    assert taken(firm) == {}


def test_a_backtest_takes_the_homes_and_a_replay_its_own_copy(tmp_path: Path) -> None:
    firm = home_of(tmp_path)
    assert taken(firm, "backtest") == {"mine": b"signed"}
    own_features.freeze(firm.home, settings_of(firm).run.run_id)
    (firm.home / "features" / "mine.py").write_text("edited on its way")
    assert taken(firm, "replay") == {"mine": b"signed"}
    assert own_features.content(settings_of(firm, "replay"), firm.clock)
