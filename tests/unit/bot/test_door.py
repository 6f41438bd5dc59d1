import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

import pytest

from bot.door import Door, RefusedError, TakenError, TooFastError
from bot.incoming import Incoming
from bot.outgoing import Button, Outgoing
from core import secrets
from core.errors import SettingsError, TickhouseError, UnavailableError
from tests.support import telegram_server
from tests.support.telegram_server import TOKEN, TelegramServer

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n--boundary\r\n"


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer() as one:
        yield one


def with_door(
    server: TelegramServer, work: Callable[[Door], Awaitable[object]], token: str = TOKEN
) -> object:
    async def run() -> object:
        door = Door(token, server.url)
        try:
            await door.open()
            return await work(door)
        finally:
            await door.close()

    return asyncio.run(run())


def test_messages_buttons_pictures_and_edits_reach_the_chat(server: TelegramServer) -> None:
    async def work(door: Door) -> None:
        await door.send(Outgoing(100, "<b>EUR & USD</b>", buttons=(Button("Yes", "yes:1"),)))
        await door.send(Outgoing(100, "a chart", picture=PICTURE))
        server.press("Yes")
        (pressed,) = await door.updates(None)
        assert (pressed.button, pressed.person, pressed.chat) == ("yes:1", 1, 100)
        await door.send(Outgoing(100, "done", edits=pressed.message, press=pressed.press))

    with_door(server, work)
    first, second = server.shown.values()
    assert (first.text, first.buttons) == ("done", {})
    assert (second.text, second.picture) == ("a chart", PICTURE)
    assert len(server.answered) == 1


def test_updates_are_confirmed_by_their_number_and_no_sooner(server: TelegramServer) -> None:
    server.write("/status")
    server.write("/halt", person=2)

    async def work(door: Door) -> list[list[Incoming]]:
        return [await door.updates(None), await door.updates(None), await door.updates(900_002)]

    first, again, rest = with_door(server, work)  # type: ignore[misc]
    assert [(u.update, u.text, u.person) for u in first] == [
        (900_001, "/status", 1), (900_002, "/halt", 2)
    ]  # fmt: skip
    assert again == first
    assert rest == first[1:]


def test_texts_longer_than_telegram_takes_are_cut_at_a_line(server: TelegramServer) -> None:
    async def work(door: Door) -> None:
        await door.send(Outgoing(100, "\n".join(["€uro 😀" * 4] * 500)))
        await door.send(Outgoing(100, "x" * 2000, picture=PICTURE))

    with_door(server, work)
    assert [len(text.encode("utf-16-le")) // 2 < 4097 for text in server.texts()] == [True, True]
    assert server.texts()[0].endswith("😀\n(more is left out)")


REFUSALS = [
    (telegram_server.RefusedError(429, "Too Many Requests: retry after 7", 7), TooFastError),
    (telegram_server.RefusedError(403, "Forbidden: bot was blocked by the user"), RefusedError),
    (telegram_server.RefusedError(400, "Bad Request: chat not found"), RefusedError),
    (telegram_server.RefusedError(409, "Conflict: another"), TakenError),
    (telegram_server.RefusedError(401, "Unauthorized"), SettingsError),
    (telegram_server.RefusedError(502, "Bad Gateway"), UnavailableError),
]


@pytest.mark.parametrize(("refusal", "kind"), REFUSALS)
def test_what_telegram_refuses_is_an_error_of_ours_without_the_token(
    server: TelegramServer, refusal: telegram_server.RefusedError, kind: type[TickhouseError]
) -> None:
    async def work(door: Door) -> None:
        server.refusals.append(refusal)
        with pytest.raises(kind) as caught:
            await door.send(Outgoing(100, "text"))
        assert TOKEN not in str(caught.value)
        if isinstance(caught.value, TooFastError):
            assert caught.value.wait_s == 7

    with_door(server, work)


def test_nobody_at_the_address_is_waited_for_and_no_log_holds_the_token(
    server: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets.keep([TOKEN])

    async def work(door: Door) -> None:
        server.away = True
        for ask in (door.send(Outgoing(100, "text")), door.updates(None)):
            with pytest.raises(UnavailableError) as caught:
                await ask
            assert TOKEN not in repr(caught.value)
            assert caught.value.__cause__ is None
            assert caught.value.__suppress_context__

    with_door(server, work)
    assert TOKEN not in caplog.text
    server.away = False
    with pytest.raises(SettingsError, match=r"bot\.token") as refused:
        with_door(server, work, token="4711:wrong")
    assert "wrong" not in str(refused.value)
