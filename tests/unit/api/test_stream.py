"""Live topics: what is now first, then every change, to who may, while they may."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import Request

from api.callers import Caller
from api.problems import ProblemError
from api.scopes import SCOPES
from api.stream import MOST, MOST_OF_A_KEY, Streams
from dashboards.live.items import Items
from tests.unit.api.test_now import QUOTE

ANN = Caller("a", "ann", frozenset(SCOPES), False, "")


class Reader:
    """One reader of a stream, event by event."""

    def __init__(
        self, streams: Streams, topics: str = "quotes", last: str = "", caller: Caller = ANN
    ) -> None:
        headers = [(b"last-event-id", last.encode())] if last else []
        request = Request({"type": "http", "headers": headers, "caller": caller})
        self.known = True
        answer = streams.open(request, topics, lambda: self.known)
        self._parts: AsyncIterator[Any] = answer.body_iterator.__aiter__()

    async def read(self) -> str:
        """The next part; what a reader is told of retrying is left out."""
        while (part := (await anext(self._parts)).decode()).startswith("retry"):
            pass
        return part

    async def ends(self) -> bool:
        return await anext(self._parts, None) is None


def run(act: Callable[[Items, Streams], Awaitable[None]]) -> None:
    async def held() -> None:
        items = Items()
        async with asyncio.timeout(20):
            await act(items, Streams(items))

    asyncio.run(held())


def test_what_is_now_and_then_each_change() -> None:
    async def act(items: Items, streams: Streams) -> None:
        items.put("quote|sim/EURUSD", QUOTE)
        items.put("link|bus", {"up": True, "since": 1, "problem": ""})
        reader = Reader(streams)
        first = await reader.read()
        assert first.startswith("event: quotes\nid: ")
        assert '"bid":1.1,' in first
        assert "link" not in first
        items.put("quote|sim/EURUSD", QUOTE | {"bid": 1.15})
        assert '"bid":1.15,' in await reader.read()
        items.put("quote|sim/EURUSD", None)
        assert 'data: {"gone":"sim/EURUSD"}' in await reader.read()

    run(act)


def test_a_reader_goes_on_where_it_was() -> None:
    async def act(items: Items, streams: Streams) -> None:
        items.put("quote|sim/EURUSD", QUOTE)
        items.put("quote|sim/XAUUSD", QUOTE | {"symbol": "XAUUSD"})
        last = (await Reader(streams).read()).rpartition("id: ")[2].partition("\n")[0]
        items.put("quote|sim/EURUSD", QUOTE | {"bid": 1.2})
        again = await Reader(streams, last=last).read()
        assert '"bid":1.2,' in again
        assert "XAUUSD" not in again
        for strange in ("0.0", "x", f"{last}9999999", last.replace(".", ".-"), "é"):
            assert "XAUUSD" in await Reader(streams, last=strange).read()

    run(act)


def test_who_is_known_no_more_is_sent_no_more() -> None:
    async def act(items: Items, streams: Streams) -> None:
        items.put("quote|sim/EURUSD", QUOTE)
        reader = Reader(streams)
        await reader.read()
        reader.known = False
        items.put("quote|sim/EURUSD", QUOTE | {"bid": 1.15})
        assert await reader.ends()

    run(act)


def test_a_topic_needs_the_scope_of_its_list() -> None:
    async def act(_: Items, streams: Streams) -> None:
        market = ANN._replace(scopes=frozenset({"market"}))
        for topics, caller, kind in [
            ("quotes,positions", market, "scope"), ("", ANN, "parameter"),
            ("all", ANN, "parameter"),
            ("quotes", ANN._replace(filtered=True), "filtered"),
        ]:  # fmt: skip
            with pytest.raises(ProblemError) as refused:
                Reader(streams, topics, caller=caller)
            assert refused.value.kind == kind

    run(act)


def test_readers_are_counted_by_key_and_in_all() -> None:
    async def act(items: Items, streams: Streams) -> None:
        items.put("quote|sim/EURUSD", QUOTE)
        readers = []
        for key in range(MOST // MOST_OF_A_KEY):
            caller = ANN._replace(key_id=str(key))
            for _ in range(MOST_OF_A_KEY):
                readers.append(Reader(streams, caller=caller))
                await readers[-1].read()
            with pytest.raises(ProblemError, match="too many"):
                Reader(streams, caller=caller)
        with pytest.raises(ProblemError, match="too many"):
            Reader(streams, caller=ANN)
        readers[0].known = False
        items.put("quote|sim/EURUSD", QUOTE | {"bid": 1.15})
        assert await readers[0].ends()
        assert await Reader(streams, caller=ANN).read()

    run(act)
