"""Bounded lines of statements."""

import asyncio
import threading

import pytest

from core.errors import WarehouseError
from warehouse.engine.admission import Admission


def test_a_full_line_refuses_new_requests_but_not_the_next_step_of_old_ones() -> None:
    gate = threading.Event()
    admission = Admission(threads=1, waiting=1)

    async def scene() -> list[bool]:
        jobs = [asyncio.create_task(admission.enter(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(WarehouseError) as caught:
            await admission.enter(gate.wait)
        assert caught.value.code == 202
        step = asyncio.create_task(admission.proceed(gate.wait))
        await asyncio.sleep(0)
        gate.set()
        done = [await task for task in (*jobs, step)]
        return [*done, await admission.enter(gate.wait)]

    assert asyncio.run(scene()) == [True] * 4
    admission.close()
