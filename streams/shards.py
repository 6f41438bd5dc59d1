"""Which shard of a flow takes what: feeds and accounts by consistent hash.

A flow is cut into shards, one process each, that need nothing of each other: every one reads the
whole topic, so its order and a replay's markers hold for all of them, and takes what is its own.
Of all other feeds it takes what its own rows follow from: mids for `peer_*` features, and the rows
of symbols that a strategy looks at together with one of its own (docs/adr/0026-shards.md).
"""

import hashlib
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from core.errors import SettingsError
from core.sections import StreamsSettings

FLOWS = ("ticks", "signals", "executions")


class Part(IntEnum):
    """What a shard does with the ticks of a feed."""

    OWN = 0  # rows are made, decided and stored
    FOLLOWED = 1  # rows are made, for a strategy that looks at several symbols
    PASSING = 2  # their mids are noted


class Shards(NamedTuple):
    """How a flow is cut. `groups`: symbols that a strategy sees together."""

    total: int = 1
    groups: tuple[tuple[str, ...], ...] = ()

    def part(self, number: int, source: str, symbol: str) -> Part:
        """What shard `number` does with a feed."""
        if owner(f"{source}.{symbol}", self.total) == number:
            return Part.OWN
        beside = {one for group in self.groups if symbol in group for one in group}
        own = any(owner(f"{source}.{one}", self.total) == number for one in beside)
        return Part.FOLLOWED if own else Part.PASSING


ALONE = Shards()


@lru_cache(maxsize=65_536)
def owner(key: str, count: int) -> int:
    """The shard that owns a feed (`source.symbol`) or an account, from 0.

    Rendezvous hashing: with one shard more, only what that one gets changes hands.
    """
    if count == 1:
        return 0
    return max(range(count), key=lambda number: _weight(number, key))


def of_flow(flow: str, streams: StreamsSettings) -> int:
    """How many shards a flow has.

    Raises:
        SettingsError: this process is none of them, or both ways of dividing a flow are set.
    """
    name = "account_shards" if flow == "executions" else "shards"
    count = streams.account_shards if flow == "executions" else streams.shards
    if count < 1:
        raise SettingsError(f"streams.{name} is {count}: one at least")
    if count > 1 and streams.addresses:
        raise SettingsError(
            f"streams.{name} and streams.addresses are two ways to divide a flow: set one of them"
        )
    if not 0 <= streams.shard < count:
        raise SettingsError(
            f"streams.shard is {streams.shard}, but streams.{name} is {count}"
            " (TICKHOUSE_STREAMS__SHARD counts from 0)"
        )
    return count


def names(process: str, count: int) -> Sequence[str]:
    """Of the processes of a flow, `streams.signals`; one alone has the flow's name."""
    return [process] if count == 1 else [f"{process}.{number}" for number in range(count)]


def _weight(number: int, key: str) -> bytes:
    return hashlib.blake2b(f"{number}|{key}".encode(), digest_size=8).digest()
