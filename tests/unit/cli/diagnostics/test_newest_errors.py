"""The newest errors of a home's logs: once each, newest first, with what to do."""

import json
from pathlib import Path

import pytest

from cli.diagnostics.newest_errors import newest_errors, remedy_of
from cli.main import main


def record(second: int, process: str, event: str, level: str = "error") -> str:
    timestamp = f"2026-11-20T10:00:{second:02}.000000Z"
    return json.dumps(
        {"timestamp": timestamp, "level": level, "process": process, "logger": "x", "event": event}
    )


def write(home: Path, process: str, *lines: str) -> None:
    (home / "logs").mkdir(parents=True, exist_ok=True)
    (home / "logs" / f"{process}.log").write_text("".join(f"{line}\n" for line in lines))


def test_the_newest_ten_are_listed_once_each(tmp_path: Path) -> None:
    write(tmp_path, "execution", *(record(n, "execution", f"failed {n}") for n in range(12)))
    again = [record(20 + n, "watch", "[Errno 28] No space left on device") for n in range(3)]
    write(
        tmp_path, "watch", *again, "  a traceback's line", record(50, "watch", "well", "info"),
    )  # fmt: skip
    errors = newest_errors(tmp_path)
    assert len(errors) == 10
    assert (errors[0].process, errors[0].times, errors[0].timestamp[17:19]) == ("watch", 3, "22")
    assert errors[0].remedy == "make room on the disk of the home: tickhouse doctor"
    assert [e.text for e in errors[1:]] == [f"failed {n}" for n in range(11, 2, -1)]
    assert errors[1].remedy == "tickhouse logs execution --level error"


def test_a_home_without_logs_has_no_errors(tmp_path: Path) -> None:
    assert newest_errors(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("the warehouse does not answer: Connection refused", "tickhouse status"),
        ("[Errno 13] Permission denied: 'x'", "give the files"),
        ("[Errno 24] Too many open files", "ulimit"),
    ],
)
def test_what_people_meet_has_its_remedy(text: str, remedy: str) -> None:
    assert remedy in remedy_of("p", text)


def test_doctor_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")  # no sentence is wrapped
    write(tmp_path, "watch", record(1, "watch", "nobody [could] be told"))
    main(["doctor"])
    printed = capsys.readouterr().out
    assert "newest errors" in printed
    assert "nobody [could] be told" in printed
    assert "tickhouse logs watch --level error" in printed
