"""Breaks as work: owners, resolutions, what is refused; and what went out, under what reference."""

from pathlib import Path

import pytest

from core.audit_log import path_in, read
from core.clock import ManualClock
from core.errors import SettingsError
from core.settings import Settings
from reports import breaks, build, catalog, package
from reports.breaks import Break
from tests.support import compliance_room as room

CLOCK = ManualClock(1_772_600_000_000_000)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    room.with_users(tmp_path)
    return Settings(home=str(tmp_path))


def one_of(settings: Settings, version: package.Version, at: int = 0) -> Break:
    return breaks.breaks(settings.home_path, version)[at]


def test_a_break_has_an_owner_and_a_resolution_each_chained(settings: Settings) -> None:
    version = room.version(settings, breaks=("error", "warning"))
    one = one_of(settings, version)
    step = (settings, version, one)
    breaks.step(*step, "assigned", "ann", True, CLOCK, owner="bob", reason="knows the client")
    breaks.step(*step, "resolved", "bob", True, CLOCK, reason="LEI was renewed")
    known = one_of(settings, version)
    assert (known.owner, known.work.resolution, known.work.by) == ("bob", "LEI was renewed", "bob")
    assert known.work.notes[0] == "ann, assigned: to bob, knows the client"
    assert one_of(settings, version, 1).work == breaks.Work()
    lines = [(line.actor, line.action, line.mode) for line in read(path_in(settings.home_path))]
    assert lines == [("ann", "break assigned", "live"), ("bob", "break resolved", "live")]
    breaks.step(settings, version, known, "reopened", "ann", True, CLOCK, reason="another LEI")
    assert one_of(settings, version).work.resolution == ""
    assert one_of(settings, version).owner == "bob"


def test_the_same_row_of_the_next_version_is_the_same_break(settings: Settings) -> None:
    first = room.version(settings, breaks=("error",))
    breaks.step(
        settings, first, one_of(settings, first), "assigned", "ann", True, CLOCK, owner="ann"
    )
    second = room.version(settings, breaks=("error", "error", "warning"))
    assert [one.owner for one in breaks.breaks(settings.home_path, second)] == ["ann", "", ""]
    ids = [one.break_id for one in breaks.breaks(settings.home_path, second)]
    assert len(set(ids)) == 3
    assert breaks.named(settings.home_path, second, ids[1][:8]).break_id == ids[1]


def test_what_is_not_now_or_not_theirs_is_refused(settings: Settings) -> None:
    version = room.version(settings, breaks=("error",))
    one = one_of(settings, version)
    refused = [
        ("assigned", False, "bob", ""), ("assigned", True, "nobody", ""),
        ("resolved", True, "", " "), ("reopened", True, "", "why"),
    ]  # fmt: skip
    for what, known, owner, reason in refused:
        with pytest.raises(SettingsError):
            breaks.step(
                settings, version, one, what, "ann", known, CLOCK,  # type: ignore[arg-type]
                owner=owner, reason=reason,
            )  # fmt: skip
    for begins in ("", "zz", one.break_id + "0"):
        with pytest.raises(SettingsError, match="breaks begin with"):
            breaks.named(settings.home_path, version, begins)
    assert not list(read(path_in(settings.home_path)))


def test_only_what_was_released_and_leaves_the_house_is_filed_once(settings: Settings) -> None:
    version = room.version(settings)
    rts22, risk = catalog.named("rts22"), catalog.named("risk")
    with pytest.raises(SettingsError, match="not released"):
        build.file(settings, rts22, version, "ann", True, "R1", CLOCK)
    build.sign(settings, version, "ann", True, CLOCK)
    build.release(settings, version, "bob", True, "", CLOCK)
    with pytest.raises(SettingsError, match="nobody to file"):
        build.file(settings, risk, version, "ann", True, "R1", CLOCK)
    with pytest.raises(SettingsError, match="reference"):
        build.file(settings, rts22, version, "ann", True, " ", CLOCK)
    build.file(settings, rts22, version, "ann", True, "R1", CLOCK)
    with pytest.raises(SettingsError, match="exists"):
        build.file(settings, rts22, version, "ann", True, "R2", CLOCK)
    actions = [line.action for line in read(path_in(settings.home_path))]
    assert actions == ["report signed", "report released", "report filed"]


def test_no_name_of_a_report_leads_elsewhere(settings: Settings) -> None:
    room.version(settings)
    base = build.base_of(settings)
    for name, mode in (("../2026-03-02/rts22", "live"), ("rts22", "../x"), ("", "live")):
        with pytest.raises(SettingsError, match="no report is called so"):
            package.newest(base, name, room.DAY, mode)
