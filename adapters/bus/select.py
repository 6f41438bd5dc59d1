"""Settings to bus. The only place that knows which kinds there are; each is imported lazily."""

from adapters.bus.base import Bus
from core.settings import BusSettings


def connect(settings: BusSettings, name: str) -> Bus:
    """A bus that connects in the background and reconnects for ever.

    Args:
        settings: which bus, and where.
        name: of this process, as the bus server lists it.
    """
    from adapters.bus.nats import NatsBus

    return NatsBus(settings, name)
