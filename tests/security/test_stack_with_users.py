"""The user's road: people are added, `tickhouse up` runs, and every process has its least role.

Nothing is told who it is: each finds the home's credentials by itself. Ticks are stored, a signal
of the strategy's is filled, Dagster builds the marts, people see them, and no process is refused.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli.stack.running import running
from core import home_users
from core.credentials import directory_of, secret
from orchestration.partitions import TRADING_DAYS
from tests.support.waiting import until

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(600),
    pytest.mark.heavy(suite="security"),
]

_ROOT = Path(__file__).parents[2]
_TICKHOUSE = [sys.executable, "-m", "cli.main"]
_STRATEGY = str(_ROOT / "tests" / "support" / "restless.py")
_PASSWORD = "correct horse"
_PASSPHRASE = "correct horse battery"
_PEOPLE = {
    "root": "admin", "rita": "risk", "wim": "writer", "rex": "recorder", "ann": "analyst",
    "gus": "grafana",
}  # fmt: skip
_eventually = partial(until, within_s=180.0, every_s=0.2)
_LAUNCH = """mutation { launchRun(executionParams: {
    executionMetadata: {tags: [{key: "dagster/partition", value: "%s"}]},
    mode: "default", runConfigData: {}, selector: {repositoryLocationName: "tickhouse",
    repositoryName: "__repository__", jobName: "marts_job"}})
    { __typename ... on LaunchRunSuccess { run { runId } } } }"""
_STATUS = """{ runOrError(runId: "%s") { ... on Run { status } } }"""
_REFUSED = 497  # ClickHouse's code: not for this role


class Stack:
    """A running one, and what may be asked of it."""

    def __init__(self, home: Path) -> None:
        self.home, self._folder = home / "home", home
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
        self.environment = {
            **kept, "PYTHONPATH": str(_ROOT), "TICKHOUSE_HOME": str(home / "home"),
            "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",
            "TICKHOUSE_CONTROLS__KEYS": str(home / "elsewhere" / "keys"),
            "TICKHOUSE_CONTROLS__TRUST": str(home / "elsewhere" / "trust"),
        }  # fmt: skip

    def call(self, *words: str, typed: str = "") -> str:
        """A command of the user's."""
        done = subprocess.run(
            [*_TICKHOUSE, *words], cwd=self._folder, env=self.environment, input=typed,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sign_strategy(self) -> None:
        """A strategy of one's own runs only as two people signed it."""
        typed = f"{_PASSPHRASE}\n{_PASSPHRASE}\n"
        for name in ("root", "rita"):
            self.call("keys", "new", name, typed=typed)
        public = self._folder / "elsewhere" / "keys" / "rita.pub"
        self.call("controls", "begin", "--firm", "--person", f"rita={public}", "--by", "root",
                  typed=typed)  # fmt: skip
        own = self.home / "strategies" / f"{Path(_STRATEGY).stem}.py"
        own.parent.mkdir()
        own.write_bytes(Path(_STRATEGY).read_bytes())
        why = ("--reason", "for a test")
        self.call("controls", "approve", "strategy", own.stem, "--by", "root", *why, typed=typed)
        self.call("controls", "sign", "2", "--by", "rita", *why, typed=typed)

    @property
    def urls(self) -> dict[str, str]:
        """Where its servers are, once it has said so."""
        stack = running(self.home)
        return dict(stack.urls) if stack and stack.urls else {}

    def sql(self, sql: str, name: str = "ann", password: str = _PASSWORD) -> str:
        """The warehouse's answer to one of the people."""
        query = urllib.parse.urlencode({"user": name, "password": password})
        url = f"{self.urls['warehouse']}/?{query}"
        with urllib.request.urlopen(url, sql.encode(), timeout=60) as answer:
            return str(answer.read().decode().strip())

    def owner(self, sql: str) -> str:
        """The same to the home's owner."""
        password = secret(directory_of(self.home), home_users.credential(home_users.OWNER))
        return self.sql(sql, f"tickhouse.{home_users.OWNER}", password)

    def dagster(self, query: str) -> Any:
        """Dagster's answer."""
        body, kind = json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.urls['dagster']}/graphql", body, kind)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Up, in a new home to which people were added first."""
    started = Stack(tmp_path)
    for name, role in _PEOPLE.items():
        started.call("users", "add", name, "--role", role, typed=f"{_PASSWORD}\n")
    started.sign_strategy()
    with (tmp_path / "up.log").open("w") as said:
        up = subprocess.Popen(
            [*_TICKHOUSE, "up", "--strategy", _STRATEGY],
            cwd=tmp_path, env=started.environment, stdout=said, stderr=said,
        )  # fmt: skip
        try:
            until(lambda: started.urls and _answers(started), 180.0, running=up, every_s=0.2)
            yield started
        finally:
            up.send_signal(signal.SIGTERM)
            try:
                up.wait(90)
            finally:
                up.kill()
                up.wait()


def _has_ticks(stack: Stack) -> bool:
    try:
        return int(stack.sql("SELECT count() FROM tickhouse.tick")) > 0
    except urllib.error.HTTPError as error:
        if error.code != 404:  # the table is not there yet
            raise
        return False


def test_with_users_everything_works_at_its_least_role(stack: Stack) -> None:
    _eventually(lambda: _has_ticks(stack))
    filled = "SELECT count() FROM tickhouse.order_event WHERE kind = 'filled' AND signal_id != ''"
    _eventually(lambda: int(stack.sql(filled)) > 0)
    _eventually(lambda: _is_loaded(stack))
    day = TRADING_DAYS.get_last_partition_key()
    run = stack.dagster(_LAUNCH % day)["launchRun"]["run"]["runId"]
    ended = _eventually(lambda: _ended(stack, run), within_s=400.0)
    assert ended == "SUCCESS", _logs(stack.home)
    marts = "SELECT count() FROM system.tables WHERE name LIKE 'fct_%' AND total_rows > 0"
    assert int(stack.owner(marts)) > 0

    stack.owner("SYSTEM FLUSH LOGS query_log")
    refused = f"SELECT count() FROM system.query_log WHERE exception_code = {_REFUSED}"
    assert stack.owner(refused) == "0"
    comments = stack.owner("SELECT DISTINCT log_comment FROM system.query_log")
    for name in ("streams.ticks", "streams.signals", "streams.executions", "board", "dbt", "watch"):
        assert f"tickhouse.{name}" in comments
    for path in (*(stack.home / "logs").iterdir(), stack.home.parent / "up.log"):
        for sign in (f"Code: {_REFUSED}", f"({_REFUSED})", "is for admins", "ACCESS_DENIED"):
            assert sign not in path.read_text(errors="replace"), path

    for name, password in (("ann", "a guess"), ("nobody", _PASSWORD), ("default", "")):
        with pytest.raises(urllib.error.HTTPError) as nobody:
            stack.sql("SELECT 1", name, password)
        with nobody.value as answer:
            assert answer.code in (401, 403)


def _answers(stack: Stack) -> bool:
    try:
        return stack.sql("SELECT 1") == "1"
    except OSError:
        return False


def _is_loaded(stack: Stack) -> bool:
    try:
        return bool(stack.dagster("{ repositoriesOrError { __typename } }"))
    except OSError:
        return False


def _ended(stack: Stack, run: str) -> str:
    status = str(stack.dagster(_STATUS % run)["runOrError"]["status"])
    return status if status in ("SUCCESS", "FAILURE", "CANCELED") else ""


def _logs(home: Path) -> str:
    return "\n".join(path.read_text(errors="replace")[-2000:] for path in (home / "logs").iterdir())
