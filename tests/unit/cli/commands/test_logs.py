"""`tickhouse logs`: the logs of all processes as one, in order of time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import main


def record(second: int, process: str, event: str, level: str = "info") -> str:
    timestamp = f"2026-11-20T10:00:{second:02}.000000Z"
    fields = {"timestamp": timestamp, "level": level, "process": process, "logger": "x"}
    return json.dumps({**fields, "event": event})


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "logs"
    folder.mkdir(parents=True)
    one = [record(1, "execution", "first"), record(3, "execution", "third", "error"), "  beside it"]
    (folder / "execution.log").write_text("\n".join(one) + "\n")
    (folder / "streams.log").write_text(record(2, "streams", "second") + "\n" + '{"timesta')
    return folder


def test_records_of_all_processes_come_in_order_of_time(logs, capsys):
    assert main(["logs"]) == 0
    first, second, third, beside = capsys.readouterr().out.splitlines()
    assert first == "2026-11-20T10:00:01.000000Z execution INFO x: first"
    assert second.endswith("streams INFO x: second")
    assert third.endswith("ERROR x: third")
    assert beside == "2026-11-20T10:00:03.000000Z execution: beside it"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("2026-11-20 10:00:02,500 INFO spawned: 'bus'", "INFO spawned: 'bus'"),
        ("[345] 2026/11/20 10:00:02.500001 [INF] Server is ready", "[INF] Server is ready"),
    ],
)
def test_lines_of_other_programs_stand_where_their_time_says(logs, capsys, line, text):
    (logs / "other.log").write_text(line + "\n")
    main(["logs"])
    order = [printed.split(" ", 1)[1] for printed in capsys.readouterr().out.splitlines()]
    assert order[2] == f"other: {text}"


def test_fewer_lines_one_process_and_what_is_serious(logs, capsys):
    main(["logs", "--lines", "1", "streams"])
    assert capsys.readouterr().out.endswith("second\n")
    main(["logs", "--level", "error", "--json"])
    stored, beside = capsys.readouterr().out.splitlines()
    assert json.loads(stored)["event"] == "third"
    assert beside == "  beside it"


def test_a_process_without_a_log_is_told_with_those_that_have_one(logs, capsys):
    assert main(["logs", "exection"]) == 2
    assert "has no log of exection: there are execution, streams" in capsys.readouterr().err


def test_a_home_that_never_ran_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    assert main(["logs"]) == 2
    assert "`tickhouse up` writes them" in capsys.readouterr().err


def test_following_goes_on_after_a_rotation(logs):
    command = [sys.executable, "-m", "cli.main", "logs", "--follow", "streams"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert following.stdout.readline().endswith("second\n")
        with (logs / "streams.log").open("a") as log:  # the line that was half written
            log.write('mp": 1}\n' + record(4, "streams", "a long event after the second") + "\n")
        assert '{"timestamp": 1}' in following.stdout.readline()
        assert following.stdout.readline().endswith("after the second\n")
        (logs / "streams.log").rename(logs / "streams.log.1")
        (logs / "streams.log").write_text(record(5, "streams", "rotated") + "\n")
        assert following.stdout.readline().endswith("rotated\n")
        following.kill()
