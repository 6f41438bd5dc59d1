"""Signing a control at the command line: what changes is shown, then a passphrase is asked for.

A home whose controls have not begun has nobody who could sign; one without users needs nobody.
"""

import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path

from cli.commands.printed import output
from core import identity
from core.clock import Clock, SystemClock
from core.controls import keys, rules, signing, store
from core.controls.entry import Entry
from core.controls.fold import Controls, fold
from core.controls.signing import Draft
from core.controls.store import Place
from core.errors import SettingsError
from core.settings import Settings
from execution.risk import direction

_NEEDS = {
    "": "One signature: it holds at once.",
    "second": "It waits for the signature of a second person.",
    "delay": "It waits 24 hours, for nobody else can sign; withdraw it until then with"
    " `tickhouse controls withdraw`.",
}


def place_of(settings: Settings) -> Place:
    """Where the home's controls lie."""
    return store.place_of(settings.home_path, settings.controls)


def is_begun(settings: Settings) -> bool:
    """Whether controls are signed here."""
    return store.is_begun(place_of(settings))


def must_sign(settings: Settings) -> bool:
    """Whether a control of this home takes effect only when it is signed.

    Raises:
        SettingsError: it would have to be, and nobody can sign yet.
    """
    if is_begun(settings):
        return True
    if identity.exists(identity.path_in(settings.home_path)):
        raise SettingsError(
            f"{settings.home_path} has users, so its controls are signed: make a key (tickhouse"
            " keys new NAME), then: tickhouse controls begin --by NAME"
        )
    return False


def current(settings: Settings, clock: Clock | None = None) -> Controls:
    """What holds and what waits now."""
    return signing.current(place_of(settings), direction.raises, clock or SystemClock())


def read_lines(place: Place, content: bytes) -> Controls:
    """What a chain means now, whoever trusts it."""
    return fold(content, place.content, direction.raises, SystemClock().now_us())


def sign(settings: Settings, draft: Draft) -> tuple[Entry, Controls]:
    """Show a draft, ask for the signer's passphrase, sign; the entry, and what holds then.

    Raises:
        SettingsError: another passphrase, no key, or it must not count; nothing was changed.
    """
    now = current(settings)
    show(draft, now)
    key = keys.load(
        keys_folder(settings), settings.home_path, draft.by, passphrase(f"Passphrase of {draft.by}")
    )
    entry, after = signing.sign(place_of(settings), draft, key, direction.raises, SystemClock())
    print(f"Signed by {draft.by}, entry {entry.number}. {outcome(entry.number, after)}")
    return entry, after


def show(draft: Draft, now: Controls) -> None:
    """What would change, which way it goes, and what it needs; before anything is asked."""
    console = output.console(highlight=False, soft_wrap=True)
    if now.problem:
        console.print(f"NOTE {now.problem}", markup=False)
    for change in draft.changes:
        console.print(change, markup=False)
    if draft.kind in rules.RULES:
        raises = signing.draft_raises(now, draft)
        need = rules.need(draft.kind, raises=raises, firm=now.firm)
        console.print(f"{'This raises risk. ' if raises else ''}{_NEEDS[need]}", markup=False)


def outcome(number: int, after: Controls) -> str:
    """What became of an entry, in words."""
    version = after.waiting.get(number)
    if version is None:
        return "It holds now."
    if version.due_us:
        return f"It holds from {time_text(version.due_us)} on, unless it is withdrawn."
    return f"It waits for a second person: tickhouse controls sign {number} --by WHO --reason TEXT"


def time_text(us: int) -> str:
    """A time as people read it."""
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def keys_folder(settings: Settings) -> Path:
    """Where people's keys lie on this machine."""
    return Path(settings.controls.keys).expanduser()


def passphrase(prompt: str) -> str:
    """From the terminal, or the next line of standard input."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ")
    return sys.stdin.readline().rstrip("\r\n")
