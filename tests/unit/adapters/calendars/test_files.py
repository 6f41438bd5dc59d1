"""Calendars of other people: what is taken, and what is refused with its row and a remedy."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.calendars import files
from adapters.calendars.files import CalendarOptions, called_off, read
from cli.commands.calendar import EXPORTER
from core import calendar
from core.calendar import Calendar, CalendarContent, CalendarEvent
from core.errors import InputError

HEAD = "time,currency,importance,name,event_id,actual,forecast,previous\n"
NOW = round(datetime(2026, 11, 10, tzinfo=UTC).timestamp() * 1e6)


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def taken(tmp_path: Path, text: str, **options) -> list[CalendarEvent]:
    path = tmp_path / "calendar.csv"
    path.write_text(text, encoding="utf-8")
    return read(path, CalendarOptions(**{"source": "c", "zone": "UTC", "now_us": NOW} | options))


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026.11.06 15:30:00", "Europe/Athens", "2026-11-06T13:30"),
        ("2026-11-06T15:30+02:00", "", "2026-11-06T13:30"),
        ("2026-07-03 15:30", "Europe/Athens", "2026-07-03T12:30"),
        ("2026.11.06 15:30", "America/New_York+07:00", "2026-11-06T13:30"),
        ("2026-10-25 03:30", "Europe/Athens", "2026-10-25T00:30"),  # comes twice: the first
    ],
)
def test_a_time_is_read_by_its_zone(tmp_path: Path, text: str, zone: str, moment: str) -> None:
    [event] = taken(tmp_path, f"{HEAD}{text},usd,3,Nonfarm Payrolls,840,,180,175\n", zone=zone)
    assert event == CalendarEvent(
        source="c", event_id="840", ts_published_us=NOW, ts_event_us=us(moment), currency="USD",
        importance="high", name="Nonfarm Payrolls", actual="", forecast="180", previous="175",
    )  # fmt: skip


def test_json_and_other_separators_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(
        '{"zone": "Europe/Athens", "events": [{"time": "2026-11-06 15:30", "currency": "USD",'
        ' "importance": "high", "name": "Nonfarm Payrolls", "event_id": 840}]}'
    )
    [of_json] = read(path, CalendarOptions("c", "", NOW))
    text = (
        "time;currency;importance;name;event_id\n2026-11-06 13:30;USD;high;Nonfarm Payrolls;840\n"
    )
    assert taken(tmp_path, text) == [of_json]
    path.write_bytes(text.encode("utf-16"))
    assert read(path, CalendarOptions("c", "UTC", NOW)) == [of_json]


ROW = "2026-11-06 13:30,USD,high,Payrolls,840,,,\n"


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        (HEAD + ROW, {"zone": ""}, r"row 2: time '2026-11-06 13:30' has no zone; .*--tz UTC"),
        (HEAD + ROW, {"zone": "Athens"}, r"row 2: 'Athens' is no time zone; use UTC"),
        (HEAD + ROW.replace("11-06", "13-06"), {}, r"row 2: '2026-13-06 13:30' is no time"),
        (HEAD + "2026-03-29 03:30,EUR,high,X,1,,,\n", {"zone": "Europe/Athens"}, "does not exist"),
        (HEAD + ROW.replace("2026", "9999"), {}, r"row 2: .* no year of 1970 to 2199"),
        (HEAD + ROW.replace("high", "huge"), {}, r"row 2: 'huge' is no importance"),
        (HEAD + ROW.replace("USD", "DOLLAR"), {}, r"row 2: 'DOLLAR' is no currency"),
        (HEAD + ROW.replace("Payrolls", ""), {}, r"row 2: name is empty"),
        (HEAD + ROW + ROW.replace("13:30", "14:30"), {}, r"row 3: event '840' is in row 2, too"),
        (HEAD + "2026-11-06 13:30,USD\n", {}, r"row 2: has not the 8 columns"),
        (HEAD + ROW.replace("\n", ",more\n"), {}, r"row 2: has not the 8 columns"),
        ("when,what\n1,2\n", {}, r"lacks time, currency, importance, name"),
        ("", {}, r"lacks time"),
        ('{"events": 3}', {}, r"needs a list of events"),
        ("[{}]", {}, r"row 1: lacks time"),
        ("[", {}, r"no JSON"),
        (
            "time,currency,importance,name,published,actual\n"
            "2026-11-06 13:30,USD,high,X,2026-11-06 13:29,175\n",
            {}, r"row 2: says the actual figure before the event",
        ),
    ],
)  # fmt: skip
def test_a_file_with_a_mistake_is_refused_whole(
    tmp_path: Path, text: str, options: dict, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        taken(tmp_path, text, **options)


def test_a_huge_file_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(files.MOST_BYTES + 1)
    with pytest.raises(InputError, match="larger than 64 MiB"):
        read(path, CalendarOptions("c", "UTC", NOW))
    monkeypatch.setattr(files, "MOST_EVENTS", 2)
    rows = "".join(f"2026-11-06 13:3{n},USD,high,X,{n},,,\n" for n in range(3))
    with pytest.raises(InputError, match="more than 2 events"):
        taken(tmp_path, HEAD + rows)
    with pytest.raises(InputError, match="name a calendar file"):
        read(tmp_path / "none.csv", CalendarOptions("c", "UTC", NOW))


def test_an_event_twice_is_one_and_a_moved_one_is_another_version(tmp_path: Path) -> None:
    first = taken(tmp_path, HEAD + ROW + ROW, now_us=NOW - 2)
    content, fresh = calendar.added(CalendarContent(), first, [])
    assert len(fresh) == 1
    assert calendar.added(content, taken(tmp_path, HEAD + ROW, now_us=NOW - 1), [])[1] == []
    moved = taken(tmp_path, HEAD + ROW.replace("13:30", "15:00"), now_us=NOW)
    content, fresh = calendar.added(content, moved, [])
    assert fresh == moved
    known = Calendar(content)
    for moment, at in ((NOW - 1, "2026-11-06T13:30"), (NOW, "2026-11-06T15:00")):
        [event] = known.between(0, 1 << 60, known_us=moment)
        assert event.ts_event_us == us(at)
    assert known.between(0, 1 << 60, known_us=NOW - 3) == []


def test_an_assumed_publication_gives_the_date_before_and_figures_with_the_event(
    tmp_path: Path,
) -> None:
    row = ROW.replace("840,,,", "840,175,180,170")
    plain, full = taken(tmp_path, HEAD + row, assumed_days=7.0)
    assert (plain.ts_published_us, plain.actual) == (us("2026-10-30T13:30"), "")
    assert (plain.forecast, plain.previous, plain.publication) == ("", "", "assumed")
    assert (full.ts_published_us, full.actual) == (us("2026-11-06T13:30"), "175")


def test_what_a_complete_file_lacks_is_called_off(tmp_path: Path) -> None:
    rows = [ROW, ROW.replace("840", "841").replace("13:30", "15:00")]
    rows.append(ROW.replace("840", "842").replace("13:30", "17:00"))
    known = taken(tmp_path, HEAD + "".join(rows), now_us=NOW - 1)
    listed = taken(tmp_path, HEAD + rows[0] + rows[2])
    [off] = called_off(known, listed, NOW)
    assert (off.event_id, off.is_cancelled, off.ts_published_us) == ("841", True, NOW)


def test_the_exporter_writes_what_is_read_and_says_that_nobody_compiled_it() -> None:
    text = EXPORTER.read_text()
    assert "NOT YET COMPILED" in text
    assert HEAD.strip() in text
