"""The bot's process for tests, beside a Telegram server of ours."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.telegram_server import TOKEN, TelegramServer
from tests.support.warehouse_server import ROOT

PEOPLE = "1=ann:risk,2=bert:analyst"


@contextmanager
def bot(
    home: Path, telegram: TelegramServer, bus_url: str, warehouse_url: str, **settings: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A bot that runs; its log is `home/bot.log`. It ends with 0 when asked to."""
    secret = home / "telegram.token"
    secret.write_text(TOKEN + "\n")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    environment = kept | {
        "TICKHOUSE_HOME": str(home), "TICKHOUSE_BUS__URL": bus_url,
        "TICKHOUSE_CLICKHOUSE__URL": warehouse_url, "TICKHOUSE_BOT__TOKEN_FILE": str(secret),
        "TICKHOUSE_BOT__SERVER": telegram.url, "TICKHOUSE_BOT__CHATS": "100",
        "TICKHOUSE_BOT__PEOPLE": PEOPLE, "PYTHONPATH": str(ROOT), **settings,
    }  # fmt: skip
    with (home / "bot.log").open("ab") as log:
        line = [sys.executable, "-m", "bot"]
        process = subprocess.Popen(line, cwd=home, env=environment, stderr=log)
    try:
        yield process
        if process.poll() is None:  # the test has not killed it
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
