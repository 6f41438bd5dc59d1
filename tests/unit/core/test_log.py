"""What processes write into their logs, and how a person reads it."""

import json
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


def test_a_line_about_an_order_carries_its_trace(tmp_path):
    """Whoever wrote it; ids of other lengths and lines without one carry none."""
    order = "0123456789abcdef0123456789abcd"
    program = f"""
import logging
from core import log
log.setup("tried")
logger = logging.getLogger("library")
logger.warning("order %s: no answer (%s)", "{order}", "timeout")
logger.warning("signal {order}ab and model {order * 2}")
logger.warning("nothing")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line.get("trace_id") for line in lines] == [f"00{order}", None, None]
    assert f"trace_id=00{order}" in log.readable(done.stderr.splitlines()[0])


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
    *lines, failed = [json.loads(line) for line in done.stderr.splitlines()]
    assert failed["event"] == "it failed"
    assert "ValueError: refused: ..." in failed["exception"]
    assert len(lines) == 3
    assert "nats://desk:...@host:4222, tls://host:1 is another" in done.stderr


WRITES = """
import logging
from core import log
log.setup("tried")
logger = logging.getLogger("a.library")
logger.warning('a "word" of %s', "EURUSD", extra={"symbol": "EURUSD", "ticks": 3})
logger.debug("not this")
"""


def test_a_file_gets_a_record_per_line_with_its_fields(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WRITES], capture_output=True, text=True, cwd=tmp_path
    )
    (record,) = [json.loads(line) for line in done.stderr.splitlines()]
    timestamp = record.pop("timestamp")
    assert timestamp.endswith("Z")
    assert record == {
        "level": "warning", "process": "tried", "logger": "a.library",
        "event": 'a "word" of EURUSD', "symbol": "EURUSD", "ticks": 3,
    }  # fmt: skip
    (line,) = done.stderr.splitlines()
    text = f'{timestamp} tried WARNING a.library: a "word" of EURUSD symbol=EURUSD ticks=3'
    assert log.readable(line) == text


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo terminal on Windows")
def test_a_terminal_gets_plain_text(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", WRITES], stderr=theirs, cwd=tmp_path, check=True)
    with open(ours, "rb", buffering=0) as terminal:
        text = terminal.read(4096).decode()
    assert 'Z tried WARNING a.library: a "word" of EURUSD symbol=EURUSD ticks=3' in text
    assert "{" not in text


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", '{"cut": ', '{"a": 1}', ""])
def test_what_is_no_record_stays_as_it_is(line):
    assert log.readable(line) == line
