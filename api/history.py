"""What is kept: a page of a list as JSON or as an Arrow stream, from the warehouse or the cache."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client
from starlette.requests import Request
from starlette.responses import Response

from api import cursors
from api.cache import Answer, Cache
from api.callers import Caller
from api.door import matches
from api.problems import ProblemError
from api.queries import MOST_ROWS, Page
from api.resources import Resource, statement
from api.warehouse import ApiWarehouse, rows
from core.sections import RunSettings

ARROW = "application/vnd.apache.arrow.stream"
_JSON = "application/json"
_VERSIONS = (Path(__file__).parent / "sql" / "versions.sql").read_text()
_VERSION_S = 0.25  # a version is asked for so often at most, and an answer as old at most

Parameters = dict[str, Any]


class History:
    """Answers lists.

    Args:
        seconds: a clock that never goes back.
    """

    def __init__(
        self, warehouse: ApiWarehouse, cache: Cache, run: RunSettings, seconds: Callable[[], float]
    ) -> None:
        self._warehouse, self._cache, self._run = warehouse, cache, run
        self._seconds = seconds
        self._versions: dict[tuple[str, ...], tuple[float, str]] = {}

    async def page(
        self, resource: Resource, caller: Caller, query: Page, request: Request
    ) -> Response:
        """One page.

        Raises:
            ProblemError: a parameter is none, or the warehouse is away.
        """
        as_json = _is_json(request)
        if as_json and query.limit > MOST_ROWS:
            detail = f"limit: at most {MOST_ROWS} rows as JSON; more with Accept: {ARROW}"
            raise ProblemError(422, "parameter", detail)
        parameters = self._parameters(resource, query)
        version = await self._version(resource, caller)
        whose = (caller.user, caller.bounds) if caller.bounds else ()
        key = (resource.place, tuple(parameters.items()), as_json, whose, version)
        etag = '"' + hashlib.sha256(repr(key).encode()).hexdigest()[:32] + '"'
        headers = {"ETag": etag, "Vary": "Accept"}
        if matches(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        answer = self._cache.get(key)
        if answer is None:
            ask = _asking(resource, parameters, etag, as_json=as_json)
            answer = await self._warehouse.ask(caller, ask)
            self._cache.put(key, answer)
        if answer.next:
            headers["Link"] = (
                f'<{request.url.include_query_params(cursor=answer.next)}>; rel="next"'
            )
        return Response(answer.body, headers=headers, media_type=_JSON if as_json else ARROW)

    def _parameters(self, resource: Resource, query: Page) -> Parameters:
        given: Parameters = {name: getattr(query, name) for name in resource.filters}
        if "run" in given:
            given["run"] = given["run"] or self._run.run_id
        if "account" in given and not getattr(query, "run", ""):
            given["account"] = given["account"] or self._run.account
        given = {name: value for name, value in given.items() if value}
        for name, moment in (("begin", query.begin), ("end", query.end)):
            if moment is not None:
                given[name] = cursors.microseconds(moment)
        if query.cursor:
            given |= {"after": 1, **cursors.bound(resource, query.cursor)}
        return given | {"most": query.limit}

    async def _version(self, resource: Resource, caller: Caller) -> str:
        """Of the data: asked for at most four times a second, whoever asks."""
        known = self._versions.get(resource.tables)
        now_s = self._seconds()
        if known and now_s - known[0] < _VERSION_S:
            return known[1]
        if not self._warehouse.knows_versions(resource.tables):  # then each moment has its own
            self._versions[resource.tables] = (now_s, repr(now_s))
            return repr(now_s)
        tables = {"tables": list(resource.tables)}
        anybody = caller._replace(
            filtered=False, bounds=""
        )  # it is of the tables, and shown to nobody
        stored = await self._warehouse.ask(anybody, lambda one: rows(one, _VERSIONS, tables))
        version = repr(sorted(stored[0].items()))
        self._versions[resource.tables] = (now_s, version)
        return version


def _asking(
    resource: Resource, parameters: Parameters, etag: str, *, as_json: bool
) -> Callable[[Client], Answer]:
    sql = statement(resource, set(parameters), as_json=as_json)
    read = _json if as_json else _arrow
    return lambda one: read(one, sql, parameters, resource, etag)


def _json(
    one: Client, sql: str, parameters: Parameters, resource: Resource, etag: str
) -> Answer:  # fmt: skip
    text = one.raw_query(sql, parameters, fmt="JSONEachRow")
    lines = text.split(b"\n")[:-1] if text else []
    following = ""
    if len(lines) == parameters["most"]:
        following = cursors.cursor_of(resource, msgspec.json.decode(lines[-1]))
    tail = msgspec.json.encode(following or None)
    return Answer(b'{"data":[' + b",".join(lines) + b'],"next":' + tail + b"}", etag, following)


def _arrow(
    one: Client, sql: str, parameters: Parameters, resource: Resource, etag: str
) -> Answer:  # fmt: skip
    import pyarrow.ipc

    content = one.raw_query(sql, parameters, fmt="ArrowStream")
    with pyarrow.ipc.open_stream(io.BytesIO(content)) as reader:
        table = reader.read_all()
    following = ""
    if table.num_rows == parameters["most"]:
        following = cursors.cursor_of(resource, table.slice(table.num_rows - 1).to_pylist()[0])
    return Answer(content, etag, following)


def _is_json(request: Request) -> bool:
    """JSON unless Arrow is asked for; what is neither is refused.

    Raises:
        ProblemError: 406.
    """
    kinds = [
        part.partition(";")[0].strip() for part in request.headers.get("accept", "*/*").split(",")
    ]
    if ARROW in kinds:
        return False
    if {_JSON, "application/*", "*/*", "application/problem+json", ""}.isdisjoint(kinds):
        raise ProblemError(406, "media-type", f"there is {_JSON} and {ARROW}")
    return True
