"""What a process says when it cannot go on."""

import logging
import subprocess
import sys

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


def test_secrets_of_the_settings_are_never_logged(tmp_path):
    """Not in a line, an argument, a traceback or an address; whoever writes it."""
    program = """
import logging
from core import log, settings
given = {
    "TICKHOUSE_CLICKHOUSE__PASSWORD": "hunter22", "TICKHOUSE_BUS__TOKEN": "t0ken-of-bus",
    "TICKHOUSE_ALERTS__SMTP_PASSWORD": "mail-pass", "TICKHOUSE_ALERTS__TELEGRAM_TOKEN": "12:abcdef",
    "TICKHOUSE_ALERTS__WEBHOOK": "https://chat.example/hook/s3cret",
}
config = settings.load(given)
log.setup("tried")
logger = logging.getLogger("library")
logger.warning("%s and %s", config.clickhouse, config.bus)
logger.warning(str(config.alerts))
logger.warning("no answer from nats://desk:other-secret@host:4222, tls://host:1 is another")
try:
    raise ValueError(f"refused: {config.clickhouse.password}")
except ValueError:
    logger.exception("it failed")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    for secret in (
        "hunter22", "t0ken-of-bus", "mail-pass", "12:abcdef", "hook/s3cret", "other-secret",
    ):  # fmt: skip
        assert secret not in done.stderr
    assert "ValueError: refused: ..." in done.stderr
    assert "nats://desk:...@host:4222, tls://host:1 is another" in done.stderr
