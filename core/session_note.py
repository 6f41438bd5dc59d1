"""Which start a home is in: `<home>/session.json`, written by who starts the processes.

`tickhouse up` also hands its children the id. Under another supervisor (`tickhouse prepare`) they
read it here. A process that is started again decides as its session says, or does not start: a
strategy or settings that were changed since would decide under a name that vouches for others.
"""

import hashlib
from pathlib import Path

import msgspec
from msgspec.structs import replace

from core import checked_json, durable
from core.errors import SettingsError
from core.settings import Settings

_DECIDING = ("features", "signals", "exits")


class SessionNote(msgspec.Struct, frozen=True):
    """The newest start of a home."""

    session_id: str
    number: int
    deciding: str  # hash of the settings that decide
    strategy_hash: str  # SHA-256 of a person's own strategy file; "" for one that ships
    features_hash: str = ""  # of a person's own features; "" without any


def path_in(home: Path) -> Path:
    """Where it lies."""
    return home / "session.json"


def read(home: Path) -> SessionNote | None:
    """The newest start; None before the first, and when the file is damaged.

    A counter that starts anew is made good by the warehouse's.
    """
    try:
        return checked_json.decode(path_in(home).read_bytes(), SessionNote)
    except (OSError, msgspec.DecodeError):
        return None


def write(home: Path, note: SessionNote) -> None:
    """Take it down, whole or not at all."""
    durable.write(path_in(home), msgspec.json.format(msgspec.json.encode(note)))


def joined(settings: Settings) -> Settings:
    """The settings with the home's session, where nobody gave one; a replay names none."""
    run = settings.run
    if run.mode in ("replay", "backtest"):
        return replace(settings, run=replace(run, session_id=""))
    note = None if run.session_id else read(settings.home_path)
    if note is None:
        return settings
    return replace(settings, run=replace(run, session_id=note.session_id))


def deciding(settings: Settings) -> str:
    """Hash of the settings that decide."""
    shaped = msgspec.json.encode({name: getattr(settings, name) for name in _DECIDING})
    return hashlib.sha256(shaped).hexdigest()


def check(settings: Settings, strategy_hash: str, features_hash: str = "") -> None:
    """Refuse to decide otherwise than the session was started to.

    Raises:
        SettingsError: settings, strategy or own features were changed since.
    """
    note = read(settings.home_path)
    if note is None or note.session_id != settings.run.session_id:
        return
    again = "start anew (`tickhouse up`, elsewhere `tickhouse prepare` first): a session of its own"
    if strategy_hash != note.strategy_hash:
        raise SettingsError(
            f"strategy {settings.run.strategy} was changed since session {note.session_id} began:"
            f" put the file back, or {again}"
        )
    if features_hash != note.features_hash:
        raise SettingsError(
            f"own features were changed since session {note.session_id} began: put the files in"
            f" {settings.home_path / 'features'} back as they were, or {again}"
        )
    if deciding(settings) != note.deciding:
        raise SettingsError(
            f"settings of {', '.join(_DECIDING)} differ from those that session"
            f" {note.session_id} began with: {again}"
        )
