"""Who may say what on the bus: one role per process, as data. What is not listed is denied.

A role is named as the process connects. The embedded NATS server turns the list into accounts and
permissions (`adapters.bus.nats.accounts`); for a server of one's own it is the list to be granted
(docs/how-to/secure-the-bus.md).
"""

from typing import Literal, NamedTuple

from core import topics
from core.errors import SettingsError
from core.topics import (
    CONTROL,
    HEARTBEATS,
    MARKET_RISK,
    ORDER_EVENTS,
    PREDICTIONS,
    RISK,
    SIGNALS,
    TICKS,
    Topic,
)

ANY = ">"  # every key of a topic


class Role(NamedTuple):
    """What a process may do. `writes`: topic and key, or ANY.

    `door`: as whom it asks at an agent's, or that it answers there. What may be asked as whom is
    the simulated terminal's list (adapters.mt5.remote.hello): a collector places no order.
    """

    writes: tuple[tuple[Topic, str], ...] = ()
    reads: tuple[Topic, ...] = ()
    door: Literal["", "collector", "execution", "answers"] = ""
    shapes: bool = False  # may change how topics are kept
    leases: bool = False  # may hold the lease of an account


def _beats(process: str) -> tuple[Topic, str]:
    return HEARTBEATS, process


def _beat(flow: str) -> tuple[tuple[Topic, str], ...]:
    """Of the one process of a flow, or of each of its shards."""
    return _beats(flow), _beats(f"{flow}.{ANY}")


ROLES = {
    "collector": Role(((TICKS, ANY), _beats("collector")), (TICKS, CONTROL), "collector"),
    "streams.ticks": Role(((CONTROL, "stored"), *_beat("streams.ticks")), (TICKS,)),
    "streams.signals": Role(
        ((SIGNALS, ANY), (PREDICTIONS, ANY), (CONTROL, "stored"), *_beat("streams.signals")),
        (TICKS, CONTROL),
    ),
    "streams.executions": Role(
        ((CONTROL, "stored"), (MARKET_RISK, ANY), *_beat("streams.executions")),
        (ORDER_EVENTS, RISK, HEARTBEATS, TICKS, MARKET_RISK),
    ),
    "execution": Role(
        ((ORDER_EVENTS, ANY), (RISK, ANY), _beats("execution")),
        (TICKS, SIGNALS, CONTROL, MARKET_RISK),
        "execution",
        leases=True,
    ),
    "watch": Role((_beats("watch"),), (ORDER_EVENTS, RISK)),
    "board": Role(
        (_beats("board"),),
        (TICKS, SIGNALS, ORDER_EVENTS, RISK, PREDICTIONS, HEARTBEATS, CONTROL),
    ),
    "bot": Role(
        (_beats("bot"),),
        (TICKS, SIGNALS, ORDER_EVENTS, RISK, PREDICTIONS, HEARTBEATS, CONTROL),
    ),
    "api": Role(
        (_beats("api"),),
        (TICKS, SIGNALS, ORDER_EVENTS, RISK, PREDICTIONS, HEARTBEATS, CONTROL),
    ),
    "models": Role(((CONTROL, "models"),)),
    "replay": Role(((CONTROL, "model"),), (TICKS, SIGNALS, ORDER_EVENTS, CONTROL)),
    "agent": Role(door="answers"),
    #: The person whose home it is, and the commands that act for him.
    "owner": Role(
        tuple((topic, ANY) for topic in topics.ALL),
        topics.ALL,
        "execution",
        shapes=True,
        leases=True,
    ),
}

OWNER = "owner"


def checked(name: str) -> str:
    """The role of that name.

    Raises:
        SettingsError: there is none.
    """
    if name not in ROLES:
        raise SettingsError(f"nobody is called {name!r} on the bus; known: {', '.join(ROLES)}")
    return name
