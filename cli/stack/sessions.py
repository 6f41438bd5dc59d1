"""Every start is a session: named before it begins, written when the warehouse stands, ended.

The name reaches the processes with their settings and stands in every row that they decide. What
shaped them is kept by content hash, so that a decision of long ago is explained by what held then.
Clocks may be set back: sessions order by a number, which continues the home's and the warehouse's.
"""

import contextlib
import hashlib
import platform
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from cli.stack.warehouse_setup import shaping
from core import instruments, session_note
from core.clock import Clock, SystemClock
from core.contracts.session import Content, Session, SessionPart, content
from core.controls import desks, own_features
from core.errors import InputError, TickhouseError
from core.fingerprint import fingerprint, versions
from core.home_users import SETUP, sign_in
from core.identity import this_user
from core.session_note import SessionNote
from core.settings import Settings
from execution.risk import limits
from execution.risk.controls import in_force
from strategies import desk

RUNNING, ENDED = "running", "ended"


def named(settings: Settings, clock: Clock) -> Settings:
    """The settings with the name of a new session: run, and a hash of who, where, when, which."""
    note = session_note.read(settings.home_path)
    count = note.number + 1 if note else 1
    identity = (platform.node(), settings.home_path, this_user(), clock.now_us(), count)
    digest = hashlib.blake2b("|".join(map(str, identity)).encode(), digest_size=6).hexdigest()
    name = f"{settings.run.run_id}-{count:06d}-{digest}"
    return replace(settings, run=replace(settings.run, session_id=name))


def begin(settings: Settings, url: str, clock: Clock, processes: Sequence[str] = ()) -> Session:
    """Write the session of `settings.run.session_id`, what it refers to, and the home's note.

    Args:
        processes: those that beat, and are missed when they do not.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    obeyed = in_force(settings, clock)
    kept = contents(settings, obeyed.content)
    session = replace(
        described(settings, kept, obeyed.entry),
        number=_next_number(settings, url),
        ts_start_us=clock.now_us(),
    )
    write(settings, url, session, kept, parts=_parts(settings, processes))
    by_kind = {one.kind: one.hash for one in kept}
    note = SessionNote(
        session.session_id, session.number, session_note.deciding(settings),
        by_kind.get("strategy", ""), by_kind.get("features", ""),
    )  # fmt: skip
    session_note.write(settings.home_path, note)
    return session


def end(settings: Settings, url: str, session: Session, clock: Clock) -> None:
    """Write that it ended; a warehouse that is away costs that word and nothing else."""
    ended = replace(session, ts_end_us=clock.now_us(), status=ENDED)
    with contextlib.suppress(TickhouseError):
        write(settings, url, ended, (), once=True)


def end_of_home(settings: Settings, url: str, clock: Clock) -> str:
    """Write that the session in the home's note ended, which another process began; its id.

    Raises:
        InputError: there is none.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    from adapters.clickhouse import client
    from streams.explain.sessions import read

    note = session_note.read(settings.home_path)
    connected = client.connect(sign_in(replace(settings.clickhouse, url=url), SETUP))
    with client.errors_translated(), contextlib.closing(connected):
        session = read(connected, settings.run.run_id, note.session_id) if note else None
    if session is None:
        raise InputError(
            str(session_note.path_in(settings.home_path)),
            f"names no session of run {settings.run.run_id}: `tickhouse prepare` begins one",
        )
    ended = replace(session, ts_end_us=clock.now_us(), status=ENDED)
    write(settings, url, ended, (), once=True)
    return session.session_id


def contents(settings: Settings, written: bytes | None) -> tuple[Content, ...]:
    """Settings that shape rows, limits as they were written, a person's own strategy and features:
    what there is of them.
    """
    clock = SystemClock()
    folder_of = partial(desks.folder_of, settings, clock=clock)
    named = desks.in_force(settings, clock)
    bodies = {
        "settings": shaping(settings).encode(),
        "limits": written or b"",
        "strategy": desk.content(named, folder_of),
        "features": own_features.content(settings, clock),
    }
    return tuple(content(kind, body) for kind, body in bodies.items() if body)


