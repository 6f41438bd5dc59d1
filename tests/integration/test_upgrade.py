"""A home of every release is taken over by `up`, with journal, ticks and decisions; and back."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.stack.home_lock import is_taken
from core import home_version
from core.contracts.order import EventKind
from execution.journal import journal
from tests.support.running_stack import healthy
from tests.support.waiting import until

pytestmark = [
    pytest.mark.process, pytest.mark.heavy(suite="survival"), pytest.mark.timeout(600),
]  # fmt: skip
_ROOT = Path(__file__).parents[2]
_HOMES = _ROOT / "tests" / "homes"
_TICKHOUSE = [sys.executable, "-m", "cli.main"]
RELEASES = ("0.1.0", "0.2.0")


@pytest.fixture(params=RELEASES)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with tarfile.open(_HOMES / f"{request.param}.tar.xz") as packed:
        # Ours; `extractall(filter=)` is not in the Python 3.11.2 of Debian 12.
        packed.extraction_filter = lambda member, _: member
        packed.extractall(tmp_path / "home")
    return tmp_path / "home"


def environment(home: Path) -> dict[str, str]:
    """The settings it ran with."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TICKHOUSE_")}
    return kept | {
        "PYTHONPATH": str(_ROOT), "TICKHOUSE_HOME": str(home),
        "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD", "TICKHOUSE_RUN__STRATEGY": "scripted",
        "TICKHOUSE_SIGNALS__SCRIPTED_HORIZON_S": "10", "TICKHOUSE_ORCHESTRATION__ENABLED": "false",
    }  # fmt: skip


class Up:
    """`tickhouse up` until `stop`."""

    def __init__(self, home: Path, crash_at: str = "") -> None:
        self._home = home
        self.process = subprocess.Popen(
            [*_TICKHOUSE, "up", "--bare"],
            env=environment(home) | {"TICKHOUSE_CHAOS__CRASH_AT": crash_at},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def healthy(self) -> None:
        healthy(environment(self._home), self.process)

    def stop(self) -> str:
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=120)[0]


def tickhouse(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*_TICKHOUSE, *words], env=environment(home), capture_output=True, text=True, check=False
    )


def query(home: Path, sql: str) -> list[Any]:
    done = tickhouse(home, "sql", "--format", "JSONCompactEachRow", sql)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def up(home: Path) -> Iterator[list[Up]]:
    running: list[Up] = []
    yield running
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def test_a_home_of_a_release_is_taken_over_and_goes_back(home: Path, up: list[Up]) -> None:
    path = home / "execution" / "simulated" / "journal"
    before, old = path.read_bytes(), [e.hash for e in journal.events(path)]
    decided = next(e for e in journal.events(path) if e.kind is EventKind.RECEIVED)
    up.append(Up(home))
    up[0].healthy()
    last_us = next(e for e in journal.events(path) if e.hash == old[-1]).ts_init_us

    ticks = query(
        home, f"SELECT count() FROM tick WHERE ts_event < toDateTime64({last_us / 1e6}, 6)"
    )
    assert ticks[0][0] > 100
    stored = query(home, "SELECT hash FROM order_event FINAL ORDER BY seq")
    assert [row[0] for row in stored][: len(old)] == old
    explained = tickhouse(home, "explain", decided.signal_id, "--json")
    assert explained.returncode == 0, explained.stdout + explained.stderr
    assert json.loads(explained.stdout)["same"]

    output = up[0].stop()
    assert "is taken over by" in output
    assert [e.hash for e in journal.events(path)][: len(old)] == old
    stands = home_version.of(home)
    assert stands is not None
    assert stands.layout == home_version.LAYOUT
    [copy] = (home / "backups").iterdir()
    refused = tickhouse(home, "restore", str(copy))
    assert "since it was copied" in refused.stderr
    back = tickhouse(home, "restore", str(copy), "--replace")
    assert back.returncode == 0, back.stderr
    assert path.read_bytes() == before
    assert home_version.of(home) == home_version.HomeVersion(1, home_version.BEFORE)


class Facts(NamedTuple):
    """What a home is once it was taken over, but for what traded since."""

    layout: int
    tables: list[Any]  # every column, and how many ticks there were before
    events: list[str]
    copies: int


PLACES = ("noted", "copying", "copied", "migrated")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("home", RELEASES[-1:], indirect=True)
def test_killed_again_and_again_up_goes_on_to_the_same_home(
    home: Path, up: list[Up], tmp_path: Path
) -> None:
    """Before, while and after it is copied; while tables are made; when all works."""
    untouched = tmp_path / "untouched"
    shutil.copytree(home, untouched, symlinks=True)
    whole = shutil.copytree(home, tmp_path / "whole", symlinks=True)
    crashes = ",".join(f"up.upgrade.{place}:1" for place in PLACES)
    for place in PLACES:
        if place == "migrated":
            up.append(Up(home, crashes))
            until(lambda: (home / "run" / "warehouse.url").exists(), 120)
            up[-1].process.kill()
            up[-1].process.communicate()
            until(lambda: not is_taken(home), 60)
        up.append(Up(home, crashes))
        said = up[-1].process.communicate(timeout=240)[0]
        assert up[-1].process.returncode == -signal.SIGKILL, said
        assert (home / "run" / f"crashed.up.upgrade.{place}").exists(), place
        until(lambda: not is_taken(home), 60)
    [copy] = (home / "backups").iterdir()
    assert files(copy) == files(untouched)
    assert facts(home, up) == facts(whole, up)


def files(home: Path) -> dict[str, bytes]:
    """Of a home, or of a copy of one, by their digests."""
    left_out = ("backups", "run", "logs", "home.json")
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).digest()
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.is_symlink()
        if path.relative_to(home).parts[0] not in left_out
    }


def facts(home: Path, up: list[Up]) -> Facts:
    path = home / "execution" / "simulated" / "journal"
    [copy] = (home / "backups").iterdir() if (home / "backups").exists() else [home]
    old = list(journal.events(copy / path.relative_to(home)))
    up.append(Up(home))
    up[-1].healthy()
    tables = query(
        home,
        "SELECT table, name, type FROM system.columns WHERE database = 'tickhouse' UNION ALL"
        " SELECT 'tick', 'rows', toString(count()) FROM tick"
        f" WHERE ts_event < toDateTime64({old[-1].ts_init_us / 1e6}, 6)",
    )
    stored = query(home, "SELECT hash FROM order_event FINAL ORDER BY seq")
    up[-1].stop()
    stands = home_version.of(home)
    assert stands is not None
    events = [row[0] for row in stored][: len(old)]
    assert events == [event.hash for event in old]
    return Facts(stands.layout, sorted(tables), events, len(list((home / "backups").iterdir())))
