"""What a process says when it cannot go on."""

import logging

import pytest

from core import log
from core.errors import SettingsError, TickhouseError, UnavailableError


def fails_with(error: TickhouseError):
    def main() -> int:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code"), [(UnavailableError("no bus"), 1), (SettingsError("no such flow"), 2)]
)
def test_an_error_of_ours_is_one_line_and_an_exit_code(error, code, caplog):
    with caplog.at_level(logging.ERROR):
        assert log.exit_code(fails_with(error)) == code
    assert [record.getMessage() for record in caplog.records] == [str(error)]
    assert caplog.records[0].exc_info is None


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        log.exit_code(lambda: 1 // 0)
