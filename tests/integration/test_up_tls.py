"""`tickhouse up` on a home with TLS: every door that it opens, and our own clients of them."""

import datetime
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import certificates
from core import tls
from orchestration.instance import code_socket
from tests.support import new_home
from tests.support.running_stack import healthy
from tests.support.waiting import until

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="security")]

_ROOT = Path(__file__).parents[2]
_TICKHOUSE = [sys.executable, "-m", "cli.main"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = new_home.for_up(tmp_path / "home", dagster=True)
    certificates.issue(home, [], datetime.datetime.now(datetime.UTC))
    return home


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(_ROOT),
        "TICKHOUSE_HOME": str(home),
        "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",  # its market never closes
    }


@pytest.fixture
def up(tmp_path: Path, environment: dict[str, str]) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        [*_TICKHOUSE, "up", "--bare"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def output_of(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run([*_TICKHOUSE, *words], env=environment, capture_output=True, text=True)
    return done.stdout


def doors(pid: int) -> set[int]:
    """Ports that a process or a child of it listens on."""
    listed = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True).stdout
    return {
        int(line.split()[3].rpartition(":")[2])
        for line in listed.splitlines()
        if f"pid={pid}," in line
    }


def speaks_tls(port: int, context: ssl.SSLContext) -> bool:
    """NATS begins with a line of its own, then TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        plain.settimeout(1.0)
        try:
            if plain.recv(4, socket.MSG_PEEK) == b"INFO":
                line = plain.makefile("rb", buffering=0).readline()
                return b'"tls_required":true' in line
        except TimeoutError:
            pass
        plain.settimeout(30.0)
        try:
            with context.wrap_socket(plain, server_hostname="127.0.0.1"):
                return True
        except ssl.SSLError:
            return False


def test_every_door_of_up_speaks_tls(
    up: "subprocess.Popen[str]", home: Path, environment: dict[str, str]
) -> None:
    processes = healthy(environment, up).processes
    context = tls.trusted(home)
    assert context is not None
    ports = {port: name for name, it in processes.items() for port in doors(it.pid)}
    assert {
        "warehouse", "bus", "terminal", "board", "execution", "orchestration.webserver",
    } <= set(ports.values())  # fmt: skip
    # It takes a halt of anybody's, tells nothing, and must work with certificates long expired.
    del ports[int((home / "execution" / "halt_port").read_text())]
    assert [name for port, name in ports.items() if not speaks_tls(port, context)] == []
    # Dagster's code server runs what it is sent: no port, a socket that its owner alone reaches.
    own_file = json.loads((home / "run" / "orchestration.code.json").read_bytes())
    code_pid = processes["orchestration.code"].pid
    assert doors(code_pid) == {own_file["health_port"]}
    assert stat.S_IMODE(code_socket(home).parent.stat().st_mode) == 0o700
    ticks = ("sql", "SELECT count() > 0 FROM tick", "--format", "TSV")
    until(lambda: output_of(environment, *ticks) == "1\n", running=up, every_s=0.5)
    today = datetime.datetime.now(datetime.UTC).date()
    report = output_of(
        environment, "report", "order-records", "--date", str(today), "--mode", "demo"
    )
    assert "order-records.pdf" in report, "dbt goes through the warehouse's door, too"
    up.send_signal(signal.SIGTERM)
    output, _ = up.communicate(timeout=60)
    assert "https://127.0.0.1" in output
    assert "Nothing is left running." in output
