"""Two more buttons: an alert is acknowledged, or silenced for a time, as the command does it.

Where the home has users, whoever answers is signed in: a name that anybody types would quiet an
alarm in another's name. Without users the name is taken as given, but never with a real terminal.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import identity
from core.clock import Clock
from core.errors import TickhouseError
from core.identity import MAY_ALLOW_RISK
from dashboards.entrance.answers import Entrance
from dashboards.live.bodies import body_of, refuse
from surveillance import answering


class _Acknowledge(msgspec.Struct, forbid_unknown_fields=True):
    alert: str
    by: str = ""
    note: str = ""


class _Silence(msgspec.Struct, forbid_unknown_fields=True):
    rule: str
    span: str
    reason: str
    subject: str = ""
    by: str = ""


class _Person(NamedTuple):
    name: str
    authenticated: bool


class AlertAnswers:
    """Answers of the two buttons, each in a thread: they wait for the disk.

    Args:
        is_real: whether the terminal is a real one, where nobody is believed without a login.
    """

    def __init__(self, home: Path, entrance: Entrance, clock: Clock, *, is_real: bool) -> None:
        self._home, self._entrance, self._clock = home, entrance, clock
        self._is_real = is_real

    async def acknowledge(self, request: Request) -> Response:
        """POST {alert, by, note}: no reminders of this alert until it is over."""
        answer = await body_of(request, _Acknowledge)
        if isinstance(answer, Response):
            return answer
        person = self._person(request, answer.by)
        if isinstance(person, Response):
            return person
        return await _kept(
            lambda: answering.acknowledge(
                self._home, self._clock, answer.alert, person.name, answer.note.strip(),
                authenticated=person.authenticated,
            ),
            person,
        )  # fmt: skip

    async def silence(self, request: Request) -> Response:
        """POST {rule, subject, span, by, reason}: nobody is told for so long."""
        answer = await body_of(request, _Silence)
        if isinstance(answer, Response):
            return answer
        person = self._person(request, answer.by)
        if isinstance(person, Response):
            return person
        if not answer.reason.strip():
            return refuse(422, "say why: it is kept")
        return await _kept(
            lambda: answering.silence(
                self._home, self._clock, answer.rule, answer.subject, answer.span, person.name,
                answer.reason.strip(), authenticated=person.authenticated,
            ),
            person,
        )  # fmt: skip

    def _person(self, request: Request, by: str) -> _Person | Response:
        if identity.exists(identity.path_in(self._home)):
            session = self._entrance.author(request, MAY_ALLOW_RISK)
            return _Person(session.name, True) if session else refuse(401, "sign in first")
        if self._is_real:
            return refuse(403, "real money needs a login: tickhouse users add NAME --role admin")
        return _Person(by.strip(), False) if by.strip() else refuse(422, "say who you are")


async def _kept(keep: Callable[[], object], person: _Person) -> Response:
    try:
        await asyncio.to_thread(keep)
    except TickhouseError as error:
        return refuse(422, str(error))
    except OSError as error:
        return refuse(500, f"not kept: {error}")
    return JSONResponse({"by": person.name})
