"""Policies name a basis for everything that is kept; holds win; TTLs are never shorter."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from audit.retention import files, holds, policies, ttl
from audit.retention.holds import Hold, Register
from core import audit_log
from core.audit_log import AuditLine
from core.errors import SettingsError
from core.settings import Settings

ROOT = Path(__file__).parents[3]
OURS = policies.load(Path("/nowhere"))
OWN = """
[orders]
title = "Orders"
says = "ours"
basis = "Directive 2014/65/EU, article 16(7)"
years = 7
then = "destroy"
version = "firm-1"
reviewed = 2026-12-01
review = 2027-12-01
tables = ["position", "order_score"]
"""
TABLES = sorted(
    name
    for path in (ROOT / "adapters" / "clickhouse" / "migrations").glob("*.sql")
    for name in re.findall(r"^CREATE TABLE IF NOT EXISTS (\w+)", path.read_text(), re.MULTILINE)
)


def test_every_table_and_group_of_files_has_a_policy_and_every_name_is_of_one() -> None:
    subjects = holds.subjects_of(OURS, TABLES)
    assert [name for name, policy in subjects.items() if not policy] == []
    assert {group for one in OURS.values() for group in one.files} == set(files.GROUPS)
    exact = [name for one in OURS.values() for name in one.tables if "*" not in name]
    assert set(exact) <= {*TABLES, "schema_migration"}
    assert len(exact) == len(set(exact))


def test_nothing_is_destroyed_as_shipped_and_each_policy_is_read_again_within_a_year() -> None:
    for policy in OURS.values():
        assert policy.then == "keep"
        assert (policy.review - policy.reviewed).days <= 366
        assert policy.basis


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("firm-1", "2026-11"), "another version"),
        (('years = 7', "years = 0"), "no years"),
        (('years = 7', "years = 100"), "0 to 99"),
        (('"position", "order_score"', '"order_event"'), "order_event: chained"),
        (('"position", "order_score"', '"reference_party"'), "reference_party: chained, or ref"),
        (('"position", "order_score"', '"broker_*"'), "named in full"),
        (('basis = "Directive 2014/65/EU, article 16(7)"', 'basis = ""'), "basis is empty"),
        (("years = 7", "year = 7"), "each table is one policy"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_is_refused_with_its_name(
    tmp_path: Path, change: tuple[str, str], problem: str
) -> None:
    policies.path_in(tmp_path).write_text(OWN.replace(*change))
    with pytest.raises(SettingsError, match=problem):
        policies.load(tmp_path)


def test_years_are_the_calendars_and_never_shorter() -> None:
    assert policies.years_before(date(2028, 2, 29), 5) == date(2023, 2, 28)
    assert policies.years_before(date(2028, 3, 1), 4) == date(2024, 3, 1)


def home_with(tmp_path: Path, own: str = OWN) -> dict[str, policies.Policy]:
    policies.path_in(tmp_path).write_text(own)
    return policies.load(tmp_path)


def test_a_setting_that_is_shorter_than_the_policy_is_refused(tmp_path: Path) -> None:
    known = home_with(tmp_path)
    subjects = holds.subjects_of(known, TABLES)
    wanted = ttl.days({"tick": 30}, known, subjects)
    assert wanted == {"tick": 30, "position": 7 * 366 + 31, "order_score": 7 * 366 + 31}
    with pytest.raises(SettingsError, match="signal=365: policy decisions keeps it for 5 years"):
        ttl.days({"signal": 365}, known, subjects)


@pytest.mark.parametrize("on", ["order_score", "orders", "all"])
def test_a_hold_stops_the_ttl_of_what_it_covers(tmp_path: Path, on: str) -> None:
    known = home_with(tmp_path)
    subjects = holds.subjects_of(known, TABLES)
    hold = Hold("case-1", (on,), None, None, "ann", "a claim", 1)
    every = ttl.days({"tick": 30}, known, subjects)
    wanted = ttl.without_held(every, subjects, Register((hold,), ()))
    assert "order_score" not in wanted
    assert ("tick" in wanted) == (on != "all")


def test_holds_are_chained_events_and_say_what_they_came_too_late_for(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    subjects = holds.subjects_of(OURS, TABLES)
    gone = {"policy": "orders", "before": "2020-01-01", "count": 7}
    audit_log.append(
        tmp_path,
        AuditLine(
            ts_us=5,
            by="ann",
            authenticated=True,
            action=holds.DESTROYED,
            detail="",
            subject="order_score",
            reason="",
            payload=gone,
        ),
    )
    hold = Hold("case-1", ("orders",), date(2019, 6, 1), None, "ann", "a claim", 9)
    late = holds.place(settings, hold, OURS, subjects, known=True)
    assert late == ["order_score: what was older than 2020-01-01 was destroyed by ann (7)"]
    young = hold._replace(name="case-2", start=date(2020, 1, 1))
    assert holds.place(settings, young, OURS, subjects, known=True) == []
    assert [one.name for one in holds.register(tmp_path).holds] == ["case-1", "case-2"]
    assert holds.register(tmp_path).holds[0] == hold
    holds.release(settings, "case-1", "cora", "settled", True, 12)
    assert [one.name for one in holds.register(tmp_path).on("order_score", "orders")] == ["case-2"]
    with pytest.raises(SettingsError, match="no hold 'case-1' stands; there are: case-2"):
        holds.release(settings, "case-1", "cora", "settled", True, 13)
    chain = list(audit_log.read(audit_log.path_in(tmp_path)))
    assert [b.previous_hash for b in chain[1:]] == [a.hash for a in chain[:-1]]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": "Case 1"}, "small letters"),
        ({"on": ("ordres",)}, "nothing is called ordres"),
        ({"on": ()}, "--on is missing"),
        ({"end": date(2018, 1, 1)}, "before it begins"),
        ({"reason": ""}, "--reason"),
    ],
)
def test_a_hold_that_cannot_be_is_refused_and_nothing_is_noted(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    hold = Hold("case-1", ("orders",), date(2019, 6, 1), None, "ann", "a claim", 9)
    with pytest.raises(SettingsError, match=problem):
        holds.place(
            Settings(home=str(tmp_path)), hold._replace(**change), OURS,
            holds.subjects_of(OURS, TABLES), known=True,
        )  # fmt: skip
    assert not audit_log.path_in(tmp_path).exists()
