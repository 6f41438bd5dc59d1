"""ACLs of our roles on a real broker: each role does its work there, and nothing else."""

import msgspec
import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from adapters.bus.base import Bus
from adapters.bus.kafka.acls import Acl, acls, command
from adapters.bus.kafka.lease import KafkaLease
from adapters.bus.roles import ROLES
from adapters.bus.select import connect
from core import topics
from core.errors import MessageError, SettingsError, UnavailableError
from core.sections import BusSettings
from tests.kafka.broker import PASSWORD, Broker
from tests.support.buses import on_kafka

_KINDS = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}
_OPERATIONS = {
    "AlterConfigs": AclOperation.ALTER_CONFIGS, "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}  # fmt: skip


def binding(acl: Acl) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if acl.prefixed else ResourcePatternType.LITERAL
    operation = _OPERATIONS.get(acl.operation) or AclOperation[acl.operation.upper()]
    return AclBinding(
        _KINDS[acl.kind], acl.name, pattern, f"User:{acl.role}", "*", operation,
        AclPermissionType.ALLOW,
    )  # fmt: skip


@pytest.fixture
def granted(kafka: Broker) -> BusSettings:
    """A place on the broker with topics, where each role was given its ACLs."""
    settings = on_kafka(kafka).settings
    admin = AdminClient({"bootstrap.servers": kafka.address})
    for done in admin.create_acls([binding(acl) for acl in acls(settings)]).values():
        done.result(30)
    bus = connect(as_role(settings, kafka, "owner"), "owner")
    for topic in topics.ALL:
        bus.publish(topic, "k", b"first", timeout_s=30)
    bus.close()
    return settings


def as_role(settings: BusSettings, kafka: Broker, role: str) -> BusSettings:
    return msgspec.structs.replace(
        settings, url=kafka.secure_url, user=role, password=PASSWORD, sasl="PLAIN",
        ca=str(kafka.ca),
    )  # fmt: skip


def may_write(bus: Bus, topic: topics.Topic) -> bool:
    try:
        return bus.publish(topic, "k", b"mine", "an-id", timeout_s=60) > 0
    except MessageError as error:
        refusal = str(error)
    assert "uthorization failed; which ACLs it needs" in refusal
    return False


def may_read(bus: Bus, topic: topics.Topic) -> bool:
    try:
        message = bus.subscribe(topic, 1).next(3.0)
    except (SettingsError, UnavailableError):
        return False
    return message is not None


@pytest.mark.parametrize("role", [name for name, role in ROLES.items() if role.writes])
def test_each_role_writes_its_topics_and_no_other(
    granted: BusSettings, kafka: Broker, role: str
) -> None:
    may = {topic.name for topic, _ in ROLES[role].writes}
    for topic in topics.ALL:
        bus = connect(as_role(granted, kafka, role), role)
        try:
            assert may_write(bus, topic) == (topic.name in may), topic.name
        finally:
            bus.close()


@pytest.mark.parametrize("role", ["streams.signals", "watch"])
def test_what_a_role_has_no_business_with_it_does_not_read(
    granted: BusSettings, kafka: Broker, role: str
) -> None:
    own = {topic.name for topic, _ in ROLES[role].writes}  # their ids are read to know a repeat
    may = {topic.name for topic in ROLES[role].reads} | own
    for topic in topics.ALL:
        bus = connect(as_role(granted, kafka, role), role)
        try:
            assert may_read(bus, topic) == (topic.name in may), topic.name
        finally:
            bus.close()


def test_the_lease_is_executions_alone(granted: BusSettings, kafka: Broker) -> None:
    holder = KafkaLease(as_role(granted, kafka, "execution"), "acc", "execution")
    assert holder.read(20) is None
    assert holder.replace(b"one", 0, 20) > 0
    holder.close()
    thief = KafkaLease(as_role(granted, kafka, "streams.signals"), "acc", "thief")
    with pytest.raises((SettingsError, UnavailableError)):
        thief.replace(b"two", 0, 5)
    thief.close()


def test_the_commands_are_those_of_kafkas_own_tool() -> None:
    line = command(Acl("execution", "group", "tickhouse.", True, "Read"), "k1:9092")
    assert line == (
        "kafka-acls.sh --bootstrap-server k1:9092 --add --allow-principal User:execution"
        " --operation Read --group tickhouse. --resource-pattern-type prefixed"
    )
