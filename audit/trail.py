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

from audit import control_versions, remembered, rights
from audit.export import export, shipped
from audit.remembered import Begin, Known, Whole
from audit.seal import Root, Seal, seal
from audit.stored import stored_account, stored_log, stored_orders, sum_of_account
from audit.streams import Event, EventStream, Placed, people_stream
from audit.verify import Break, StreamVerdict, check_seals, missing_seals, verify_stream
from core.audit_log import PEOPLE
from core.clock import Clock
from core.contracts.audit import AuditEvent
from core.contracts.order import OrderEvent
from core.errors import TickhouseError
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
    read: Callable[[Path, int], Iterable[PlacedOrder]]
    live: bool
    pieces: Callable[[Path, int, int], Iterator[bytes]]


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
    public_key: Path | None, clock: Clock, problem_of_controls: str = "", *, full: bool = False,
) -> Verification:  # fmt: skip
    """Bring the log over, then compare every stream with every witness there is.

    Args:
        problem_of_controls: what is wrong with signed controls, as who judges them says.
        full: every event, also of days that were sealed and found whole before.
    """
    home, breaks = settings.home_path, list[Break]()
    sealed, wrong = check_seals(kept, public_key) if public_key else ([], [])
    own = people_stream(home)
    known = shipped(home)
    stored = verify_stream(own, _rows_of_log(client), sealed, clock.now_us(), known or 0)
    verdicts = [stored]
    if not verdicts[0].breaks:
        export(client, settings.clickhouse, home)
    before = {} if full or verdicts[0].breaks else _recalled(own)
    for source in sources:
        stream = _stream(source)
        begin = _begin(client, source, sealed, before)
        rows = partial(_rows_of_orders, client, source, begin.seq)
        verdicts.append(verify_stream(stream, rows, sealed, clock.now_us(), begin=begin))
    breaks += (broken for verified in verdicts for broken in verified.breaks)
    breaks += wrong
    breaks += (Break("controls", *one) for one in control_versions.compare(client, home))
    if problem_of_controls:
        breaks.append(Break("controls", "signatures", 0, problem_of_controls))
    if not stored.breaks and (edit := rights.problem(home)):
        breaks.append(Break("users", "file", *edit))
    if public_key:
        breaks += missing_seals(own.events(0), kept)
        breaks += _gone(sealed, {v.stream for v in verdicts})
    return Verification(tuple(verdicts), tuple(breaks))


def remember(
    settings: Settings, sources: Iterable[Source], client: Client, kept: Path, public_key: Path,
    by: str, clock: Clock,
) -> None:  # fmt: skip
    """Note that all agreed up to the last seal; after a verification without a break."""
    home, (sealed, _) = settings.home_path, check_seals(kept, public_key)
    known = [_known(client, source) for source in sources if source.live]
    before = _recalled(people_stream(home))
    remembered.remember(home, by, known, sealed, before, clock)


def _recalled(people: EventStream) -> dict[str, Whole]:
    log = (placed.event for placed in people.events(0))
    return remembered.recalled(event for event in log if isinstance(event, AuditEvent))


def _begin(client: Client, source: Source, sealed: list[Seal], before: dict[str, Whole]) -> Begin:
    if not source.live or f"orders {source.name}" not in before:
        return Begin()
    try:
        return remembered.begin(_known(client, source), sealed, before)
    except TickhouseError:  # a damaged journal: the walk says where
        return Begin()


def _known(client: Client, source: Source) -> Known:
    stream, account = _stream(source), _account(source)
    rows = partial(sum_of_account, client, account)
    return Known(stream, lambda end: stream.pieces(0, end), rows)


def _account(source: Source) -> str:
    """The account that the journal's first event names; the folder's name without one."""
    first = next(iter(source.read(source.path, 0)), None)
    return first.event.account if first else source.name


def _gone(sealed: Iterable[Seal], present: set[str]) -> Iterator[Break]:
    names = {part.name for one in sealed for part in one.root.streams if part.count}
    for name in sorted(names - present):
        yield Break(name, "journal", 0, "the journal is gone; its days were sealed")


def _stream(source: Source) -> EventStream:
    def events(after: int) -> Iterator[Placed]:
        return (Placed(p.event, p.begin, p.end) for p in source.read(source.path, after))

    pieces = partial(source.pieces, source.path)
    return EventStream(f"orders {source.name}", source.path, events, pieces)


def _rows_of_log(client: Client) -> Callable[[Event | None], Iterator[Event]]:
    return lambda first: stored_log(client, PEOPLE)


def _rows_of_orders(
    client: Client, source: Source, after: int, first: Event | None
) -> Iterator[Event]:
    """Of a live journal all rows of its account; of a replay those of its run."""
    if source.live:
        account = first.account if isinstance(first, OrderEvent) else _account(source)
        return stored_account(client, account, after)
    if isinstance(first, OrderEvent):
        return stored_orders(client, first.run_id, first.account)
    return iter(())
