"""Spans to a collector: OTLP over HTTP, in the protocol's JSON.

Of the protocol one message is needed, so it is written out here; a tracing library would bring
context, sampling and exporters that keep spans in memory, and the warehouse keeps them already.
https://opentelemetry.io/docs/specs/otlp/
"""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from core.errors import InputError, SettingsError, UnavailableError

_PATH = "/v1/traces"
_INTERNAL, _OK, _ERROR = 1, 1, 2  # SpanKind and StatusCode
_AGAIN = (408, 429, 502, 503, 504)
_WITHIN_S = 10.0
_LONGEST = 65_536  # bytes of an answer that are read


class Span(NamedTuple):
    """One span; times are microseconds since the Unix epoch. `parent_id` is empty for the first."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_us: int
    end_us: int
    failed: bool
    attributes: Mapping[str, str]


def send(endpoint: str, headers: str, spans: Sequence[Span]) -> str:
    """Send spans, once; what the collector says of spans that it did not take, mostly nothing.

    Raises:
        SettingsError: endpoint or headers are none.
        UnavailableError: it does not answer, or wants to be asked again.
        InputError: it refuses these spans for good.
    """
    request = urllib.request.Request(  # noqa: S310 - `address_of` lets http and https pass
        address_of(endpoint),
        msgspec.json.encode(message(spans)),
        {"Content-Type": "application/json", "User-Agent": "tickhouse"} | headers_of(headers),
    )
    try:
        with _OPENER.open(request, timeout=_WITHIN_S) as answer:
            return _partial(answer.read(_LONGEST))
    except urllib.error.HTTPError as error:
        with error:
            problem = f"HTTP {error.code} {error.reason}"
        if error.code in _AGAIN or error.code in (401, 403, 404):  # the last: a setting is wrong
            raise UnavailableError(problem) from None
        raise InputError(_named(endpoint), problem) from None
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(str(error)) from error


def address_of(endpoint: str) -> str:
    """Where traces are posted.

    Raises:
        SettingsError: it is no URL.
    """
    url = urlsplit(endpoint)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise SettingsError("traces.otlp_endpoint: give http://host:4318, or https and a path")
    return endpoint if url.path.strip("/") else url._replace(path=_PATH).geturl()


def headers_of(text: str) -> dict[str, str]:
    """Headers as `traces.otlp_headers` has them.

    Raises:
        SettingsError: one has no name; its value is not repeated.
    """
    headers = dict[str, str]()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not (name.strip() and equals):
            raise SettingsError("traces.otlp_headers: give name=value, comma-separated")
        headers[name.strip()] = value.strip()
    return headers


def message(spans: Sequence[Span]) -> dict[str, Any]:
    """An ExportTraceServiceRequest: ids in hex, 64-bit numbers as text."""
    resource = {"attributes": _attributes({"service.name": "tickhouse"})}
    scope = {"scope": {"name": "tickhouse.order"}, "spans": [_span(span) for span in spans]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _span(span: Span) -> dict[str, Any]:
    """The protocol has no span that ends before it begins: what clocks differ by is told beside."""
    skew_us = min(span.end_us - span.start_us, 0)
    skewed = {"tickhouse.clock_skew_us": str(-skew_us)} if skew_us else {}
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        **({"parentSpanId": span.parent_id} if span.parent_id else {}),
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(span.start_us * 1000),
        "endTimeUnixNano": str((span.end_us - skew_us) * 1000),
        "attributes": _attributes({**span.attributes, **skewed}),
        "status": {"code": _ERROR if span.failed else _OK},
    }


def _attributes(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": text}} for key, text in values.items()]


def _partial(answer: bytes) -> str:
    """A collector that took a part says how many it did not, and why."""
    try:
        said = json.loads(answer or b"{}").get("partialSuccess") or {}
        rejected = int(said.get("rejectedSpans") or 0)
    except (ValueError, AttributeError, TypeError):
        return ""  # taken, in words that are not the protocol's
    return f"{rejected} spans were not taken: {said.get('errorMessage', '')}" if rejected else ""


def _named(endpoint: str) -> str:
    """The address without what it may hold of a password."""
    url = urlsplit(endpoint)
    return f"{url.scheme}://{url.hostname}{url.path}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Headers may hold a token, which another host must not get."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)
