"""`/compliance` and what is under it: the addresses of the page for compliance staff.

The page itself is a file without data; every answer with data asks `Door` first. What changes
something is done by the functions that the commands call, with the same rules about people.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from core.clock import Clock
from core.errors import InputError, TickhouseError, UnavailableError, WarehouseError
from core.settings import Settings
from dashboards.compliance.case_desk import CaseDesk, CaseStep
from dashboards.compliance.decisions import Decisions
from dashboards.compliance.questions import Warehouse
from dashboards.compliance.report_desk import BreakStep, ReportDesk, ReportStep
from dashboards.compliance.report_shelf import ReportShelf, wanted
from dashboards.entrance.door import Door
from dashboards.live.bodies import refuse
from dashboards.live.pages import PLACE

Answer = Callable[[Request], Awaitable[Response]]
Guard = Callable[[str, Answer], Route]
Read = Callable[[str, Any], Any]  # of who asks and the parameters
_KINDS = {".pdf": "application/pdf", ".csv": "text/csv", ".xml": "application/xml"}
_LONGEST = 200  # characters of a parameter


class Room(NamedTuple):
    """Answers of the page's addresses."""

    door: Door
    shelf: ReportShelf
    reports: ReportDesk
    cases: CaseDesk
    decisions: Decisions

    def routes(self, guarded: Guard) -> list[Route]:
        """All of them.

        Args:
            guarded: makes a POST route that takes only what our own page sends.
        """
        return [
            Route(f"{PLACE}/api/session", self.door.session),
            guarded(f"{PLACE}/api/sign-in", self.door.sign_in),
            guarded(f"{PLACE}/api/sign-out", self.door.sign_out),
            *(Route(f"{PLACE}/api/{name}", self._reading(f)) for name, f in self._reads().items()),
            Route(f"{PLACE}/file", self._file),
            guarded(f"{PLACE}/api/report-step", self._changing(ReportStep, self.reports.step)),
            guarded(f"{PLACE}/api/break-step", self._changing(BreakStep, self.reports.break_step)),
            guarded(f"{PLACE}/api/case-step", self._changing(CaseStep, self.cases.step)),
        ]

    def _reads(self) -> dict[str, Read]:
        return {
            "calendar": lambda _, p: self.shelf.calendar(_mode(p), p.get("until", "")),
            "report": lambda _, p: self.shelf.report(wanted(p)) | self.reports.people(),
            "table": lambda _, p: self.shelf.table(wanted(p), *_file_of(p)),
            "cases": lambda _, p: self.cases.listed(_mode(p), closed=p.get("closed") == "yes"),
            "case": lambda who, p: self.cases.view(
                p.get("kind", ""), p.get("id", ""), _mode(p), who
            ),
            "decisions": lambda _, p: self.decisions.search(p),
            "decision": lambda _, p: self.decisions.lineage(p.get("order", ""), p.get("run", "")),
            "verifications": lambda *_: self.decisions.verifications(),
        }

    def _reading(self, read: Read) -> Answer:
        async def answer(request: Request) -> Response:
            done = await self._read(request, read)
            if isinstance(done, Response):
                return done
            return Response(msgspec.json.encode(done), media_type="application/json")

        return answer

    def _changing(self, kind: type[msgspec.Struct], change: Callable[[str, Any], object]) -> Answer:
        async def answer(request: Request) -> Response:
            return await self.door.changing(request, kind, change)

        return answer

    async def _read(self, request: Request, read: Read) -> Any:
        """What a function of the parameters says, or the refusal."""
        visitor = await self.door.visitor(request)
        if isinstance(visitor, Response):
            return visitor
        parameters = request.query_params
        if any(len(value) > _LONGEST or "\0" in value for value in parameters.values()):
            return refuse(422, "a parameter is too long, or holds what none may")
        try:
            return await asyncio.to_thread(read, visitor.name, parameters)
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
        path = await self._read(request, lambda _, p: self.shelf.path(wanted(p), *_file_of(p)))
        if isinstance(path, Response):
            return path
        which = wanted(request.query_params)
        version = request.query_params["version"]
        kind = _KINDS.get(path.suffix, "application/octet-stream")
        name = f"{which.name}-{which.day}-v{version}-{path.name}"
        return FileResponse(path, media_type=kind, filename=name)


def furnished(settings: Settings, clock: Clock, door: Door, are_signed: Callable[[], bool]) -> Room:
    """The room of a home."""
    shelf, warehouse = ReportShelf(settings, clock), Warehouse(settings.clickhouse)
    return Room(
        door, shelf, ReportDesk(settings, shelf, clock, are_signed),
        CaseDesk(settings, warehouse, clock), Decisions(settings, warehouse),
    )  # fmt: skip


def _mode(parameters: Any) -> str:
    return str(parameters.get("mode", "live"))


def _file_of(parameters: Any) -> tuple[str, str]:
    return parameters.get("version", ""), parameters.get("file", "")
