"""Websockets: each viewer has a loop of its own that sends what is newer than what it has.

A viewer whose line is slow waits in its own send; meanwhile the newest state of every key
replaces the former, so it gets less and never late news, and nobody waits for it.
"""

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboards.live.items import Items

#: Least pause between two messages to one viewer: what arrives within goes together.
PAUSE_S = 0.004
#: A viewer that takes no byte for so long is let go.
STALLED_S = 20.0


class Viewers:
    """All websockets of the page.

    most: how many at once; more are refused with 1013 (try again later).
    """

    def __init__(self, items: Items, most: int = 200) -> None:
        self._items, self._most = items, most
        self.count = 0

    async def serve(self, socket: WebSocket) -> None:
        """One viewer until it leaves."""
        await socket.accept()
        if self.count >= self._most:
            await socket.close(1013, "too many viewers")
            return
        self.count += 1
        sending = asyncio.create_task(self._send(socket))
        hearing = asyncio.create_task(_until_gone(socket))
        try:
            await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.count -= 1
            for task in (sending, hearing):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def _send(self, socket: WebSocket) -> None:
        have = 0
        with self._items.waking() as waker:
            while True:
                waker.clear()
                newer, version = self._items.since(have), self._items.version
                if newer:
                    await asyncio.wait_for(socket.send_bytes(newer), STALLED_S)
                    have = version
                    await asyncio.sleep(PAUSE_S)
                else:
                    await waker.wait()


async def _until_gone(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
