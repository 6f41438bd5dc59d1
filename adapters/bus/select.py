"""Settings to bus. The only place that knows which kinds there are; each is imported lazily."""

from typing import TYPE_CHECKING

from adapters.bus.base import Bus
from core.settings import BusSettings

if TYPE_CHECKING:
    from adapters.bus.door_client import Door


def connect(settings: BusSettings, name: str) -> Bus:
    """A bus that connects in the background and reconnects for ever.

    Args:
        settings: which bus, and where.
        name: of this process, as the bus server lists it.
    """
    from adapters.bus.nats import NatsBus

    return NatsBus(settings, name)


def door(settings: BusSettings, name: str) -> "Door":
    """The way to the agent of a name: requests that one process elsewhere answers.

    Raises:
        SettingsError: no server is named, or requests would travel unencrypted.
    """
    from adapters.bus.door_client import Door

    return Door(settings, name)
