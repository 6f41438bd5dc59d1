"""A door for requests over NATS: bytes to one process that answers, bytes back.

Subjects, NAME being the door's:

    tickhouse.door.NAME.hello       who stands behind it? Every process at the door answers
    tickhouse.door.NAME.ID.as.ROLE  a request to one of them, and to no other
    tickhouse.door.NAME.ID.alive    is it still there? Answered while a request is at work

ROLE is who asks; the server lets nobody write another's (`adapters.bus.nats.permissions`), so who
answers can rely on it. Older versions asked at `tickhouse.door.NAME.ID` and named nobody.

A request names its deadline in the answerer's own clock, and is not carried out after it: who has
stopped waiting can be sure that nothing happens any more. Nothing is ever delivered twice: NATS
core has no redelivery, and nobody here sends again.
"""

import itertools
import re
import struct
from collections.abc import Iterator

import msgspec

from adapters.bus.nats import options
from core.errors import SettingsError
from core.sections import BusSettings

DEADLINE = "Tickhouse-Deadline"  # header: microseconds of the answerer's clock
TOO_LATE = "Tickhouse-Too-Late"  # header of an answer: nothing was carried out
PART_BYTES = 512 * 1024  # of an answer; a server's usual limit is 1 MiB
_PART = struct.Struct("<II")  # number of the part, how many there are
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks, or answers, at a door. `id` is empty for one who only looks."""

    id: str
    ready: bool = False
    now_us: int = 0
    host: str = ""


def subject(name: str, *rest: str) -> str:
    """A subject of a door."""
    return ".".join(("tickhouse", "door", name, *rest))


def check(settings: BusSettings, name: str) -> None:
    """Whether a door may be opened with these settings.

    Raises:
        SettingsError: the name cannot be, or requests would travel unencrypted.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(f"an agent's name {name!r}: letters, digits, - and _, at most 40")
    if not (options.is_encrypted(settings) or options.is_local(settings)):
        raise SettingsError(
            f"{options.without_secret(settings.url)}: orders do not travel unencrypted between"
            " machines; write tls:// and name the CA that signed the server's certificate"
            " (TICKHOUSE_BUS__CA)"
        )


def parts(answer: bytes) -> Iterator[bytes]:
    """An answer as messages that a server takes."""
    count = max(1, -(-len(answer) // PART_BYTES))
    for number in range(count):
        piece = answer[number * PART_BYTES : (number + 1) * PART_BYTES]
        yield _PART.pack(number, count) + piece


class Joined:
    """Parts of one answer as they come in."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}

    def take(self, message: bytes) -> bytes | None:
        """The whole answer once its last part is there.

        Raises:
            ValueError: not a part.
        """
        try:
            number, count = _PART.unpack_from(message)
        except struct.error as error:
            raise ValueError("not a part of an answer") from error
        self._parts[number] = message[_PART.size :]
        if len(self._parts) < count:
            return None
        return b"".join(self._parts[n] for n in itertools.islice(sorted(self._parts), count))
