"""Weeks of a home whose controls are signed: what holds, what is refused, and what stands of it.

Daily restarts of execution on disk by a simulated clock, edits by hand, a lost key, late second
signatures, a day's delay, and an upgrade in the middle (tests/support/signed_weeks.py).
"""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from audit import trail
from audit.export import export
from core import home_version
from core.controls.entry import Entry
from core.home_users import COMMANDS
from core.trading_control import path_in
from execution.journal import journal, segments
from execution.journal.reader import journals, placed_events
from execution.risk.controls import problem_of
from tests.support.compliance import dbt
from tests.support.orders import store
from tests.support.signed_weeks import DAYS, UPGRADED, Weeks

pytestmark = [
    pytest.mark.process, pytest.mark.heavy(suite="security"), pytest.mark.timeout(300),
]  # fmt: skip
MARTS = "tickhouse_marts_demo"
NAMES = ("rpt_control_block", "rpt_control_change", "rpt_control_version")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weeks]:
    weeks = Weeks(tmp_path_factory.mktemp("weeks"))
    try:
        weeks.live()
        where = weeks.warehouse.settings
        store(where, weeks.desk.events())
        export(weeks.warehouse.client, where, weeks.home)
        chosen = [f"+{name}" for name in NAMES]
        dbt(where, weeks.home, "run", "--select", *chosen, mode="demo")
        yield weeks
    finally:
        if weeks.warehouse.process is not None:
            weeks.warehouse.stop()


def rows(weeks: Weeks, sql: str) -> list[dict[str, Any]]:
    return list(weeks.warehouse.client.query(sql.format(marts=MARTS)).named_results())


def entries(weeks: Weeks) -> list[Entry]:
    now = weeks.signed.now()
    assert now.problem == ""
    return now.entries


def test_every_day_was_decided_by_what_was_signed(lived: Weeks) -> None:
    for number, (day, decided) in enumerate(zip(DAYS, lived.decided, strict=True)):
        assert decided.kind.value == day.outcome, (number, day.what, decided)
        if day.outcome == "denied":
            assert decided.version.endswith(f"#{day.by}"), (number, day.what, decided)


def test_every_edit_was_refused_and_named(lived: Weeks) -> None:
    files = ["limits.toml", "decisions.json", "chain.jsonl", "scripted_mine.py", "limits.toml"]
    assert [edit.path.name for edit in lived.edits] == [*files, "control.json"]
    for edit in lived.edits:
        [alert] = edit.alerts
        said = [edit.verified, alert.detail]
        said += [edit.health] if edit.path != lived.own_strategy() else []
        assert all(str(edit.path) in one for one in said), (edit.path, said)
    assert lived.runs() == "signed\n"


def test_a_lost_key_signs_nothing_and_takes_back_what_it_asked_for(lived: Weeks) -> None:
    assert len(lived.refused) == 2
    assert all("bob may not sign" in error for error in lived.refused)
    assert "bob, who signed it, may not sign any more" in lived.signed.now().void[13]


def test_every_change_stands_with_person_diff_and_time_in_chain_and_marts(lived: Weeks) -> None:
    stored = rows(lived, "SELECT * FROM {marts}.rpt_control_version ORDER BY number")
    noted = rows(
        lived,
        "SELECT * FROM {marts}.rpt_control_change WHERE startsWith(action, 'sign ') ORDER BY seq",
    )
    chain = entries(lived)
    assert [row["number"] for row in stored] == [entry.number for entry in chain]
    for entry, row, line in zip(chain, stored, noted, strict=True):
        assert (row["kind"], row["signed_by"], row["reason"]) == (
            entry.kind,
            entry.by,
            entry.reason,
        )
        assert row["changes"].splitlines() == list(entry.changes)
        assert row["ts_signed"].timestamp() == pytest.approx(entry.ts_us / 1e6)
        assert (line["actor"], line["action"]) == (entry.by, f"sign {entry.kind}")
        assert line["authenticated"]
        assert all(change in line["told"] for change in entry.changes)
        assert line["ts_event"] == row["ts_signed"]
        assert entry.changes or entry.kind not in ("limits", "override")


def test_second_signatures_stand_with_who_and_when(lived: Weeks) -> None:
    second = {
        row["number"]: (row["approved_by"], (row["ts_approved"] - row["ts_signed"]).days)
        for row in rows(lived, "SELECT * FROM {marts}.rpt_control_version WHERE approved_by != ''")
    }
    assert second == {8: ("bob", 0), 11: ("bob", 2), 15: ("carl", 1), 17: ("carl", 0)}


def test_a_denial_names_the_signed_version_that_decided(lived: Weeks) -> None:
    denied = rows(
        lived,
        "SELECT b.ts_blocked AS at, v.number AS number, v.kind AS kind, v.signed_by AS who"
        " FROM {marts}.rpt_control_block AS b LEFT JOIN {marts}.rpt_control_version AS v"
        " ON toUInt64OrZero(splitByChar('#', b.limits_version)[-1]) = v.number"
        " WHERE startsWith(b.signal_id, 'weeks') ORDER BY at",
    )
    expected = [day.by for day in DAYS if day.outcome == "denied"]
    assert [row["number"] for row in denied] == expected
    assert {(row["kind"], row["who"]) for row in denied} == {("limits", "ann")}


def test_people_heard_of_all_that_raised_risk(lived: Weeks) -> None:
    told = {int(a.subject) for a in lived.alerts if a.control == "signed_control"}
    assert told >= {entry.number for entry in entries(lived) if entry.raises}


def test_the_home_was_taken_over_with_its_controls_and_nothing_was_lost(lived: Weeks) -> None:
    stands = home_version.of(lived.home)
    assert stands is not None
    assert stands.layout == home_version.LAYOUT
    [copy] = (lived.home / "backups").iterdir()
    lines = lived.signed.place.chain.read_bytes()
    assert lines.startswith((copy / "controls" / "chain.jsonl").read_bytes())
    path = lived.home / "execution" / "simulated" / "journal"
    before = [event.hash for event in journal.events(copy / path.relative_to(lived.home))]
    assert [event.hash for event in journal.events(path)][: len(before)] == before
    assert len(before) > 167 + UPGRADED  # those of the release, and of the days before


def test_audit_verify_finds_all_whole_and_names_what_is_edited_now(lived: Weeks) -> None:
    assert verified(lived) == []
    path = path_in(lived.home)
    path.with_name("limits.toml").write_bytes(b"[limits]\n")
    [broken] = verified(lived)
    assert "limits.toml is not signed and not obeyed" in broken


def verified(weeks: Weeks) -> list[str]:
    """Breaks that `tickhouse audit verify` would print, without seals."""
    settings = replace(weeks.desk.settings, clickhouse=weeks.warehouse.settings_of(COMMANDS))
    clock = weeks.signed.clock
    sources = [
        trail.Source(name, path, placed_events, True, segments.pieces)
        for name, path in journals(weeks.home).items()
    ]
    found = trail.verify_home(
        settings, sources, weeks.warehouse.client, trail.archive(settings), None, clock,
        problem_of(settings, clock),
    )  # fmt: skip
    return [str(broken) for broken in found.breaks]
