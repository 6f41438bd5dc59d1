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
from dashboards.live.bodies import body_of, refuse
from dashboards.live.sign_in import SESSION_US, RefusedError, SignIn

COOKIE, PROOF = "tickhouse_session", "x-tickhouse-proof"
_FILES = (
    "Limits, overrides and strategies are files here, obeyed as they lie, for nobody can sign;"
    " real money stays locked. "
)


class _Halt(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    reason: str
    positions: Literal["keep", "flatten"] = "keep"


class _SignIn(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    password: str


class _Resume(msgspec.Struct, forbid_unknown_fields=True):
    reason: str


class Controls:
    """Answers of the three buttons. Each blocks on disk or scrypt, so each runs in a thread."""

    def __init__(
        self, home: Path, sign_in: SignIn, clock: Clock, are_signed: Callable[[], bool]
    ) -> None:
        self._home, self._sign_in, self._clock = home, sign_in, clock
        self._are_signed = are_signed  # whether resuming needs a signature
        self.one_guess = asyncio.Semaphore(1)  # scrypt takes 16 MiB and a core

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
        """POST {name, password}: a session cookie, and its proof in the answer."""
        command = await body_of(request, _SignIn)
        if isinstance(command, Response):
            return command
        try:
            async with self.one_guess:
                session = await asyncio.to_thread(
                    self._sign_in.sign_in, command.name.strip(), command.password
                )
        except RefusedError as error:
            answer = refuse(429 if error.wait_s else 403, str(error))
            if error.wait_s:
                answer.headers["Retry-After"] = str(error.wait_s)
            return answer
        done = JSONResponse({"name": session.name, "proof": session.proof})
        done.set_cookie(
            COOKIE,
            session.token,
            max_age=SESSION_US // 1_000_000,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return done

    async def resume(self, request: Request) -> Response:
        """POST {reason}, signed in: trading is active again."""
        proof = request.headers.get(PROOF, "")
        session = self._sign_in.session(request.cookies.get(COOKIE, ""), proof)
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

    async def sign_out(self, request: Request) -> Response:
        """POST: ends the session."""
        self._sign_in.sign_out(request.cookies.get(COOKIE, ""))
        done = JSONResponse({})
        done.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return done

    def _resume(self, by: str, reason: str) -> None:
        append(
            self._home, AuditLine(self._clock.now_us(), by, True, "resume", reason, reason=reason)
        )
        trading_control.resume(self._home, by, reason, self._clock)
