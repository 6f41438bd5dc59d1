"""`tickhouse calendar` against a real warehouse: what SQL says was known when."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.main import main
from core import audit_log, calendar
from core.clock import SystemClock
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]

HEAD = "time,currency,importance,name,event_id,published\n"


def test_versions_are_kept_and_a_moment_sees_what_was_published(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))
    warehouse.reached(monkeypatch)
    file = tmp_path / "events.csv"
    first = "2025-11-07 13:30,USD,high,Nonfarm Payrolls,840,2025-10-01 00:00\n"
    file.write_text(HEAD + first)
    line = ["calendar", "import", str(file)]
    assert main(line) == 2
    assert "has no zone" in capsys.readouterr().err
    assert not calendar.path_in(tmp_path / "home").exists()
    line += ["--tz", "UTC"]
    assert main(line) == 0
    assert main(line) == 0
    assert "1 events read, 0 new or changed" in capsys.readouterr().out
    moved = first.replace("11-07", "11-20").replace("10-01", "11-01")
    file.write_text(HEAD + first + moved)
    assert main(line) == 0
    for moment, day in (("2025-10-31", "2025-11-07"), ("2025-11-02", "2025-11-20")):
        statement = (
            f"SELECT toDate(ts_event), publication FROM calendar_event_as_of(moment = '{moment}')"
        )
        [(known, publication)] = warehouse.client.query(statement).result_rows
        assert (str(known), publication) == (day, "stated")
    empty = "SELECT count() FROM calendar_event_as_of(moment = '2025-09-01')"
    assert warehouse.client.command(empty) == 0
    assert warehouse.client.command("SELECT count() FROM calendar_event FINAL") == 2
    *_, last = audit_log.read(audit_log.path_in(tmp_path / "home"))
    assert last.action == "calendar import"
    assert "says nothing of today" in capsys.readouterr().out


def test_a_complete_import_of_this_week_is_shown_and_covers_its_days(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))
    warehouse.reached(monkeypatch)
    soon = SystemClock().now_us() + 3_600_000_000
    rows = [
        f'{{"time": "{_text(soon + n * 60_000_000)}", "currency": "EUR", "importance": "low",'
        f' "name": "Event {n}", "event_id": {n}}}'
        for n in range(3)
    ]
    file = tmp_path / "week.json"
    file.write_text(f"[{','.join(rows)}]")
    today = ["--from", _text(soon - 3_600_000_000)[:10]]
    assert main(["calendar", "import", str(file), *today]) == 0
    file.write_text(f"[{rows[0]},{rows[2]}]")
    capsys.readouterr()
    assert main(["calendar", "import", str(file), "--complete"]) == 0
    shown = capsys.readouterr().out
    assert "Event 0" in shown
    assert "Event 1" not in shown
    assert "The calendar reaches to" in shown
    assert main(["calendar", "exporter"]) == 0
    assert "CalendarValueHistory" in capsys.readouterr().out


def _text(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat()
