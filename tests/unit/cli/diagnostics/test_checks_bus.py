"""What doctor makes of messages that were found on a Kafka."""

from typing import TYPE_CHECKING

from cli.diagnostics.checks_bus import clocks, versions
from core.contracts import codec
from core.contracts.operations import Heartbeat

if TYPE_CHECKING:
    from adapters.bus.kafka.probe import Stamped


def _stamped(value: bytes, ms: int) -> "Stamped":
    from adapters.bus.kafka.probe import Stamped  # Quix Streams takes a second to load

    return Stamped("heartbeats", value, ms)


def _beat(process: str, at_ms: int, stamped_ms: int) -> "Stamped":
    beat = Heartbeat(
        run_id="live", mode="demo", process=process, incarnation_us=1, seq=1,
        ts_event_us=at_ms * 1000, status="ready", detail="", stages={}, max_ns={},
    )  # fmt: skip
    return _stamped(codec.encode(beat), stamped_ms)


def test_a_message_of_another_version_is_named_with_its_topic() -> None:
    other = codec.encode(Heartbeat(
        run_id="r", mode="demo", process="p", incarnation_us=1, seq=1, ts_event_us=1,
        status="ready", detail="", stages={}, max_ns={},
    ))  # fmt: skip
    newer = other.replace(b"Heartbeat/1", b"Heartbeat/9")
    (check,) = versions([_stamped(other, 1), _stamped(newer, 1)])
    assert (check.name, check.result) == ("messages of heartbeats", "failed")
    assert "Heartbeat/9" in check.found


def test_a_host_whose_clock_is_off_is_named_and_a_late_heartbeat_is_not() -> None:
    beats = [
        _beat("near", 1000, 6000), _beat("near", 2000, 2003),
        _beat("slow", 1000, 8000), _beat("fast", 9000, 1000),
    ]  # fmt: skip
    result = {check.name: check.found for check in clocks(beats, 1.0)}
    assert result == {
        "clock of slow": "7.0 s behind the brokers'",
        "clock of fast": "8.0 s ahead of the brokers'",
    }
