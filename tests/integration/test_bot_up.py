"""A whole stack with its bot: a halt needs no warehouse, and the token is nowhere."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import trading_control
from tests.support import new_home
from tests.support.running_stack import healthy
from tests.support.telegram_server import TOKEN, TelegramServer
from tests.support.waiting import until

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


@pytest.fixture
def environment(tmp_path: Path, telegram: TelegramServer) -> dict[str, str]:
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    return kept | {
        "TICKHOUSE_HOME": str(tmp_path / "home"), "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",
        "TICKHOUSE_ORCHESTRATION__ENABLED": "off", "TICKHOUSE_BOT__ENABLED": "on",
        "TICKHOUSE_BOT__TOKEN_FILE": str(secret), "TICKHOUSE_BOT__SERVER": telegram.url,
        "TICKHOUSE_BOT__CHATS": "100", "TICKHOUSE_BOT__PEOPLE": "1=ann:risk",
    }  # fmt: skip


def knows_the_market(telegram: TelegramServer) -> bool:
    """Whether the bot has heard a tick; asks it, as often as it may be asked."""
    telegram.write("/status")
    return any("BTCUSD" in text for text in telegram.texts())


def test_up_with_its_bot(
    tmp_path: Path, telegram: TelegramServer, environment: dict[str, str]
) -> None:
    new_home.for_up(tmp_path / "home")
    line = [sys.executable, "-m", "cli.main", "up", "--bare"]
    with (tmp_path / "up.log").open("wb") as log:
        up = subprocess.Popen(line, env=environment, stdout=log, stderr=log)
    try:
        processes = healthy(environment, up).processes
        assert "bot" in processes
        until(lambda: knows_the_market(telegram), running=up, every_s=4.0)
        telegram.write("/halt nothing else answers")
        telegram.until(lambda: any("Halt trading?" in text for text in telegram.texts()), 60.0)
        os.kill(processes["warehouse"].pid, signal.SIGKILL)
        telegram.press("Yes")
        telegram.until(lambda: any("Execution obeys." in text for text in telegram.texts()), 60.0)
        up.send_signal(signal.SIGINT)
        assert up.wait(timeout=120) == 0
    finally:
        if up.poll() is None:
            up.kill()
            up.wait()
    held = trading_control.current(tmp_path / "home")
    assert held is not None
    assert (held.state, held.by) == ("halted", "ann")
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) > 20
    assert [p.name for p in kept if TOKEN.encode() in p.read_bytes()] == ["token"]


def test_a_bot_that_nobody_may_write_to_is_refused_before_anything_starts(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    line = [sys.executable, "-m", "cli.main", "up", "--bare"]
    settings = environment | {"TICKHOUSE_BOT__CHATS": ""}
    done = subprocess.run(line, env=settings, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "TICKHOUSE_BOT__CHATS" in done.stderr
    assert not (tmp_path / "home" / "warehouse").exists()
