"""Heavy suites: the touched ones first, none after the deadline, and every one selects tests."""

import re
import threading
import time
from pathlib import Path

import pytest

from tests import heavy


def test_touched_suites_come_first_and_the_rest_keep_their_order() -> None:
    names = [s.name for s in heavy.by_touch(heavy.SUITES, ["dashboards/live/live_state.py"])]
    assert names[0] == "browser"
    assert [n for n in names if n != "browser"] == [
        s.name for s in heavy.SUITES if s.name != "browser"
    ]


def test_after_the_deadline_nothing_begins_and_the_last_line_names_what_was_missed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert heavy.main(["golden", "kafka", "--until", str(time.time() - 1)]) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("not reached, for lack of time: ")
    assert set(last.partition(": ")[2].split(", ")) == {"golden", "kafka"}


def test_two_run_beside_each_other_and_one_that_failed_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    together = threading.Barrier(2, timeout=60)  # broken, if they came one by one

    def one(suite: heavy.Suite) -> int:
        together.wait()
        return int(suite.name == "kafka")

    suites = [suite for suite in heavy.SUITES if suite.name in ("golden", "kafka")]
    assert heavy.run(suites, None, 2, one) == 1
    output = capsys.readouterr().out
    assert re.search(r"golden +passed in 0 min", output)
    assert re.search(r"kafka +FAILED \(pytest exit 1\)", output)
    assert output.endswith("every suite was reached\n")


def test_an_unknown_suite_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        heavy.main(["nonsense"])
    assert "no suite nonsense" in capsys.readouterr().err


def test_a_suite_looks_into_the_files_that_hold_its_tests_only(tmp_path: Path) -> None:
    marked, other = tmp_path / "test_a.py", tmp_path / "test_b.py"
    marked.write_text('pytestmark = pytest.mark.heavy(suite="golden")\n')
    other.write_text("def test_it(bus_server): ...\n")
    of = {suite.name: suite for suite in heavy.SUITES}
    assert [of["golden"].is_in(path) for path in (marked, other)] == [True, False]
    assert [of["kafka"].is_in(path) for path in (marked, other)] == [False, True]
    for suite in heavy.SUITES:
        assert suite.files
        assert len(suite.files) < 60
