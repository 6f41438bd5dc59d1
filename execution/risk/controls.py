"""Whether the controls of this home are signed or files, and the parts of execution that obey them.

A home without users has nobody who could sign: its files are obeyed. With users, or once its
controls have begun, only what was signed takes effect, also when somebody removes the users.
"""

from pathlib import Path
from typing import NamedTuple

from core.clock import Clock
from core.controls import desks, own_features, signing, store
from core.controls.approvals import edited_exits, edited_strategies, is_signed
from core.controls.store import Place
from core.controls.watch import WatchedControls
from core.errors import InputError
from core.settings import Settings
from core.trading_control import path_in
from execution.risk.direction import raises
from execution.risk.limits import LimitsBook, of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.signed_limits import SignedLimits
from execution.risk.signed_resumes import SignedResumes, breakers_in
from execution.risk.trading_state import unsigned


class ObeyedControls(NamedTuple):
    """What one execution obeys. `watched` and `resumes`: None where files are obeyed. `exits`: what
    to say of exits in settings that nobody signed; or "".
    """

    limits: LimitsFile
    breakers: Path
    watched: WatchedControls | None = None
    resumes: SignedResumes | None = None
    exits: str = ""


class InForce(NamedTuple):
    """Limits as they were written; None: those of the settings. `whence`: in words. `entry`: the
    signed one that they are; 0 when nobody signed them.
    """

    content: bytes | None
    whence: str
    entry: int = 0


def obeyed(
    settings: Settings, fallback: LimitsBook, own: Path, clock: Clock, since_us: int
) -> ObeyedControls:
    """Limits of the settings' account, and who may lift a halt.

    Args:
        fallback: the limits without a file, or without signed ones.
        own: where execution keeps what belongs to the account.
        since_us: the time is at least this: what was journalled last.

    Raises:
        InputError: limits cannot be read, and no good ones are kept; or the signed exits cannot.
    """
    home, account = settings.home_path, settings.run.account
    place, breakers = _place(settings), own / "breakers.json"
    if not is_signed(settings):
        return ObeyedControls(LimitsFile(account, fallback, home, own / "limits.toml"), breakers)
    watched = WatchedControls(place, raises, clock, since_us)
    limits = SignedLimits(account, fallback, home, watched)
    exits = edited_exits(watched.controls, settings.exits, watched.now_us())
    if not store.is_begun(place):
        return ObeyedControls(limits, breakers, watched, exits=exits)
    breakers = breakers_in(place, account, breakers)
    return ObeyedControls(limits, breakers, watched, SignedResumes(place, watched), exits)


def limits_in_force(settings: Settings, clock: Clock) -> bytes | None:
    """The limits that live execution takes up now; None: those of the settings, or that ship."""
    return in_force(settings, clock).content


def in_force(settings: Settings, clock: Clock) -> InForce:
    """The limits that live execution takes up now. A replay takes signed ones, too, once a home's
    controls have begun: its file is then nothing that anybody goes by.
    """
    path, place = settings.home_path / "limits.toml", _place(settings)
    if not is_signed(settings) and not store.is_begun(place):
        content = path.read_bytes() if path.is_file() else None
        return InForce(content, str(path) if content is not None else "the settings'")
    controls = signing.current(place, raises, clock)
    version = controls.version("limits", "", max(clock.now_us(), controls.newest_us))
    content = controls.content(version) if version else None
    if version is None or content is None:
        return InForce(None, "the settings', for none are signed")
    entry = version.entry
    return InForce(content, f"signed, entry {entry.number} by {entry.by}", entry.number)


def _place(settings: Settings) -> Place:
    return store.place_of(settings.home_path, settings.controls)


def problem_of(settings: Settings, clock: Clock) -> str:
    """What is wrong with a home's controls: chain, contents, files that nobody signed; or ""."""
    if not is_signed(settings):
        return ""
    fallback = of_settings(settings.execution)
    own = settings.home_path / "execution" / settings.run.account
    try:
        now = obeyed(settings, fallback, own, clock, 0)
        files = unsigned_files(settings, now.watched) if now.watched else ""
    except InputError as error:
        return str(error)
    return "; ".join(filter(None, (now.limits.problem, files)))


def unsigned_files(settings: Settings, watched: WatchedControls) -> str:
    """What to say of a control file, of a strategy's, of the desk, or of exits in settings that are
    not as people signed; or "".

    Raises:
        InputError: the signed exits cannot be read.
    """
    home, place, now = settings.home_path, _place(settings), watched.now_us()
    edited = [
        edited_strategies(watched.controls, home, now),
        edited_exits(watched.controls, settings.exits, now),
        desks.edited(watched.controls, home, now),
        own_features.edited(watched.controls, home, now),
    ]
    if store.is_begun(place):
        edited.insert(0, unsigned(path_in(home), SignedResumes(place, watched)))
    return "; ".join(filter(None, edited))
