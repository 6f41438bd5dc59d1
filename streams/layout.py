"""Where a flow's recovery state lies: of one shard in a folder of the flow's name, as ever.

Of several they lie beside each other in a folder that says how many there are. State of another
number of shards is never gone on from, nor begun beside: who owns a feed would change unseen.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from core.errors import SettingsError


def of_shard(states: Path, flow: str, count: int, number: int) -> Path:
    """The folder of a shard's state.

    Raises:
        SettingsError: there is state of another number of shards.
    """
    if (states / f"{flow}.dealt").exists():
        raise SettingsError(
            f"the state of flow {flow} was being dealt anew: say `tickhouse shards {count}` again,"
            " which ends it"
        )
    for other in counts(states, flow):
        if other != count:
            raise SettingsError(
                f"{folder(states, flow, other)} is the state of flow {flow} in {other} shard(s),"
                f" and {count} are set: stop it and deal its state anew (tickhouse shards {count}),"
                f" or set {other} again (TICKHOUSE_STREAMS__{_setting(flow)})"
            )
    return place(states, flow, count, number)


def place(states: Path, flow: str, count: int, number: int) -> Path:
    """Of the state of one shard, whether or not there is any."""
    whole = folder(states, flow, count)
    return whole if count == 1 else whole / f"shard-{number}"


def counts(states: Path, flow: str) -> Iterator[int]:
    """Of how many shards there is state: one number at most, but while it is dealt anew."""
    if (states / flow).is_dir() or (states / f"{flow}.begin").is_file():
        yield 1
    for path in sorted(states.glob(f"{flow}.*")):
        if (counted := re.fullmatch(rf"{flow}\.([0-9]+)", path.name)) and path.is_dir():
            yield int(counted[1])


def folder(states: Path, flow: str, count: int) -> Path:
    """Of the state of all shards."""
    return states / (flow if count == 1 else f"{flow}.{count}")


def _setting(flow: str) -> str:
    return "ACCOUNT_SHARDS" if flow == "executions" else "SHARDS"
