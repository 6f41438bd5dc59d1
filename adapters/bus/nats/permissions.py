"""What a role may publish and hear on a NATS server, as subjects. Everything else is denied.

Passwords stand in the server's configuration as they are, in a file of the owner's (0600). A hash
would hide nothing: the same passwords lie beside it for the processes, under the same rights; and
they are 256 random bits, which no one guesses, so that bcrypt's slowness (0.1 s of a core at each
of a dozen connections, again after each restart of the bus) would only be paid.

Answers reach a client below an inbox of its own (`_INBOX.ROLE`), so none hears another's.
"""

from typing import Any

from adapters.bus.lease import LEASES
from adapters.bus.roles import Role
from core import topics
from core.topics import Topic

#: What clients write as `$JS.API.`, as their account maps it (`adapters.bus.nats.accounts`).
API = "tickhouse.api."
_DOOR = "tickhouse.door"
#: An agent may answer whoever asked it, in as many parts as the largest answer has.
_ANSWERS = {"max": 4096, "expires": "10m"}


def credential(role: str) -> str:
    """Name of the file with a role's password."""
    return f"bus.{role}"


def inbox(user: str) -> str:
    """Below which subject answers to a user come."""
    return f"_INBOX.{user.replace('.', '_')}"


def permissions(name: str, role: Role) -> dict[str, Any]:
    """What the server lets a role do."""
    publish = [subject for subjects in uses(role).values() for subject in subjects]
    subscribe = [f"{inbox(name)}.>"]
    extra: dict[str, Any] = {}
    if role.door == "answers":
        publish.append(f"{_DOOR}.*.hello")  # is there another agent of the name?
        subscribe.append(f"{_DOOR}.>")
        extra["allow_responses"] = _ANSWERS
    else:
        publish += door(role)
    return {"publish": {"allow": publish}, "subscribe": {"allow": subscribe}, **extra}


def uses(role: Role) -> dict[str, list[str]]:
    """By topic, what a role sends there."""
    subjects: dict[str, list[str]] = {}
    for topic, key in role.writes:
        subjects.setdefault(topic.name, []).append(f"{topic.name}.{key}")
    for topic in topics.ALL if role.writes or role.reads else ():
        subjects.setdefault(topic.name, []).append(f"{API}STREAM.CREATE.{topic.name}")
    for topic in role.reads:
        subjects[topic.name] += _reading(topic)
    for topic in topics.ALL if role.shapes else ():
        subjects[topic.name].append(f"{API}STREAM.UPDATE.{topic.name}")
    if role.leases:
        lease_calls = [f"{API}{verb}.{LEASES.name}" for verb in ("STREAM.CREATE", "DIRECT.GET")]
        subjects[LEASES.name] = [f"{LEASES.name}.>", *lease_calls]
    return subjects


def door(role: Role) -> list[str]:
    """What a role sends to agents: requests in its own name."""
    if not role.door:
        return []
    return [f"{_DOOR}.*.hello", f"{_DOOR}.*.*.alive", f"{_DOOR}.*.*.as.{role.door}"]


def _reading(topic: Topic) -> list[str]:
    name = topic.name
    return [
        f"{API}STREAM.INFO.{name}",
        f"{API}DIRECT.GET.{name}",
        f"{API}CONSUMER.CREATE.{name}",
        f"$JS.FC.{name}.>",  # the server asks how far a reader came
    ]
