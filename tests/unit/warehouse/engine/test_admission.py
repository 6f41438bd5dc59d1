"""Bounded lines of statements."""

import asyncio
import threading

import pytest

from core.errors import WarehouseError
from warehouse.engine.admission import Admission, Asker

ME, OTHER = Asker("me"), Asker("other")


def test_a_full_line_refuses_new_requests_but_not_the_next_step_of_old_ones() -> None:
    gate = threading.Event()
    admission = Admission(threads=1, waiting=1)

    async def scene() -> list[bool]:
        jobs = [asyncio.create_task(admission.enter(gate.wait, ME)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(WarehouseError) as caught:
            await admission.enter(gate.wait, ME)
        assert caught.value.code == 202
        step = asyncio.create_task(admission.proceed(gate.wait, ME))
        await asyncio.sleep(0)
        gate.set()
        done = [await task for task in (*jobs, step)]
        return [*done, await admission.enter(gate.wait, ME)]

    assert asyncio.run(scene()) == [True] * 4
    admission.close()


def _held(
    admission: Admission, gate: threading.Event, asker: Asker, count: int
) -> list[asyncio.Task[bool]]:
    return [asyncio.create_task(admission.enter(gate.wait, asker)) for _ in range(count)]


def test_who_asks_much_waits_behind_himself() -> None:
    gate = threading.Event()
    admission = Admission(threads=4, waiting=50)

    async def scene() -> int:
        crowd = _held(admission, gate, ME, 50)
        await asyncio.sleep(0)
        answer = await admission.enter(lambda: 42, OTHER)  # although none of the others has ended
        gate.set()
        await asyncio.gather(*crowd)
        return answer

    assert asyncio.run(scene()) == 42
    admission.close()


def test_a_full_line_is_its_user_s_own() -> None:
    gate = threading.Event()
    admission = Admission(threads=2, waiting=1)

    async def scene() -> int:
        crowd = _held(admission, gate, ME, 2)
        await asyncio.sleep(0)
        with pytest.raises(WarehouseError):
            await admission.enter(gate.wait, ME)
        answer = await admission.enter(lambda: 42, OTHER)
        gate.set()
        await asyncio.gather(*crowd)
        return answer

    assert asyncio.run(scene()) == 42
    admission.close()


def test_readers_share_their_threads() -> None:
    gate = threading.Event()
    admission = Admission(threads=2, waiting=50)

    async def scene() -> tuple[bool, int]:
        reading = _held(admission, gate, Asker("ann", reads=True), 1)
        await asyncio.sleep(0)
        second = asyncio.create_task(admission.enter(lambda: 1, Asker("rita", reads=True)))
        stored = await admission.enter(lambda: 42, OTHER)
        waits = not second.done()
        gate.set()
        await asyncio.gather(*reading, second)
        return waits, stored

    assert asyncio.run(scene()) == (True, 42)
    admission.close()
