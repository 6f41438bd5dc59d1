"""Errors as problem details (RFC 9457), `application/problem+json`: every one that the API gives.

`type` is a stable name of the kind of error; `detail` says in words what to do about it, and never
what another caller, a path of the machine or a secret is.
"""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

TYPE = "application/problem+json"
_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "In conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not understood",
    429: "Too many requests",
    500: "Failed",
    503: "Away",
}


class Problem(msgspec.Struct, frozen=True):
    """What went wrong."""

    type: str  # "/problems/" and the kind, a name that stays
    title: str
    status: int
    detail: str


class ProblemError(Exception):
    """A request is refused, or failed.

    Args:
        status: of HTTP.
        kind: a name of the error that programs may go by.
        detail: what to do about it.
    """

    def __init__(
        self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """The problem as JSON."""
        title = _TITLES.get(self.status, "Refused")
        problem = Problem(f"/problems/{self.kind}", title, self.status, self.detail)
        return msgspec.json.encode(problem)

    def response(self) -> Response:
        """The whole answer."""
        return Response(self.body(), self.status, self.headers, TYPE)
