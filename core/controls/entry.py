"""One entry of a home's chain of controls: what a person signed, and what it follows.

An entry is a line of JSON. Its signature is over the same JSON with an empty `signature`, which
contains the hash of the line before: so an entry belongs to one place of one chain, and cannot be
played again in another. What was signed lies beside the chain under its SHA-256.
"""

import hashlib
from typing import Literal

import msgspec
from msgspec.structs import replace

Kind = Literal[
    "genesis", "person", "policy",
    "limits", "override", "release", "resume", "exits",
    "strategy", "feature", "desk", "settings", "model", "reference", "terminal_check",
    "retention", "destroy",
    "approve", "withdraw",
]  # fmt: skip
_PREFIX = b"tickhouse control 1\n"  # a signature made for something else fits no entry


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signed entry. Times are microseconds, UTC.

    `base`: number of the version it would replace, 0 for none; of `approve` and `withdraw` the
    entry they are about. `raises`: what the signer was told; whoever reads judges again.
    """

    number: int  # from 1 without gaps
    previous: str  # SHA-256 of the line before; "" for the first
    kind: Kind
    subject: str  # which strategy, server, person, model; "" when there is one
    content: str  # SHA-256 of what was signed; of an approval that of the approved line
    base: int
    raises: bool
    by: str
    reason: str
    ts_us: int
    until_us: int = 0  # when it ends, excluded; 0: when another replaces it
    changes: tuple[str, ...] = ()  # old and new, as the signer was shown them
    signature: str = ""  # Ed25519, hex


def signed_bytes(entry: Entry) -> bytes:
    """What its signature is over."""
    return _PREFIX + msgspec.json.encode(replace(entry, signature=""))


def line(entry: Entry) -> bytes:
    """The entry as it stands in the chain, newline included."""
    return msgspec.json.encode(entry) + b"\n"


def sha256(content: bytes) -> str:
    """The name of a content, and of a line."""
    return hashlib.sha256(content).hexdigest()
