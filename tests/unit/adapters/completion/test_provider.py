"""A provider is asked within bounds, and at no address that it must not be."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.completion.address import connected, place_of
from adapters.completion.guarded import Guarded
from adapters.completion.openai import complete
from core.clock import ManualClock
from core.errors import SettingsError, UnavailableError
from core.sections import AskSettings
from tests.support.chat_server import ChatServer, chat_server

QUESTION = [{"role": "user", "content": "profit?"}]
NOW_US = 1_770_000_000_000_000


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as one:
        yield one


def settings_of(server: ChatServer, **more: Any) -> AskSettings:
    return AskSettings(server.address, "small", "a token", **({"timeout_s": 5.0} | more))


def test_it_is_asked_as_its_documentation_has_it(server: ChatServer) -> None:
    assert complete(settings_of(server), QUESTION) == "SELECT 1"
    assert server.questions == [{"model": "small", "messages": QUESTION, "temperature": 0}]
    assert server.headers[0]["Authorization"] == "Bearer a token"
    complete(replace(settings_of(server), token=""), QUESTION)
    assert "Authorization" not in server.headers[1]


@pytest.mark.parametrize(
    "said",
    [
        (500, b""), (401, b"{}"), (200, b""), (200, b"{"), (200, b"\xff"), (200, b'{"choices":[]}'),
        (200, b'{"choices":[{"message":{"content":null}}]}'), (200, b'{"choices":[{}]}'),
        (200, b" " * (2**18 + 1)), (302, b""),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_said_and_no_redirect_followed(
    server: ChatServer, said: tuple[int, bytes]
) -> None:
    server.say, server.location = lambda _: said, f"{server.address}/elsewhere"
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1"):
        complete(settings_of(server), QUESTION)
    assert len(server.questions) == 1


def test_an_answer_that_drips_has_an_end(server: ChatServer) -> None:
    server.slow_s = 0.02
    with pytest.raises(UnavailableError, match="longer than"):
        complete(settings_of(server, timeout_s=0.2), QUESTION)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/v1", "ftp://127.0.0.1/", "file:///etc/passwd", "https://", "example",
        "https://me:secret@example.com/v1", "https://example.com/v1?x=1", "https://a:b/v1",
        "http://127.0.0.1.example.com/", "http://0.0.0.0/", "http://[::ffff:10.0.0.1]/",
    ],
)  # fmt: skip
def test_addresses_that_are_none_are_refused(address: str) -> None:
    with pytest.raises(SettingsError, match=r"ask\.provider"):
        place_of(address)


@pytest.mark.parametrize(
    ("leads_to", "private", "allowed"),
    [
        ("169.254.169.254", True, False), ("fe80::1", True, False), ("0.0.0.0", True, False),
        ("127.0.0.1", True, False), ("::1", True, False), ("::ffff:127.0.0.1", True, False),
        ("224.0.0.1", True, False), ("10.0.0.1", False, False), ("192.168.1.1", False, False),
        ("::ffff:169.254.169.254", True, False), ("fd00::1", False, False),
        ("100.64.0.1", False, False), ("10.0.0.1", True, True), ("93.184.216.34", False, True),
    ],
)  # fmt: skip
def test_a_name_leads_nowhere_that_it_must_not(
    monkeypatch: pytest.MonkeyPatch, leads_to: str, private: bool, allowed: bool
) -> None:
    """What the name resolves to counts, each address of it; and only that is connected to."""
    tried: list[str] = []

    def resolve(*_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", (leads_to, 443))]

    def connect(address: tuple[str, int], *_: object) -> socket.socket:
        tried.append(address[0])
        raise OSError("not in a test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    place = place_of("https://provider.example/v1")
    with pytest.raises(UnavailableError if allowed else SettingsError):
        connected(place, 1, private=private)
    assert tried == (["93.184.216.34"] if allowed else [])


def guarded(home: Path, server: ChatServer, clock: ManualClock, **more: Any) -> Guarded:
    return Guarded(home, settings_of(server, **more), clock, complete)


def question(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": str(number)}]


def test_the_same_is_asked_once_by_whichever_process(tmp_path: Path, server: ChatServer) -> None:
    for _ in range(3):
        assert guarded(tmp_path, server, ManualClock(NOW_US)).ask(QUESTION) == "SELECT 1"
    assert len(server.questions) == 1
    other = replace(settings_of(server), model="large")
    Guarded(tmp_path, other, ManualClock(NOW_US), complete).ask(QUESTION)
    assert len(server.questions) == 2


def test_a_day_has_its_budget(tmp_path: Path, server: ChatServer) -> None:
    clock = ManualClock(NOW_US)
    for number in range(2):
        guarded(tmp_path, server, clock, per_day=2).ask(question(number))
    with pytest.raises(UnavailableError, match="per_day"):
        guarded(tmp_path, server, clock, per_day=2).ask(question(2))
    assert guarded(tmp_path, server, clock, per_day=2).ask(question(1)), "what is known costs none"
    clock.advance(NOW_US + 86_400_000_000)
    guarded(tmp_path, server, clock, per_day=2).ask(question(2))


def test_one_that_keeps_failing_is_left_alone_for_a_minute(
    tmp_path: Path, server: ChatServer
) -> None:
    clock = ManualClock(NOW_US)
    server.say = lambda _: (503, b"")
    for number in range(3):
        with pytest.raises(UnavailableError, match="503"):
            guarded(tmp_path, server, clock).ask(question(number))
    with pytest.raises(UnavailableError, match="failed 3 times: wait 60 s"):
        guarded(tmp_path, server, clock).ask(question(3))
    assert len(server.questions) == 3
    clock.advance(NOW_US + 61_000_000)
    server.say = lambda _: "SELECT 2"
    assert guarded(tmp_path, server, clock).ask(question(4)) == "SELECT 2"
    assert guarded(tmp_path, server, clock).ask(question(5)) == "SELECT 2"


def test_a_damaged_memory_is_begun_anew(tmp_path: Path, server: ChatServer) -> None:
    guarded(tmp_path, server, ManualClock(NOW_US)).ask(QUESTION)
    path = tmp_path / "ask" / "provider.json"
    path.write_bytes(path.read_bytes().replace(b"SELECT 1", b"DROP ALL"))
    assert guarded(tmp_path, server, ManualClock(NOW_US)).ask(QUESTION) == "SELECT 1"
