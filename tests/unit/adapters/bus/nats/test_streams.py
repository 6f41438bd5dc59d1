"""How a topic becomes a stream."""

import asyncio

import nats
import pytest
from nats.js.api import PersistMode, StreamConfig

from adapters.bus.nats.streams import ensure_streams, stream_config
from core import topics
from core.sections import BusSettings
from tests.support.servers import NatsServer


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_only_unsynced_topics_are_acknowledged_before_they_are_written(
    topic: topics.Topic,
) -> None:
    config = stream_config(topic, BusSettings())
    assert (config.persist_mode == PersistMode.ASYNC) is not topic.synced


def test_what_is_not_kept_for_ever_is_limited_by_size() -> None:
    settings = BusSettings(ticks_max_gib=0.5)
    limits = {topic.name: stream_config(topic, settings).max_bytes for topic in topics.ALL}
    assert limits.pop("ticks") == 2**29
    assert limits.pop("heartbeats") == 2**28
    assert limits.pop("predictions") == 2**26
    assert set(limits.values()) == {-1}


async def configured(url: str, settings: BusSettings) -> dict[str, StreamConfig]:
    """The streams' configurations on the server, after a connection with these settings."""
    client = await nats.connect(url)
    await ensure_streams(client, settings)
    infos = await client.jetstream().streams_info()
    await client.close()
    return {str(info.config.name): info.config for info in infos}


def test_streams_are_made_once_and_follow_the_settings(nats_server: NatsServer) -> None:
    first = asyncio.run(configured(nats_server.url, BusSettings()))
    again = asyncio.run(configured(nats_server.url, BusSettings()))
    changed = asyncio.run(
        configured(nats_server.url, BusSettings(duplicate_window_s=60, ticks_max_gib=1.0))
    )
    assert set(first) == {topic.name for topic in topics.ALL}
    assert first == again
    assert first["ticks"].persist_mode == "async"
    assert first["signals"].persist_mode in (None, "default")
    assert {config.duplicate_window for config in changed.values()} == {60}
    assert changed["ticks"].max_bytes == 2**30
