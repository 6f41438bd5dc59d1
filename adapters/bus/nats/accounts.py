"""Roles and topics as accounts of a NATS server: what nobody exports, nobody reaches.

A server checks where a client publishes, and not where it asks for an answer or a consumer's
messages to be sent. Within one account such a subject can be any: a stored tick sent to `signals`
was a signal, and one sent to `$JS.API.STREAM.PURGE.signals` emptied it. So each role and each topic
is an account of its own, a space of subjects that others enter only by what is listed here:

- an answer reaches the account that asked, whatever subject it named, and so the role itself;
- a consumer's messages stay in the account of its topic, where only that topic's stream listens,
  and the server refuses a consumer that feeds its own stream.

For a client all is as on a server with one account: subjects keep their names.
"""

import json
from pathlib import Path
from typing import Any

from adapters.bus.lease import LEASES
from adapters.bus.nats.permissions import API, credential, door, inbox, permissions, uses
from adapters.bus.roles import ROLES, Role
from core import topics
from core.credentials import secret

_JETSTREAM = "$JS.API."
_SPACES = (*topics.ALL, LEASES)


def accounts(credentials: Path) -> str:
    """The blocks of the configuration, with the home's secrets, which are made where missing.

    Raises:
        SettingsError: a file of a secret is not ours, or not only ours to read.
    """
    by_name = {space(topic.name): _topic(topic.name) for topic in _SPACES}
    for name, role in ROLES.items():
        by_name[_of(name)] = _role(name, role, secret(credentials, credential(name)))
    return f"authorization {{ timeout: 5 }}\naccounts {json.dumps(by_name, indent=2)}\n"


def space(topic: str) -> str:
    """The account in which a topic's stream is."""
    return f"topic_{topic}"


def _of(role: str) -> str:
    return f"role_{role.replace('.', '_')}"


def _topic(name: str) -> dict[str, Any]:
    """Every role's requests end here; what a role does not import it cannot send."""
    services = sorted({s for role in ROLES.values() for s in uses(role).get(name, ())})
    inboxes = [f"{inbox(role)}.>" for role in ROLES]
    exports = [{"service": s.replace(API, _JETSTREAM)} for s in services]
    return {"jetstream": "enabled", "exports": exports + [{"stream": s} for s in inboxes]}


def _role(name: str, role: Role, password: str) -> dict[str, Any]:
    imports: list[dict[str, Any]] = []
    for topic, subjects in uses(role).items():
        imports += [_service(space(topic), s.replace(API, _JETSTREAM), s) for s in subjects]
        imports.append({"stream": {"account": space(topic), "subject": f"{inbox(name)}.>"}})
    if role.door == "answers":
        exports = [{"service": s, "response_type": "stream"} for s in _doors()]
    else:
        exports = []
        imports += [_service(_of("agent"), s, s) for s in door(role)]
    user = {"user": name, "password": password, "permissions": permissions(name, role)}
    # Unmapped, the server itself answers too: that this account has no JetStream.
    mappings = {f"{_JETSTREAM}>": f"{API}>"}
    return {"users": [user], "mappings": mappings, "imports": imports, "exports": exports}


def _doors() -> list[str]:
    subjects = (s for role in ROLES.values() if role.door != "answers" for s in door(role))
    return sorted(set(subjects))


def _service(account: str, subject: str, local: str) -> dict[str, Any]:
    return {"service": {"account": account, "subject": subject}, "to": local}
