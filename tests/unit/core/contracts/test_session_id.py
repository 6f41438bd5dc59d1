"""Messages without a session are the bytes of before there were any; with one, both sides read."""

import msgspec
import pytest

from core.contracts import codec
from core.contracts.order import EventKind, OrderEvent
from core.contracts.signal import Signal, SignalBatch
from execution.journal import records
from execution.journal.chain import Chain

SESSION = "live-000007-3f9a1c2d"
SIGNAL = Signal(
    signal_id="s", run_id="live", mode="demo", account="a", strategy="model", source="oanda",
    symbol="EURUSD", ts_event_us=1, ts_init_us=2, time_msc=3, seq=0, target=1.0,
    reference_price=1.1, stop_price=1.0, horizon_us=4, expires_us=5, confidence=0.6, model="m",
    prediction_id="p",
)  # fmt: skip
EVENT = OrderEvent(
    seq=1, event_id="o.1", kind=EventKind.RECEIVED, run_id="live", mode="demo", account="a",
    strategy="model", order_id="o", signal_id="s", source="oanda", symbol="EURUSD", ts_event_us=1,
    ts_init_us=2, reason="why", hash="h" * 64,
)  # fmt: skip
TOPICS = [("signals", SIGNAL), ("order_events", EVENT)]


def of_before(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The message as versions without sessions have it."""
    fields = [
        (field.name, field.type, field.default)
        if field.default is not msgspec.NODEFAULT
        else (field.name, field.type)
        for field in msgspec.structs.fields(kind)
        if field.name != "session_id"
    ]
    tag = kind.__struct_config__.tag
    return msgspec.defstruct(kind.__name__, fields, frozen=True, array_like=True, tag=tag)


@pytest.mark.parametrize(("topic", "message"), TOPICS)
def test_without_a_session_the_bytes_are_those_of_before(topic: str, message: msgspec.Struct):
    old = of_before(type(message))
    written = msgspec.msgpack.encode(msgspec.convert(message, old, from_attributes=True))
    assert codec.encode(message) == records.encode(message) == written
    assert codec.decode(topic, written) == message  # what a home has queued from before


@pytest.mark.parametrize(("topic", "message"), TOPICS)
def test_with_a_session_both_versions_read_it(topic: str, message: msgspec.Struct):
    named = msgspec.structs.replace(message, session_id=SESSION)
    assert codec.decode(topic, codec.encode(named)) == named
    read = msgspec.msgpack.decode(codec.encode(named), type=of_before(type(message)))
    assert read.source == "oanda"


def test_a_replays_slice_is_read_whole():
    batch = SignalBatch("r", 1, 2, [SIGNAL, SIGNAL])
    assert codec.decode("signals", codec.encode(batch)) == batch


def test_a_journal_goes_on_over_the_start_that_named_itself_first():
    before, after, reader = Chain(), Chain(SESSION), Chain()
    first, payload = before.link(EVENT)
    assert (first.session_id, records.decode(payload)) == ("", first)
    after.follow(first, "here")
    second, payload = after.link(EVENT)
    assert (second.session_id, records.decode(payload)) == (SESSION, second)
    for event in (first, second):
        reader.follow(event, "here")
    changed = msgspec.structs.replace(second, session_id="another")
    with pytest.raises(Exception, match="does not fit its content"):
        Chain.follow(_at(first), changed, "here")


def _at(event: OrderEvent) -> Chain:
    chain = Chain()
    chain.follow(event, "here")
    return chain