def described(settings: Settings, kept: tuple[Content, ...], signed: int) -> Session:
    """The session of some settings, without number and times: those of a replay.

    Args:
        signed: the entry that its limits are; 0 when nobody signed them.
    """
    from features import own
    from models.serving.registry import Registry

    features = own.of_folder(own_features.folder_of(settings, SystemClock()))
    run, by_kind = settings.run, {one.kind: one for one in kept}
    champion = Registry(settings.home_path / "models").champion()
    strategy, written = by_kind.get("strategy"), by_kind.get("limits")
    return Session(
        session_id=run.session_id or run.run_id, run_id=run.run_id, mode=run.mode,
        account=run.account, strategy=run.strategy, number=0, ts_start_us=0, ts_end_us=0,
        who=this_user(), host=platform.node(), home=str(settings.home_path),
        versions=msgspec.json.encode(versions()).decode(),
        fingerprint=msgspec.json.encode(fingerprint()).decode(),
        settings_hash=by_kind["settings"].hash, strategy_hash=strategy.hash if strategy else "",
        limits_hash=written.hash if written else "",
        limits_version=_limits(settings, written, signed),
        model=champion.card.sha256 if champion else "",
        feature_set_hash=own.set_hash(features),
        status=RUNNING, features_hash=by_kind["features"].hash if "features" in by_kind else "",
    )  # fmt: skip


def write(
    settings: Settings,
    url: str,
    session: Session,
    kept: tuple[Content, ...],
    *,
    parts: tuple[SessionPart, ...] = (),
    once: bool = False,
) -> None:
    """Into the warehouse: what it refers to first. `once`: else until the warehouse answers.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    from adapters.clickhouse.rows import content_columns, message_columns
    from adapters.clickhouse.writer import Writer

    given_up = threading.Event()
    if once:
        given_up.set()
    with Writer(sign_in(replace(settings.clickhouse, url=url), SETUP), given_up) as writer:
        if kept:
            writer.insert("content", content_columns(kept))
        if parts:
            writer.insert("session_part", message_columns(parts))
        writer.insert("session", message_columns([session]))


def _parts(settings: Settings, processes: Sequence[str]) -> tuple[SessionPart, ...]:
    """What it consists of: these processes, every feed that is to be collected, and duties."""
    name, terminal = settings.run.session_id, settings.terminal
    feeds = [
        SessionPart(name, "feed", f"{terminal.source}/{symbol}", _hours(symbol))
        for symbol in terminal.symbols
    ]
    duties = [SessionPart(name, "duty", "backup")] if settings.backup.destination else []
    return (*(SessionPart(name, "process", process) for process in processes), *feeds, *duties)


def _hours(symbol: str) -> str:
    """When it trades; of a symbol that nobody described, the hours that most have."""
    known = instruments.known().get(symbol)
    return known[-1].session if known else "forex"


def _limits(settings: Settings, written: Content | None, signed: int) -> str:
    """Their version, as decisions name it; of a file with a mistake, which changes nothing, that it
    has one.
    """
    if written is None:
        return limits.of_settings(settings.execution).version
    try:
        name = str(Path(settings.home) / "limits.toml")
        return limits.signed(limits.parse(written.body, name), signed).version
    except InputError:
        return "unreadable"


def _next_number(settings: Settings, url: str) -> int:
    from adapters.clickhouse import client

    note = session_note.read(settings.home_path)
    with client.errors_translated():
        connected = client.connect(sign_in(replace(settings.clickhouse, url=url), SETUP))
        rows = connected.query(
            "SELECT max(number) FROM session WHERE run_id = {run_id:String}",
            {"run_id": settings.run.run_id},
        ).result_rows
        connected.close()
    return max(int(rows[0][0]), note.number if note else 0) + 1
