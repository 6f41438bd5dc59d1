"""The first minute: `tickhouse up` in a new home predicts, signals and trades by itself."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from cli.stack.planted_edge import BY
from models.serving.registry import Registry

pytestmark = [
    pytest.mark.process, pytest.mark.heavy(suite="browser"), pytest.mark.timeout(900),
]  # fmt: skip

ROOT = Path(__file__).parents[2]
TICKHOUSE = [sys.executable, "-m", "cli.main"]
PATIENCE_S = 300.0  # two busy cores; a quiet machine needs a minute
MARK = "simulated market, planted edge"
ROWS = """
SELECT * FROM (
    SELECT 'prediction' AS what, count() AS rows FROM prediction WHERE mode = 'demo'
    UNION ALL SELECT 'signal', count() FROM signal WHERE mode = 'demo'
    UNION ALL SELECT 'fill', count() FROM order_event WHERE mode = 'demo' AND kind = 'filled'
    UNION ALL SELECT 'position', count() FROM position WHERE mode = 'demo'
    UNION ALL SELECT 'bar', count() FROM bar WHERE interval = '1m'
    UNION ALL SELECT 'simulated', count() FROM model WHERE simulated
    UNION ALL SELECT 'real', count() FROM model WHERE NOT simulated
) FORMAT JSONEachRow
"""


class Home:
    """A home on which `up` runs."""

    def __init__(
        self, folder: Path, environ: dict[str, str], up: "subprocess.Popen[bytes]"
    ) -> None:
        self.folder, self._environ, self._up = folder, environ, up

    def command(self, *words: str) -> str:
        """What a command prints, once it does what it should."""
        line = [*TICKHOUSE, *words]
        done = subprocess.run(line, env=self._environ, capture_output=True, text=True, check=False)
        return done.stdout

    def status(self) -> dict[str, Any]:
        """Once all is well."""
        return self.until(
            lambda: json.loads(self.command("status", "--json")),
            lambda status: status["status"] == "healthy" and bool(status["processes"]),
        )

    def rows(self) -> dict[str, int]:
        """Rows by table."""
        lines = self.command("sql", ROWS).splitlines()
        return {row["what"]: int(row["rows"]) for row in map(json.loads, lines)}

    def until(self, read, holds):
        """Look until it holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds(answer := read()):
            assert self._up.poll() is None, self.log
            assert time.monotonic() < deadline, (answer, self.log)
            time.sleep(0.5)
        return answer

    @property
    def log(self) -> str:
        """What `up` printed."""
        return (self.folder.parent / "up.log").read_text()


@contextmanager
def running(folder: Path, cache: Path, *options: str) -> Iterator[Home]:
    folder.mkdir()
    environ = {
        **{k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")},
        "PYTHONPATH": str(ROOT),
        "TICKHOUSE_HOME": str(folder / "home"),
        "TICKHOUSE_REGISTRY__CACHE": str(cache),
        "TICKHOUSE_ORCHESTRATION__ENABLED": "false",
    }
    with (folder / "up.log").open("wb") as output:
        line = [*TICKHOUSE, "up", *options]
        up = subprocess.Popen(line, cwd=folder, env=environ, stdout=output, stderr=output)
    try:
        yield Home(folder / "home", environ, up)
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait()


async def shown(url: str, kinds: Sequence[str]) -> dict[str, Any]:
    """The live page's items once it shows all of these kinds."""
    items: dict[str, Any] = {}
    address = url.replace("http", "ws") + "/live"
    async with (
        asyncio.timeout(PATIENCE_S),
        connect(address, origin=url, max_size=None) as socket,  # type: ignore[arg-type]
    ):
        while not set(kinds) <= {key.partition("|")[0] for key in items}:
            for item in json.loads(await socket.recv()):
                items[item["k"]] = item["v"]
    return items


def test_a_plain_up_lives_and_a_bare_one_waits_for_its_trader(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with running(tmp_path / "new", cache) as home:
        url = home.status()["urls"]["live page"]
        lively = {"prediction", "signal", "fill", "position", "bar", "simulated"}
        rows = home.until(home.rows, lambda rows: all(rows[what] for what in lively))
        assert rows["real"] == 0
        items = asyncio.run(shown(url, ("prediction", "signal", "fill", "position", "model")))
        assert items["market"] == MARK
        (champion,) = Registry(home.folder / "models").history()
        assert (champion.by, champion.simulated) == (BY, True)
        assert items[f"model|{champion.sha256}"]["simulated"] is True
        assert (home.folder / "logs" / "planted-edge.log").exists()
    with running(tmp_path / "second", cache) as home:  # the cache has the model: nothing is trained
        home.until(home.rows, lambda rows: rows.get("prediction"))
        assert not (home.folder / "logs" / "planted-edge.log").exists()
        assert Registry(home.folder / "models").history()[0].sha256 == champion.sha256
    with running(tmp_path / "bare", cache, "--bare") as home:
        url = home.status()["urls"]["live page"]
        rows = home.until(home.rows, lambda rows: rows["bar"])
        assert Registry(home.folder / "models").history() == []
        assert not any(rows[what] for what in ("prediction", "signal", "fill", "simulated"))
        assert "nothing predicts" in home.log
        items = asyncio.run(shown(url, ("bar", "quote", "link")))
        assert items["market"] == MARK  # the market is simulated with or without a model
