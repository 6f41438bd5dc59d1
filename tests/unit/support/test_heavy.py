"""Heavy suites: the touched ones first, none after the deadline, and every one selects tests."""

import re
import threading
import time

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
