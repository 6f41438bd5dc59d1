"""One JetStream stream per topic: how it is configured, and that it exists.

The stream of an unsynced topic has `persist_mode: async`: the server acknowledges before it has
written. That saves the fsync, and costs what was acknowledged in the last milliseconds when the
server is killed (`adapters.bus.nats.publisher` sends those again).
"""

import asyncio
import json
import logging
import time

import nats.errors
from nats.aio.client import Client
from nats.js.api import (
    DiscardPolicy,
    PersistMode,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import BadRequestError, ServerError

from adapters.bus.base import Message
from core import topics
from core.sections import BusSettings
from core.topics import Topic

_log = logging.getLogger(__name__)
_ANSWER_S = 5.0
_STREAM_EXISTS_OTHERWISE = 10058


def stream_config(topic: Topic, settings: BusSettings) -> StreamConfig:
    """The stream of a topic: subjects `<topic>.<key>`, where a key may contain dots."""
    limits = {
        topics.TICKS: int(settings.ticks_max_gib * 2**30),
        topics.HEARTBEATS: 2**28,
        topics.PREDICTIONS: 2**26,
    }
    return StreamConfig(
        name=topic.name,
        subjects=[f"{topic.name}.>"],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        max_bytes=limits.get(topic, -1),
        num_replicas=1,
        duplicate_window=settings.duplicate_window_s,
        allow_direct=True,  # `last` reads raw bytes instead of base64 in JSON
        persist_mode=None if topic.synced or settings.sync == "process" else PersistMode.ASYNC,
    )


async def ensure_streams(client: Client, settings: BusSettings, *, may_shape: bool = True) -> None:
    """Create every topic's stream; bring it to today's settings if we may.

    Raises:
        nats.errors.Error: the server does not answer, or refuses.
    """
    wanted = [stream_config(topic, settings) for topic in topics.ALL]
    await asyncio.gather(*(_ensure(client, config, may_shape) for config in wanted))


async def last_message(client: Client, topic: Topic, subject: str) -> Message | None:
    """The newest stored message on a subject of a topic; the subject may end in `>`.

    Raises:
        nats.errors.Error: the server does not answer, or refuses.
    """
    request = json.dumps({"last_by_subj": subject}).encode()
    answer = await client.request(f"$JS.API.DIRECT.GET.{topic.name}", request, timeout=_ANSWER_S)
    received_ns = time.perf_counter_ns()
    headers = answer.headers or {}
    if headers.get("Status") == "404":
        return None
    if "Nats-Sequence" not in headers:
        raise nats.errors.Error(f"{topic.name}: {headers.get('Description', 'no answer')}")
    key = headers["Nats-Subject"][len(topic.name) + 1 :]
    return Message(topic.name, key, int(headers["Nats-Sequence"]), answer.data, received_ns)


async def last_sequence(client: Client, topic: Topic) -> int:
    """The sequence of the newest message a topic ever had; 0 when it had none.

    Raises:
        nats.errors.Error: the server does not answer, or refuses.
    """
    return (await client.jetstream().stream_info(topic.name)).state.last_seq


async def _ensure(client: Client, config: StreamConfig, may_shape: bool) -> None:
    streams = client.jetstream()
    try:
        await streams.add_stream(config)
    except BadRequestError as error:
        if error.err_code != _STREAM_EXISTS_OTHERWISE:
            raise
        if not may_shape:
            return  # `tickhouse up` does, before anyone needs it
        try:
            await streams.update_stream(config)
        except (BadRequestError, ServerError) as refusal:
            _log.warning("stream %s keeps its former settings: %s", config.name, refusal)
