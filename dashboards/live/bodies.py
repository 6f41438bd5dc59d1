"""What a button of the page sends, and how it is refused."""

from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_LONGEST_BODY = 8_192

Body = TypeVar("Body")


async def body_of(request: Request, kind: type[Body]) -> Body | Response:
    """Its JSON as such a struct, or the refusal."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return refuse(415, "send application/json")
    text = bytearray()
    async for part in request.stream():
        text += part
        if len(text) > _LONGEST_BODY:
            return refuse(413, "too long")
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return refuse(422, f"not understood: {error}")


def refuse(status: int, text: str, **more: object) -> JSONResponse:
    """Why nothing was done."""
    return JSONResponse({"error": text, **more}, status_code=status)
