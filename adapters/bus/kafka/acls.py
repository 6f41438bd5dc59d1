"""`python -m adapters.bus.kafka.acls`: the ACLs that brokers of one's own need, per role.

The same list (`adapters.bus.roles`) that the embedded NATS server is configured from. Kafka knows
no permission by key, so who may write one key of a topic may write all of it. A writer also reads
its topic: the ids of the last hour, by which it recognises a repeat of its own.
"""

import argparse
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from adapters.bus.kafka.topics import name_of
from adapters.bus.lease import LEASES
from adapters.bus.roles import ROLES, Role
from core import topics
from core.sections import BusSettings


class Acl(NamedTuple):
    """One operation on one resource, allowed to the user of a role."""

    role: str
    kind: str  # topic, group or transactional-id
    name: str
    prefixed: bool
    operation: str  # as kafka-acls.sh names it


def acls(settings: BusSettings) -> list[Acl]:
    """Of all roles that go to the brokers; everything else is denied there."""
    return [
        Acl(name, *rule)
        for name, role in ROLES.items()
        if role.reads or role.writes
        for rule in dict.fromkeys(_rules(role, settings))
    ]


def command(acl: Acl, servers: str) -> str:
    """The line of Kafka's own tool that allows it."""
    pattern = ("--resource-pattern-type", "prefixed") if acl.prefixed else ()
    who = ("--allow-principal", f"User:{acl.role}", "--operation", acl.operation)
    what = (f"--{acl.kind}", acl.name, *pattern)
    return shlex.join(["kafka-acls.sh", "--bootstrap-server", servers, "--add", *who, *what])


def _rules(role: Role, settings: BusSettings) -> Iterator[tuple[str, str, bool, str]]:
    prefix = settings.topic_prefix
    yield "topic", prefix, True, "Describe"
    yield "group", prefix, True, "Read"
    for topic, _ in role.writes:
        yield "topic", name_of(topic, settings), False, "Write"
        yield "topic", name_of(topic, settings), False, "Read"
    for topic in role.reads:
        yield "topic", name_of(topic, settings), False, "Read"
    if role.leases:
        for operation in ("Read", "Write", "Create"):
            yield "topic", name_of(LEASES, settings), False, operation
        for operation in ("Write", "Describe"):
            yield "transactional-id", f"{prefix}lease.", True, operation
    for topic in topics.ALL if role.shapes else ():
        for operation in ("Create", "Delete", "AlterConfigs", "DescribeConfigs"):
            yield "topic", name_of(topic, settings), False, operation


def main() -> None:
    """Print them, a command a line."""
    parser = argparse.ArgumentParser(prog="python -m adapters.bus.kafka.acls", description=__doc__)
    parser.add_argument("--servers", default="localhost:9092", help="HOST:PORT[,HOST:PORT]")
    parser.add_argument("--prefix", default=BusSettings().topic_prefix, help="bus.topic_prefix")
    options = parser.parse_args()
    for acl in acls(BusSettings(kind="kafka", topic_prefix=options.prefix)):
        print(command(acl, options.servers))


if __name__ == "__main__":
    main()
