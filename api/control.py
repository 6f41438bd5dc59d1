"""What may be done from afar: halt; prepare a resume; hand in what people signed elsewhere.

The server holds no person's key. A halt holds at once. What lets trading do more arrives signed, is
judged as if it had been signed at the home, and takes effect as that would.
"""

import asyncio
import contextlib
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec
from starlette.requests import Request

from api.callers import Caller
from api.door import allow
from api.problems import ProblemError
from core import checked_json, prepared_resume, trading_control
from core.audit_log import AuditLine, append
from core.clock import Clock
from core.controls import effects, signing, store
from core.controls.entry import Entry
from core.errors import InputError, SettingsError, TickhouseError, UnavailableError
from core.settings import Settings
from core.trading_control import ControlCommand
from execution.risk import direction
from execution.risk.limits import parse
from execution.risk.limits_file import OVERRIDABLE
from execution.risk.overrides import Override
from execution.risk.signed_resumes import keep_outside

KEY = "idempotency-key"
_GIVEN = re.compile(r"[!-~]{1,64}")
_MOST_KEYS, _LONGEST_TEXT, _DAY_US = 10_000, 500, 86_400_000_000
Body = TypeVar("Body", bound=msgspec.Struct)


class Halt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stop. `flatten` closes what is open, and needs the scope control, too."""

    reason: str
    positions: Literal["keep", "flatten"] = "keep"


class Halted(msgspec.Struct, frozen=True):
    """How it was taken. `heard`: a running execution obeys; else it holds from its start."""

    by: str
    reason: str
    heard: bool
    unwritten: str  # why it holds only until execution ends; "" when it is on disk


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prepare to resume."""

    reason: str


class Prepared(msgspec.Struct, frozen=True):
    """It holds when somebody runs `tickhouse resume --prepared`, and signs it where people sign."""

    by: str
    reason: str


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the home's chain of controls, and what was signed, in base64."""

    entry: Entry
    content: bytes


class Chain(msgspec.Struct, frozen=True):
    """What the next entry follows; `waiting`: numbers that wait for a second person or a day."""

    begun: bool
    entries: int
    head: str
    firm: bool
    waiting: list[int]
    problem: str


class Taken(msgspec.Struct, frozen=True):
    """What became of an entry."""

    number: int
    holds: bool


