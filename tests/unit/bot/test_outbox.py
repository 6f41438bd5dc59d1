import asyncio
from collections.abc import Callable

from bot.door import RefusedError, TooFastError
from bot.outbox import Outbox
from bot.outgoing import Outgoing
from core.clock import ManualClock
from core.errors import UnavailableError


class Way:
    """A way out that can be away, and remembers what went through."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.errors: list[Exception] = []
        self.problems: list[str] = []

    async def send(self, out: Outgoing) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append(out.text)


def through(way: Way, work: Callable[[Outbox], None], most: int = 200, wanted: int = 1) -> Outbox:
    """What is put goes out until so many were sent; waits between tries last no time."""

    async def run() -> Outbox:
        box = Outbox(way.send, ManualClock(1_000_000), way.problems.append, most)
        work(box)
        sender = asyncio.create_task(box.run())
        while len(way.sent) < wanted:
            await asyncio.sleep(0)
        sender.cancel()
        return box

    return asyncio.run(run())


def test_messages_go_out_in_order_and_one_that_is_refused_keeps_nobody() -> None:
    way = Way()
    way.errors = [RefusedError("blocked")]

    def put(box: Outbox) -> None:
        for text in ("lost", "b", "c"):
            box.put(Outgoing(1, text))

    assert through(way, put, wanted=2).waiting <= 1
    assert way.sent == ["b", "c"]


def test_a_lost_network_keeps_what_waits_and_says_so(monkeypatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("bot.outbox.asyncio.sleep", _sleep(waits))
    way = Way()
    way.errors = [UnavailableError("away"), UnavailableError("away"), TooFastError(7.0)]
    through(way, lambda box: box.put(Outgoing(1, "a")))
    assert way.sent == ["a"]
    assert [wait for wait in waits if wait] == [1.0, 2.0, 7.0]
    assert way.problems == ["away", "away", ""]


def test_of_what_does_not_fit_the_oldest_of_the_most_frequent_kind_is_left_out() -> None:
    way = Way()

    def put(box: Outbox) -> None:
        box.put(Outgoing(1, "answer"))
        box.put(Outgoing(1, "alert", "alerts"))
        for number in range(1000):
            box.put(Outgoing(1, f"fill {number}", "fills"))
        assert box.waiting == 10

    through(way, put, most=10, wanted=10)
    assert way.sent[:2] == ["answer", "alert"]
    assert way.sent[2] == "(992 older, of 00:00:01 to 00:00:01 UTC, are left out.)\nfill 992"
    assert way.sent[3:] == [f"fill {number}" for number in range(993, 1000)]


def test_last_words_are_tried_once_and_wait_for_nobody() -> None:
    way = Way()

    async def run() -> int:
        box = Outbox(way.send, ManualClock(1_000_000), way.problems.append)
        for text in ("a", "b", "c"):
            box.put(Outgoing(1, text))
        await box.empty()
        box.put(Outgoing(1, "d"))
        way.errors = [UnavailableError("away")]
        await box.empty()
        return box.waiting

    assert asyncio.run(run()) == 1
    assert way.sent == ["a", "b", "c"]


def _sleep(waits: list[float]):  # type: ignore[no-untyped-def]
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    return sleep
