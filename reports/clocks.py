"""Measures our clock against every reference there is, into `clock_sync`.

Who measures: the process `watch`, every `reports.clock_every_s` seconds; or a person, by
`tickhouse report clock`. References are what the machine has: chrony, the kernel's own word, the
time servers that the settings name, and the stamps of brokers, which are compared and never held
to be UTC.
"""

import platform
from pathlib import Path

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from adapters.clocks import chrony, kernel, ntp
from adapters.clocks.reading import ClockReading, granularity_us
from core.clock import Clock
from core.sections import ClickhouseSettings, ReportSettings
from core.settings import Settings

STAMP_POINT = "journal and ts_recv"
_TICK_STEP_US = 1000.0  # MetaTrader stamps milliseconds
_TICKS = Path(__file__).with_name("late_ticks.sql").read_text()


class Measurement(msgspec.Struct, frozen=True):
    """A row of `clock_sync`."""

    host: str
    source: str
    stratum: int
    ts_event_us: int
    offset_us: float
    uncertainty_us: float
    granularity_us: float
    stamp_point: str
    method: str
    traceable: bool
    synchronised: bool
    detail: str


def measure(settings: ReportSettings, clock: Clock, host: str = "") -> list[Measurement]:
    """Ask every reference of this machine; those that do not answer are left out."""
    readings = [chrony.read(), kernel.read(), *(ntp.read(server) for server in _servers(settings))]
    step, now = granularity_us(), clock.now_us()
    named = host or platform.node()
    return [of_reading(r, named, now, step, STAMP_POINT) for r in readings if r is not None]


def of_brokers(client: Client, clock: Clock, host: str = "") -> list[Measurement]:
    """The stamps of brokers on live ticks of the last minutes against our time of receipt.

    The quickest tick bounds how far their clock is ahead; what it took on the way is in it.
    """
    with errors_translated():
        rows = client.query(_TICKS).result_rows
    return [
        of_reading(
            ClockReading(
                source=f"broker {source}",
                method="ticks",
                stratum=0,
                offset_us=quickest,
                uncertainty_us=median - quickest + _TICK_STEP_US,
                traceable=False,
                synchronised=True,
                detail=f"quickest of {count} ticks; its way to us is part of it",
            ),
            host or platform.node(),
            clock.now_us(),
            _TICK_STEP_US,
            "ts_event of ticks",
        )
        for source, count, quickest, median in rows
    ]


def of_reading(
    read: ClockReading, host: str, now_us: int, step_us: float, stamp_point: str
) -> Measurement:
    """A reading as a row."""
    return Measurement(
        host=host,
        source=read.source,
        stratum=read.stratum,
        ts_event_us=now_us,
        offset_us=read.offset_us,
        uncertainty_us=read.uncertainty_us,
        granularity_us=step_us,
        stamp_point=stamp_point,
        method=read.method,
        traceable=read.traceable,
        synchronised=read.synchronised,
        detail=read.detail,
    )


def store(where: ClickhouseSettings, rows: list[Measurement]) -> None:
    """Keep them."""
    if rows:
        with Writer(where) as writer:
            writer.insert("clock_sync", message_columns(rows))


class Meter:
    """Measures when it is time to: once at the start, then every so many seconds."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock, self._due_us = settings, clock, 0

    def is_due(self) -> bool:
        """Whether it is time to measure."""
        every_s = self._settings.reports.clock_every_s
        return every_s > 0 and self._clock.now_us() >= self._due_us

    def measure_if_due(self, client: Client) -> int:
        """Measure and store, if it is time; how many rows that were."""
        every_s = self._settings.reports.clock_every_s
        if not self.is_due():
            return 0
        self._due_us = self._clock.now_us() + every_s * 1_000_000
        return take(self._settings, client, self._clock)


def take(settings: Settings, client: Client, clock: Clock) -> int:
    """Every reference once, into the warehouse; how many answered."""
    rows = [*measure(settings.reports, clock), *of_brokers(client, clock)]
    store(settings.clickhouse, rows)
    return len(rows)


def _servers(settings: ReportSettings) -> list[str]:
    return [name.strip() for name in settings.ntp_servers.split(",") if name.strip()]
