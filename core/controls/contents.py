"""What the chain's own entries contain: how a home began, and its people."""

from typing import Literal

import msgspec

Policy = Literal["firm", "single"]


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may sign, by which key (public, hex). `revoked`: not any more."""

    name: str
    public: str
    revoked: bool = False


class Genesis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a home's controls began. `home`: random, so that no two begin alike."""

    policy: Policy
    people: tuple[Person, ...]
    home: str


class PolicyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two people for what raises risk (`firm`), or one and a delay (`single`)."""

    policy: Policy
