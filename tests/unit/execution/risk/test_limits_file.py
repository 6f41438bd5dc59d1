import os
from pathlib import Path

import pytest

from core.errors import InputError
from core.sections import ExecutionSettings
from execution.risk import overrides as decisions
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile, freeze
from execution.risk.overrides import Override, Overrides, Release

FALLBACK = of_settings(ExecutionSettings(max_lots=9.0))


def write(home: Path, text: str) -> None:
    """As an editor does: another file in its place, so that its inode changes."""
    (home / "new").write_text(text)
    os.replace(home / "new", home / "limits.toml")


def reader(home: Path) -> LimitsFile:
    return LimitsFile("simulated", FALLBACK, home, home / "kept.toml")


def max_lots(limits: LimitsFile, now_us: int = 0) -> float:
    return limits.rules.at("EURUSD", now_us)[0].max_lots


def test_without_a_home_nothing_is_looked_for() -> None:
    limits = LimitsFile("simulated", FALLBACK)
    assert not limits.poll()
    assert max_lots(limits) == 9.0


def test_a_changed_file_holds_from_the_next_look_on(tmp_path: Path) -> None:
    write(tmp_path, 'version = "a"\n[limits]\nmax_lots = 1.0')
    limits = reader(tmp_path)
    assert max_lots(limits) == 1.0
    before = limits.rules
    write(tmp_path, 'version = "b"\n[limits]\nmax_lots = 2.0')
    assert limits.poll()
    assert not limits.poll()
    assert (max_lots(limits), limits.rules.version[:2]) == (2.0, "b+")
    assert before.at("EURUSD", 0)[0].max_lots == 1.0  # whoever holds the old rules keeps them


def test_a_mistake_changes_nothing_also_across_a_restart(tmp_path: Path) -> None:
    write(tmp_path, 'version = "a"\n[limits]\nmax_lots = 1.0')
    limits = reader(tmp_path)
    version = limits.rules.version
    write(tmp_path, 'version = "b"\n[limits]\nmax_lotz = 2.0')
    assert not limits.poll()
    for file in (limits, reader(tmp_path)):
        assert (max_lots(file), file.rules.version) == (1.0, version)
        assert "row 3: [limits] max_lotz" in file.problem


def test_a_mistake_at_the_very_first_start_stops(tmp_path: Path) -> None:
    write(tmp_path, "version = ")
    with pytest.raises(InputError, match="not TOML"):
        reader(tmp_path)


def test_a_removed_file_is_a_problem_and_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, 'version = "a"\n[limits]\nmax_lots = 1.0')
    limits = reader(tmp_path)
    (tmp_path / "limits.toml").unlink()
    assert not limits.poll()
    assert (max_lots(limits), "removed" in limits.problem) == (1.0, True)


def test_an_override_holds_between_its_times_and_is_told_in_the_version(tmp_path: Path) -> None:
    override = Override(
        rule="max_lots", value=5.0, account="simulated", symbol="EURUSD", by="ann",
        reason="month end", from_us=10, until_us=20,
    )  # fmt: skip
    decisions.save(decisions.path_in(tmp_path), Overrides([override]))
    limits = reader(tmp_path)
    assert [max_lots(limits, at) for at in (9, 10, 19, 20)] == [9.0, 5.0, 5.0, 9.0]
    assert limits.rules.at("EURUSD", 15)[1] == "default-2 override max_lots=5 by ann"
    assert limits.rules.at("XAUUSD", 15)[1] == "default-2"


@pytest.mark.parametrize(
    "text", ["{", '{"overrides": [{"rule": "x"}]}', '{"releases": 3}', '{"other": []}']
)
def test_damaged_decisions_allow_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "decisions.json").write_text(text)
    limits = reader(tmp_path)
    assert "decisions.json" in limits.problem
    assert max_lots(limits) == 9.0


def test_what_is_no_number_cannot_be_overridden(tmp_path: Path) -> None:
    override = Override(
        rule="restricted", value=0.0, account="simulated", symbol="", by="ann", reason="",
        from_us=0, until_us=99,
    )  # fmt: skip
    decisions.save(decisions.path_in(tmp_path), Overrides([override]))
    assert "'restricted'" in reader(tmp_path).problem


def test_releases_are_of_an_account_and_of_what_they_name() -> None:
    overrides = Overrides(
        releases=[Release("a", "s", "", "ann", "", 5), Release("b", "", "", "", "", 9)]
    )
    assert overrides.released_us("a", "s", "EURUSD") == 5
    assert overrides.released_us("a", "t", "EURUSD") == 0
    assert overrides.released_us("b", "t", "EURUSD") == 9


def test_a_replay_keeps_the_limits_it_began_with(tmp_path: Path) -> None:
    run = tmp_path / "runs"
    assert not list(freeze(None, run).glob("*"))
    freeze(b'version = "a"', run)
    assert (freeze(b'version = "b"', run) / "limits.toml").read_text() == 'version = "a"'
