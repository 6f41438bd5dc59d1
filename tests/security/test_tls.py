"""Every door of a home with `tickhouse tls` speaks TLS, to those who trust its authority alone."""

import asyncio
import datetime
import http.client
import socket
import ssl
import stat
from pathlib import Path

import nats
import pytest
from msgspec.structs import replace

from adapters.bus.nats.bus import NatsBus
from adapters.clickhouse import client
from adapters.clickhouse.writer import Writer
from adapters.mt5.remote.links import TcpLink
from adapters.simulator.doorway import Doorway
from cli import certificates
from cli.main import main
from core import probe, settings, tls
from core.credentials import directory_of
from core.errors import InputError, SettingsError, UnavailableError
from core.health import Health
from core.process_view import ProcessView, health_of
from core.sections import BusSettings
from tests.support.servers import NatsServer
from tests.support.waiting import until
from tests.support.warehouse_server import Warehouse

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with TLS, whose authority differs from all others."""
    certificates.issue(tmp_path / "home", ["desk.example"], NOW)
    return tmp_path / "home"


@pytest.fixture
def other(tmp_path: Path) -> str:
    """Another home's authority."""
    certificates.issue(tmp_path / "other", [], NOW)
    return tls.authority_of(tmp_path / "other")


def said_plainly(port: int) -> bytes:
    """What a client without TLS is told."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while piece := plain.recv(4096):
            answer += piece
    return answer


def get(port: int, context: ssl.SSLContext | None, path: str = "/ping") -> int:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_one_command_makes_what_only_its_owner_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    assert main(["tls", "--name", "desk.example", "--name", "10.1.2.3"]) == 0
    assert "desk.example" in capsys.readouterr().out
    folder = tls.directory_of(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    named = certificates.names_of(certificates.shown(tmp_path))
    assert {"localhost", "127.0.0.1", "::1", "desk.example", "10.1.2.3"} <= set(named)


def test_a_new_one_keeps_the_authority_and_the_names(home: Path) -> None:
    authority = Path(tls.authority_of(home)).read_bytes()
    first = certificates.shown(home)
    certificates.issue(home, ["second.example"], NOW, days=30)
    second = certificates.shown(home)
    assert first.serial_number != second.serial_number
    assert {"desk.example", "second.example"} <= set(certificates.names_of(second))
    assert Path(tls.authority_of(home)).read_bytes() == authority


def test_given_ones_are_taken_if_they_fit(tmp_path: Path, home: Path, other: str) -> None:
    folder, mine = tls.directory_of(home), tmp_path / "mine"
    given = folder / tls.CERTIFICATE, folder / tls.KEY
    certificates.take(mine, *given, folder / tls.AUTHORITY, NOW)
    assert certificates.shown(mine) == certificates.shown(home)
    with pytest.raises(SettingsError, match="give the new one"):
        certificates.issue(mine, [], NOW)
    with pytest.raises(InputError, match="must be for"):
        certificates.take(mine, *given, Path(other), NOW)
    with pytest.raises(InputError, match="not the key"):
        certificates.take(mine, given[0], folder / tls.AUTHORITY_KEY, Path(other), NOW)


@pytest.mark.process
def test_the_warehouse_speaks_tls_to_our_clients_and_refuses_others(
    tmp_path: Path, home: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Warehouse(home)
    server.start()
    try:
        assert server.url.startswith("https://")
        monkeypatch.setenv("TICKHOUSE_HOME", str(home))
        assert main(["sql", "SELECT 1"]) == 0
        where = settings.load().clickhouse
        assert where.ca == tls.authority_of(home)
        assert b"TLS only" in said_plainly(server.port)
        named = {"url": server.url, "user": server.settings.user}
        named["password"] = server.settings.password
        good = replace(where, **named)
        client.connect(replace(good, database="default")).close()
        wrong = replace(good, ca=other)
        with pytest.raises(UnavailableError, match="not of the authority"):
            client.connect(wrong)
        with Writer(wrong) as writer, pytest.raises(UnavailableError, match="not of the authority"):
            writer._post("/", b"")
    finally:
        server.stop()


def test_health_and_metrics_speak_tls(home: Path) -> None:
    health = Health("collector", home / "run")
    try:
        health.set("ready")
        assert get(health.port, tls.trusted(home), "/health") == 200
        assert get(health.port, tls.trusted(home), "/metrics") == 200
        assert b"TLS only" in said_plainly(health.port)
        assert probe.probe("collector", home) == (True, "collector ready")
        view = ProcessView("collector", str(home / "run" / "collector.json"), "", "")
        assert health_of(view, health.report()["pid"])[0] == "ready"
    finally:
        health.close()


@pytest.mark.parametrize(
    ("issued", "days", "host", "said"),
    [
        (NOW - 30 * DAY, 2, "127.0.0.1", "has expired"),
        (NOW + 2 * DAY, 9, "127.0.0.1", "not valid yet"),
        (NOW, 9, "elsewhere.example", "is for other names"),
    ],
)
def test_a_certificate_that_does_not_fit_is_told_apart(
    tmp_path: Path, issued: datetime.datetime, days: int, host: str, said: str
) -> None:
    certificates.issue(tmp_path, [], NOW)  # the authority
    certificates.issue(tmp_path, [], issued, days)
    health = Health("collector", tmp_path / "run")
    context = tls.trusted(tmp_path)
    assert context is not None
    try:
        plain = socket.create_connection(("127.0.0.1", health.port))
        with plain, pytest.raises(ssl.SSLError) as refused:
            context.wrap_socket(plain, server_hostname=host)
        assert said in tls.why(refused.value)
    finally:
        health.close()


def test_the_terminal_s_door_speaks_tls(home: Path) -> None:
    served = []
    doorway = Doorway(directory_of(home), 0, lambda channel, allowed: served.append(allowed))
    link = TcpLink(doorway.address, directory_of(home), "reader")
    try:
        assert link.open(20.0)
        plain = TcpLink(doorway.address, directory_of(home), "reader")
        plain._context = None
        assert not plain.open(0.2)
    finally:
        link.close()
        doorway.close()


def test_the_bus_speaks_tls(tmp_path: Path, home: Path, other: str) -> None:
    (home / "bus").mkdir()
    with NatsServer(home / "bus", directory_of(home)) as server:
        mine = {"url": server.url.replace("nats:", "tls:"), "credentials": str(directory_of(home))}
        bus = NatsBus(BusSettings(ca=tls.authority_of(home), **mine), "streams.ticks")
        try:
            until(bus.healthy)
        finally:
            bus.close()
        assert get(server.monitor_port, tls.trusted(home), "/healthz") == 200

        async def foreign(authority: str) -> None:
            context = tls.trusting(authority)
            await nats.connect(mine["url"], tls=context, allow_reconnect=False)

        with pytest.raises(ssl.SSLCertVerificationError):
            asyncio.run(foreign(other))
