"""The buttons: halt without a login, sign in, resume with one.

Stopping must not wait, so anybody at this machine may halt; whoever adds risk says who they are.
A request must come from our own page: its Origin is ours and its body is JSON, neither of which
another site's form can do, and a resume needs the session's proof in a header besides the cookie.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import trading_control
from core.audit_log import AuditLine, append
from core.clock import Clock
from core.identity import MAY_ALLOW_RISK
from dashboards.entrance.answers import Entrance
from dashboards.live.bodies import body_of, refuse

_FILES = (
    "Limits, overrides and strategies are files here, obeyed as they lie, for nobody can sign;"
    " real money stays locked. "
)


class _Halt(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    reason: str
    positions: Literal["keep", "flatten"] = "keep"


class _Resume(msgspec.Struct, forbid_unknown_fields=True):
    reason: str


class Controls:
    """Answers of the three buttons. Each blocks on disk or scrypt, so each runs in a thread."""

    def __init__(
        self, home: Path, entrance: Entrance, clock: Clock, are_signed: Callable[[], bool]
    ) -> None:
        self._home, self.entrance, self._clock = home, entrance, clock
        self._are_signed = are_signed  # whether resuming needs a signature

    @property
    def notice(self) -> str:
        """What the page says of a home whose files are obeyed; "" where people sign."""
        return "" if self._are_signed() else _FILES

    async def halt(self, request: Request) -> Response:
        """POST {by, reason, positions}: halts, and says whether execution has heard it."""
        command = await body_of(request, _Halt)
        if isinstance(command, Response):
            return command
        if not command.by.strip() or not command.reason.strip():
            return refuse(422, "say who you are and why: both are kept")
        try:
            halted = await asyncio.to_thread(
                trading_control.halt,
                self._home,
                command.by.strip(),
                command.reason.strip(),
                self._clock,
                command.positions,
            )
        except OSError as error:
            return refuse(500, f"NOT halted: {error}; run `tickhouse halt`, or stop execution")
        unwritten = str(halted.unwritten) if halted.unwritten else ""
        return JSONResponse({"heard": halted.heard, "unwritten": unwritten})

    async def sign_in(self, request: Request) -> Response:
        """POST {name, password, code}: somebody who may allow risk."""
        return await self.entrance.sign_in(request, MAY_ALLOW_RISK)

    async def resume(self, request: Request) -> Response:
        """POST {reason}, signed in: trading is active again."""
        session = self.entrance.author(request, MAY_ALLOW_RISK)
        if session is None:
            return refuse(401, "sign in first: resuming adds risk")
        if self._are_signed():
            return refuse(403, "resuming is signed here: tickhouse resume, where your key is")
        command = await body_of(request, _Resume)
        if isinstance(command, Response):
            return command
        if not command.reason.strip():
            return refuse(422, "say why: it is kept")
        try:
            await asyncio.to_thread(self._resume, session.name, command.reason.strip())
        except OSError as error:
            return refuse(500, f"not resumed: {error}")
        return JSONResponse({"by": session.name})

    def _resume(self, by: str, reason: str) -> None:
        append(
            self._home, AuditLine(self._clock.now_us(), by, True, "resume", reason, reason=reason)
        )
        trading_control.resume(self._home, by, reason, self._clock)
