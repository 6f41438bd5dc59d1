"""Health, Dagster's pages and the halt port hold against pages from elsewhere too."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.health import Health
from core.same_origin import Door
from core.trading_control import ControlCommand
from execution.breakers.halt_port import HaltPort
from execution.risk.trading_state import TradingState

FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1", "Origin": "http://evil.example"},
    {"Host": "127.0.0.1", "Origin": "null"},
    {"Host": "127.0.0.1", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
]


@pytest.fixture
def health(tmp_path: Path) -> Iterator[Health]:
    served = Health("tested", tmp_path)
    served.set("ready")
    yield served
    served.close()


def status_of(port: int, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


@pytest.mark.parametrize("headers", FOREIGN)
def test_health_and_metrics_are_not_read_by_other_pages(
    health: Health, headers: dict[str, str]
) -> None:
    for path in ("/health", "/metrics"):
        assert status_of(health.port, path, {}) == 200
        assert status_of(health.port, path, headers) == 403


async def _ran(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ran")


async def _watched(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.fixture
def dagster(tmp_path: Path) -> Iterator[TestClient]:
    """Our application around one that answers where Dagster's does."""
    graphql = Route("/graphql", _ran, methods=["GET", "POST"])
    routes = [graphql, WebSocketRoute("/graphql", _watched), Route("/runs", _ran)]
    from orchestration import webserver  # Dagster's pages take seconds to load

    application = webserver.application(tmp_path, Starlette(routes=routes))
    with TestClient(Door(application), base_url="http://127.0.0.1:3000") as client:
        yield client


@pytest.mark.parametrize("headers", FOREIGN)
def test_dagster_is_not_driven_by_other_pages(dagster: TestClient, headers: dict[str, str]) -> None:
    assert dagster.post("/graphql", headers=headers).status_code == 403
    assert dagster.get("/runs", headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), dagster.websocket_connect("/graphql", headers=headers):
        pass


def test_dagster_serves_its_own_pages_programs_and_links(dagster: TestClient) -> None:
    own = {"Origin": "http://127.0.0.1:3000"}
    followed = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    assert dagster.post("/graphql", headers=own).text == "ran"
    assert dagster.post("/graphql").text == "ran"
    assert dagster.get("/runs", headers=followed).text == "ran"
    with dagster.websocket_connect("/graphql", headers={"Host": "127.0.0.1:3000", **own}):
        pass


def test_dagster_changes_nothing_by_get(dagster: TestClient) -> None:
    assert dagster.get("/graphql?query=mutation{x}").status_code == 405
    assert dagster.get("/graphql", headers={"Accept": "text/html"}).text == "ran"


def send(port: int, text: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
        caller.sendall(text.encode())
        caller.shutdown(socket.SHUT_WR)
        try:
            return caller.recv(100)
        except ConnectionResetError:  # closed with the rest unread
            return b""


def test_a_post_to_the_halt_port_halts_nothing(tmp_path: Path) -> None:
    trading = TradingState(tmp_path / "control.json")
    line = msgspec.json.encode(ControlCommand("halted", "somebody", "asked to", 1)).decode() + "\n"
    with HaltPort(tmp_path, trading) as port:
        for body in (line, f"\r\n{line}\r\n"):
            head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
            assert send(port.port, head + body) == b""
            assert trading.state == "active"
        assert send(port.port, line) == b"halted\n"
        assert trading.state == "halted"
