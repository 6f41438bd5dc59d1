"""What is posted is the protocol's own message, read by the protocol's own library."""

import base64
import socket
import threading
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtocolSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from adapters import otlp
from core.errors import InputError, SettingsError, UnavailableError
from tests.support.http_receiver import Receiver
from tests.support.servers import free_port

WHOLE = otlp.Span(
    trace_id="00" + "ab" * 15, span_id="01" * 8, parent_id="", name="order", start_us=1_000_000,
    end_us=1_000_250, failed=False, attributes={"a": "b"},
)  # fmt: skip
BACK = otlp.Span(
    trace_id="00" + "ab" * 15, span_id="02" * 8, parent_id="01" * 8, name="broker",
    start_us=1_000_200, end_us=1_000_100, failed=True, attributes={},
)  # fmt: skip


def parsed(body: dict[str, Any]) -> ExportTraceServiceRequest:
    """By the protocol's definition; its JSON has ids in hex where protobuf's own has base64."""
    for resource in body["resourceSpans"]:
        for span in (s for scope in resource["scopeSpans"] for s in scope["spans"]):
            for name in {"traceId", "spanId", "parentSpanId"} & set(span):
                span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(body, ExportTraceServiceRequest(), ignore_unknown_fields=False)


def test_a_receiver_of_the_protocol_reads_every_field() -> None:
    with Receiver() as collector:
        assert otlp.send(collector.base, "x-key=of mine", [WHOLE, BACK]) == ""
    assert collector.paths == ["/v1/traces"]
    (resource,) = parsed(collector.received[0]).resource_spans
    assert [(a.key, a.value.string_value) for a in resource.resource.attributes] == [
        ("service.name", "tickhouse")
    ]
    first, second = resource.scope_spans[0].spans
    assert (first.trace_id.hex(), first.span_id.hex()) == (WHOLE.trace_id, WHOLE.span_id)
    assert (first.parent_span_id, second.parent_span_id) == (b"", first.span_id)
    assert (first.name, first.kind) == ("order", ProtocolSpan.SPAN_KIND_INTERNAL)
    assert (first.start_time_unix_nano, first.end_time_unix_nano) == (1_000_000_000, 1_000_250_000)
    assert first.status.code == Status.STATUS_CODE_OK
    assert second.status.code == Status.STATUS_CODE_ERROR
    assert [(a.key, a.value.string_value) for a in first.attributes] == [("a", "b")]


def test_a_span_that_ends_before_it_begins_is_told_as_what_clocks_differ_by() -> None:
    (span,) = otlp.message([BACK])["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert span["startTimeUnixNano"] == span["endTimeUnixNano"] == "1000200000"
    assert span["attributes"] == [
        {"key": "tickhouse.clock_skew_us", "value": {"stringValue": "100"}}
    ]


def test_a_path_of_the_persons_own_is_kept() -> None:
    assert otlp.address_of("http://a:4318") == "http://a:4318/v1/traces"
    assert otlp.address_of("https://a/otlp/v1/traces") == "https://a/otlp/v1/traces"


@pytest.mark.parametrize("endpoint", ["", "collector:4318", "ftp://a/", "http:///v1/traces"])
def test_what_is_no_url_is_refused(endpoint: str) -> None:
    with pytest.raises(SettingsError, match=r"traces\.otlp_endpoint"):
        otlp.send(endpoint, "", [WHOLE])


def test_headers_without_a_name_are_refused_and_not_repeated() -> None:
    assert otlp.headers_of(" a=b=, c = d,") == {"a": "b=", "c": "d"}
    with pytest.raises(SettingsError) as refused:
        otlp.headers_of("a=b,hush")
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_who_cannot_take_them_now_is_asked_again(status: int) -> None:
    with Receiver(status) as collector, pytest.raises(UnavailableError, match=str(status)):
        otlp.send(collector.base, "", [WHOLE])


def test_who_refuses_them_is_not_asked_again() -> None:
    with Receiver(400) as collector, pytest.raises(InputError, match="400"):
        otlp.send(collector.base, "", [WHOLE])


def test_nobody_there_and_somebody_who_hangs_up_are_asked_again() -> None:
    with pytest.raises(UnavailableError):
        otlp.send(f"http://127.0.0.1:{free_port()}", "", [WHOLE])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)

        def hang_up() -> None:
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(UnavailableError):
            otlp.send(f"http://127.0.0.1:{listener.getsockname()[1]}", "", [WHOLE])
        thread.join()


def test_what_a_collector_left_is_told() -> None:
    answer = b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too old"}}'
    assert otlp._partial(answer) == "2 spans were not taken: too old"
    for whole in (b"", b"{}", b"ok", b"[]", b'{"partialSuccess": null}'):
        assert otlp._partial(whole) == ""
