"""One more entry in a home's chain: judged, signed, noted, written; or nothing of it.

Contents are on disk before the entry that names them, the audit line before the entry it tells of,
the entry in the home before its copy outside: killed between any two, the home holds what it held
or what was signed, and the next signature, or the next reader, completes the rest.
"""

from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from core.audit_log import AuditLine, append
from core.clock import Clock
from core.controls import store
from core.controls.entry import Entry, Kind, line, sha256, signed_bytes
from core.controls.fold import Controls, fold
from core.controls.rules import RULES, Judge
from core.controls.store import Place
from core.controls.version import Version
from core.crashpoint import reach
from core.errors import SettingsError
from core.file_lock import locked

_SKEW_US = 5_000_000  # clocks are set back a little all the time
_LIFE_US = 3_600_000_000  # of a signature on its way
#: Kinds that may arrive signed; who may sign, and all that approves code, is signed at the home.
FROM_AFAR: frozenset[Kind] = frozenset({"limits", "override", "resume", "approve", "withdraw"})
_ONE_OF_A_HOME: tuple[Kind, ...] = ("limits", "resume")


class Draft(NamedTuple):
    """What a person is about to sign."""

    kind: Kind
    subject: str
    content: bytes
    by: str
    reason: str
    until_us: int = 0
    about: int = 0  # the entry that is approved or withdrawn
    changes: tuple[str, ...] = ()  # old and new, as they are shown


def current(place: Place, judge: Judge, clock: Clock) -> Controls:
    """What holds now; `problem` of chain or entries in words."""
    chain = store.read(place)
    controls = fold(chain.lines, place.content, judge, clock.now_us())
    controls.problem = chain.problem or (f"{place.chain}, {controls.problem}; {store.REMEDY}"
                                         if controls.problem else "")  # fmt: skip
    return controls


def genuine_lines(controls: Controls) -> bytes:
    """The lines that were read as genuine."""
    return b"".join(line(entry) for entry in controls.entries)


def sign(
    place: Place, draft: Draft, key: Ed25519PrivateKey, judge: Judge, clock: Clock
) -> tuple[Entry, Controls]:
    """Sign a draft and write it; the entry, and what holds with it.

    Raises:
        SettingsError: the home has not begun, it must not count, or the clock stands behind.
        BusyError: another process kept the lock.
        OSError: the disk takes nothing; nothing was changed.
    """
    with locked(place.home / "controls.lock"):
        now = current(place, judge, clock)
        if draft.kind != "genesis" and not now.entries:
            raise SettingsError(
                now.problem
                or f"{place.home}: nobody may sign here yet; begin with: tickhouse controls begin"
            )
        if store.knows_more(place, genuine_lines(now)):
            raise SettingsError(f"{now.problem}; nothing was signed: entries would be lost")
        entry = signed(now, draft, key, _time(now, clock))
        after = _with_entry(place, entry, draft.content, now, judge, clock)
    return entry, after


def accept(place: Place, entry: Entry, content: bytes, judge: Judge, clock: Clock) -> Controls:
    """Write an entry that somebody signed elsewhere, where their key is; what holds with it.

    Raises:
        SettingsError: it does not go on from this home's chain, was signed too long ago or in the
            future, is none of what may come from afar, or must not count; nothing was changed.
        BusyError: another process kept the lock.
        OSError: the disk takes nothing; nothing was changed.
    """
    with locked(place.home / "controls.lock"):
        now = current(place, judge, clock)
        if problem := _unfit(place, entry, content, now, clock.now_us()):
            raise SettingsError(f"not taken: {problem}; nothing was changed")
        return _with_entry(place, entry, content, now, judge, clock)


def _unfit(place: Place, entry: Entry, content: bytes, now: Controls, now_us: int) -> str:
    """Why an entry from elsewhere is not even judged; "" when it is."""
    if now.problem or not now.entries or store.knows_more(place, genuine_lines(now)):
        return now.problem or "nobody may sign here yet"  # what is doubtful is put right at home
    if entry.kind not in FROM_AFAR:
        return f"{entry.kind} is signed at the home itself"
    if entry.kind in _ONE_OF_A_HOME and entry.subject:
        return f"{entry.kind} has no subject"
    if entry.kind in RULES and entry.base != now.base(entry.kind, entry.subject):
        return "it was signed against another version than the one in force: sign it anew"
    if (entry.number, entry.previous) != (len(now.entries) + 1, now.head):
        return f"it does not follow entry {len(now.entries)}, the newest: sign it anew"
    if sha256(content) != entry.content:
        return "the content is not what was signed"
    draft = Draft(entry.kind, entry.subject, content, entry.by, entry.reason, about=entry.base)
    if entry.raises != draft_raises(now, draft):
        return "it says otherwise than the home whether it raises risk"
    if not now.newest_us <= entry.ts_us <= now_us + _SKEW_US:
        return "it was signed before the newest entry, or its clock is ahead"
    return "it was signed too long ago: sign it anew" if now_us - entry.ts_us > _LIFE_US else ""


