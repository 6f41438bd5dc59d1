"""Roles as users of a NATS server: what each may publish and hear, everything else denied.

Passwords stand in the configuration as they are, in a file of the owner's (0600). A hash would
hide nothing: the same passwords lie beside it for the processes, under the same rights; and they
are 256 random bits, which no one guesses, so that bcrypt's slowness (0.1 s of a core at each of a
dozen connections, again after each restart of the bus) would only be paid.

Answers reach a client below an inbox of its own (`_INBOX.ROLE`), so none hears another's.
"""

import json
from pathlib import Path
from typing import Any

from adapters.bus.roles import ROLES, Role
from core import topics
from core.credentials import secret
from core.topics import Topic

_DOOR = "tickhouse.door"
#: An agent may answer whoever asked it, in as many parts as the largest answer has.
_ANSWERS = {"max": 4096, "expires": "10m"}


def authorization(credentials: Path) -> str:
    """The block of the configuration, with the home's secrets, which are made where missing.

    Raises:
        SettingsError: a file of a secret is not ours, or not only ours to read.
    """
    users = [
        {
            "user": name,
            "password": secret(credentials, credential(name)),
            "permissions": permissions(name, role),
        }
        for name, role in ROLES.items()
    ]
    return f"authorization {json.dumps({'timeout': 5, 'users': users}, indent=2)}\n"


def credential(role: str) -> str:
    """Name of the file with a role's password."""
    return f"bus.{role}"


def inbox(user: str) -> str:
    """Below which subject answers to a user come."""
    return f"_INBOX.{user.replace('.', '_')}"


def permissions(name: str, role: Role) -> dict[str, Any]:
    """What the server lets a role do."""
    publish = [f"{topic.name}.{key}" for topic, key in role.writes]
    subscribe = [f"{inbox(name)}.>"]
    found: dict[str, Any] = {}
    if role.writes or role.reads:
        publish += [f"$JS.API.STREAM.CREATE.{topic.name}" for topic in topics.ALL]
    for topic in role.reads:
        publish += _reading(topic)
    if role.shapes:
        publish += [f"$JS.API.STREAM.UPDATE.{topic.name}" for topic in topics.ALL]
    if role.leases:
        names = ("leases.>", "$JS.API.STREAM.CREATE.leases", "$JS.API.DIRECT.GET.leases")
        publish += names
    if role.door == "asks":
        publish.append(f"{_DOOR}.>")
    if role.door == "answers":
        publish.append(f"{_DOOR}.*.hello")  # is there another agent of the name?
        subscribe.append(f"{_DOOR}.>")
        found["allow_responses"] = _ANSWERS
    return {"publish": {"allow": publish}, "subscribe": {"allow": subscribe}, **found}


def _reading(topic: Topic) -> list[str]:
    name = topic.name
    return [
        f"$JS.API.STREAM.INFO.{name}",
        f"$JS.API.DIRECT.GET.{name}",
        f"$JS.API.CONSUMER.CREATE.{name}",
        f"$JS.FC.{name}.>",  # the server asks how far a reader came
    ]
