"""`/compliance` and what is under it: the addresses of the page for compliance staff.

The page itself is a file without data; every answer with data asks `Door` first. What changes
something is done by the functions that the commands call, with the same rules about people.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from core.errors import InputError, TickhouseError, UnavailableError, WarehouseError
from dashboards.compliance.door import PLACE, Door
from dashboards.compliance.report_shelf import ReportShelf, wanted
from dashboards.live.bodies import refuse

Answer = Callable[[Request], Awaitable[Response]]
Guard = Callable[[str, Answer], Route]
_KINDS = {".pdf": "application/pdf", ".csv": "text/csv", ".xml": "application/xml"}
_LONGEST = 200  # characters of a parameter


class Room:
    """Answers of the page's addresses."""

    def __init__(self, door: Door, shelf: ReportShelf) -> None:
        self._door, self._shelf = door, shelf

    def routes(self, guarded: Guard) -> list[Route]:
        """All of them.

        Args:
            guarded: makes a POST route that takes only what our own page sends.
        """
        reads: dict[str, Callable[[Any], Any]] = {
            "calendar": lambda p: self._shelf.calendar(p.get("mode", "live"), p.get("until", "")),
            "report": lambda p: self._shelf.report(wanted(p)),
            "table": lambda p: self._shelf.table(
                wanted(p), p.get("version", ""), p.get("file", "")
            ),
        }
        return [
            Route(f"{PLACE}/api/session", self._door.session),
            guarded(f"{PLACE}/api/sign-in", self._door.sign_in),
            guarded(f"{PLACE}/api/sign-out", self._door.sign_out),
            *(Route(f"{PLACE}/api/{name}", self._reading(read)) for name, read in reads.items()),
            Route(f"{PLACE}/file", self._file),
        ]

    def _reading(self, read: Callable[[Any], Any]) -> Answer:
        async def answer(request: Request) -> Response:
            done = await self._read(request, read)
            if isinstance(done, Response):
                return done
            return Response(msgspec.json.encode(done), media_type="application/json")

        return answer

    async def _read(self, request: Request, read: Callable[[Any], Any]) -> Any:
        """What a function of the parameters says, or the refusal."""
        visitor = self._door.visitor(request)
        if isinstance(visitor, Response):
            return visitor
        parameters = request.query_params
        if any(len(value) > _LONGEST or "\0" in value for value in parameters.values()):
            return refuse(422, "a parameter is too long, or holds what none may")
        try:
            return await asyncio.to_thread(read, parameters)
        except (UnavailableError, WarehouseError) as error:
            return refuse(503, str(error))
        except InputError as error:
            return refuse(409, str(error))
        except TickhouseError as error:
            return refuse(404, str(error))
        except OSError as error:
            return refuse(500, str(error))

    async def _file(self, request: Request) -> Response:
        """GET: a file of a version, to be kept and not shown: it may hold anything."""
        path = await self._read(request, lambda p: self._shelf.path(wanted(p), *_file_of(p)))
        if isinstance(path, Response):
            return path
        which = wanted(request.query_params)
        version = request.query_params["version"]
        kind = _KINDS.get(path.suffix, "application/octet-stream")
        name = f"{which.name}-{which.day}-v{version}-{path.name}"
        return FileResponse(path, media_type=kind, filename=name)


def _file_of(parameters: Any) -> tuple[str, str]:
    return parameters.get("version", ""), parameters.get("file", "")