def _with_entry(
    place: Place, entry: Entry, content: bytes, now: Controls, judge: Judge, clock: Clock
) -> Controls:
    after = fold(
        genuine_lines(now) + line(entry), _with(place.content, content), judge, clock.now_us()
    )
    if after.problem or entry.number in after.void:
        why = after.void.get(entry.number) or after.problem
        raise SettingsError(f"not signed: {why}; nothing was changed")
    _write(place, entry, content, now, after)
    return after


def signed(now: Controls, draft: Draft, key: Ed25519PrivateKey, ts_us: int) -> Entry:
    """The entry of a draft, as it follows what holds."""
    entry = Entry(
        number=len(now.entries) + 1, previous=now.head, kind=draft.kind, subject=draft.subject,
        content=sha256(draft.content), base=base(now, draft), raises=False, by=draft.by,
        reason=draft.reason, ts_us=ts_us, until_us=draft.until_us,
        changes=draft.changes,
    )  # fmt: skip
    entry = replace(entry, raises=draft_raises(now, draft))
    return replace(entry, signature=key.sign(signed_bytes(entry)).hex())


def draft_raises(now: Controls, draft: Draft) -> bool:
    """Whether a draft raises risk against what holds."""
    if draft.kind not in RULES:
        return False
    return now.raises(draft.kind, draft.subject, base(now, draft), draft.content)


def base(now: Controls, draft: Draft) -> int:
    """Number of the version that a draft would replace, or of the entry it is about."""
    return draft.about or now.base(draft.kind, draft.subject)


def approval(now: Controls, number: int, by: str, reason: str) -> Draft:
    """The second signature under an entry that waits.

    Raises:
        SettingsError: it does not wait.
    """
    return Draft("approve", _waiting(now, number).entry.subject, line(now.entries[number - 1]),
                 by, reason, about=number)  # fmt: skip


def withdrawal(now: Controls, number: int, by: str, reason: str) -> Draft:
    """Take back what waits, or an approval or override that holds."""
    if not 0 < number <= len(now.entries):
        raise SettingsError(f"there is no entry {number}: tickhouse controls list")
    entry = now.entries[number - 1]
    return Draft("withdraw", entry.subject, line(entry), by, reason, about=number)


def _waiting(now: Controls, number: int) -> Version:
    version = now.waiting.get(number)
    if version is None:
        waiting = ", ".join(map(str, now.waiting)) or "nothing"
        raise SettingsError(f"entry {number} waits for nobody; waiting: {waiting}")
    return version


def _time(now: Controls, clock: Clock) -> int:
    """The time of the next entry, not before the last one's.

    Raises:
        SettingsError: the clock was set back.
    """
    time_us = clock.now_us()
    if time_us < now.newest_us - _SKEW_US:
        raise SettingsError(
            "the clock stands before the last signed entry: set it right, then sign again"
        )
    return max(time_us, now.newest_us)


def _with(contents: Callable[[str], bytes | None], new: bytes) -> Callable[[str], bytes | None]:
    digest = sha256(new)
    return lambda name: new if name == digest else contents(name)


def _write(place: Place, entry: Entry, content: bytes, now: Controls, after: Controls) -> None:
    lines = genuine_lines(after)
    reach("controls.begin")
    store.write_content(place, content)
    reach("controls.content")
    detail = f"{entry.kind} {entry.subject}".strip() + f", entry {entry.number}"
    detail = "; ".join((detail, *entry.changes))
    payload = {"number": entry.number, "content": entry.content, "raises": entry.raises}
    append(
        place.home,
        AuditLine(
            ts_us=entry.ts_us,
            by=entry.by,
            authenticated=True,
            action=f"sign {entry.kind}",
            detail=detail,
            subject=entry.subject,
            reason=entry.reason,
            payload=payload,
        ),
    )
    reach("controls.audit")
    store.write_chain(place, lines)
    reach("controls.chain")
    contents = {e.content: place.content(e.content) for e in after.entries}
    present = {digest: content for digest, content in contents.items() if content is not None}
    (store.keep if now.entries else store.pin)(place, lines, present)
    reach("controls.kept")
