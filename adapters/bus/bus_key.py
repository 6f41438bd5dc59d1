"""Which keys every bus can carry, so that none is written on one that another would refuse."""

from core.errors import MessageError

_FORBIDDEN = frozenset(" \t\r\n*>")


def checked(key: str) -> str:
    """The key itself.

    Raises:
        MessageError: NATS could not carry it in a subject.
    """
    if not key or _FORBIDDEN.intersection(key) or not all(key.split(".")):
        raise MessageError(
            f"the key {key!r} cannot be carried by the bus: words joined by single dots, "
            "without space, * or >"
        )
    return key
