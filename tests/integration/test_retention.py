"""What is due goes by a chained event, what is held stays, and the month's report says both."""

import io
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.clickhouse import retention
from audit.retention import census, destroy, holds, policies, ttl
from audit.retention.destroy import Authority, Due, Order
from audit.retention.holds import Hold
from cli.main import main
from core import audit_log
from core import settings as core_settings
from core.clock import ManualClock
from core.controls import keys
from core.errors import SettingsError
from core.sections import WarehouseSettings
from core.settings import Settings
from orchestration import reporting
from reports.catalog import REPORTS
from reports.tables import rows_of
from tests.support.warehouse_server import Warehouse, empty_tables, migrated
from tests.unit.audit.test_retention import OWN

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="golden")]
TODAY = date(2026, 11, 23)
NOW_US = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp() * 1e6)
BY = Authority("ann", "nothing asks for it any more", known=True)
WORDS = {"ann": "ann has a passphrase", "bob": "bob has another one"}
POSITIONS = (
    "INSERT INTO position (mode, account, symbol, ts_event, ts_init) VALUES"
    " ('live', 'a', 'EURUSD', '2018-01-01', '2018-01-01'),"
    " ('live', 'b', 'EURUSD', '2019-06-01', '2019-06-01'),"
    " ('live', 'c', 'EURUSD', '2026-01-01', '2026-01-01'),"
    " ('replay', 'd', 'EURUSD', '2012-01-01', '2012-01-01')"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    server = migrated(tmp_path_factory.mktemp("retention"))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def settings(server: Warehouse, tmp_path: Path) -> Settings:
    empty_tables(server)
    policies.path_in(tmp_path).write_text(OWN)
    server.client.command(POSITIONS, settings={"insert_deduplicate": 0})
    return Settings(home=str(tmp_path), clickhouse=server.settings)


def days(server: Warehouse) -> list[str]:
    return [
        str(day)
        for (day,) in server.client.query(
            "SELECT toDate(ts_init) FROM position ORDER BY ts_init"
        ).result_rows
    ]


def place(settings: Settings, hold: Hold) -> list[str]:
    known = policies.load(settings.home_path)
    subjects = holds.subjects_of(known, ["position", "order_score"])
    return holds.place(settings, hold, known, subjects, known=True)


def test_what_is_due_goes_and_what_is_held_or_young_or_of_a_replay_stays(
    server: Warehouse, settings: Settings
) -> None:
    clock, client = ManualClock(NOW_US), server.client
    place(settings, Hold("case-1", ("position",), date(2019, 1, 1), None, "cora", "claim", NOW_US))
    order = destroy.order_of("orders", settings, clock, TODAY)
    assert order == Order("orders", date(2019, 11, 23))
    assert destroy.due(client, settings, order, clock) == [Due("position", 1, 1)]
    assert len(days(server)) == 4  # looking destroys nothing
    assert destroy.carry_out(client, settings, order, BY, clock) == [Due("position", 1, 1)]
    assert days(server) == ["2012-01-01", "2019-06-01", "2026-01-01"]
    *_, said = audit_log.read(audit_log.path_in(settings.home_path))
    assert (said.action, said.subject, said.actor) == (holds.DESTROYED, "position", "ann")
    assert destroy.carry_out(client, settings, order, BY, clock) == [Due("position", 0, 1)]
    holds.release(settings, "case-1", "cora", "settled", True, NOW_US)
    assert destroy.carry_out(client, settings, order, BY, clock) == [Due("position", 1, 0)]


def test_what_a_policy_still_asks_for_or_is_chained_is_never_destroyed(
    server: Warehouse, settings: Settings
) -> None:
    clock, client = ManualClock(NOW_US), server.client
    with pytest.raises(SettingsError, match="keeps what is younger"):
        destroy.carry_out(client, settings, Order("orders", date(2020, 1, 1)), BY, clock)
    for policy, problem in (("trail", "chained"), ("market", "no years"), ("ordres", "there are")):
        with pytest.raises(SettingsError, match=problem):
            destroy.order_of(policy, settings, clock, TODAY)
    assert len(days(server)) == 4


def test_ttls_come_from_policies_and_a_hold_takes_them_away_at_once(
    server: Warehouse, settings: Settings
) -> None:
    clock, client = ManualClock(NOW_US), server.client
    assert len(ttl.apply(client, settings, clock)) == 4
    created = client.command("SHOW CREATE TABLE position")
    assert "toIntervalDay(2593)" in str(created)
    assert ttl.apply(client, settings, clock) == []
    place(settings, Hold("case-2", ("all",), None, None, "cora", "claim", NOW_US))
    assert len(ttl.apply(client, settings, clock)) == 2
    assert "TTL" not in str(client.command("SHOW CREATE TABLE position"))
    audit_log.path_in(settings.home_path).write_bytes(b"damaged\n")  # a hold may stand there
    assert ttl.apply(client, settings, clock) == []
    audit_log.path_in(settings.home_path).unlink()
    short = replace(settings, warehouse=WarehouseSettings(retention="signal=365"))
    with pytest.raises(SettingsError, match="policy decisions"):
        ttl.apply(client, short, clock)


def test_the_census_tells_due_held_destroyed_and_a_hold_that_came_too_late(
    server: Warehouse, settings: Settings
) -> None:
    clock, client = ManualClock(NOW_US), server.client
    retention.apply(client, {"signal": 100})  # behind the back of the policies
    order = destroy.order_of("orders", settings, clock, TODAY)
    destroy.carry_out(client, settings, order, BY, clock)
    late = place(
        settings, Hold("case-3", ("orders",), date(2018, 1, 1), None, "cora", "claim", NOW_US)
    )
    assert len(late) == 1
    taken = census.take(client, settings, TODAY, clock)
    [position] = [one for one in taken.counted if one.subject == "position"]
    assert (position.total, position.due, position.destroyed) == (2, 0, 2)
    assert position.holds == ("case-3",)
    rules = {one.rule_id: one for one in taken.breaks()}
    assert set(rules) >= {"hold_on_destroyed", "ttl_too_short"}
    assert (rules["hold_on_destroyed"].subject, rules["hold_on_destroyed"].field) == (
        "case-3", "from",
    )  # fmt: skip
    census.store(client, taken, NOW_US)
    version, _ = reporting.build_report(
        settings, REPORTS["retention"], TODAY, "live", None, "ann", clock
    )
    rows = {row["subject"]: row for row in rows_of(version.folder / "census.csv")}
    assert (rows["position"]["destroyed"], rows["position"]["years"]) == ("2", "7")
    assert {row["rule_id"] for row in rows_of(version.folder / "breaks.csv")} == set(rules)
    retention.apply(client, {})


def test_files_that_are_due_go_as_a_whole_with_their_day(
    server: Warehouse, settings: Settings
) -> None:
    home = settings.home_path
    policies.path_in(home).write_text(OWN + 'files = ["reports"]\n')
    old = home / "reports" / "2018-01-01" / "rts22" / "v1"
    old.mkdir(parents=True)
    (old / "manifest.json").write_text("{}")
    (old / "manifest.json").chmod(0o444)
    old.chmod(0o555)
    long_ago = datetime(2018, 1, 2, tzinfo=UTC).timestamp()
    for path in (old / "manifest.json", old, old.parent, old.parents[1]):
        os.utime(path, (long_ago, long_ago))
    (home / "reports" / "2026-11-22").mkdir()
    clock = ManualClock(NOW_US)
    order = destroy.order_of("orders", settings, clock, TODAY)
    done = destroy.carry_out(server.client, settings, order, BY, clock)
    assert Due("reports", 1, 0) in done
    assert [path.name for path in (home / "reports").iterdir()] == ["2026-11-22"]


def test_where_controls_are_signed_two_people_destroy(
    server: Warehouse, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    outside = tmp_path_factory.mktemp("outside")
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    monkeypatch.setenv("TICKHOUSE_CONTROLS__KEYS", str(outside / "keys"))
    monkeypatch.setenv("TICKHOUSE_CONTROLS__TRUST", str(outside / "trust"))
    server.reached(monkeypatch)
    for name, words in WORDS.items():
        keys.generate(outside / "keys", tmp_path, name, words)

    def run(who: str, *words: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(WORDS[who] + "\n"))
        assert main([*words, "--by", who]) == 0, capsys.readouterr()
        return capsys.readouterr().out

    bob = f"bob={outside / 'keys' / 'bob.pub'}"
    run("ann", "controls", "begin", "--firm", "--person", bob)
    why = ("--reason", "nothing asks for it")
    ours = policies.in_force(core_settings.load(), ManualClock(NOW_US))
    assert ours["orders"].version == "2026-11"  # the firm's file is not signed yet
    run("ann", "controls", "approve", "retention", *why)
    run("bob", "controls", "sign", "2", *why)
    ours = policies.in_force(core_settings.load(), ManualClock(NOW_US))
    assert ours["orders"].version == "firm-1"
    signed = run("ann", "retention", "destroy", "orders", *why)
    assert "2 of position (0 held)" in signed
    assert "It waits for the signature of a second person" in signed
    run("ann", "retention", "destroy", "orders", *why)  # before the second has signed
    assert len(days(server)) == 4
    run("bob", "controls", "sign", "4", *why)
    assert "position: 2 destroyed" in run("ann", "retention", "destroy", "orders", *why)
    assert days(server) == ["2012-01-01", "2026-01-01"]
    *_, said = audit_log.read(audit_log.path_in(tmp_path))
    assert '"entry":4' in said.detail
