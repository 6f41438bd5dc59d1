"""Whether the file of users is the one that the last chained change left: an edit by hand is named.

Each command that changes users chains a digest of the whole file before it writes it. A home whose
users were changed by commands of before 0.3 alone has no such digest, and nothing to compare.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from core import audit_log, identity

#: In the detail of a chained change: a digest of the file as it is from then on.
FILE = "file_sha256"


def digest(users: Mapping[str, identity.User]) -> str:
    """Of the file that `identity.save` writes of them."""
    return hashlib.sha256(identity.rendered(users)).hexdigest()


def problem(home: Path) -> tuple[int, str] | None:
    """The chained change that the file does not follow, and what is wrong; None: it does."""
    last = None
    for event in audit_log.read(audit_log.path_in(home)):
        if event.action.startswith("users ") and FILE in json.loads(event.detail):
            last = event
    if last is None:
        return None
    path = identity.path_in(home)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return last.seq, f"{path} is gone: put it back, or add users with tickhouse users add"
    if hashlib.sha256(content).hexdigest() == json.loads(last.detail)[FILE]:
        return None
    return last.seq, (
        f"{path} was changed by no command since {last.actor} did `{last.action} {last.subject}`:"
        " compare tickhouse users list with what was chained; the next tickhouse users command"
        " chains the file as it then is"
    )
