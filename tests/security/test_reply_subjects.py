"""A taken-over role reaches no subject by naming it as the place for an answer.

Every request that a role may send is sent with every subject as its reply, and as the place that a
consumer delivers to: of topics it does not write, of leases, of the server's own interface, of an
agent's door and of others' inboxes. An honest agent answers. What arrives anywhere is looked at.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from adapters.bus import select
from adapters.bus.lease import LEASES
from adapters.bus.nats.lease import NatsLease
from adapters.bus.nats.permissions import credential, inbox, permissions
from adapters.bus.roles import ROLES
from core import topics
from core.credentials import directory_of, secret
from core.sections import BusSettings
from tests.support.servers import NatsServer

TAKEN_OVER = [name for name in ROLES if name != "owner"]
_STREAMS = [*(topic.name for topic in topics.ALL), LEASES.name]
_API = "$JS.API."
_INBOXES = [f"{inbox(name)}.victim" for name in ("owner", "execution", "streams.signals")]
_DOORS = ["tickhouse.door.desk.0123.as.execution", "tickhouse.door.desk.0123.alive"]
TARGETS = [
    *(f"{name}.sim.VICTIM" for name in _STREAMS),
    *(f"control.{kind}" for kind in ("stored", "model", "models", "halt", "resume")),
    *(f"heartbeats.{name}" for name in ("execution", "board")),
    *(f"{_API}STREAM.{verb}.{name}" for verb in ("PURGE", "DELETE") for name in _STREAMS),
    *_DOORS,
    *_INBOXES,
]


class House(NamedTuple):
    """The bus of a home, with something in every topic."""

    server: NatsServer
    settings: BusSettings

    @asynccontextmanager
    async def as_role(self, role: str) -> AsyncIterator[Client]:
        """Connected as whoever has stolen a role's password."""
        client, password = Client(), secret(Path(self.settings.credentials), credential(role))
        await client.connect(
            f"nats://{role}:{password}@127.0.0.1:{self.server.port}", inbox_prefix=inbox(role),
            allow_reconnect=False, error_cb=_nothing,
        )  # fmt: skip
        try:
            yield client
        finally:
            await client.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    credentials = directory_of(tmp_path)
    with NatsServer(tmp_path / "bus", credentials) as server:
        settings = BusSettings(url=server.url, credentials=str(credentials))
        owner = select.connect(settings, "owner")
        for topic in topics.ALL:
            owner.publish(topic, "before", b"{}", timeout_s=10.0)
        owner.close()
        lease = NatsLease(settings, "before", "execution")
        lease.read(10.0)  # which waits until we are connected
        lease.replace(b"{}", 0, 10.0)
        lease.close()
        yield House(server, settings)


@pytest.mark.parametrize("role", TAKEN_OVER)
def test_what_is_forged_arrives_nowhere(house: House, role: str) -> None:
    arrived = asyncio.run(_arrived(house, role))
    assert {where for where in arrived if not _may(role, where)} == set()


async def _arrived(house: House, role: str) -> set[str]:
    """The targets at which something came, and streams that lost something."""
    heard: set[str] = set()

    async def hear(message: Msg) -> None:
        heard.add(message.subject)
        if message.reply:
            await message.respond(b"{}")  # as an agent does, who knows nothing of all this

    async with (
        house.as_role("owner") as owner, house.as_role("execution") as execution,
        house.as_role("streams.signals") as signals, house.as_role("agent") as agent,
    ):  # fmt: skip
        for client, subject in zip((owner, execution, signals), _INBOXES, strict=True):
            await client.subscribe(subject, cb=hear)
            await client.flush()
        await agent.subscribe("tickhouse.door.>", cb=hear)
        await agent.flush()
        async with house.as_role(role) as thief:
            await _forge(thief, role)
        for client in (owner, execution, signals, agent):
            await client.flush()
        return heard | await _stored(owner)


async def _forge(thief: Client, role: str) -> None:
    came = asyncio.Event()

    async def note(_: Msg) -> None:
        came.set()

    await thief.subscribe(f"{inbox(role)}.mine", cb=note)
    for subject in (written := _sends(role)):
        await thief.publish(subject, _body(subject))
    for subject in written:
        for target in TARGETS:
            await thief.publish(subject, _body(subject, target), reply=target)
    for topic in ROLES[role].reads:  # what came before is done when this has come
        came.clear()
        create = f"{_API}CONSUMER.CREATE.{topic.name}"
        await thief.publish(create, _body(create, f"{inbox(role)}.mine"))
        await asyncio.wait_for(came.wait(), 20)
    await thief.flush()


def _sends(role: str) -> list[str]:
    """What a role may publish, with words in place of its wildcards.

    Of what the server answers with a word of its own on every topic alike, one topic's.
    """
    allowed = permissions(role, ROLES[role])["publish"]["allow"]
    alike = [[s for s in allowed if verb in s] for verb in ("CREATE.", "STREAM.INFO", "$JS.FC")]
    alike[0] = [s for s in alike[0] if "CONSUMER" not in s]
    allowed = [s for s in allowed if not any(s in same[1:] for same in alike)]
    named = (s.replace("*", "desk", 1).replace("*", "0123") for s in allowed)
    return [s.replace(">", "sim.FORGED").replace("tickhouse.api.", _API) for s in named]


def _body(subject: str, target: str = "") -> bytes:
    stream = subject.rpartition(".")[2]
    if "DIRECT.GET" in subject:
        return json.dumps({"last_by_subj": f"{stream}.>"}).encode()
    if "CONSUMER" in subject and target:
        config = {"deliver_subject": target, "deliver_policy": "all", "ack_policy": "none"}
        return json.dumps({"stream_name": stream, "config": config}).encode()
    return b"{}"  # which the server's own interface takes for a request


async def _stored(owner: Client) -> set[str]:
    records: set[str] = set()
    for name in (topic.name for topic in topics.ALL):
        state = (await owner.jetstream().stream_info(name, subjects_filter=">")).state
        records |= set(state.subjects or ())
        if f"{name}.before" not in records:
            records.add(f"{name} emptied")
    for key, expected in (("before", True), ("sim.VICTIM", False)):
        request = json.dumps({"last_by_subj": f"{LEASES.name}.{key}"}).encode()
        answer = await owner.request(f"{_API}DIRECT.GET.{LEASES.name}", request, timeout=5)
        if ((answer.headers or {}).get("Status") != "404") != expected:
            records.add(f"{LEASES.name}.{key}")
    return records


def _may(role: str, subject: str) -> bool:
    """Whether the role may say that itself, or it was there before."""
    allowed = permissions(role, ROLES[role])["publish"]["allow"]
    if subject.startswith(inbox(role)) or (role == "agent" and subject in _DOORS):
        return True
    stream, _, key = subject.partition(".")
    if key == "before" and stream != LEASES.name:
        return True
    return any(_matches(subject.split("."), pattern.split(".")) for pattern in allowed)


def _matches(subject: list[str], pattern: list[str]) -> bool:
    if pattern[-1] == ">":
        subject, pattern = subject[: len(pattern) - 1], pattern[:-1]
    return len(subject) == len(pattern) and all(
        want in ("*", got) for got, want in zip(subject, pattern, strict=True)
    )


async def _nothing(_: Exception) -> None:
    """What the server refuses is what this is about."""
