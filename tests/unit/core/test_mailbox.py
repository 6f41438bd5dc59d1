"""Order, waiting, and signals that come while somebody waits."""

import signal
import threading
import time
from queue import Empty

import pytest

from core.mailbox import Mailbox


def test_items_come_in_order_and_an_empty_one_says_so():
    box = Mailbox[int]()
    for number in range(5):
        box.put(number)
    assert [box.get(0.0) for _ in range(5)] == list(range(5))
    for timeout in (0.0, 0.01):
        with pytest.raises(Empty):
            box.get(timeout)


def test_a_wait_ends_with_the_next_item():
    box = Mailbox[str]()
    threading.Timer(0.05, box.put, ("late",)).start()
    assert box.get() == "late"
    threading.Timer(0.05, box.put, ("later",)).start()
    assert box.get(30.0) == "later"


def test_nothing_is_lost_between_many_writers_and_a_reader_with_short_waits():
    box, seen = Mailbox[tuple[int, int]](), []

    def write(writer: int) -> None:
        for number in range(2_000):
            box.put((writer, number))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    while len(seen) < 8_000:
        try:
            seen.append(box.get(0.001))
        except Empty:
            assert any(writer.is_alive() for writer in writers) or box._items
    for n in range(4):
        assert [number for writer, number in seen if writer == n] == list(range(2_000))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no interval timers")
def test_a_handler_that_outlasts_the_wait_does_not_make_it_endless():
    """What hung with queue.SimpleQueue: the time that is left is negative after the handler."""
    box = Mailbox[str]()
    rescue = threading.Timer(20.0, box.put, ("it hung",))
    former = signal.signal(signal.SIGALRM, lambda *_: time.sleep(0.05))
    try:
        rescue.start()
        signal.setitimer(signal.ITIMER_REAL, 0.005)
        with pytest.raises(Empty):
            box.get(0.02)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, former)
        rescue.cancel()