class Control:
    """Acts on one home, each request once. Used from one event loop; the disk in a thread."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._place = store.place_of(settings.home_path, settings.controls)
        self._acts = OrderedDict[tuple[str, str], tuple[bytes, asyncio.Task[bytes]]]()

    async def halt(self, request: Request) -> bytes:
        """Halt, with the scope `halt` alone."""
        caller: Caller = request.scope["caller"]
        body = await body_of(request, Halt)
        if body.positions == "flatten":
            allow(caller, "control")
        _said(body.reason)
        return await self._once(request, caller, body, self._halt)

    async def resume(self, request: Request) -> bytes:
        """Prepare a resume; nothing resumes by it."""
        body = await body_of(request, Resume)
        _said(body.reason)
        return await self._once(request, request.scope["caller"], body, self._resume)

    async def sign(self, request: Request) -> bytes:
        """Take in what a person signed."""
        body = await body_of(request, Signed)
        return await self._once(request, request.scope["caller"], body, self._sign)

    def chain(self) -> Chain:
        """What holds now, for who signs next. Blocking: disk."""
        now = signing.current(self._place, direction.raises, self._clock)
        return Chain(
            store.is_begun(self._place), len(now.entries), now.head, now.firm, sorted(now.waiting),
            now.problem,
        )  # fmt: skip

    def _halt(self, caller: Caller, body: Halt) -> Halted:
        home, reason = self._settings.home_path, body.reason.strip()
        halted = trading_control.halt(home, caller.user, reason, self._clock, body.positions)
        keep_outside(home, self._settings.controls, halted.order)
        with contextlib.suppress(OSError, TickhouseError):  # no log keeps a halt from holding
            self._note(caller, "api halt", f"positions: {body.positions}", reason)
        unwritten = str(halted.unwritten) if halted.unwritten else ""
        return Halted(caller.user, reason, halted.heard, unwritten)

    def _resume(self, caller: Caller, body: Resume) -> Prepared:
        reason = body.reason.strip()
        prepared_resume.prepare(self._settings.home_path, caller.user, reason, self._clock)
        self._note(caller, "api prepare resume", "waits for a person at the home", reason)
        return Prepared(caller.user, reason)

    def _sign(self, caller: Caller, body: Signed) -> Taken:
        entry = body.entry
        _check_content(entry, body.content, self._clock.now_us())
        after = signing.accept(self._place, entry, body.content, direction.raises, self._clock)
        about = after.entries[entry.base - 1] if entry.kind == "approve" else entry
        effects.take_effect(self._settings, about, after)
        self._note(caller, "api sign", f"handed in entry {entry.number}, {entry.kind}", "")
        return Taken(entry.number, entry.number in after.taken or entry.kind in _AT_ONCE)

    def _note(self, caller: Caller, action: str, detail: str, reason: str) -> None:
        """Which key it was, beside what the act itself writes."""
        line = AuditLine(
            self._clock.now_us(), caller.user, True, action, detail, reason=reason,
            payload={"key": caller.key_id},
        )  # fmt: skip
        append(self._settings.home_path, line)

    async def _once(
        self, request: Request, caller: Caller, body: Body,
        act: Callable[[Caller, Body], msgspec.Struct],
    ) -> bytes:  # fmt: skip
        """Act, once for each key that its sender gives; the same answer to a repeat."""
        given = request.headers.get(KEY)
        if given is None:
            return await _tried(act, caller, body)
        if not _GIVEN.fullmatch(given):
            raise ProblemError(422, "idempotency-key", f"{KEY}: 1 to 64 letters, digits and signs")
        name, mark = (caller.key_id, given), request.url.path.encode() + msgspec.json.encode(body)
        if name not in self._acts:
            self._begin(name, mark, asyncio.ensure_future(_tried(act, caller, body)))
        before, acting = self._acts[name]
        if before != mark:
            raise ProblemError(422, "idempotency-key", "this key came with something else before")
        return await asyncio.shield(acting)  # who hangs up stops nothing

    def _begin(self, name: tuple[str, str], mark: bytes, acting: asyncio.Task[bytes]) -> None:
        def ended(_: object) -> None:
            if acting.cancelled() or acting.exception():  # nothing was done: it may be tried again
                self._acts.pop(name, None)

        self._acts[name] = (mark, acting)
        acting.add_done_callback(ended)
        while len(self._acts) > _MOST_KEYS:
            self._acts.popitem(last=False)


_AT_ONCE = ("approve", "withdraw")


async def body_of(request: Request, kind: type[Body]) -> Body:
    """The body of a request.

    Raises:
        ProblemError: it is no JSON of this form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ProblemError(415, "media-type", "send application/json")
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(422, "body", f"not understood: {error}") from error


def _said(reason: str) -> None:
    if not reason.strip() or len(reason) > _LONGEST_TEXT or not reason.isprintable():
        detail = f"reason: say why, in a line of up to {_LONGEST_TEXT} characters; it is kept"
        raise ProblemError(422, "body", detail)


def _check_content(entry: Entry, content: bytes, now_us: int) -> None:
    """What was signed is what the home obeys, or nothing is taken.

    Raises:
        TickhouseError: it is not.
    """
    if entry.kind == "limits":
        parse(content, "what was signed")
    elif entry.kind == "resume":
        order = _read(content, ControlCommand, checked_json.decode)
        if order.state != "active" or order.by != entry.by:
            raise SettingsError("what was signed is no resume of who signed it")
    elif entry.kind == "override":
        override = _read(content, Override, _plain)
        if (override.rule, override.by) != (entry.subject, entry.by):
            raise SettingsError("the override is of another rule, or another person")
        in_a_day = override.from_us < override.until_us <= now_us + _DAY_US
        if not (override.value >= 0 and in_a_day and override.until_us == entry.until_us):
            raise SettingsError("an override has a value from 0 on, and ends within a day")
        if override.rule not in OVERRIDABLE:
            raise SettingsError(f"there is no rule {override.rule[:64]!r} to override")


def _plain(content: bytes, kind: type[Body]) -> Body:
    return msgspec.json.decode(content, type=kind)


def _read(
    content: bytes, kind: type[Body], decode: Callable[[bytes, type[Body]], Body]
) -> Body:  # fmt: skip
    try:
        return decode(content, kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError("what was signed", str(error)) from error


async def _tried(
    act: Callable[[Caller, Body], msgspec.Struct], caller: Caller, body: Body
) -> bytes:
    try:
        return msgspec.json.encode(await asyncio.to_thread(act, caller, body))
    except UnavailableError as error:
        raise ProblemError(503, "away", str(error)) from error
    except TickhouseError as error:
        raise ProblemError(409, "refused", str(error)) from error
    except OSError as error:
        detail = "NOT done: the disk takes nothing; run `tickhouse halt`, or stop execution"
        raise ProblemError(500, "disk", detail) from error
