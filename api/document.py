"""The OpenAPI 3.1 document: FastAPI's own of paths and parameters, msgspec's of what is given."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI

from api.now import Kind
from api.problems import TYPE, Problem
from api.scopes import MEANING, Scope

ABOUT = (
    "A trading desk on MetaTrader 5: what is now, what was, and how to stop it. Send a key made by"
    " `tickhouse api-keys create`, or the token of /v1/sign-in, as `Authorization: Bearer KEY`."
    " Times are UTC; prices in quote currency, volumes in lots, money in account currency. Lists"
    " are in order of time; `next` goes on as `cursor`, null is the end. Every error is a problem"
    " of RFC 9457."
)
STREAM = (
    "Live topics as server-sent events, what is now first; each needs the scope of its list under"
    " /v1/now. `Last-Event-ID` goes on where a reader was"
)
_JSON, _REF = "application/json", "#/components/schemas/{name}"
_PROBLEM = {"content": {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_REFUSALS = {
    401: "no key, or one that holds no more", 403: "the key may not", 404: "there is none",
    406: "not given in this media type", 409: "refused as things stand", 413: "too large",
    415: "not sent as JSON", 422: "a parameter or body that is none",
    429: "too soon: Retry-After", 500: "our fault", 503: "the warehouse is away, or busy",
}  # fmt: skip
_known: dict[str, Any] = {"Problem": Problem}


def page_of(record: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """A page of such records, as JSON."""
    return msgspec.defstruct(
        f"{record.__name__}Page",
        [("data", list[record]), ("next", str | None)],  # type: ignore[valid-type]
        frozen=True,
    )


def answers(gives: Any, *kinds: str) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation: what it gives, and every way it may refuse."""
    if gives is None:
        content: dict[str, Any] = {"text/event-stream": {"schema": {"type": "string"}}}
    else:
        schema = {"type": "object"} if gives is dict else _schema(gives)
        content = {kind: {"schema": schema} if kind == _JSON else {} for kind in kinds or (_JSON,)}
    done = {"description": "done", "content": content}
    refused: dict[int | str, dict[str, Any]] = {
        code: {"description": why, **_PROBLEM} for code, why in _REFUSALS.items()
    }
    unchanged = {"description": "unchanged since the ETag"}
    return {200: done, 304: unchanged, **refused}


def needs(scope: Scope) -> dict[str, Any]:
    """What an operation says of its caller."""
    return {"security": [{"key": []}], "x-scope": scope}


def taking(body: type[msgspec.Struct]) -> dict[str, Any]:
    """What an operation says that anybody may send a body to."""
    content = {_JSON: {"schema": _schema(body)}}
    return {"security": [], "requestBody": {"required": True, "content": content}}


#: What an operation says that needs a caller, and no scope.
ANYBODY: dict[str, Any] = {"security": [{"key": []}]}


def post(scope: Scope, body: type[msgspec.Struct], key: str) -> dict[str, Any]:
    """What an operation that acts takes."""
    header = {
        "name": key, "in": "header", "required": False,
        "description": "a name of your own for this request: a repeat acts no more",
        "schema": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"},
    }  # fmt: skip
    return taking(body) | {"parameters": [header]} | needs(scope)


def written(app: FastAPI, now: Mapping[str, Kind]) -> dict[str, Any]:
    """The whole document."""
    for kind in now.values():
        _schema(_now_list(kind))
    document = app.openapi()
    for name, kind in now.items():
        document["paths"][f"/v1/now/{name}"] = {"get": _now(name, kind)}
    schemas = _schemas()
    schemas |= {k: v for k, v in document.get("components", {}).get("schemas", {}).items()
                if k not in ("HTTPValidationError", "ValidationError")}  # fmt: skip
    key = {"type": "http", "scheme": "bearer", "description": "a key, a session, or a token"}
    document["components"] = {"schemas": schemas, "securitySchemes": {"key": key}}
    document["info"]["x-scopes"] = dict(MEANING)
    return document


def _now(name: str, kind: Kind) -> dict[str, Any]:
    answered = {str(code): one for code, one in answers(_now_list(kind)).items()}
    return {
        "operationId": f"now_{name}", "summary": f"{kind.says}, from memory",
        "responses": answered, **needs(kind.scope),
    }  # fmt: skip


def _now_list(kind: Kind) -> type[msgspec.Struct]:
    name, record = f"{kind.record.__name__}List", kind.record
    known: type[msgspec.Struct] | None = _known.get(name)
    return known or msgspec.defstruct(name, [("data", list[record])], frozen=True)  # type: ignore[valid-type]


def _schema(kind: type[msgspec.Struct]) -> dict[str, str]:
    _known[kind.__name__] = kind
    return {"$ref": _REF.format(name=kind.__name__)}


def _schemas() -> dict[str, Any]:
    _, components = msgspec.json.schema_components(_known.values(), ref_template=_REF)
    return components
