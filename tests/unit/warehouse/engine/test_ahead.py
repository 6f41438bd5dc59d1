"""One step ahead of the network, and never left running."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from warehouse.engine.ahead import Ahead


async def in_thread(step: Callable[[], Any]) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, step)


def test_a_step_s_result_and_error_come_when_asked_for() -> None:
    async def transfer() -> list[Any]:
        async with Ahead(in_thread) as ahead:
            results = [await ahead.result()]
            ahead.begin(lambda: 7)
            results.append(await ahead.result())
            ahead.begin(lambda: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                await ahead.result()
            return results

    assert asyncio.run(transfer()) == [None, 7]


def test_a_transfer_that_fails_waits_for_its_step_and_keeps_its_error() -> None:
    go, ended = threading.Event(), threading.Event()

    def step() -> None:
        go.wait(10)
        ended.set()
        raise ValueError("of the step")

    async def transfer() -> None:
        async with Ahead(in_thread) as ahead:
            ahead.begin(step)
            asyncio.get_running_loop().call_later(0.01, go.set)
            raise ConnectionError("of the network")

    with pytest.raises(ConnectionError, match="of the network"):
        asyncio.run(transfer())
    assert ended.is_set()
