"""The audit trail of a home as a whole: seal a day of it, verify all of it.

Command line and Dagster call the same two functions; they hand in how journals are read, because
execution's files are execution's to read.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from clickhouse_connect.driver.client import Client

from audit import control_versions
from audit.export import export, shipped
from audit.seal import Root, Seal, seal
from audit.stored import stored_account, stored_log, stored_orders
from audit.streams import Event, EventStream, Placed, people_stream
from audit.verify import Break, StreamVerdict, check_seals, missing_seals, verify_stream
from core.audit_log import PEOPLE
from core.clock import Clock
from core.contracts.order import OrderEvent
from core.settings import Settings


class PlacedOrder(Protocol):
    """An order event and the bytes it stands in."""

    @property
    def event(self) -> OrderEvent: ...  # noqa: D102
    @property
    def begin(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102


class Source(NamedTuple):
    """A journal. `live`: its days are sealed; a replay can be run again and is not."""

    name: str
    path: Path
    read: Callable[[Path], Iterable[PlacedOrder]]
    live: bool


class Verification(NamedTuple):
    """All that was compared and all that broke, in the order found."""

    verdicts: tuple[StreamVerdict, ...]
    breaks: tuple[Break, ...]


def archive(settings: Settings) -> Path:
    """Where seals are kept: a setting, or `<home>/sealed`."""
    set_to = settings.reports.archive
    return Path(set_to).expanduser().resolve() if set_to else settings.home_path / "sealed"


def seal_home(
    settings: Settings, sources: Iterable[Source], day: date, key: Path, clock: Clock
) -> Root:
    """Seal a day of all live streams; see audit.seal."""
    home = settings.home_path
    streams = [people_stream(home), *(_stream(s) for s in sources if s.live)]
    return seal(streams, day, archive(settings), key, home, clock.now_us())


def verify_home(
    settings: Settings, sources: Iterable[Source], client: Client, kept: Path,
    public_key: Path | None, clock: Clock, problem_of_controls: str = "",
) -> Verification:  # fmt: skip
    """Bring the log over, then compare every stream with every witness there is.

    Args:
        problem_of_controls: what is wrong with signed controls, as who judges them says.
    """
    home, breaks = settings.home_path, list[Break]()
    sealed, wrong = check_seals(kept, public_key) if public_key else ([], [])
    own = people_stream(home)
    known = shipped(home)
    stored = verify_stream(own, _rows_of_log(client), sealed, clock.now_us(), known or 0)
    verdicts = [stored]
    if not verdicts[0].breaks:
        export(client, settings.clickhouse, home)
    for source in sources:
        rows = partial(_rows_of_orders, client, source)
        verdicts.append(verify_stream(_stream(source), rows, sealed, clock.now_us()))
    breaks += (broken for verified in verdicts for broken in verified.breaks)
    breaks += wrong
    breaks += (Break("controls", *one) for one in control_versions.compare(client, home))
    if problem_of_controls:
        breaks.append(Break("controls", "signatures", 0, problem_of_controls))
    if public_key:
        breaks += missing_seals(own.events(), kept)
        breaks += _gone(sealed, {v.stream for v in verdicts})
    return Verification(tuple(verdicts), tuple(breaks))


def _gone(sealed: Iterable[Seal], present: set[str]) -> Iterator[Break]:
    names = {part.name for one in sealed for part in one.root.streams if part.count}
    for name in sorted(names - present):
        yield Break(name, "journal", 0, "the journal is gone; its days were sealed")


def _stream(source: Source) -> EventStream:
    def events() -> Iterator[Placed]:
        return (Placed(p.event, p.begin, p.end) for p in source.read(source.path))

    return EventStream(f"orders {source.name}", source.path, events)


def _rows_of_log(client: Client) -> Callable[[Event | None], Iterator[Event]]:
    return lambda first: stored_log(client, PEOPLE)


def _rows_of_orders(client: Client, source: Source, first: Event | None) -> Iterator[Event]:
    """Of a live journal all rows of its account; of a replay those of its run."""
    if source.live:
        return stored_account(
            client, first.account if isinstance(first, OrderEvent) else source.name
        )
    if isinstance(first, OrderEvent):
        return stored_orders(client, first.run_id, first.account)
    return iter(())
